"""Two players with a number each: what each wants to descend, and how they move.

States are `(trials, 2)`: the generator's parameter, then the critic's. A field gives the gradient
of the generator's loss in the first and of the critic's loss in the second, and its Jacobian.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences import DiscreteLaws
from ganstudy.kinds._losses import fake_slopes, generator_slopes, real_slopes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.divergences import Divergence

    Array = NDArray[np.float64]

NODES = 24
"""Nodes of the Gauss-Hermite quadrature of instance noise."""


class VectorField(ABC):
    """Gradients that the players descend."""

    @abstractmethod
    def gradient(self, state: Array) -> Array:
        """Shapes `(trials, 2) -> (trials, 2)`."""

    @abstractmethod
    def jacobian(self, state: Array) -> Array:
        """Shapes `(trials, 2) -> (trials, 2, 2)`."""


@dataclass(frozen=True, eq=False)
class Linear(VectorField):
    """The field J s; `matrix` is `(trials, 2, 2)`."""

    matrix: Array

    def gradient(self, state: Array) -> Array:
        """J s, summed in a fixed order."""
        m = self.matrix
        return np.asarray(m[:, :, 0] * state[:, :1] + m[:, :, 1] * state[:, 1:])

    def jacobian(self, state: Array) -> Array:
        """J, wherever the players are."""
        return self.matrix


@dataclass(frozen=True, eq=False)
class DiracGAN(VectorField):
    r"""p at 0, q at theta, logit psi x + level; with noise, both blurred by N(0, noise^2).

    `ridge` adds ridge psi^2 / 2 to the critic's loss, `pull` adds pull (|psi| - slope)^2.

    Source  Mescheder, Geiger & Nowozin 2018, sections 2 to 4; `ridge` is R1 there,
            and R2 is the same here; `pull` is WGAN-GP.
    """

    divergence: Divergence
    ridge: Array
    pull: Array
    noise: Array
    slope: Array

    @cached_property
    def level(self) -> float:
        """The critic's best logit where p = q: between the labels of least_squares, mostly 0."""
        one = np.ones(1)
        return float(self.divergence.optimal_logits(DiscreteLaws(one, one, one[:, None]))[0])

    def _at(self, state: Array) -> tuple[Array, Array, Array, Array]:
        nodes, weights = np.zeros(1), np.ones(1)
        if self.noise.any():
            nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        blur = self.noise[:, None] * nodes
        theta, psi = state[:, :1], state[:, 1:]
        return theta + blur, blur, psi, weights / weights.sum()

    def gradient(self, state: Array) -> Array:
        """Derivatives of the expected losses."""
        x, blur, psi, weights = self._at(state)
        (lifted,) = generator_slopes(self.divergence, psi * x + self.level, 1)
        (pushed,) = fake_slopes(self.divergence, psi * x + self.level, 1)
        (held,) = real_slopes(self.divergence, psi * blur + self.level, 1)
        generator = (weights * lifted * psi).sum(-1)
        critic = (weights * (held * blur + pushed * x)).sum(-1)
        slope = state[:, 1]
        critic = critic + self.ridge * slope
        critic = critic + 2 * self.pull * (np.abs(slope) - self.slope) * np.sign(slope)
        return np.stack([generator, critic], axis=-1)

    def jacobian(self, state: Array) -> Array:
        """Second derivatives of the expected losses."""
        x, blur, psi, weights = self._at(state)
        lifted, lifted_bend = generator_slopes(self.divergence, psi * x + self.level)
        pushed, pushed_bend = fake_slopes(self.divergence, psi * x + self.level)
        _, held_bend = real_slopes(self.divergence, psi * blur + self.level)
        rows = [
            [lifted_bend * psi**2, lifted + lifted_bend * psi * x],
            [pushed + pushed_bend * psi * x, held_bend * blur**2 + pushed_bend * x**2],
        ]
        found = np.stack([np.stack([(weights * e).sum(-1) for e in row], -1) for row in rows], -2)
        found[:, 1, 1] += self.ridge + 2 * self.pull
        return found
