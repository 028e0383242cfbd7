"""The trials that arms have in common, from which order, differences and verdicts are taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from ganstudy.analysis.blocks import Basis, Paired, filled, has_gaps, paired, per_seed
from ganstudy.analysis.design import (
    FRESH,
    OWN,
    WhichSettings,
    arm_dim,
    in_comparison,
    setting_dims,
)
from ganstudy.analysis.intervals import Array
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.scores import trial_scores


@dataclass(frozen=True)
class Compared:
    """Arms of a study, compared by a metric on what they have in common.

    Fresh seeds of a search are no settings: they are averaged over, and a search is worse than any
    number where one of them is.

    score     scores (arm, settings…, seed), NaN where there is none
    oriented  the same (arms, settings, seeds), more is better; minus infinity where a trial is
              worse than any number
    used      grid points that take part, (arm, settings…)
    trials    of each arm that have a score, (arm,)
    """

    fact: RecordedMetric
    score: xr.DataArray
    oriented: Array
    used: xr.DataArray
    trials: xr.DataArray

    @classmethod
    def of(
        cls, ds: xr.Dataset, metric: str | None, settings: WhichSettings, *, fresh: bool = False
    ) -> Compared:
        """The comparison of a study's arms by a metric.

        fresh  trials with fresh seeds stand for themselves, as where these are counted
        """
        fact, arm = RecordedMetric.of(ds, metric), arm_dim(ds)
        used, scores = in_comparison(ds, settings), trial_scores(ds, metric)
        score, unbounded = scores["score"].where(used), scores["unbounded"] & used
        trials = score.notnull().sum([dim for dim in score.dims if dim != arm])
        dims = [arm, *setting_dims(ds), "seed"]
        if FRESH in dims and not fresh:
            unbounded, used = (_of_searches(x, lambda x: x.any(FRESH)) for x in (unbounded, used))
            score = _of_searches(score, lambda x: x.mean(FRESH)).where(~unbounded)
            dims = [dim for dim in dims if dim in score.dims]
        score, unbounded = score.transpose(*dims), unbounded.transpose(*dims)
        oriented = (fact.sign * score).where(~unbounded, -np.inf).values
        flat = oriented.reshape(score.sizes[arm], -1, score.sizes["seed"])
        return cls(fact, score, flat, used, trials)

    @property
    def basis(self) -> Basis:
        """`means` of scores, or `wins` where a mean would leave out trials worse than any number.

        A win is one trial against another of the same setting and seed, or one search against
        another.
        """
        return "wins" if np.isneginf(self.oriented).any() else "means"

    @property
    def settings(self) -> Array:
        """Settings that each arm's mean of a seed is over, on average to a whole."""
        return per_seed(np.isfinite(self.oriented).sum(axis=1))

    @cached_property
    def pairs(self) -> Paired:
        """Oriented differences of all pairs of arms: positive where the first is better."""
        return paired(self.oriented, self.basis)

    @cached_property
    def scored(self) -> Paired:
        """The same of scores alone, whatever the basis."""
        return self.pairs if self.basis == "means" else paired(self.oriented, "means")

    @property
    def lost(self) -> xr.DataArray:
        """Which trials, or searches, are worse than any number, with the dims of `score`."""
        return self.score.copy(data=np.isneginf(self.oriented).reshape(self.score.shape))

    @cached_property
    def balanced(self) -> xr.DataArray:
        """Scores with gaps filled by least squares, so that averages are over the same trials.

        NaN where a trial is worse than any number: its arm ran there, and no score stands for it.
        """
        if not has_gaps(self.oriented):
            return self.score
        whole = self.fact.sign * filled(self.oriented, self.scored)
        whole = np.where(np.isfinite(whole), whole, np.nan)
        return self.score.copy(data=whole.reshape(self.score.shape))

    @property
    def means(self) -> xr.DataArray:
        """Means of arms over seeds, (arm,): of what they have in common, or of least squares where
        trials are missing, which may be beyond the bounds of the metric; of the trials that have a
        score where others are worse than any number; NaN of an arm without a score."""
        axes = self.score.dims[1:]
        means = self.balanced.mean(axes[:-1]).mean("seed")
        return means.where(self.score.notnull().any(axes))

    @property
    def spanned(self) -> xr.DataArray:
        """Settings that the mean of each arm is over, (arm, settings…)."""
        return _any_seed(self.balanced.notnull())

    @property
    def emptied(self) -> xr.DataArray:
        """Settings that are in no mean since all is worse than any number there, likewise."""
        return _any_seed(self.lost) & ~self.spanned


def _any_seed(cells: xr.DataArray) -> xr.DataArray:
    return cells.any([dim for dim in cells.dims if dim in ("seed", FRESH)])


def _of_searches(
    array: xr.DataArray, reduced: Callable[[xr.DataArray], xr.DataArray]
) -> xr.DataArray:
    """Searches in place of their fresh seeds; a run beside them that has none stands apart, for its
    seeds share nothing with theirs."""
    own = array[FRESH].astype(str).values == OWN
    whole = reduced(array.isel({FRESH: ~own}))
    if not own.any():
        return whole
    apart = array.isel({FRESH: own}).drop_vars(FRESH)
    joined: xr.DataArray = xr.concat([whole.expand_dims(FRESH), apart], FRESH)
    return joined
