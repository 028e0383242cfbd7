"""Analysis of variance on a plain table of scores, NaN where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from ganstudy.analysis.blocks import per_seed
from ganstudy.analysis.grades import CLEAR, LEANING, OF_FEW, SETTINGS
from ganstudy.analysis.intervals import ROUNDING, holm, smallest_p

Array = NDArray[np.float64]
Effect = tuple[int, ...]
"""The dimensions of the table whose joint effect is meant, beyond those of its parts."""

Squares = tuple[Array | float, int]
"""A sum of squares, of one study or of each, and its degrees of freedom."""

MOST_COLUMNS = 400
"""Columns of a model with gaps; its cost grows with their cube."""


class Shares(NamedTuple):
    """Shares of variance by effect with their tests, and effects left out.

    Settings and freedom are `(effects,)`, the residual `(*)`, all else `(*, effects)`.

    settings  that a seed has of each level, or combination of levels, at the fewest
    residual  the share that they leave, of the model with all of them
    """

    effects: list[Effect]
    settings: Array
    share: Array
    freedom: NDArray[np.int64]
    statistic: Array
    p: Array
    residual: Array
    left_out: list[Effect]


def shares(table: Array, studies: int = 0) -> Shares:
    r"""$\epsilon^2$ of main effects, pairs and seed, and F tests against what they do seed to seed.

    P-values are no smaller than those of `paired_t`, for the same reason: few seeds that differ
    alike have no error to go by. They are adjusted by Holm over all effects but the seed's, which
    has none. The error of an
    effect that cannot be told from its seed-to-seed part is the residual of the whole model, as of
    one seed, which tests nothing: p is NaN. So is the share of what does not vary among the scores,
    as where one arm alone has any.

    studies  leading dimensions, along which full tables are studies of their own

    Shapes  `(*, levels…, seeds)`, NaN where there is no score.
    """
    seed = table.ndim - studies - 1
    factors = [(place,) for place in range(seed)]
    effects: list[Effect] = [*factors, *combinations(range(seed), 2)]
    several = table.shape[-1] > 1
    asked = [*effects, *([(seed,)] if several else [])]
    errors = [(*effect, seed) for effect in effects] if several else []
    count = len(asked)
    share, statistic, p = np.full((3, *table.shape[:studies], count), np.nan)
    freedom = np.zeros(count, np.int64)
    known = np.asarray(np.isfinite(table).any(axis=tuple(range(studies))))
    settings = np.array([_settings(known, effect) for effect in asked])
    if not known.any():
        return Shares(asked, settings, share, freedom, statistic, p, share[..., 0], [])
    found = variance(table, [*asked, *errors], studies)
    left_out = [effect for effect in found.left_out if effect in asked]
    # Equal scores differ by rounding.
    varied = found.total > 1e-20 * _squares(table, studies)
    total = np.where(varied, found.total, np.nan)
    left = found.residual[0]
    for place, effect in enumerate(asked):
        gained, freedom[place] = found.explained.get(effect, (0.0, 0))
        error = found.explained.get((*effect, seed), (0.0, 0)) if effect in effects else (0.0, 0)
        error = error if error[1] else found.residual
        if not freedom[place]:
            continue
        if not error[1]:
            share[..., place] = gained / total
            continue
        mean = error[0] / error[1]
        left = left + freedom[place] * mean
        own = found.weight[effect] * (gained - freedom[place] * mean) / total
        share[..., place] = np.minimum(own, 1.0)
        if effect in effects:
            mean = np.where(mean > 1e-12 * total, mean, np.nan)
            statistic[..., place] = gained / freedom[place] / mean
            p[..., place] = fdtrc(freedom[place], error[1], np.maximum(statistic[..., place], 0.0))
    scored = int(known.any(axis=tuple(range(seed))).sum())
    p = np.maximum(p, smallest_p(scored)) if scored > 1 else np.full_like(p, np.nan)
    residual = np.asarray(left / total)
    return Shares(asked, settings, share, freedom, statistic, holm(p), residual, left_out)


def with_and_without(table: Array, studies: int = 0) -> tuple[Shares, list[Shares]]:
    """`shares`, and those without each seed; none of these with fewer than three."""
    seeds = table.shape[-1]
    without = [np.delete(table, seed, axis=-1) for seed in range(seeds if seeds > 2 else 0)]
    return shares(table, studies), [shares(one, studies) for one in without]


def graded_effects(whole: Shares, without: Sequence[Shares]) -> NDArray[np.str_]:
    """Grades of effects, by the rule of `grades.graded`; empty where nothing is tested."""
    sure = (whole.p < CLEAR) & ((whole.settings >= SETTINGS) | (len(without) >= OF_FEW))
    for one in without:
        sure &= one.p < CLEAR
    leaning = np.where(whole.p < LEANING, "leaning", "open")
    grades = np.where(sure & (len(without) > 2), "clear", leaning)
    return np.where(np.isfinite(whole.p), grades, "")


def axes_apart(whole: Shares, without: Sequence[Shares], axes: int) -> Array:
    """Differences of shares of all pairs of axes, `(*, pairs, seeds)`: those of pseudo-values."""
    seeds, (first, second) = len(without), np.triu_indices(axes, 1)
    apart = [one.share[..., first] - one.share[..., second] for one in (whole, *without)]
    left = np.reshape(apart[1:], (seeds, *apart[0].shape))
    pseudo = seeds * apart[0] - (seeds - 1) * left
    # What rounding leaves of equal shares may have one sign in all seeds, and would be graded.
    return np.moveaxis(np.where(np.abs(pseudo) <= seeds * ROUNDING, 0.0, pseudo), 0, -1)


def _squares(table: Array, studies: int) -> Array:
    """Sum of the squares of each study."""
    return np.asarray(np.nansum(table**2, axis=tuple(range(studies, table.ndim))))


def _settings(known: NDArray[np.bool_], effect: Effect) -> float:
    """`Shares.settings` of one effect; levels without a score do not count."""
    others = tuple(d for d in range(known.ndim - 1) if d not in effect)
    counts = per_seed(known.sum(axis=others))
    return float(counts.min(where=counts > 0, initial=np.inf))


class Variance(NamedTuple):
    """Sums of squares by effect, what is left, and effects left out.

    residual  of the model with all effects but what these do along the last dimension
    weight    by effect, but those with the last dimension: how often its variance counts in a full
              table of as many scores, for once in this one, beside what others have in common with
              it
    """

    explained: dict[Effect, Squares]
    residual: Squares
    total: Array | float
    left_out: list[Effect]
    weight: dict[Effect, float]


def variance(table: Array, effects: Sequence[Effect], studies: int = 0) -> Variance:
    """Type II sums of squares; in a full table the classical ones.

    A table with gaps needs a model with a column for every level and pair of levels: the largest
    pairs are left out until it has no more than `MOST_COLUMNS`.

    studies  leading dimensions, along which full tables are studies of their own

    Errors  `ValueError` for a table without a number, and for several studies with gaps.
    """
    known = np.isfinite(table)
    if known.all():
        return _full(table, effects, studies)
    if studies:
        raise ValueError("tables with gaps are taken one by one")
    centred = table - table[known].mean()
    total = float((centred[known] ** 2).sum())
    sizes = {effect: math.prod(table.shape[d] - 1 for d in effect) for effect in effects}
    kept = sorted(effects, key=lambda effect: (len(effect), sizes[effect]))
    while len(kept) > 1 and len(kept[-1]) > 1 and sum(sizes[e] for e in kept) > MOST_COLUMNS:
        kept.pop()
    left_out = [effect for effect in effects if effect not in kept]
    kept = [effect for effect in effects if effect in kept]
    return _with_gaps(centred[known], np.nonzero(known), table.shape, kept, total, left_out)


def _full(table: Array, effects: Sequence[Effect], studies: int) -> Variance:
    """Squares of Fourier coefficients, which are orthogonal.

    An effect has those that vary along all of its own dimensions, and along no other.
    """
    own, sizes = tuple(range(studies, table.ndim)), table.shape[studies:]
    centred = table - table.mean(axis=own, keepdims=True)
    squares = np.abs(np.fft.fftn(centred, axes=own, norm="ortho")) ** 2
    explained: dict[Effect, Squares] = {}
    for effect in effects:
        at = tuple(slice(1, None) if d in effect else slice(1) for d in range(len(sizes)))
        freedom = math.prod(sizes[d] - 1 for d in effect)
        explained[effect] = (squares[..., *at].sum(axis=own), freedom)
    asked = [own for effect, own in explained.items() if not _is_along_last(effect, len(sizes))]
    square, freedom = sum(own for own, _ in asked), sum(own for _, own in asked)
    total = _squares(centred, studies)
    rest = (np.maximum(total - square, 0.0), math.prod(sizes) - 1 - freedom)
    return Variance(explained, rest, total, [], dict.fromkeys(explained, 1.0))


def _is_along_last(effect: Effect, dimensions: int) -> bool:
    """Whether it is what another effect does along the last dimension, as from seed to seed."""
    return len(effect) > 1 and effect[-1] == dimensions - 1


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

    # That of all effects is the model with each of the largest ones.
    @cache
    def basis(model: frozenset[Effect]) -> tuple[NDArray[np.intp], Array]:
        own = (columns[effect] for effect in effects if effect in model)
        at = np.array([0, *chain.from_iterable(own)])
        values_, vectors = np.linalg.eigh(gram[np.ix_(at, at)])
        sound = values_ > 1e-9 * values_[-1]
        return at, vectors[:, sound] / np.sqrt(values_[sound])

    def fitted(at: NDArray[np.intp], axes: Array) -> float:
        return float(((axes.T @ moments[at]) ** 2).sum())

    explained: dict[Effect, Squares] = {}
    weight = {}
    for effect in effects:
        others = frozenset(other for other in effects if not set(effect) <= set(other))
        (at, axes), (at_with, axes_with) = basis(others), basis(others | {effect})
        gained = max(fitted(at_with, axes_with) - fitted(at, axes), 0.0)
        explained[effect] = (gained, axes_with.shape[1] - axes.shape[1])
        if _is_along_last(effect, len(shape)):
            continue  # What an effect does from seed to seed has no share.
        own = np.array(columns[effect], int)
        common = axes.T @ gram[np.ix_(at, own)]
        alone = gram[np.ix_(own, own)] - common.T @ common
        weight[effect] = _weight(alone / len(values), places, shape, effect)
    asked = frozenset(effect for effect in effects if not _is_along_last(effect, len(shape)))
    at, axes = basis(asked)
    rest = (max(total - fitted(at, axes), 0.0), len(values) - axes.shape[1])
    return Variance(explained, rest, total, left_out, weight)


def _weight(
    alone: Array, places: tuple[NDArray[np.intp], ...], shape: tuple[int, ...], effect: Effect
) -> float:
    """`Variance.weight` by the mean squares of an effect's columns beside those of others.

    Combinations of levels that no score has are in no full table either.
    """
    levels = tuple(np.indices([size if d in effect else 1 for d, size in enumerate(shape)]))
    whole = _columns(tuple(np.reshape(own, -1) for own in levels), shape, effect)
    counted = float(np.trace(np.linalg.solve(whole.T @ whole, alone))) if whole.size else 0.0
    seen = np.unique([own * (d in effect) for d, own in enumerate(places)], axis=1)
    parts = [_columns(tuple(seen), shape, (d,)) for d in effect if len(effect) > 1]
    rank = int(np.linalg.matrix_rank(np.concatenate([np.ones((seen.shape[1], 1)), *parts], axis=1)))
    full = (seen.shape[1] - rank) / seen.shape[1]
    return full / counted if counted > 1e-9 else 0.0


def _columns(places: tuple[NDArray[np.intp], ...], shape: tuple[int, ...], effect: Effect) -> Array:
    """Contrasts that sum to zero over levels, so that effects of a full table are orthogonal."""
    block = np.ones((len(places[0]), 1))
    for d in effect:
        contrasts = np.eye(shape[d])[:, :-1] - np.eye(shape[d])[:, [-1]]
        block = (block[:, :, None] * contrasts[places[d]][:, None, :]).reshape(len(block), -1)
    return block
