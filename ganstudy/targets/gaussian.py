"""`gaussian`: one Gaussian, of any dimension and covariance."""

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


class Gaussian(MixtureTarget):
    r"""One Gaussian; for the dynamics near an equilibrium, where everything has a closed form.

    Maths   $p(x) = N(x; \mu, \Sigma)$, with $\Sigma = s^2 I$ unless a covariance is given.
    Errors  a covariance that is not symmetric and positive definite, or of another size.
    Source  Bishop 2006, Pattern Recognition and Machine Learning, section 2.3.
    """

    mean: Vector = Field((0.0, 0.0), min_length=1, description="mean, a number for each feature")
    std: Annotated[float, Field(gt=0)] | None = Field(
        None, description="standard deviation of every feature; 1 if no covariance is given"
    )
    covariance: Matrix | None = Field(None, description="covariance matrix, in place of std")

    @model_validator(mode="after")
    def _one_covariance(self) -> Gaussian:
        if self.covariance is not None:
            if self.std is not None:
                raise ValueError("give std or covariance, not both")
            problem = covariance_problem(self.covariance, len(self.mean))
            if problem:
                raise ValueError(f"covariance {problem}")
        return self

    def mixture(self) -> GaussianMixture:
        """One component."""
        means, weights = np.array([self.mean]), np.ones(1)
        if self.covariance is not None:
            return GeneralMixture(means, weights, np.array([self.covariance]))
        return IsotropicMixture(means, weights, np.array([self.std or 1.0]))
