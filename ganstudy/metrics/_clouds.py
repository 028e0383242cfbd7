"""Clouds of samples: one at a time, and the clouds of p that they are compared with."""

from __future__ import annotations

import zlib
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target

    Cloud = NDArray[np.float64]
    Measure = Callable[[Cloud], float]

REFERENCE_SEED = 1407_1405
"""Seed of all clouds of p that metrics draw; no seed of a trial, so that no trial trained on it."""


def each_cloud(
    samples: Array,
    measure: Measure,
    worst: float,
    *,
    against: Target | None = None,
) -> Array:
    """`measure` of every cloud; a cloud with a sample that is not finite has the worst value.

    A cloud is a set: `measure` sees it in an order that depends on the set alone, and can take its
    first samples for a random part of it.

    against  the target whose `reference` the clouds are compared with, as many samples as that has

    Shapes  `(*pack, samples, dimension) -> (*pack,)`.
    """
    clouds = samples.reshape(-1, *samples.shape[-2:]).astype(np.float64)
    finite = np.asarray(np.isfinite(clouds).all(axis=(1, 2)))
    most = clouds.shape[1] if against is None else unseen(against, clouds.shape[1])
    values = [
        measure(shuffled(cloud)[:most]) if usable else worst
        for cloud, usable in zip(clouds, finite, strict=True)
    ]
    return np.array(values, np.float64).reshape(samples.shape[:-2])


def reference(target: Target, count: int, block: int = 0) -> Cloud:
    """Samples of p that no training step sees: the same for every trial, independent by block.

    Of data these are held-out rows, each once, and no more than there are: a row that is drawn
    twice lies in a ball without width, and is told from samples by that alone.

    That one cloud serves all trials makes a metric a function of the samples alone. Its own chance
    is common to all arms, and cancels in their differences to first order.
    """
    stream = np.random.SeedSequence(REFERENCE_SEED, spawn_key=(block,))
    return target.unseen(np.random.default_rng(stream), count).astype(np.float64)


def unseen(target: Target, count: int) -> int:
    """How many samples there are in such a cloud."""
    return count if target.unseen_rows is None else min(count, target.unseen_rows)


def draws(target: Target, count: int, block: int = 0) -> Cloud:
    """Samples of p as a perfect generator makes them; those of `reference` unless p is data."""
    stream = np.random.SeedSequence(REFERENCE_SEED, spawn_key=(block,))
    return target.sample(np.random.default_rng(stream), count).astype(np.float64)


def shuffled(cloud: Cloud) -> Cloud:
    """The cloud in an order that depends on its points and not on the order they came in."""
    ordered = np.ascontiguousarray(cloud[_order(cloud)])
    # The order is drawn anew for every set: one order for all would favour the same ranks in all.
    rng = np.random.default_rng(zlib.crc32(ordered.tobytes()))
    return np.asarray(rng.permutation(ordered))


def _order(cloud: Cloud) -> NDArray[np.intp]:
    """That of `np.lexsort(cloud.T)`, by no more of the last columns than tell points apart."""
    order, width = np.argsort(cloud[:, -1], kind="stable"), 1
    while width < cloud.shape[1]:
        known = cloud[order, -width:]
        same = (known[1:] == known[:-1]).all(axis=1)
        tied = np.append(same, False) | np.append(False, same)
        if not tied.any():
            break
        width *= 8
        order[tied] = order[tied][np.lexsort(cloud[order[tied], -width:].T)]
    return order


def typical_distance(cloud: Cloud) -> float:
    """Median distance between the two halves of a cloud: the scale of kernels. NaN of one."""
    from scipy.spatial.distance import cdist

    half = len(cloud) // 2
    if not half:
        return float("nan")
    return float(np.median(cdist(cloud[:half], cloud[half:])))


@cache
def typical_distance_in(target: Target) -> float:
    """That of a thousand samples of p, the same for every trial."""
    return typical_distance(reference(target, 1000, block=1))
