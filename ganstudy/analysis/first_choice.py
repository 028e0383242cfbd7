"""The arm to try first on a target that one knows nothing of, and what that choice costs."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis.across import center_of, order_of, rank_studies, study_scores, worth_of
from ganstudy.analysis.blocks import paired
from ganstudy.analysis.intervals import Array, t_interval
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.studies import STUDY, of_study

__all__ = ["first_choice"]


def first_choice(
    ds: xr.Dataset, budget: int | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """The arm to try first on a target that one knows nothing of, and what that choice costs.

    It is the one with most `wins` over all targets. Its cost on a target is how far it is behind
    the arm that is best there. Both are chosen on all searches but one and scored on that one, in
    turn, so that no search scores what it has chosen; where one of the two is worse than any number
    there, the search is counted in `lost` and left out. `new_cost` is that of a target that had no
    part in the choice, which was made on the others alone.

    Returns  variables (study,): `cost`, `low`, `high` (limits that hold for all targets at once,
             Bonferroni, within what the bounds of the score allow), `new_cost`, `new_low`,
             `new_high`, `share` and `share_high`, the cost and its limit as shares of what lies
             between the worst bound and a perfect generator (NaN where a bound is infinite),
             `lost`, `chosen_without` (the arm that the other targets choose), `metric`;
             `quality`, the share of high-quality samples of the choice, and `best_quality` of the
             first of the target, both with all points of the search; `arm`, its label; `agreed`,
             the share of searches without which it is the same. NaN costs with fewer than three
             searches.
    """
    scores = study_scores(ds, budget)
    oriented = scores["oriented"].values
    labels, names = scores["arm"].values, scores[STUDY].values.tolist()
    studies, _, repeats = oriented.shape
    choice = _choose(oriented)
    kept = [np.delete(oriented, r, axis=-1) for r in range(repeats if repeats > 2 else 0)]
    cost, new = _costs(oriented, kept)
    summary = _summary(ds, cost, new, 1 - (1 - confidence) / studies)
    without = [
        labels[_choose(np.delete(oriented, s, axis=0)) if studies > 1 else choice]
        for s in range(studies)
    ]
    agreed = np.mean([_choose(rest) == choice for rest in kept]) if kept else np.nan
    ranked = rank_studies(ds)
    quality = ranked["quality"]
    return xr.Dataset(
        {
            **{name: (STUDY, values) for name, values in summary.items()},
            "lost": (STUDY, np.isnan(cost).sum(axis=1) * bool(kept)),
            "quality": quality.sel(arm=labels[choice], drop=True),
            "best_quality": quality.sel(arm=ranked["best"]).drop_vars("arm"),
            "chosen_without": (STUDY, np.array(without)),
            "metric": scores["metric"],
            "arm": ((), str(labels[choice])),
            "agreed": agreed,
        },
        coords={STUDY: names},
        attrs={"confidence": confidence, "scored": scores.attrs.get("scored", "")},
    )


def _costs(oriented: Array, kept: list[Array]) -> tuple[Array, Array]:
    """On each search, of what all others of a target choose, and of what other targets choose.

    kept  the scores without the first search, without the second, and so on

    Returns  two arrays (studies, searches), one search of NaN where nothing can be left out.
    """
    studies = len(oriented)
    cost, new = np.full((2, studies, max(len(kept), 1)), np.nan)
    for r, rest in enumerate(kept):
        here, best = oriented[..., r], [int(order_of(center_of(own)).argmin()) for own in rest]
        chosen = _choose(rest)
        for s in range(studies):
            others = _choose(np.delete(rest, s, axis=0)) if studies > 1 else chosen
            for into, arm in ((cost, chosen), (new, others)):
                pair = here[s, [best[s], arm]]
                into[s, r] = pair[0] - pair[1] if np.isfinite(pair).all() else np.nan
    return cost, new


def _summary(ds: xr.Dataset, cost: Array, new: Array, level: float) -> dict[str, Array]:
    """Means of costs and their limits, within what the bounds of each target's score allow."""
    facts = [RecordedMetric.of(of_study(ds, name)) for name in ds[STUDY].values.tolist()]
    widest = np.array([fact.bounds[1] - fact.bounds[0] for fact in facts])
    scale = np.array([abs(fact.perfect - fact.worst) for fact in facts])
    found: dict[str, Array] = {}
    for prefix, values in (("", cost), ("new_", new)):
        mean, low, high, _ = t_interval(values, level)
        found[f"{prefix}cost"] = mean
        found[f"{prefix}low"] = np.maximum(low, -widest)
        found[f"{prefix}high"] = np.minimum(high, widest)
    return found | {"share": found["cost"] / scale, "share_high": found["high"] / scale}


def _choose(oriented: Array) -> int:
    """The arm with most wins over targets and searches, `(studies, arms, repeats)`."""
    pairs = paired(oriented.transpose(1, 0, 2), "wins")
    return int(order_of(worth_of(pairs.differences)).argmin())
