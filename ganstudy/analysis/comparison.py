"""The trials that arms have in common, from which order, differences and verdicts are taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from ganstudy.analysis._blocks import Basis, Paired, filled, joined, order_effects, paired
from ganstudy.analysis._intervals import Array
from ganstudy.analysis.design import Settings, arm_dim, in_comparison, setting_dims
from ganstudy.analysis.metric import Metric
from ganstudy.analysis.scores import trial_scores


@dataclass(frozen=True)
class Compared:
    """Arms of a study, compared by a metric on what they have in common.

    score    scores (arm, settings…, seed) in the metric's direction, NaN where there is none
    basis    `means` of scores; or `wins`, trial against trial, where a trial that takes part is
             worse than any number, so that a mean would leave out the worst
    pairs    oriented differences of all pairs of arms: positive where the first is better
    effects  what orders the arms, more is better
    used     grid points that take part, (arm, settings…)
    """

    fact: Metric
    score: xr.DataArray
    basis: Basis
    pairs: Paired
    effects: Array
    used: xr.DataArray

    @classmethod
    def of(cls, ds: xr.Dataset, metric: str | None, settings: Settings) -> Compared:
        """The comparison of a study's arms by a metric."""
        fact, arm = Metric.of(ds, metric), arm_dim(ds)
        used, scores = in_comparison(ds, settings), trial_scores(ds, metric)
        score = scores["score"].where(used).transpose(arm, *setting_dims(ds), "seed")
        unbounded = (scores["unbounded"] & used).transpose(*score.dims)
        oriented = (fact.sign * score).where(~unbounded, -np.inf)
        basis: Basis = "wins" if bool(unbounded.any()) else "means"
        flat = oriented.values.reshape(score.sizes[arm], -1, score.sizes["seed"])
        pairs = paired(flat, basis)
        return cls(fact, score, basis, pairs, order_effects(pairs), used)

    @property
    def balanced(self) -> xr.DataArray:
        """Scores with gaps filled by least squares, so that averages are over the same trials."""
        sign = self.fact.sign
        arms, *_, seeds = self.score.shape
        flat = sign * self.score.values.reshape(arms, -1, seeds)
        pairs = paired(flat, "means")
        whole = sign * filled(flat, order_effects(pairs), joined(pairs))
        return self.score.copy(data=whole.reshape(self.score.shape))
