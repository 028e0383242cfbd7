"""The score of a trial: what a search learns from it, what ranks it, and how it is to be read."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ends = tuple[float, float]

Place = TypeVar("Place")

__all__ = [
    "STATISTICS",
    "TAIL",
    "differing",
    "ends",
    "of_seeds",
    "spanning",
    "tail_mean",
    "trial_score",
    "worst",
]

TAIL = 0.2
"""Share of the recorded steps, counted from the end, over which a trial's score is averaged."""

STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
}
"""What a search may make of the scores of a point's seeds."""


def of_seeds(statistic: str, scores: Sequence[float]) -> float:
    """A statistic of the scores of a point's seeds; NaN if one of them is no finite number.

    Exact sums: points of the same scores, in whatever order, are equal.
    """
    finite = all(map(math.isfinite, scores))
    return float(STATISTICS[statistic](scores)) if finite else math.nan


def tail_mean(curves: Array) -> Array:
    """Mean of the last fifth of the recorded steps (at least one); NaN if there are none.

    Adversarial training circles rather than settles, and the value at one step depends on when it
    stops.

    Shapes  `(*, steps) -> (*)`.
    """
    recorded = ~np.isnan(curves)
    kept = np.ceil(TAIL * recorded.sum(axis=-1, keepdims=True))
    from_the_end = np.cumsum(recorded[..., ::-1], axis=-1)[..., ::-1]
    tail = recorded & (from_the_end <= kept)
    total = np.where(tail, curves, 0.0).sum(axis=-1)
    return np.asarray(total / np.where(kept[..., 0] > 0, kept[..., 0], np.nan))


def worst(reading: Mapping[str, Any]) -> float:
    """What a diverged trial scores: the worse bound of a metric if it is finite, else NaN."""
    low, high = (float(bound) for bound in reading["bounds"])
    worse = low if reading["direction"] == "higher" else high
    return worse if math.isfinite(worse) else math.nan


def ends(reading: Mapping[str, Any]) -> Ends:
    """The worst value and that at p = q, NaN where there is none."""
    return worst(reading), float(reading["value_at_equality"])


def differing(known: Mapping[Place, Ends]) -> Mapping[Place, Ends]:
    """The ends of a metric at each place; none where these are all the same."""
    # As text, in which NaN is NaN.
    return known if len(set(map(str, known.values()))) > 1 else {}


def trial_score(status: str, curve: NDArray[np.floating], reading: Mapping[str, Any]) -> float:
    """The score of one trial, as `analysis.trial_scores` gives it, with infinity for the worst.

    A diverged trial has the worst bound, infinite or not. NaN for a failed trial, and where nothing
    is recorded.
    """
    higher = reading["direction"] == "higher"
    if status == "diverged":
        low, high = (float(bound) for bound in reading["bounds"])
        return low if higher else high
    if status != "complete":
        return math.nan
    score = float(tail_mean(curve.astype(np.float64)))
    end = worst(reading)
    if score < end if higher else score > end:
        return end
    unbounded = score == (-math.inf if higher else math.inf)
    return score if math.isfinite(score) or unbounded else math.nan


def spanning(readings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One reading of a metric for several targets: bounds that hold all, every way to estimate it.

    The value at p = q is NaN where it is not the same for all; `ends` of each are kept beside it.
    """
    whole = dict(readings[0])
    lows, highs = zip(*(reading["bounds"] for reading in readings), strict=True)
    whole["bounds"] = (min(lows), max(highs))
    if len({reading["value_at_equality"] for reading in readings}) > 1:
        whole["value_at_equality"] = math.nan
    if ways := dict.fromkeys(own for r in readings if (own := r.get("estimate"))):
        whole["estimate"] = " or ".join(ways)
    return whole
