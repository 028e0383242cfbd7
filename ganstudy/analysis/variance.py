"""Analysis of variance on a plain table of scores, NaN where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as f_law

from ganstudy.analysis.intervals import holm

Array = NDArray[np.float64]
Effect = tuple[int, ...]
"""The dimensions of the table whose joint effect is meant, beyond those of its parts."""

MOST_COLUMNS = 400
"""Columns of a model with gaps; its cost grows with their cube."""


class Shares(NamedTuple):
    """Shares of variance by effect with their tests, each `(effects,)`, and effects left out."""

    effects: list[Effect]
    share: Array
    freedom: NDArray[np.int64]
    statistic: Array
    p: Array
    left_out: list[Effect]


def shares(table: Array) -> Shares:
    r"""$\epsilon^2$ of main effects, pairs and seed, and F tests against what they do seed to seed.

    P-values are adjusted by Holm over all effects but the seed's, which has none. The error of an
    effect that cannot be told from its seed-to-seed part is the residual of the whole model. The
    share of what does not vary among the scores, as where one arm alone has any, is NaN.

    Shapes  `(levels…, seeds)`, NaN where there is no score.
    """
    seed = table.ndim - 1
    factors = [(place,) for place in range(seed)]
    effects: list[Effect] = [*factors, *combinations(range(seed), 2)]
    several = table.shape[-1] > 1
    asked = [*effects, *([(seed,)] if several else [])]
    errors = [(*effect, seed) for effect in effects] if several else []
    count = len(asked)
    share, statistic, p = np.full((3, count), np.nan)
    freedom = np.zeros(count, np.int64)
    known = np.isfinite(table)
    if not known.any():
        return Shares(asked, share, freedom, statistic, p, [])
    found = variance(table, [*asked, *errors])
    left_out = [effect for effect in found.left_out if effect in asked]
    # Equal scores differ by rounding.
    varied = found.total > 1e-20 * float(np.nansum(table**2))
    rest = _pooled([found.residual, *(found.explained.get(e, (0.0, 0)) for e in errors)])
    for place, effect in enumerate(asked):
        gained, freedom[place] = found.explained.get(effect, (0.0, 0))
        error = found.explained.get((*effect, seed), (0.0, 0)) if effect in effects else rest
        error = error if error[1] else rest
        if not varied or not freedom[place]:
            continue
        if not error[1]:
            share[place] = gained / found.total
            continue
        mean = error[0] / error[1]
        share[place] = (gained - freedom[place] * mean) / found.total
        if effect in effects and mean > 1e-12 * found.total:
            statistic[place] = gained / freedom[place] / mean
            p[place] = f_law.sf(statistic[place], freedom[place], error[1])
    return Shares(asked, share, freedom, statistic, holm(p), left_out)


def _pooled(parts: Sequence[tuple[float, int]]) -> tuple[float, int]:
    return sum(square for square, _ in parts), sum(freedom for _, freedom in parts)


class Variance(NamedTuple):
    """Sums of squares and degrees of freedom by effect, what is left, and effects left out."""

    explained: dict[Effect, tuple[float, int]]
    residual: tuple[float, int]
    total: float
    left_out: list[Effect]


def variance(table: Array, effects: Sequence[Effect]) -> Variance:
    """Type II sums of squares; in a full table the classical ones.

    A table with gaps needs a model with a column for every level and pair of levels: the largest
    pairs are left out until it has no more than `MOST_COLUMNS`.

    Errors  `ValueError` for a table without a number.
    """
    known = np.isfinite(table)
    centred = table - table[known].mean()
    total = float((centred[known] ** 2).sum())
    if known.all():
        return _full(centred, effects, total)
    sizes = {effect: int(np.prod([table.shape[d] - 1 for d in effect])) for effect in effects}
    kept = sorted(effects, key=lambda effect: (len(effect), sizes[effect]))
    while len(kept) > 1 and len(kept[-1]) > 1 and sum(sizes[e] for e in kept) > MOST_COLUMNS:
        kept.pop()
    left_out = [effect for effect in effects if effect not in kept]
    kept = [effect for effect in effects if effect in kept]
    return _with_gaps(centred[known], np.nonzero(known), table.shape, kept, total, left_out)


def _full(centred: Array, effects: Sequence[Effect], total: float) -> Variance:
    """Sums of squares of means, each without what its parts explain."""
    explained = {}
    for effect in effects:
        others = tuple(d for d in range(centred.ndim) if d not in effect)
        means = centred.mean(axis=others, keepdims=True)
        for d in effect:
            means = means - means.mean(axis=d, keepdims=True)
        square = float((means**2).sum()) * centred.size / means.size
        explained[effect] = (square, int(np.prod([centred.shape[d] - 1 for d in effect])))
    rest = max(total - sum(square for square, _ in explained.values()), 0.0)
    freedom = centred.size - 1 - sum(freedom for _, freedom in explained.values())
    return Variance(explained, (rest, freedom), total, [])


def _with_gaps(
    values: Array,
    places: tuple[NDArray[np.intp], ...],
    shape: tuple[int, ...],
    effects: Sequence[Effect],
    total: float,
    left_out: list[Effect],
) -> Variance:
    blocks = {effect: _columns(places, shape, effect) for effect in effects}
    design = np.concatenate([np.ones((len(values), 1)), *blocks.values()], axis=1)
    # Normal equations: all columns are small whole numbers, and models differ only in columns.
    gram, moments = design.T @ design, design.T @ values
    ends = np.cumsum([1, *(block.shape[1] for block in blocks.values())])
    columns = dict(zip(effects, map(range, ends[:-1].tolist(), ends[1:].tolist()), strict=True))

    def fitted(model: Sequence[Effect]) -> tuple[float, int]:
        at = np.array([0, *(column for effect in model for column in columns[effect])])
        values_, vectors = np.linalg.eigh(gram[np.ix_(at, at)])
        sound = values_ > 1e-9 * values_[-1]
        shares = (vectors[:, sound].T @ moments[at]) ** 2 / values_[sound]
        return float(shares.sum()), int(sound.sum())

    explained = {}
    for effect in effects:
        others = [other for other in effects if not set(effect) <= set(other)]
        without, rank = fitted(others)
        whole, rank_with = fitted([*others, effect])
        explained[effect] = (max(whole - without, 0.0), rank_with - rank)
    whole, rank = fitted(effects)
    return Variance(explained, (max(total - whole, 0.0), len(values) - rank), total, left_out)


def _columns(places: tuple[NDArray[np.intp], ...], shape: tuple[int, ...], effect: Effect) -> Array:
    """Contrasts that sum to zero over levels, so that effects of a full table are orthogonal."""
    block = np.ones((len(places[0]), 1))
    for d in effect:
        contrasts = np.eye(shape[d])[:, :-1] - np.eye(shape[d])[:, [-1]]
        block = (block[:, :, None] * contrasts[places[d]][:, None, :]).reshape(len(block), -1)
    return block
