"""What is left of differences between arms once another axis is the same for all of them."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.across import study_scores
from ganstudy.analysis.blocks import paired
from ganstudy.analysis.design import arm_dim
from ganstudy.analysis.effects import factor_effects
from ganstudy.analysis.grades import graded, in_direction
from ganstudy.analysis.handling import STUDY, of_studies
from ganstudy.analysis.intervals import Array, known_mean, t_interval
from ganstudy.analysis.studies import by_study, grid_axes, of_study, tested

__all__ = ["spread_of_arms", "study_effects"]


@of_studies
def study_effects(ds: xr.Dataset, *, confidence: float = 0.95) -> xr.Dataset:
    """`factor_effects` of every target, of searches at the points that they chose.

    Returns  variables (study, effect): `share`, `low`, `high`, `grade`; `residual` (study).
    """
    found = {}
    for name in ds[STUDY].values.tolist():
        effects = factor_effects(of_study(ds, name), confidence=confidence)
        found[name] = effects[["share", "low", "high", "grade", "residual"]]
    joined, known = by_study(found).drop_attrs(deep=False), tested(ds)
    joined = joined.assign({end: joined[end].where(known) for end in ("low", "high")})
    return joined.assign_attrs(confidence=confidence)


@of_studies
def spread_of_arms(
    ds: xr.Dataset, axis: str, budget: int | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    r"""How far apart the compared arms are on each target, at each label of another axis.

    Maths   scores of arms by searches at one label: an analysis of variance with the search as a
            block gives $\sigma^2 = (MS_\text{arms} - MS_\text{rest}) / R$, the variance of arms
            beyond what searches scatter, which is zero on average, and as often negative, where
            arms are equal. The spread is its root, 0 where it is negative. The jackknife over
            searches gives the limits of $\sigma^2$, and of its difference between two labels
            pseudo-values that are graded as paired differences of one setting, over all targets and
            pairs of labels by Holm. A search that is worse than any number counts as no score, with
            its whole number of search.
    Source  Searle, Casella, McCulloch 1992, "Variance components", for $\sigma^2$; Tukey 1958.

    Returns  variables (study, label): `spread`, `low`, `high` in the score's units; `told_apart`,
             the number of pairs of arms that are at least leaning, of `pairs`,
             and of `pairs_of_all`, of all targets that are tested (scalars);
             `narrower` (study, label, to): the spread at `label` less that at `to`, `grade` of it,
             empty of targets on which nothing is tested;
             `vanished` (study, label, to): pairs told apart at `label` and open at `to`.

    Errors  `ValueError` for an axis that the searches' grid does not have, or the compared one.
    """
    axes = grid_axes(ds)
    if axis not in axes or axis == arm_dim(ds):
        others = ", ".join(own for own in axes if own != arm_dim(ds)) or "none"
        raise ValueError(f"no axis {axis!r} beside the arms; there are: {others}")
    labels = ds[axis].values.tolist()
    tables = [study_scores(ds.sel({axis: [own]}), budget) for own in labels]
    names = ds[STUDY].values.tolist()
    # (studies, labels, arms, searches)
    values = np.stack([own["oriented"].transpose(STUDY, "arm", "repeat") for own in tables], axis=1)
    scored = np.where(np.isfinite(values).all(axis=2, keepdims=True), values, np.nan)
    variance, pseudo = variances(scored)
    known = tested(ds).values
    pseudo[~known] = np.nan
    limits = t_interval(pseudo, confidence)
    half = (limits.high - limits.low) / 2
    apart = _told_apart(values) & known[:, None, None]
    root = _root(variance)
    narrower = root[:, :, None] - root[:, None]
    pair = (STUDY, axis, "to")
    return xr.Dataset(
        {
            "spread": ((STUDY, axis), root),
            "low": ((STUDY, axis), _root(variance - half)),
            "high": ((STUDY, axis), _root(variance + half)),
            "told_apart": ((STUDY, axis), apart.sum(axis=-1)),
            "narrower": (pair, narrower),
            "grade": (pair, np.where(known[:, None, None], _grades(pseudo, narrower), "")),
            "vanished": (pair, (apart[:, :, None] & ~apart[:, None]).sum(axis=-1)),
            "pairs": apart.shape[-1],
            "pairs_of_all": apart.shape[-1] * int(known.sum()),
            "metric": tables[0]["metric"],
        },
        coords={STUDY: names, axis: labels, "to": labels},
        attrs={"confidence": confidence},
    )


def variances(tables: Array) -> tuple[Array, Array]:
    """Variance of arms beyond what searches scatter, and its pseudo-values of the jackknife.

    Shapes  `(*, arms, searches) -> (*), (*, searches)`; NaN is a search without scores.
    """
    shape, repeats = tables.shape[:-2], tables.shape[-1]
    variance, pseudo = np.full(shape, np.nan), np.full((*shape, repeats), np.nan)
    for at in np.ndindex(*shape):
        kept = np.isfinite(tables[at]).all(axis=0)
        own = tables[at][:, kept]
        if (count := own.shape[1]) < 3:
            continue
        variance[at] = _variance(own)
        without = [_variance(np.delete(own, r, axis=1)) for r in range(count)]
        pseudo[at][kept] = count * variance[at] - (count - 1) * np.array(without)
    return variance, pseudo


def _variance(table: Array) -> float:
    """Variance of arms beyond what searches scatter, `(arms, searches)`."""
    arms, repeats = table.shape
    means = table.mean(axis=1, keepdims=True)
    rest = table - means - table.mean(axis=0, keepdims=True) + table.mean()
    error = (rest**2).sum() / ((arms - 1) * (repeats - 1)) if arms > 1 else np.nan
    between = repeats * ((means - means.mean()) ** 2).sum() / (arms - 1) if arms > 1 else np.nan
    return float((between - error) / repeats)


def _root(variance: Array) -> Array:
    return np.sqrt(np.where(np.isnan(variance), np.nan, np.maximum(variance, 0.0)))


def _grades(pseudo: Array, narrower: Array) -> NDArray[np.str_]:
    """Of the differences between labels, `(studies, labels, searches) -> (studies, labels, to)`."""
    studies, labels, repeats = pseudo.shape
    upper = np.triu_indices(labels, 1)
    differences = pseudo[:, upper[0]] - pseudo[:, upper[1]]
    grades = graded(differences.reshape(-1, repeats), 1)[1].reshape(studies, -1)
    whole = np.full((studies, labels, labels), "", dtype="<U7")
    told = narrower[:, upper[0], upper[1]]
    grades = in_direction(grades, known_mean(differences)[0], told)
    whole[:, upper[0], upper[1]] = whole[:, upper[1], upper[0]] = grades
    return whole


def _told_apart(values: Array) -> NDArray[np.bool_]:
    """Whether each pair of arms is at least leaning, `(*, arms, searches) -> (*, pairs)`."""
    upper = np.triu_indices(values.shape[-2], 1)
    found = np.zeros((*values.shape[:-2], len(upper[0])), dtype=bool)
    for at in np.ndindex(*values.shape[:-2]):
        own = values[at][:, None]
        pairs = paired(own, "wins" if np.isneginf(own).any() else "means")
        _, grades = graded(pairs.differences[upper], 1, wins=bool(np.isneginf(own).any()))
        found[at] = grades != "open"
    return found
