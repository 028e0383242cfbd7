"""Scores of arms and of settings, with intervals over seeds."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis._intervals import Array, Interval, t_interval
from ganstudy.analysis.design import (
    Settings,
    arm_dim,
    in_comparison,
    planned,
    setting_dims,
    with_arms,
)
from ganstudy.analysis.metric import Metric
from ganstudy.analysis.scores import trial_scores


def arm_scores(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: Settings = "shared",
    confidence: float = 0.95,
) -> xr.Dataset:
    """How forgiving each arm is: its score averaged over settings, with an interval over seeds.

    The unit is the seed: an arm is averaged over its settings within each seed, and a Student-t
    interval is taken over the seed means. Trials of one seed share their random streams, so that
    treating trials as independent would make the interval too short. Trials without a score are
    left out of their seed's mean. Limits are clipped to the metric's bounds.

    Returns  variables (arm,): `mean`, `low`, `high`, `seeds` (seeds with a score), `trials` (trials
             with a score), `settings` (settings averaged over); and `seed_mean` (arm, seed).
    """
    fact = Metric.of(ds, metric)
    used = in_comparison(ds, settings)
    score = trial_scores(ds, metric)["score"].where(used)
    seed_mean = score.mean(setting_dims(ds)).transpose(arm_dim(ds), "seed")
    scores = estimated(ds, interval_over_seeds(seed_mean, fact, confidence))
    scores["trials"] = score.notnull().sum([*setting_dims(ds), "seed"])
    scores["settings"] = used.astype(np.int64).sum(setting_dims(ds))
    scores["seed_mean"] = seed_mean.assign_attrs(long_name=f"{fact.long_name}, mean of a seed")
    return scores.assign_attrs(metric=fact.name, confidence=confidence, settings=settings)


def setting_scores(
    ds: xr.Dataset, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """Score of every arm at every setting: dims (arm, settings…), variables as in `arm_scores`.

    `planned` is false where the study excludes the point; `diverged`, `failed` and `missing` count
    trials.
    """
    fact = Metric.of(ds, metric)
    trials = trial_scores(ds, metric)
    scores = estimated(ds, interval_over_seeds(trials["score"], fact, confidence))
    status = with_arms(ds)["status"]
    for name in ("diverged", "failed", "missing"):
        scores[name] = (status == name).sum("seed")
    scores["planned"] = planned(ds)
    scores = scores.transpose(arm_dim(ds), *setting_dims(ds))
    return scores.assign_attrs(metric=fact.name, confidence=confidence)


def best_setting_scores(
    ds: xr.Dataset, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """How good each arm can be: its score at its own best setting.

    The setting with the best mean over seeds is taken, among those with the most scored seeds and,
    on a tie, the first in study order. `mean`, `low`, `high` are of the same seeds that chose the
    setting and therefore optimistic. `held_out` is not: each seed is scored at the setting that the
    other seeds choose (leave-one-seed-out), and these scores are averaged over the `held_out_seeds`
    that have one; NaN with one seed.

    Returns  dims (arm,): `mean`, `low`, `high`, `seeds`, `held_out`, `held_out_seeds`, `ties`
             (settings that share the best mean; none where no setting has a score), and one
             coordinate per axis with the value chosen (the first where none has a score).
    """
    fact = Metric.of(ds, metric)
    arm, axes = arm_dim(ds), setting_dims(ds)
    score = trial_scores(ds, metric)["score"].transpose(arm, *axes, "seed")
    flat = score.values.reshape(score.sizes[arm], -1, score.sizes["seed"])
    best, held_out, held_out_seeds, ties = [], [], [], []
    for values in flat:
        chosen, tied = _best_setting(values * fact.sign)
        best.append(chosen)
        ties.append(tied)
        kept = _held_out(values, fact.sign)
        held_out.append(kept.mean)
        held_out_seeds.append(kept.number)
    at_best = xr.DataArray(
        flat[np.arange(len(flat)), best],
        dims=(arm, "seed"),
        coords={arm: score[arm], "seed": score["seed"]},
    )
    scores = estimated(ds, interval_over_seeds(at_best, fact, confidence))
    scores["held_out"] = (arm, np.asarray(held_out))
    scores["held_out_seeds"] = (arm, np.asarray(held_out_seeds))
    scores["ties"] = (arm, np.asarray(ties))
    sizes = [score.sizes[axis] for axis in axes]
    for axis, index in zip(axes, np.unravel_index(best, sizes) if axes else [], strict=True):
        scores = scores.assign_coords({axis: (arm, score[axis].values[index])})
    return scores.assign_attrs(metric=fact.name, confidence=confidence)


def estimated(ds: xr.Dataset, scores: xr.Dataset) -> xr.Dataset:
    """Scores without intervals where nothing is estimated: seeds are starts, and no chance."""
    if ds.attrs.get("deterministic", 0):
        for name in ("low", "high"):
            scores[name] = scores[name].where(False)
    return scores


def interval_over_seeds(values: xr.DataArray, fact: Metric, confidence: float) -> xr.Dataset:
    """`t_interval` along `seed`, clipped to the metric's bounds; (*, seed) -> variables (*)."""
    over_seeds = values.transpose(..., "seed")
    interval = t_interval(over_seeds.values, confidence)
    template = over_seeds.isel(seed=0, drop=True)
    scores = xr.Dataset(
        {
            "mean": template.copy(data=interval.mean),
            "low": template.copy(data=np.clip(interval.low, *fact.bounds)),
            "high": template.copy(data=np.clip(interval.high, *fact.bounds)),
            "seeds": template.copy(data=interval.number),
        }
    )
    for name in ("mean", "low", "high"):
        scores[name].attrs = {
            "long_name": f"{fact.long_name}, {name}",
            "units": fact.units,
        }
    scores["seeds"].attrs = {"long_name": "number of seeds with a score"}
    return scores


def _best_setting(oriented: Array) -> tuple[int, int]:
    """Index of the best setting of one arm, and how many settings tie; `(settings, seeds)`."""
    mean, _, _, count = t_interval(oriented)
    eligible = np.where(count == count.max(), mean, -np.inf)
    if not count.max():
        return 0, 0
    return int(np.argmax(eligible)), int(np.isclose(eligible, eligible.max(), rtol=1e-12).sum())


def _held_out(values: Array, sign: float) -> Interval:
    """Mean over seeds of the score at the setting that the other seeds choose."""
    kept = np.full(values.shape[1], np.nan)
    for seed in range(len(kept)):
        setting, tied = _best_setting(sign * np.delete(values, seed, axis=1))
        if tied:
            kept[seed] = values[setting, seed]
    return t_interval(kept)
