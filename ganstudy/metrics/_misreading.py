"""What a classifier that reads the modes of images gets wrong, and what can be taken back of it.

All of it holds if the classifier errs on generated images as it does on held-out ones.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.targets import Modes

__all__ = ["by_mistake", "corrected_shares", "judged", "lost_to_doubt", "trueness"]

_ROUNDS = 200
"""Beyond these nothing moves that could be seen: 1e-4 of a share, for 2,000 images of one class."""


def judged(modes: Modes) -> NDArray[np.float64] | None:
    """How many held-out images tell how each class is read, `(modes,)`; None for modes that are
    read without error, or are several classes each. No classifier is trained for it.
    """
    known = getattr(modes, "judged", None)
    if known is None:
        confusions = _confusions(modes)
        known = confusions[0].sum(axis=1) if confusions else ()
    return np.asarray(known, np.float64) if len(known) == len(modes.weights) else None


def by_mistake(counts: NDArray[np.int64], modes: Modes) -> NDArray[np.float64]:
    r"""How many samples of each class may be those of others that were misread.

    Maths   the 99.9 % quantile of a negative binomial variable with mean
            $m = \sum_{i \ne k} n_i C_{ik}$, where the classifier reads a share $C_{ik}$ of the
            images of class i as k and $n_i$ samples are of it (the most likely ones), and variance
            $m + \sum_{i \ne k} r_i^2 C_{ik} (1 - C_{ik}) / (h_i + 1)$ for $r_i$ read as it, which
            scatters less where few held-out images tell C: a Poisson variable whose
            mean is known as well as $h_i$ held-out images tell it. Of these, half a one more is
            read right, and half is shared out over the other classes (Jeffreys): what was never
            seen is not impossible, and not likelier for there being many classes.
    Shapes  `(*, modes) -> (*, modes)`; 0 for modes that are read without error, or are several
            classes each.
    """
    found = _of_classes(modes)
    return np.zeros(counts.shape) if found is None else _mistaken(counts, found)


def _mistaken(counts: NDArray[Any], found: Array) -> NDArray[np.float64]:
    from scipy.stats import nbinom

    half = np.full(found.shape, 0.5 / max(len(found) - 1, 1))
    np.fill_diagonal(half, 0.5)
    held_out, rates = found.sum(axis=1) + 1, _rates(found + half)
    others = np.where(np.eye(len(found), dtype=bool), 0.0, rates)
    # Those that are read as a class are a fifth fewer where a fifth of its images is misread.
    mean = (_most_likely(counts, rates) * counts.sum(axis=-1, keepdims=True)) @ others
    beyond = np.square(counts) @ (others * (1 - others) / (held_out + 1)[:, None])
    # Where there is nothing to misread, nothing is.
    size = np.square(mean) / np.maximum(beyond, 1e-12)
    share = mean / np.maximum(mean + beyond, 1e-12)
    return np.where(mean > 0, nbinom.ppf(0.999, np.maximum(size, 1e-12), share), 0.0)


def lost_to_doubt(known: Array, weights: Array, samples: int) -> NDArray[np.float64]:
    """Chance that so many samples of p have some of a mode, and they may all have been misread,
    though no held-out image was: so few tell it.

    Shapes  `known`, as `judged` has them, and the modes' weights `(modes,)`, as is what is found.
    """
    from scipy.stats import binom

    most = _mistaken(samples * weights, np.diag(known))
    return np.asarray(binom.cdf(most, samples, weights) - (1 - weights) ** samples)


def corrected_shares(counts: NDArray[np.int64], modes: Modes) -> NDArray[np.float64]:
    r"""Shares of the modes among samples that were read so often as each: of classes, the most
    likely ones.

    Maths   counts n are multinomial with shares $h C$ for h the true ones on the simplex; h is
            found by expectation and maximisation,
            $h_i \leftarrow h_i \sum_k C_{ik} n_k / (n_+ (h C)_k)$, with the rates C at which
            held-out images were read. Modes that are read without error, or are several classes
            each, have the shares that were read.
    Shapes  `(*, modes) -> (*, modes)`; without samples all are 0.
    Source  Saerens, Latinne & Decaestecker 2002, for shares of classes; Richardson 1972 and Lucy
            1974 for the same step.
    """
    found = _of_classes(modes)
    if found is None:
        return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1))
    rates = _rates(found)
    # A class that no held-out image was read as: what is read so has no other origin. Its own
    # images may have been all that was read as yet another one.
    while (unread := rates.sum(axis=0) == 0).any():
        rates = np.where(unread[:, None], np.eye(len(rates)), rates)
    return _most_likely(counts, rates)


def _most_likely(counts: NDArray[Any], rates: Array) -> NDArray[np.float64]:
    # A class without a sample that was read as it may be there all the same.
    read = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    share = (read + 0.01 / len(rates)) / 1.01
    for _ in range(_ROUNDS):
        expected = share @ rates
        more = np.divide(read, expected, out=np.zeros_like(share), where=expected > 0)
        share = share * (more @ rates.T)
    return np.asarray(share)


def trueness(
    read: NDArray[np.integer], told: NDArray[np.integer], modes: Modes
) -> NDArray[np.float64]:
    r"""What each sample adds to the number of those whose mode is the one that they were told.

    Maths   1 or 0 as read and told are equal or not; with a classifier that read held-out images
            at rates C, $(C^{-1})_{read, told}$, whose mean over readings of an image of class i is
            1 for i the told class and 0 otherwise. Of several classes each with a classifier, the
            product.
    Shapes  `(*), (*) -> (*)`.
    Source  Rogan & Gladen 1978, for two classes.
    """
    confusions = _confusions(modes)
    if not confusions:
        return np.asarray(read == told, np.float64)
    sizes = [len(confusion) for confusion in confusions]
    known = told >= 0
    places = np.unravel_index(read, sizes), np.unravel_index(np.where(known, told, 0), sizes)
    own = [_inverse(c.tobytes(), len(c))[r, t] for c, r, t in zip(confusions, *places, strict=True)]
    return np.asarray(np.where(known, np.prod(own, axis=0), 0.0))


def _confusions(modes: Modes) -> tuple[Array, ...]:
    """Of each of the classes that make a mode, how held-out images are read; none where no
    classifier errs.
    """
    return tuple(getattr(modes, "confusions", ()))


def _rates(found: Array) -> Array:
    """Share of the images of a class (row) that are read as another (column); a class of which
    there are none is read right, for all that is known.
    """
    count = found.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(found, count, out=np.eye(len(found)), where=count > 0))


def _of_classes(modes: Modes) -> Array | None:
    """Of modes that are one class each. A thousand stacks are more than samples can be shared out
    to: the most likely shares of so many are no better than those that were read.
    """
    confusions = _confusions(modes)
    return confusions[0] if len(confusions) == 1 else None


@lru_cache(maxsize=8)
def _inverse(content: bytes, classes: int) -> Array:
    # Classes that are read alike have no inverse: a sample of them counts for each by its share.
    rates = _rates(np.frombuffer(content).reshape(classes, classes))
    return np.asarray(np.linalg.pinv(rates, rcond=1e-6))
