"""The arm to try first on a target that one knows nothing of, and what that choice costs."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis.across import center_of, order_of, study_scores, worth_of
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
             `arm`, the label of the choice; `agreed`, the share of searches without which it is the
             same. NaN costs with fewer than three searches.
    """
    scores = study_scores(ds, budget)
    oriented = scores["oriented"].values
    labels, names = scores["arm"].values, scores[STUDY].values.tolist()
    studies, _, repeats = oriented.shape
    choice = _choose(oriented)
    kept = [np.delete(oriented, r, axis=-1) for r in range(repeats if repeats > 2 else 0)]
    cost, new = np.full((2, studies, max(len(kept), 1)), np.nan)
    for r, rest in enumerate(kept):
        here, best = oriented[..., r], [int(order_of(center_of(own)).argmin()) for own in rest]
        chosen = _choose(rest)
        for s in range(studies):
            others = _choose(np.delete(rest, s, axis=0)) if studies > 1 else chosen
            for into, arm in ((cost, chosen), (new, others)):
                pair = here[s, [best[s], arm]]
                into[s, r] = pair[0] - pair[1] if np.isfinite(pair).all() else np.nan
    level = 1 - (1 - confidence) / studies
    found: dict[str, object] = {"lost": (STUDY, np.isnan(cost).sum(axis=1) * bool(kept))}
    facts = [RecordedMetric.of(of_study(ds, name)) for name in names]
    widest = np.array([fact.bounds[1] - fact.bounds[0] for fact in facts])
    for prefix, values in (("", cost), ("new_", new)):
        mean, low, high, _ = t_interval(values, level)
        found[f"{prefix}cost"] = (STUDY, mean)
        found[f"{prefix}low"] = (STUDY, np.maximum(low, -widest))
        found[f"{prefix}high"] = (STUDY, np.minimum(high, widest))
        if not prefix:
            scale = np.array([abs(fact.perfect - fact.worst) for fact in facts])
            found["share"] = (STUDY, mean / scale)
            found["share_high"] = (STUDY, np.minimum(high, widest) / scale)
    without = [
        labels[_choose(np.delete(oriented, s, axis=0)) if studies > 1 else choice]
        for s in range(studies)
    ]
    agreed = np.mean([_choose(rest) == choice for rest in kept]) if kept else np.nan
    return xr.Dataset(
        {
            **found,
            "chosen_without": (STUDY, np.array(without)),
            "metric": scores["metric"],
            "arm": ((), str(labels[choice])),
            "agreed": agreed,
        },
        coords={STUDY: names},
        attrs={"confidence": confidence, "scored": scores.attrs.get("scored", "")},
    )


def _choose(oriented: Array) -> int:
    """The arm with most wins over targets and searches, `(studies, arms, repeats)`."""
    pairs = paired(oriented.transpose(1, 0, 2), "wins")
    return int(order_of(worth_of(pairs.differences)).argmin())
