"""The arm to try first on a target that one knows nothing of, and what that choice costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from ganstudy.analysis.across import center_of, places_of, rank_studies, study_scores, worth_of
from ganstudy.analysis.arms import most_agree
from ganstudy.analysis.blocks import equals_best, paired
from ganstudy.analysis.bounded import gaffke_interval
from ganstudy.analysis.handling import STUDY, of_studies
from ganstudy.analysis.intervals import Array, known_mean, t_interval
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.studies import of_study, tested

__all__ = ["first_choice", "most_behind"]


@of_studies
def first_choice(
    ds: xr.Dataset, budget: int | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """The arm to try first on a target that one knows nothing of, and what that choice costs.

    It is the one with most `wins` over all targets. Its cost on a target is how far it is behind
    the arm that is best there. Both are chosen on all searches but one and scored on that one, in
    turn, so that no search scores what it has chosen. Where one of the two has no number there, the
    search is left out, and is counted in `lost` where the choice is worse than any number and the
    other is not. On searches that had no part in the choice
    the arm that looked best may lose, and the mean fall below zero; no arm is ahead of the best,
    and the cost is zero then. `new_cost` is that of a target that had no part in the choice, which
    was made on the others alone.

    Returns  variables (study,): `cost`, and `most`, the most that the choice can be behind the best
             (limits of `most_behind` that hold for all targets at once, within what the bounds of
             the score allow), `new_cost`, `new_most`, `share` and `share_most`, the cost and its
             limit as shares of what lies between the worst bound and a perfect generator (NaN where
             a bound is infinite), `lost` and `new_lost`, `chosen_without` (the arm that the other
             targets choose), `metric`; `quality`, the share of high-quality samples of the choice,
             and `best_quality` of the first of the target, both with all points of the search;
             scalars `arm`, its label; `ties`, how many arms win as often, itself among them;
             `agreed`, the share of the `searches` without which it is the same. NaN costs with
             fewer than three searches, and no limits on targets that are not tested.
    """
    scores = study_scores(ds, budget)
    oriented = scores["oriented"].values
    labels, names = scores["arm"].values, scores[STUDY].values.tolist()
    studies, _, repeats = oriented.shape
    worth = _worth(oriented)
    choice = int(places_of(worth, 1.0).argmin())
    kept = [np.delete(oriented, r, axis=-1) for r in range(repeats if repeats > 2 else 0)]
    cost, new = _costs(oriented, kept)
    # The cost of what is worse than any number is infinite.
    lost = {"lost": np.isposinf(cost).sum(axis=1), "new_lost": np.isposinf(new).sum(axis=1)}
    without = [
        _choose(np.delete(oriented, s, axis=0)) if studies > 1 else choice for s in range(studies)
    ]
    facts = [RecordedMetric.of(of_study(ds, name)) for name in names]
    widest = np.array([fact.bounds[1] - fact.bounds[0] for fact in facts])
    most = most_behind(oriented, (1 - confidence) / studies, widest[:, None])
    most[~tested(ds).values] = np.nan
    each = np.arange(studies)
    summary = _summary(facts, widest, (cost, most[:, choice]), (new, most[each, without]))
    agreed = np.mean([_choose(rest) == choice for rest in kept]) if kept else np.nan
    ranked = rank_studies(ds)
    quality = ranked["quality"]
    return xr.Dataset(
        {
            **{name: (STUDY, values) for name, values in summary.items()},
            **{name: (STUDY, counts) for name, counts in lost.items()},
            "searches": repeats,
            "quality": quality.sel(arm=labels[choice], drop=True),
            "best_quality": quality.sel(arm=ranked["best"]).drop_vars("arm"),
            "chosen_without": (STUDY, np.array(labels[without])),
            "metric": scores["metric"],
            "arm": ((), str(labels[choice])),
            "ties": int(equals_best(worth, choice, 1.0).sum()),
            "agreed": agreed,
        },
        coords={STUDY: names},
        attrs={"confidence": confidence, "scored": scores.attrs.get("scored", "")},
    )


def _costs(oriented: Array, kept: list[Array]) -> tuple[Array, Array]:
    """On each search, of what all others of a target choose, and of what other targets choose.

    kept  the scores without the first search, without the second, and so on

    Returns  two arrays (studies, searches), one search of NaN where nothing can be left out;
             infinite where what is chosen is worse than any number.
    """
    studies = len(oriented)
    cost, new = np.full((2, studies, max(len(kept), 1)), np.nan)
    for r, rest in enumerate(kept):
        here, best = oriented[..., r], [int(places_of(center_of(own)).argmin()) for own in rest]
        chosen = _choose(rest)
        for s in range(studies):
            others = _choose(np.delete(rest, s, axis=0)) if studies > 1 else chosen
            for into, arm in ((cost, chosen), (new, others)):
                pair = here[s, [best[s], arm]]
                # Of two that are worse than any number neither is behind.
                into[s, r] = np.nan if np.isneginf(pair[0]) else pair[0] - pair[1]
    return cost, new


def most_behind(oriented: Array, level: float, widest: Array | float = np.inf) -> Array:
    r"""The most that each arm can be behind the best arm of a target.

    Maths   $\max_j \bar d_{ji} + t_{n-1,1-\alpha/(k-1)} s_{ji} / \sqrt n$ over all k arms j, and at
            least 0, with $d_{ji}$ what j is ahead of i in n searches. For these to hold for all
            arms at once, whichever of them is looked at, only the k - 1 differences to the one that
            is truly best have to be where their one-sided limits say. Infinite for an arm that is
            worse than any number in some search; that one is not the best. Where most searches
            have the same difference, as where two arms cover all modes in each, they may all have
            missed what happens to one in five, and s says nothing: the limit is then Gaffke's.
    Shapes  `(*, arms, searches) -> (*, arms)`, more is better, NaN is a gap.
    Source  Hsu 1984, "Constrained simultaneous confidence intervals for multiple comparisons with
            the best"; by Bonferroni, and t for each pair, since arms need not scatter alike.

    level   the chance that any of the limits is too low
    widest  between the bounds of the score, `(*, 1)`; without it no limits but Student's are known
    """
    scored = np.where(np.isfinite(oriented), oriented, np.nan)
    ahead = scored[..., :, None, :] - scored[..., None, :, :]
    others = max(oriented.shape[-2] - 1, 1)
    worse = np.asarray(np.isneginf(oriented).any(axis=-1))
    confidence = 1 - 2 * level / others
    limits = t_interval(ahead, confidence).high
    unit = np.broadcast_to(np.asarray(widest)[..., None], limits.shape)
    agree = most_agree(ahead) & np.isfinite(limits) & np.isfinite(unit)
    agree &= ~np.eye(limits.shape[-1], dtype=bool)
    shares = ahead[agree] / unit[agree][:, None]
    limits[agree] = unit[agree] * gaffke_interval(shares, (-1.0, 1.0), confidence).high
    # Of arms that were hardly run together nothing is known.
    run = np.asarray(np.isfinite(oriented).any(axis=-1), np.bool_)
    unknown = np.isnan(limits) & run[..., :, None] & run[..., None, :]
    limits[unknown & ~np.eye(limits.shape[-1], dtype=bool)] = np.inf
    limits = np.where(worse[..., :, None], 0.0, limits)
    return np.where(worse, np.inf, np.fmax.reduce(limits, axis=-2, initial=0.0))


def _summary(
    facts: Sequence[RecordedMetric],
    widest: Array,
    cost: tuple[Array, Array],
    new: tuple[Array, Array],
) -> dict[str, Array]:
    """Means of costs over searches, at least 0, and the most that they can be within bounds."""
    scale = np.array([abs(fact.perfect - fact.worst) for fact in facts])
    found: dict[str, Array] = {}
    for prefix, (values, most) in (("", cost), ("new_", new)):
        found[f"{prefix}cost"] = mean = np.maximum(known_mean(values)[0], 0.0)
        found[f"{prefix}most"] = np.where(np.isnan(mean), np.nan, np.minimum(most, widest))
    return found | {"share": found["cost"] / scale, "share_most": found["most"] / scale}


def _choose(oriented: Array) -> int:
    """The arm with most wins, the first of equals in study order."""
    return int(places_of(_worth(oriented), 1.0).argmin())


def _worth(oriented: Array) -> Array:
    """Wins of each arm over targets and searches, `(studies, arms, repeats) -> (arms,)`."""
    return worth_of(paired(oriented.transpose(1, 0, 2), "wins").differences)
