"""Which factor matters: variance explained by each axis and pair of axes, and marginal means."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import xarray as xr

from ganstudy.analysis._variance import Variance, variance
from ganstudy.analysis.arms import estimated, interval_over_seeds
from ganstudy.analysis.design import arm_dim, factor_dims, setting_dims, with_arms
from ganstudy.analysis.metric import Metric
from ganstudy.analysis.scores import trial_scores


def factor_effects(ds: xr.Dataset, metric: str | None = None) -> xr.Dataset:
    r"""Share of the variance of scores that each axis, each pair of axes and the seed explain.

    Maths   analysis of variance with main effects, two-way interactions and the seed as a block;
            the share of an effect E is $\eta^2 = (RSS_{-E} - RSS_{+E}) / SS_{total}$, where both
            models hold all effects that do not contain E (type II). In a full grid these are the
            classical sums of squares, and the shares add up to one with the residual, which holds
            higher interactions and what differs between trials of the same kind. With excluded or
            missing points they need not add up. F is against the residual of the whole model.
    Source  Fisher 1925; Langsrud 2003, "ANOVA for unbalanced data: use type II instead of type III
            sums of squares"; shares as in Bouthillier et al. 2021, "Accounting for variance in
            machine learning benchmarks".

    A diverged trial has the worst bound; where there is none it is left out with the trials that
    failed or are missing. Scores that are all equal have no variance to explain: shares are NaN.
    Where trials are missing from a very large grid, pairs with very many combinations are not
    fitted: they are named in `attrs["left_out"]`, and are part of the residual.

    Returns  variables (effect,): `share`, `freedom`, `statistic` (F), `p`, with effects named
             `axis`, `axis × other`, `seed`; scalars `residual` (share), `residual_freedom`,
             `trials`.
    """
    from scipy.stats import f as f_law

    fact = Metric.of(ds, metric)
    score = trial_scores(ds, metric)["score"]
    factors = [name for name in factor_dims(ds) if score.sizes[name] > 1]
    table = score.transpose(*factors, ..., "seed").values.astype(np.float64)
    table = table.reshape(*(score.sizes[name] for name in factors), -1)
    names = [*factors, *(["seed"] if score.sizes["seed"] > 1 else [])]
    mains = [(place,) for place in range(len(factors))]
    seed = [(len(factors),)] if score.sizes["seed"] > 1 else []
    asked = [*mains, *combinations(range(len(factors)), 2), *seed]
    table = np.where(np.isfinite(table), table, np.nan)
    trials = int(np.isfinite(table).sum())
    nothing = Variance(dict.fromkeys(asked, (0.0, 0)), (0.0, 0), 0.0, [])
    found = variance(table, asked) if trials else nothing
    rest, freedom_left = found.residual
    # Equal scores differ by rounding.
    varied = found.total > 1e-20 * float(np.nansum(table**2))
    shares, freedoms, statistics, ps = [], [], [], []
    for gained, freedom in found.explained.values():
        f = np.nan
        if varied and freedom and freedom_left > 0 and rest > 1e-12 * found.total:
            f = (gained / freedom) / (rest / freedom_left)
        shares.append(gained / found.total if varied else np.nan)
        freedoms.append(freedom)
        statistics.append(f)
        ps.append(float(f_law.sf(f, freedom, freedom_left)) if freedom else np.nan)
    return xr.Dataset(
        {
            "share": ("effect", shares, {"long_name": f"share of variance of {fact.long_name}"}),
            "freedom": ("effect", np.array(freedoms, np.int64)),
            "statistic": ("effect", statistics),
            "p": ("effect", ps),
            "residual": rest / found.total if varied else np.nan,
            "residual_freedom": freedom_left,
            "trials": trials,
        },
        coords={"effect": [" × ".join(names[d] for d in effect) for effect in found.explained]},
        attrs={
            "metric": fact.name,
            "left_out": [" × ".join(names[d] for d in effect) for effect in found.left_out],
        },
    )


def marginal_means(
    ds: xr.Dataset, axis: str, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """Score at each value of an axis, averaged over all others, with an interval over seeds.

    Only points that are planned for every value of the axis are averaged, so that values are
    compared like for like. Trials without a score are left out of their seed's mean.

    Returns  variables (axis,): `mean`, `low`, `high`, `seeds`.

    Errors  `KeyError` for an axis that the dataset does not have; `ValueError` if no point is
            planned for every value.
    """
    fact = Metric.of(ds, metric)
    ds = with_arms(ds)
    axes, factors = [arm_dim(ds), *setting_dims(ds)], factor_dims(ds)
    if axis not in factors:
        raise KeyError(f"no axis {axis!r}; the dataset has {', '.join(factors)}")
    shared = (ds["status"] != "excluded").any("seed").all(axis)
    if not bool(shared.any()):
        raise ValueError(f"no point is planned for every value of {axis}")
    score = trial_scores(ds, metric)["score"].where(shared)
    means = score.mean([name for name in axes if name != axis])
    result = estimated(ds, interval_over_seeds(means, fact, confidence))
    return result.assign_attrs(metric=fact.name, confidence=confidence)
