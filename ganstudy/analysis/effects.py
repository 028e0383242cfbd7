"""Which factor matters: variance explained by each axis and pair of axes, and marginal means."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.arms import interval_over_seeds
from ganstudy.analysis.design import arm_dim, setting_dims, with_arms
from ganstudy.analysis.metric import Metric
from ganstudy.analysis.scores import trial_scores

Array = NDArray[np.float64]


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

    Returns  variables (effect,): `share`, `freedom`, `statistic` (F), `p`, with effects named
             `axis`, `axis × other`, `seed`; scalars `residual` (share), `residual_freedom`,
             `trials`.
    """
    from scipy.stats import f as f_law

    fact = Metric.of(ds, metric)
    score = trial_scores(ds, metric)["score"]
    factors = [name for name in (arm_dim(ds), *setting_dims(ds)) if score.sizes[name] > 1]
    score = score.transpose(arm_dim(ds), *setting_dims(ds), "seed")
    known = np.isfinite(score.values)
    values = score.values[known]
    places = dict(zip(score.dims, np.nonzero(known), strict=True))
    blocks: dict[tuple[str, ...], Array] = {
        (name,): _contrasts(places[name], score.sizes[name]) for name in factors
    }
    for pair in combinations(factors, 2):
        first, second = (blocks[(name,)] for name in pair)
        blocks[pair] = (first[:, :, None] * second[:, None, :]).reshape(len(values), -1)
    if score.sizes["seed"] > 1:
        blocks[("seed",)] = _contrasts(places["seed"], score.sizes["seed"])
    total = float(((values - values.mean()) ** 2).sum()) if values.size else 0.0
    # Equal scores differ by rounding.
    varied = total > 1e-20 * float((values**2).sum())
    remaining, rank = _residual(values, list(blocks.values()))
    freedom_left = len(values) - rank
    shares, freedoms, statistics, ps = [], [], [], []
    for effect in blocks:
        others = [block for name, block in blocks.items() if not set(effect) <= set(name)]
        without, rank_without = _residual(values, others)
        explained, rank_with = _residual(values, [*others, blocks[effect]])
        freedom, gained = rank_with - rank_without, max(without - explained, 0.0)
        f = np.nan
        if varied and freedom and freedom_left > 0 and remaining > 1e-20 * total:
            f = (gained / freedom) / (remaining / freedom_left)
        shares.append(gained / total if varied else np.nan)
        freedoms.append(freedom)
        statistics.append(f)
        ps.append(float(f_law.sf(f, freedom, freedom_left)) if freedom else np.nan)
    return xr.Dataset(
        {
            "share": ("effect", shares, {"long_name": f"share of variance of {fact.long_name}"}),
            "freedom": ("effect", np.array(freedoms, np.int64)),
            "statistic": ("effect", statistics),
            "p": ("effect", ps),
            "residual": remaining / total if varied else np.nan,
            "residual_freedom": freedom_left,
            "trials": len(values),
        },
        coords={"effect": [" × ".join(effect) for effect in blocks]},
        attrs={"metric": fact.name},
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
    axes = [arm_dim(ds), *setting_dims(ds)]
    if axis not in axes:
        raise KeyError(f"no axis {axis!r}; the dataset has {', '.join(axes)}")
    shared = (ds["status"] != "excluded").any("seed").all(axis)
    if not bool(shared.any()):
        raise ValueError(f"no point is planned for every value of {axis}")
    score = trial_scores(ds, metric)["score"].where(shared)
    means = score.mean([name for name in axes if name != axis])
    result = interval_over_seeds(means, fact, confidence)
    return result.assign_attrs(metric=fact.name, confidence=confidence)


def _contrasts(places: NDArray[np.intp], levels: int) -> Array:
    """Columns that sum to zero over the levels, so that effects of a full grid are orthogonal."""
    return np.asarray((np.eye(levels)[:, :-1] - np.eye(levels)[:, [-1]])[places])


def _residual(values: Array, blocks: list[Array]) -> tuple[float, int]:
    """Residual sum of squares, and the rank, of a least-squares fit with an intercept."""
    if not values.size:
        return 0.0, 0
    design = np.concatenate([np.ones((len(values), 1)), *blocks], axis=1)
    fitted, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
    return float(((values - design @ fitted) ** 2).sum()), int(rank)
