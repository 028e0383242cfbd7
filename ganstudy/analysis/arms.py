"""Scores of arms and of settings, with intervals over seeds."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.blocks import interval_with_gaps
from ganstudy.analysis.bounded import gaffke_interval
from ganstudy.analysis.comparison import Compared
from ganstudy.analysis.design import WhichSettings, arm_dim, for_tables, planned, setting_dims
from ganstudy.analysis.grades import SETTINGS
from ganstudy.analysis.intervals import Array, Interval, t_interval
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.scores import trial_scores
from ganstudy.statuses import INCOMPLETE


@of_arms
def arm_scores(
    ds: xr.Dataset,
    metric: str | None = None,
    *,
    settings: WhichSettings = "shared",
    confidence: float = 0.95,
) -> xr.Dataset:
    """How forgiving each arm is: its score averaged over settings, with an interval over seeds.

    The unit is the seed: an arm is averaged over its settings within each seed, since trials of one
    seed share their random streams. Where trials have no score, means are those of least squares:
    a gap counts as the arm's effect plus what others had there, so that no arm gains by missing the
    hard ones, and limits are those of `interval_with_gaps`. Elsewhere they are those of
    `interval_over_seeds`. None is beyond the bounds of the metric.

    A trial that is worse than any number is no gap: its arm ran there. It is left out, and means
    and limits are of the others, which flatters an arm that has lost its hard ones; nor are gaps of
    such an arm filled, so that a setting counts by what survived there.

    Returns  variables (arm,): `mean`, `low`, `high`, `seeds` (seeds with a score), `trials` (trials
             with a score), `unbounded` (trials, or searches, that are worse than any number),
             `settings` (settings averaged over), `fitted` (whether they are those of least
             squares); and `seed_mean` (arm, seed), gaps filled.
    """
    return scores_of(Compared.of(ds, metric, settings), confidence).assign_attrs(
        metric=RecordedMetric.of(ds, metric).name, confidence=confidence, settings=settings
    )


def scores_of(compared: Compared, confidence: float) -> xr.Dataset:
    """Scores of arms by what they have in common; see `arm_scores`."""
    fact, score, whole = compared.fact, compared.score, compared.balanced
    axes = [str(dim) for dim in score.dims[1:-1]]
    ran = score.notnull().any(axes)
    seen, settings = score.mean(axes), compared.settings
    student = interval_with_gaps(fact.sign * compared.oriented, confidence)
    scores = interval_over_seeds(seen, fact, confidence, settings=settings, student=student)
    scores["mean"] = compared.means.clip(*fact.bounds).assign_attrs(scores["mean"].attrs)
    scores["fitted"] = (score.dims[0], np.isfinite(student.mean))
    scores["trials"] = compared.trials
    scores["unbounded"] = compared.lost.sum(score.dims[1:])
    scores["settings"] = (compared.used & compared.spanned).sum(axes)
    seed_mean = whole.mean(axes).clip(*fact.bounds).where(ran)
    scores["seed_mean"] = seed_mean.assign_attrs(long_name=f"{fact.long_name}, mean of a seed")
    return scores


@of_arms
def setting_scores(
    ds: xr.Dataset, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """Score of every arm at every setting: dims (arm, settings…), variables as in `arm_scores`.

    Means are of the trials that have a score: `seeds` of them, where `trials` are planned.
    `planned` is false where the study excludes the point; `diverged`, `failed`, `pruned` and
    `missing` count trials.
    """
    fact = RecordedMetric.of(ds, metric)
    trials = trial_scores(ds, metric)
    scores = interval_over_seeds(trials["score"], fact, confidence)
    status = for_tables(ds)["status"]
    for name in INCOMPLETE:
        scores[name] = (status == name).sum("seed")
    scores["trials"] = (status != "excluded").sum("seed")
    scores["planned"] = planned(ds)
    scores = scores.transpose(arm_dim(ds), *setting_dims(ds))
    return scores.assign_attrs(metric=fact.name, confidence=confidence)


def interval_over_seeds(
    values: xr.DataArray,
    fact: RecordedMetric,
    confidence: float,
    *,
    settings: int | Array = 1,
    student: Interval | None = None,
) -> xr.Dataset:
    """Mean along `seed` with an interval, (*, seed) -> variables (*); NaN limits for one seed.

    Student's t where a seed's value is the mean over `SETTINGS` settings or more and no more
    than half of the seeds agree. Elsewhere seeds may all have missed what happens to one in five,
    and Student's interval would cover half as often as it says: the limits are then Gaffke's, which
    no law within the bounds of the metric fools. Where a bound is infinite there are no such
    limits, and that side is Student's. All are clipped to the bounds,
    beyond which least squares can put a mean, too.

    settings  that the value of a seed is the mean over, of all rows or of each
    student   means and limits of rows of whose mean more is known than these values, NaN of
              others: they stand in Student's place, and Gaffke's are moved there and reach no
              less far
    """
    over_seeds = values.transpose(..., "seed")
    flat = over_seeds.values.reshape(-1, over_seeds.sizes["seed"]).astype(np.float64)
    own = t_interval(flat, confidence)
    given = np.isfinite(student.mean) if student else np.zeros(len(flat), dtype=bool)
    mean, low, high, _ = (np.where(given, *both) for both in zip(student or own, own, strict=True))
    few = np.broadcast_to(np.asarray(settings) < SETTINGS, given.shape)
    rows = (own.number > 1) & (few if few.all() else few | most_agree(flat))
    if rows.any() and np.isfinite(fact.bounds).any():
        safe, given = gaffke_interval(flat[rows], fact.bounds, confidence), given[rows]
        moved = np.where(given, mean[rows] - safe.mean, 0.0)
        for end, limit, bound, further in (
            (low, safe.low + moved, fact.bounds[0], np.minimum),
            (high, safe.high + moved, fact.bounds[1], np.maximum),
        ):
            if np.isfinite(bound):
                end[rows] = np.where(given, further(end[rows], limit), limit)
    template = over_seeds.isel(seed=0, drop=True)
    shape = template.shape
    scores = xr.Dataset(
        {
            "mean": template.copy(data=np.clip(mean, *fact.bounds).reshape(shape)),
            "low": template.copy(data=np.clip(low, *fact.bounds).reshape(shape)),
            "high": template.copy(data=np.clip(high, *fact.bounds).reshape(shape)),
            "seeds": template.copy(data=own.number.reshape(shape)),
        }
    )
    for name in ("mean", "low", "high"):
        scores[name].attrs = {
            "long_name": f"{fact.long_name}, {name}",
            "units": fact.units,
        }
    scores["seeds"].attrs = {"long_name": "number of seeds with a score"}
    return scores


def most_agree(values: Array) -> NDArray[np.bool_]:
    """Whether more than half of the seeds have one value; `(*, seeds) -> (*)`."""
    known = np.isfinite(values)
    found, count = np.zeros(values.shape[:-1], bool), known.sum(axis=-1)
    if not values.shape[-1]:
        return found
    # The median is among them, and they within twice the slack of it: all pairs of those alone.
    ordered = np.sort(np.where(known, values, np.nan), axis=-1)
    median = np.take_along_axis(ordered, np.maximum(count - 1, 0)[..., None] // 2, axis=-1)
    slack = 1e-9 * np.abs(median[..., 0])
    near = np.abs(ordered - median) <= 2 * slack[..., None]
    at = 2 * near.sum(axis=-1) > count
    apart = np.abs(ordered[at][:, :, None] - ordered[at][:, None, :])
    agree = (apart <= slack[at][:, None, None]).sum(axis=-1).max(axis=-1, initial=0)
    found[at] = 2 * agree > count[at]
    return found
