"""Which factor matters: variance explained by each axis and pair of axes, and marginal means."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis.arms import interval_over_seeds
from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.blocks import interval_with_gaps, per_seed
from ganstudy.analysis.design import (
    FRESH,
    arm_dim,
    factor_dims,
    for_tables,
    setting_dims,
    testable,
)
from ganstudy.analysis.grades import graded, in_direction
from ganstudy.analysis.intervals import Array, jackknife, t_interval
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.scores import lost, over_fresh, trial_scores
from ganstudy.analysis.variance import axes_apart, graded_effects, with_and_without


@of_arms
def factor_effects(
    ds: xr.Dataset, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    r"""Share of the variance of scores that each axis, each pair of axes and the seed explain.

    Maths   analysis of variance with main effects, two-way interactions and the seed as a block.
            Of an effect E with $\nu$ degrees of freedom, $SS_E = RSS_{-E} - RSS_{+E}$, where both
            models hold all effects that do not contain E (type II). Its error is what E does from
            seed to seed: $F = SS_E / \nu e$ with $e$ the mean square of E × seed; p is no smaller
            than $2 \cdot 4^{-n}$ with n seeds, as that of arms. The share is
            $\epsilon^2 = (SS_E - \nu e) / SS_\text{total}$: zero on average, and as often negative
            as positive, for an axis that does nothing, where $\eta^2 = SS_E / SS_\text{total}$ is
            always positive. Where trials are missing, the square that is left to an effect beside
            others is counted as often as it would be in a full table of as many trials, so that
            gaps take nothing from a share. Its interval is a jackknife over seeds with Student's t,
            for all effects but that of the seed itself; there is none where seeds were added until
            the question was settled, nor of arms that were searched once, nor of computations in
            which a seed only chooses where they start, nor where most trials are missing. With one
            seed the residual is the error, and there is neither interval nor test. What all effects
            together leave is noise and higher interactions: $(RSS + \sum \nu e) / SS_\text{total}$,
            which is one less the shares where each point has as many scores. Where some have fewer,
            effects may have variance in common, which shares count twice or not at all.
    Source  Fisher 1925; Langsrud 2003, "ANOVA for unbalanced data: use type II instead of type III
            sums of squares"; Henderson 1953, "Estimation of variance and covariance components",
            method 3, for gaps; Kelley 1935, "An unbiased correlation ratio measure"; Tukey 1958 for
            the jackknife; shares as in Bouthillier et al. 2021, "Accounting for variance in
            machine learning benchmarks".

    A diverged trial has the worst bound; where there is none it is left out with the trials that
    failed or are missing. Scores that are all equal have no variance to explain: shares are NaN.
    Where trials are missing from a very large grid, pairs with very many combinations are not
    fitted: they are named in `attrs["left_out"]`, and are part of the residual.

    Returns  variables (effect,): `share`, `low`, `high`, `freedom`, `statistic` (F), `p` (adjusted
             by Holm over all effects but the seed's), `grade` (`clear`, `leaning`, `open` as those
             of arms, by this p and the settings that a seed has of each level, or pair of levels;
             empty where nothing is tested), with effects named `axis`, `axis × other`, `seed`;
             scalars `residual` (share that the model of all effects leaves), `overlap` (by how much
             all shares and this are more than one, or less), `trials` (of searches with fresh
             seeds, searches).
    """
    fact = RecordedMetric.of(ds, metric)
    names, table = _table(ds, metric)
    whole, without = with_and_without(table)
    # The jackknife takes the number of seeds for fixed, and the same for every arm.
    sparse = _mostly_missing(table)
    kept = [] if sparse or not testable(ds) else [one.share for one in without]
    _, low, high, _ = jackknife(whole.share, np.array(kept), confidence)
    grades = graded_effects(whole, without)
    adjusted = whole.p
    if not testable(ds):
        grades[:], adjusted = "", np.full(len(adjusted), np.nan)
    of_seed = np.array([effect == (table.ndim - 1,) for effect in whole.effects])
    long_name = f"share of variance of {fact.long_name}"
    return xr.Dataset(
        {
            "share": ("effect", whole.share, {"long_name": long_name}),
            "low": ("effect", np.where(of_seed, np.nan, np.clip(low, 0.0, 1.0))),
            "high": ("effect", np.where(of_seed, np.nan, np.clip(high, 0.0, 1.0))),
            "freedom": ("effect", whole.freedom),
            "statistic": ("effect", whole.statistic),
            "p": ("effect", adjusted, {"long_name": "Holm-adjusted p-value"}),
            "grade": ("effect", grades),
            "residual": float(whole.residual),
            "overlap": float(np.nansum(whole.share) + whole.residual - 1),
            "trials": int(np.isfinite(table).sum()),
        },
        coords={"effect": [" × ".join(names[d] for d in effect) for effect in whole.effects]},
        attrs={
            "metric": fact.name,
            "confidence": confidence,
            "mostly_missing": int(sparse),
            "left_out": [" × ".join(names[d] for d in effect) for effect in whole.left_out],
        },
    )


@of_arms
def compare_effects(
    ds: xr.Dataset, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """Which axis explains more: differences of their shares of variance, for all pairs of axes.

    A seed's own value of a difference is its pseudo-value of the jackknife; these are treated as
    the paired differences of arms are, with t tests, Holm over all pairs, and grades, by the
    settings behind each value of the axis that has fewer.

    Returns  variables (effect, other): `difference` = share(effect) - share(other) with limits
             `low` and `high` that hold for all pairs at once (Bonferroni), NaN where nothing was
             tested or most trials are missing, `p` (adjusted), `grade` in the direction of the
             difference (empty where nothing was tested). Axes alone are compared, in study order.
    """
    names, table = _table(ds, metric)
    whole, without = with_and_without(table)
    axes = table.ndim - 1
    share, upper = whole.share[:axes], np.triu_indices(axes, 1)
    apart = axes_apart(whole, without, axes)
    settings = np.minimum(*whole.settings[np.array(upper)])
    p, grade = graded(apart if testable(ds) else np.full(apart.shape, np.nan), settings)
    tests = max(int(np.isfinite(p).sum()), 1)
    limits = t_interval(apart, 1 - (1 - confidence) / tests)
    half = np.where(np.isfinite(p) & ~_mostly_missing(table), limits.high - limits.low, np.nan) / 2
    difference = share[:, None] - share
    grades = np.full((axes, axes), "", dtype="<U7")
    # With few seeds the mean of pseudo-values can put two axes the other way round.
    own = in_direction(np.where(np.isfinite(p), grade, ""), limits.mean, difference[upper])
    grades[upper] = grades[upper[::-1]] = own
    widths, ps = np.full((2, axes, axes), np.nan)
    widths[upper] = widths[upper[::-1]] = half
    ps[upper] = ps[upper[::-1]] = p
    dims = ("effect", "other")
    return xr.Dataset(
        {
            "difference": (dims, difference),
            "low": (dims, np.clip(difference - widths, -1.0, 1.0)),
            "high": (dims, np.clip(difference + widths, -1.0, 1.0)),
            "p": (dims, ps),
            "grade": (dims, grades),
        },
        coords={"effect": names[:-1], "other": names[:-1]},
        attrs={"metric": RecordedMetric.of(ds, metric).name, "confidence": confidence},
    )


def _table(ds: xr.Dataset, metric: str | None) -> tuple[list[str], Array]:
    """Names of the factors and of the seed, and scores along them, NaN where there is none."""
    score = over_fresh(trial_scores(ds, metric))
    factors = [name for name in factor_dims(ds) if score.sizes[name] > 1]
    others = [dim for dim in score.dims if dim not in (*factors, "seed")]
    values = score.mean(others).transpose(*factors, "seed").values.astype(np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    # Seeds that have no score at all say nothing.
    kept = np.isfinite(values).any(axis=tuple(range(len(factors))))
    return [*factors, "seed"], values[..., kept]


def _mostly_missing(table: Array) -> bool:
    """Whether more than half of the scores are missing of points that have any; others may be
    excluded. Of 95 % intervals, 88 and 80 % held a large share with 60 and 67 % missing."""
    known = np.isfinite(table)
    return bool(known.any() and known[known.any(axis=-1)].mean() < 0.5)


@of_arms
def marginal_means(
    ds: xr.Dataset, axis: str, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """Score at each value of an axis, averaged over all others, with an interval over seeds.

    Only points that are planned for every value of the axis are averaged, so that values are
    compared like for like; where trials have no score, means and limits are those of least squares
    along this axis, as `arm_scores` has them along the arms. As there, no score stands for a trial
    that is worse than any number, and none is filled in beside it.

    Returns  variables (axis,): `mean`, `low`, `high`, `seeds`, `fitted` (whether they are those of
             least squares), `unbounded` (trials, or searches, that are worse than any number).

    Errors  `KeyError` for an axis that the dataset does not have; `ValueError` if no point is
            planned for every value.
    """
    fact = RecordedMetric.of(ds, metric)
    ds = for_tables(ds)
    axes, factors = [arm_dim(ds), *setting_dims(ds)], factor_dims(ds)
    if axis not in factors:
        raise KeyError(f"no axis {axis!r}; the dataset has {', '.join(factors)}")
    shared = (ds["status"] != "excluded").any("seed").all(axis)
    if not bool(shared.any()):
        raise ValueError(f"no point is planned for every value of {axis}")
    if FRESH in axes:
        shared = shared.any(FRESH)
    trials = trial_scores(ds, metric)
    score, worse = over_fresh(trials).where(shared), lost(trials) & shared
    others = [name for name in axes if name not in (axis, FRESH)]
    flat = score.where(~worse, np.inf).transpose(axis, *others, "seed").values
    flat = flat.reshape(len(flat), -1, score.sizes["seed"]).astype(np.float64)
    student = interval_with_gaps(flat, confidence)
    result = interval_over_seeds(
        score.mean(others).transpose(axis, "seed"),
        fact,
        confidence,
        settings=per_seed(np.isfinite(flat).sum(axis=1)),
        student=student,
    )
    result["fitted"] = (axis, np.isfinite(student.mean))
    result["unbounded"] = worse.sum([*others, "seed"])
    return result.assign_attrs(metric=fact.name, confidence=confidence)
