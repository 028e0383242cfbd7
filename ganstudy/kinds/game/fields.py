"""Two players with a number each: what each wants to descend, and how they move.

States are `(trials, 2)`: the generator's parameter, then the critic's. A field gives the gradient
of the generator's loss in the first and of the critic's loss in the second, and its Jacobian.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    r"""p at 0, q at theta, logit psi x of the critic; with noise, both blurred by N(0, noise^2).

    `ridge` adds ridge psi^2 / 2 to the critic's loss, `unit` adds unit (|psi| - 1)^2.

    Source  Mescheder, Geiger & Nowozin 2018, section 2 and lemmas 2.1 to 4.1; `ridge` is R1 there,
            `unit` is WGAN-GP.
    """

    divergence: Divergence
    ridge: Array
    unit: Array
    noise: Array

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
        lifted, _ = generator_slopes(self.divergence, psi * x)
        pushed, _ = fake_slopes(self.divergence, psi * x)
        held, _ = real_slopes(self.divergence, psi * blur)
        generator = (weights * lifted * psi).sum(-1)
        critic = (weights * (held * blur + pushed * x)).sum(-1)
        slope = state[:, 1]
        critic = critic + self.ridge * slope + 2 * self.unit * (np.abs(slope) - 1) * np.sign(slope)
        return np.stack([generator, critic], axis=-1)

    def jacobian(self, state: Array) -> Array:
        """Second derivatives of the expected losses."""
        x, blur, psi, weights = self._at(state)
        lifted, lifted_bend = generator_slopes(self.divergence, psi * x)
        pushed, pushed_bend = fake_slopes(self.divergence, psi * x)
        _, held_bend = real_slopes(self.divergence, psi * blur)
        rows = [
            [lifted_bend * psi**2, lifted + lifted_bend * psi * x],
            [pushed + pushed_bend * psi * x, held_bend * blur**2 + pushed_bend * x**2],
        ]
        found = np.stack([np.stack([(weights * e).sum(-1) for e in row], -1) for row in rows], -2)
        found[:, 1, 1] += self.ridge + 2 * self.unit
        return found


@dataclass(frozen=True, eq=False)
class Moves:
    """How the players move; settings that are arrays are `(trials, 1)`.

    An update acts on `(trials, 4)`: the state, then its memory, which is the velocity of momentum
    or the last gradient of the optimistic method.
    """

    method: str
    alternating: bool
    lr: Array
    momentum: Array
    consensus: Array

    def start(self, field: VectorField, state: Array) -> Array:
        """The state with the memory that a trial begins with."""
        remembered = field.gradient(state) if self.method == "optimistic" else np.zeros_like(state)
        return np.concatenate([state, remembered], axis=-1)

    def update(self, field: VectorField, whole: Array) -> Array:
        """One step of both players."""
        state, memory = whole[:, :2], whole[:, 2:]
        if self.alternating:
            return self._alternate(field, state, memory)
        gradient, lr = field.gradient(state), self.lr
        if self.method == "extragradient":
            moved, memory = state - lr * field.gradient(state - lr * gradient), 0 * memory
        elif self.method == "optimistic":
            moved, memory = state - 2 * lr * gradient + lr * memory, gradient
        elif self.method == "consensus":
            bent = field.jacobian(state)
            pull = bent[:, 0] * gradient[:, :1] + bent[:, 1] * gradient[:, 1:]
            moved, memory = state - lr * (gradient + self.consensus * pull), 0 * memory
        else:
            memory = self.momentum * memory + gradient
            moved = state - lr * memory
        return np.concatenate([moved, memory], axis=-1)

    def _alternate(self, field: VectorField, state: Array, memory: Array) -> Array:
        """The critic first; the generator sees where it went."""
        for player in (1, 0):
            one = np.arange(2) == player
            pull = self.momentum * memory + field.gradient(state)
            memory = np.where(one, pull, memory)
            state = np.where(one, state - self.lr * memory, state)
        return np.concatenate([state, memory], axis=-1)

    def matrix(self, jacobian: Array) -> Array:
        """The update of the linear game with this Jacobian, `(trials, 4, 4)`."""
        field, trials = Linear(jacobian), len(jacobian)
        columns = [self.update(field, np.tile(unit, (trials, 1))) for unit in np.eye(4)]
        return np.stack(columns, axis=-1)
