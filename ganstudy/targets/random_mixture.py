"""`random_mixture`: Gaussians at random places with unequal random weights."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from pydantic import Field, model_validator

from ganstudy.targets._mixture import IsotropicMixture, MixtureTarget

_CANDIDATES = 64
"""Places tried for each mode, of which the one farthest from the others is taken."""

_MOST = 4_000_000


class RandomMixture(MixtureTarget):
    r"""Gaussians at random places with unequal random weights; rare modes are lost first.

    Maths   $w \sim \mathrm{Dirichlet}(c, \dots, c)$, means in $[-1, 1]^d$, all drawn from
            `law_seed`, which is part of the law: trials of every seed share it.
    Source  ours; the places are Mitchell 1991's best candidates, which keeps modes apart.
    """

    modes: int = Field(12, ge=1, le=10_000, description="number of Gaussians")
    features: int = Field(2, ge=1, le=10_000, description="dimension of the space")
    std: float = Field(0.03, gt=0, description="standard deviation of each Gaussian")
    concentration: float = Field(
        2.0, gt=0, description="of the Dirichlet law; small: few modes hold most of p"
    )
    law_seed: int = Field(0, ge=0, le=2**63 - 1, description="seed of places and weights")

    @model_validator(mode="after")
    def _drawn_in_seconds(self) -> RandomMixture:
        if self.modes**2 * self.features > _MOST:
            message = f"modes^2 * features should be at most {_MOST:,}: places are kept apart"
            raise ValueError(f"{message}, at that cost")
        return self

    @model_validator(mode="after")
    def _of_modes_that_are_there(self) -> RandomMixture:
        # From 0.1 up a weight is rounded to 0 once in 10^32.
        missing = 0 if self.concentration >= 0.1 else int((self.mixture().weights == 0).sum())
        if missing:
            few = f"{missing} of {self.modes} modes have a weight of 0"
            why = f"concentration: {few}; raise it, or take another law_seed"
            self._refuse("concentration", why)
        return self

    def mixture(self) -> IsotropicMixture:
        """The modes, in the order in which they were drawn."""
        means, weights = _drawn(self.modes, self.features, self.concentration, self.law_seed)
        return IsotropicMixture(means, weights, np.full(self.modes, self.std))


@lru_cache(maxsize=16)
def _drawn(
    modes: int, features: int, concentration: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    means = rng.uniform(-1, 1, (1, features))
    for _ in range(modes - 1):
        candidates = rng.uniform(-1, 1, (_CANDIDATES, features))
        distances = np.linalg.norm(candidates[:, None] - means, axis=-1).min(axis=1)
        means = np.vstack([means, candidates[distances.argmax()]])
    return means, rng.dirichlet(np.full(modes, concentration))
