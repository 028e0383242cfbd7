"""Evidence that may be looked at after every seed: a test that holds whenever one stops."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["STAKES", "evidence", "leaning", "magnitudes", "one_sided_evidence", "tendency"]

Array = NDArray[np.float64]

STAKES = (0.3, 0.6, 1.2, 2.5)
"""Bets of these sizes are mixed: small ones find small effects in the end, large ones find large
effects soon."""


def evidence(differences: Array) -> Array:
    r"""Logarithm of the evidence that two arms are not exchangeable, after each of their pairs.

    Maths   $u_i = d_i / \sqrt{\sum_{j \le i} d_j^2 / i}$ and
            $E_n = \frac18 \sum_c \sum_\pm \prod_{i \le n} e^{\pm c u_i} / \cosh(c u_i)$ over the
            stakes $c$. Where arms are exchangeable within a seed, the sign of $d_i$ is fair given
            $|d_i|$ and the pairs before, and $E[e^{\pm c u}] = \cosh(cu)$ under a fair sign: every
            product is a martingale that begins at 1, and so is their mean. By Ville's inequality
            $P(\sup_n E_n \ge 1/\alpha) \le \alpha$, whatever the law of the scores, and so at any
            stopping time. One side alone can exceed 1: a product of the other sign does so only if
            the sum of the $u_i$ has that sign.
            A pair that is NaN is left out. An infinite difference counts as the largest finite one
            so far, which is known when its sign is not; ties are 0 and bet nothing.
    Shapes  `(*, n) -> (*, n)`.
    Source  Ville 1939, "Étude critique de la notion de collectif"; Ramdas, Ruf, Larsson and Koolen
            2020, "Admissible anytime-valid sequential inference must rely on nonnegative
            martingales" (section on symmetric laws).
    """
    up, down = (one_sided_evidence(sign * differences) for sign in (1.0, -1.0))
    return np.logaddexp(up, down) - math.log(2)


def one_sided_evidence(differences: Array) -> Array:
    r"""Logarithm of the evidence that differences lie above zero, after each of them.

    Maths   The mean over $c$ of the products with $e^{+cu}$ alone. A supermartingale wherever a
            positive sign is at most as likely as a negative one given $|d|$ and the past: for
            differences that are symmetric about zero, and for those symmetric and unimodal about
            a centre below it.
    Shapes  `(*, n) -> (*, n)`.
    """
    u = _scaled(differences)[..., None, :]
    stakes = np.array(STAKES)[:, None]
    # log cosh x without overflow.
    size = np.abs(stakes * u)
    log_cosh = size + np.log1p(np.exp(-2 * size)) - math.log(2)
    products = np.cumsum(stakes * u - log_cosh, axis=-1)
    return np.asarray(np.logaddexp.reduce(products, axis=-2) - math.log(len(STAKES)))


def leaning(differences: Array) -> Array:
    """Which side the evidence is on after each pair: the sign of the scaled differences' sum.

    Shapes  `(*, n) -> (*, n)`.
    """
    return np.sign(np.cumsum(_scaled(differences), axis=-1))


def tendency(differences: Array) -> Array:
    """Sign of the mean difference after each pair; infinite ones count before all finite ones.

    Shapes  `(*, n) -> (*, n)`.
    """
    unbounded = np.where(np.isinf(differences), np.sign(differences), 0.0)
    finite = np.where(np.isfinite(differences), differences, 0.0)
    count, total = np.cumsum(unbounded, axis=-1), np.cumsum(finite, axis=-1)
    return np.sign(np.where(count != 0, count, total))


def magnitudes(differences: Array) -> Array:
    """Sizes of the differences, infinite ones as large as the largest finite one so far; NaN where
    there is none yet, and where a difference is missing.

    Shapes  `(*, n) -> (*, n)`.
    """
    size = np.abs(differences)
    finite = np.where(np.isfinite(size), size, -np.inf)
    largest = np.maximum.accumulate(finite, axis=-1)
    replaced = np.where(np.isfinite(largest), largest, np.nan)
    return np.where(np.isinf(size), replaced, size)


def _scaled(differences: Array) -> Array:
    """Differences in units of their root mean square so far, by their size and sign alone."""
    size = magnitudes(differences)
    known = np.isfinite(size)
    square = np.cumsum(np.where(known, size, 0.0) ** 2, axis=-1)
    mean = np.divide(square, np.cumsum(known, axis=-1), out=np.zeros(square.shape), where=known)
    whole = known & (mean > 0)
    u = np.divide(size, np.sqrt(mean), out=np.zeros(size.shape), where=whole)
    # Infinite before anything finite: a sign, and no size yet.
    u = np.where(np.isinf(differences) & ~whole, 1.0, u)
    return np.where(np.isnan(differences), 0.0, u * np.sign(differences))
