"""`mixture`: Gaussians of given means, covariances and weights."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from ganstudy.targets._mixture import (
    GaussianMixture,
    GeneralMixture,
    IsotropicMixture,
    MixtureTarget,
)
from ganstudy.targets._parameters import Matrix, Vector, covariance_problem


class Mixture(MixtureTarget):
    r"""Gaussians with the means, covariances and weights that are given, in any dimension.

    Maths   $p(x) = \sum_k w_k N(x; \mu_k, \Sigma_k)$, with $\Sigma_k = s_k^2 I$ unless covariances
            are given; weights are divided by their sum.
    Errors  lists of different lengths; a covariance that is not symmetric and positive definite.
    Source  Bishop 2006, Pattern Recognition and Machine Learning, eq. 2.188; the default, two
            modes of unequal weight, is ours.
    """

    means: Matrix = Field(
        ((-1.0, 0.0), (1.0, 0.0)), min_length=1, description="mean of each mode, one row a mode"
    )
    weights: Vector | None = Field((0.8, 0.2), description="share of each mode; null: equal shares")
    stds: Vector | None = Field(
        None, description="standard deviation of each mode; 0.1 if no covariances are given"
    )
    covariances: Annotated[tuple[Matrix, ...], Field(strict=False)] | None = Field(
        None, description="covariance matrix of each mode, in place of stds"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Mixture:
        features = len(self.means[0])
        if not features or any(len(mean) != features for mean in self.means):
            raise ValueError("means: every row needs the same number of features")
        if self.stds is not None and self.covariances is not None:
            raise ValueError("give stds or covariances, not both")
        for name in ("weights", "stds", "covariances"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.means):
                raise ValueError(f"{name}: {len(given)} given for {len(self.means)} means")
        for name in ("weights", "stds"):
            if min(getattr(self, name) or (1.0,)) <= 0:
                raise ValueError(f"{name} must be positive")
        for index, covariance in enumerate(self.covariances or ()):
            problem = covariance_problem(covariance, features)
            if problem:
                raise ValueError(f"covariances[{index}] {problem}")
        return self

    def mixture(self) -> GaussianMixture:
        """The given components."""
        means = np.array(self.means)
        weights = np.array(self.weights or [1.0] * len(means))
        weights /= weights.sum()
        if self.covariances is not None:
            return GeneralMixture(means, weights, np.array(self.covariances))
        return IsotropicMixture(means, weights, np.array(self.stds or [0.1] * len(means)))
