"""Summaries of one recorded curve, on plain arrays; NaN is a step that was not recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def last(curves: Array) -> Array:
    """The last recorded value; NaN if there is none. Shapes `(*, steps) -> (*)`."""
    if not curves.shape[-1]:
        return np.full(curves.shape[:-1], np.nan)
    return np.asarray(_held(curves)[..., -1], dtype=np.float64)


def falls(curves: Array, threshold: float) -> NDArray[np.int64]:
    """Number of falls by more than `threshold` from one recorded step to the next.

    Shapes  `(*, steps) -> (*)`.
    """
    change = np.diff(_held(curves), axis=-1)
    return np.asarray((change < -threshold).sum(axis=-1), dtype=np.int64)


def first_reach(curves: Array, level: Array) -> NDArray[np.int64]:
    """Index of the first recorded value of at least `level`; -1 if there is none.

    Shapes  `(*, steps), (*) -> (*)`.
    """
    reached = curves >= level[..., None]
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1), -1)


def stays(curves: Array, level: Array) -> NDArray[np.bool_]:
    """Whether every recorded value from the first of at least `level` on is; false without one.

    Shapes  `(*, steps), (*) -> (*)`.
    """
    since = np.logical_or.accumulate(curves >= level[..., None], axis=-1)
    fell = since & (curves < level[..., None])
    return np.asarray(since.any(axis=-1) & ~fell.any(axis=-1))


def drawdown(curves: Array) -> Array:
    r"""Largest fall from the running maximum; NaN if nothing was recorded.

    Maths   $\max_t (\max_{s \le t} x_s - x_t) \ge 0$
    Shapes  `(*, steps) -> (*)`.
    """
    fall = np.fmax.accumulate(curves, axis=-1) - curves
    return np.asarray(np.fmax.reduce(fall, axis=-1), dtype=np.float64)


def _held(curves: Array) -> Array:
    """Hold every recorded value over the gap that follows it, so that a gap is no change."""
    steps = np.arange(curves.shape[-1])
    position = np.maximum.accumulate(np.where(np.isnan(curves), 0, steps), axis=-1)
    return np.take_along_axis(curves, position, axis=-1)
