"""How good each arm can be: its scores at its own best setting, with limits that hold for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.arms import interval_over_seeds
from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.design import FRESH, arm_dim, given_dims, planned, setting_dims
from ganstudy.analysis.intervals import Array, known_mean
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.scores import lost, over_fresh, trial_scores


@of_arms
def best_setting_scores(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    scored_by: str | None = None,
    confidence: float = 0.95,
) -> xr.Dataset:
    """How good each arm can be: its score at its own best setting.

    scored_by  another metric, of which the scores are; the metric still chooses the settings

    A setting is chosen for each value of what is given, such as the target, and its scores are
    averaged over them: those that are planned for every arm, if there are any. The setting with the
    best mean over seeds is taken, among those with the most scored seeds and, on a tie, the first
    in study order. `mean` is of the same seeds that chose the setting and therefore optimistic.
    `held_out` is not: each seed is scored at the setting that the other seeds choose
    (leave-one-seed-out), and these scores are averaged over the `held_out_seeds` that have one; NaN
    with one seed.

    `low` and `high` are limits of the mean of the setting that all seeds choose, whichever that is:
    Bonferroni divides their level by the number of settings on the side that the choice flatters,
    and by that of the values of what is given. They reach to `held_out`. Held-out scores themselves
    depend on each other through the choice and are no sample
    (docs/decisions/0031-limits-at-the-best-setting.md).

    Scores are of seeds that have one: where `unbounded` seeds are worse than any number at the
    setting that all choose, and `held_out_unbounded` at that which the others choose, they are
    those of the survivors, and say less than those of an arm that has none.

    Returns  dims (arm,): `mean`, `seeds`, `unbounded`, `held_out`, `low`, `high`, `held_out_seeds`,
             `held_out_unbounded`; and dims (arm, given axes…): `ties` (settings that share the best
             mean; none where no setting has a score), with a coordinate for each other axis: the
             value chosen (the first where none has a score).
    """
    chooser, fact = (RecordedMetric.of(ds, own) for own in (metric, scored_by or metric))
    arm, given = arm_dim(ds), given_dims(ds)
    axes = [dim for dim in setting_dims(ds) if dim not in (*given, FRESH)]
    score, other = (
        over_fresh(trial_scores(ds, own.name)).transpose(arm, *given, *axes, "seed")
        for own in (chooser, fact)
    )
    cells = [score.sizes[dim] for dim in (arm, *given)]
    shape = (cells[0], math.prod(cells[1:]), -1, score.sizes["seed"])
    known, flat = chooser.sign * score.values.reshape(shape), other.values.reshape(shape)
    used = _given_to_all(planned(ds), arm, given).reshape(shape[:2])
    best, ties = _best_settings(known)
    worse = lost(trial_scores(ds, fact.name)).transpose(*score.dims).values.reshape(shape)
    taken, gone = (
        np.take_along_axis(own, best[:, :, None, None], axis=2)[:, :, 0] for own in (flat, worse)
    )
    mean, seeds = known_mean(_mean_of(taken, used))
    held, held_seeds = known_mean(_mean_of(_held_out(known, flat), used))
    settings = max(1, int(np.isfinite(known).any(axis=-1).sum(axis=-1).max()))
    choices = (settings, settings) if scored_by else (settings, 1)[:: int(chooser.sign)]
    low, high = _limits(taken, used, fact, confidence, choices)
    values = {
        "mean": mean,
        "held_out": held,
        "low": np.where(np.isfinite(held), np.fmin(low, held), np.nan),
        "high": np.where(np.isfinite(held), np.fmax(high, held), np.nan),
    }
    said = {
        name: (arm, own, {"long_name": f"{fact.long_name}, {name}", "units": fact.units})
        for name, own in values.items()
    }
    counted = {"seeds": (arm, seeds), "held_out_seeds": (arm, held_seeds)}
    for name, own in (("unbounded", gone), ("held_out_unbounded", _held_out(known, worse) == 1)):
        counted[name] = (arm, (own & used[..., None]).any(axis=1).sum(axis=-1))
    own = {"ties": ((arm, *given), ties.reshape(cells))}
    scores = xr.Dataset({**said, **counted, **own}, {dim: score[dim] for dim in (arm, *given)})
    sizes = [score.sizes[axis] for axis in axes]
    for axis, index in zip(axes, np.unravel_index(best, sizes) if axes else [], strict=True):
        chosen = score[axis].values[index].reshape(cells)
        scores = scores.assign_coords({axis: ((arm, *given), chosen)})
    return scores.assign_attrs(metric=fact.name, confidence=confidence)


def _given_to_all(points: xr.DataArray, arm: str, given: Sequence[str]) -> NDArray[np.bool_]:
    """Which values of what is given arms are averaged over; `(arms, given…)`."""
    own = points.any([dim for dim in points.dims if dim not in (arm, *given)])
    shared = own.all(arm)
    used = own & shared if bool(shared.any()) else own
    return np.asarray(used.transpose(arm, *given).values)


def _mean_of(values: Array, used: NDArray[np.bool_]) -> Array:
    """Means over those that are used, NaN where one of them is: of the others it would not be like
    for like; `(arms, given, *), (arms, given) -> (arms, *)`."""
    weights = used.reshape(*used.shape, *[1] * (values.ndim - 2))
    total, number = np.where(weights, values, 0.0).sum(axis=1), weights.sum(axis=1)
    return np.asarray(np.where(number > 0, total / np.maximum(number, 1), np.nan))


def _limits(
    taken: Array,
    used: NDArray[np.bool_],
    fact: RecordedMetric,
    confidence: float,
    choices: tuple[int, ...],
) -> tuple[Array, Array]:
    """Limits of means over what is given, of scores at settings that were chosen by them.

    Those of all values of what is given hold at once, and so does their mean.

    choices  of how many settings the chosen one is, as the lower and the upper limit allow for
    Shapes   `(arms, given, seeds), (arms, given) -> (arms,)`.
    """
    rows = xr.DataArray(taken.reshape(-1, taken.shape[-1]), dims=("arm", "seed"))
    level = (1 - confidence) / max(1, int(used.sum(axis=1).max()))
    low, high = (
        interval_over_seeds(rows, fact, 1 - level / number)[end].values.reshape(used.shape)
        for end, number in zip(("low", "high"), choices, strict=True)
    )
    return _mean_of(low, used), _mean_of(high, used)


def _eligible_means(oriented: Array) -> Array:
    """Means of the settings with the most scored seeds, -inf elsewhere, NaN where none has one.

    Shapes  `(*, settings, seeds) -> (*, settings)`.
    """
    mean, count = known_mean(oriented)
    return np.where(count == count.max(axis=-1, keepdims=True), mean, -np.inf)


def _best_settings(oriented: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index of each best setting, and how many settings tie; `(*, settings, seeds) -> (*)`."""
    mean = _eligible_means(oriented)
    best = mean.argmax(axis=-1)
    return best, np.isclose(mean, mean.max(axis=-1, keepdims=True), rtol=1e-12).sum(axis=-1)


def _held_out(oriented: Array, scores: Array) -> Array:
    """The score of each seed at the setting that the other seeds choose; `(*, seeds)`.

    oriented  what chooses, larger is better, `(*, settings, seeds)`; `scores` likewise
    """
    kept = np.full((*scores.shape[:-2], scores.shape[-1]), np.nan)
    for seed in range(scores.shape[-1]):
        mean = _eligible_means(np.delete(oriented, seed, axis=-1))
        best = mean.argmax(axis=-1, keepdims=True)
        own = np.take_along_axis(scores[..., seed], best, axis=-1)[..., 0]
        kept[..., seed] = np.where(np.isnan(mean).all(axis=-1), np.nan, own)
    return kept
