"""How two players move: what becomes of their gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.kinds.game.fields import Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds.game.fields import VectorField

    Array = NDArray[np.float64]

GENERATOR, CRITIC = 0, 1


@dataclass(frozen=True, eq=False)
class Moves:
    """How the players move; settings that are arrays are `(trials, 1)`.

    An update acts on `(trials, 4)`: the state, then its memory, which is the velocity of momentum,
    the last gradient of the optimistic method, or the last displacement of LEAD.

    turns   who moves when in a round, one after the other; empty if both move at once
    rounds  of the fast players in one update of lookahead
    bound   the largest |psi|, to which the critic is clipped after each of its steps
    """

    method: str
    turns: tuple[int, ...]
    rounds: int
    lr: Array
    momentum: Array
    consensus: Array
    symplectic: Array
    lead: Array
    share: Array
    bound: Array

    def start(self, field: VectorField, state: Array) -> Array:
        """The state with the memory that a trial begins with."""
        state = self._clipped(state)
        remembered = field.gradient(state) if self.method == "optimistic" else np.zeros_like(state)
        return np.concatenate([state, remembered], axis=-1)

    def update(self, field: VectorField, whole: Array) -> Array:
        """One round of both players; of lookahead, `rounds` of them and a step of the slow ones."""
        if self.method != "lookahead":
            return self._round(field, whole)
        fast = whole
        for _ in range(self.rounds):
            fast = self._round(field, fast)
        return np.asarray(whole + self.share * (fast - whole))

    def _round(self, field: VectorField, whole: Array) -> Array:
        state, memory = whole[:, :2], whole[:, 2:]
        if self.turns:
            return self._in_turn(field, state, memory)
        gradient, lr = field.gradient(state), self.lr
        if self.method == "extragradient":
            moved, memory = state - lr * field.gradient(state - lr * gradient), 0 * memory
        elif self.method == "optimistic":
            moved, memory = state - 2 * lr * gradient + lr * memory, gradient
        elif self.method == "lead":
            force = _across(field.jacobian(state), memory)
            memory = self.momentum * memory - lr * gradient - self.lead * force
            moved = state + memory
        elif self.method == "momentum":
            memory = self.momentum * memory + gradient
            moved = state - lr * memory
        else:
            moved, memory = state - lr * self._direction(field, state, gradient), 0 * memory
        return np.concatenate([self._clipped(moved), memory], axis=-1)

    def _direction(self, field: VectorField, state: Array, gradient: Array) -> Array:
        """What takes the gradient's place, in methods without memory."""
        if self.method == "consensus":
            return gradient + self.consensus * _back(field.jacobian(state), gradient)
        if self.method == "symplectic_gradient_adjustment":
            bent = field.jacobian(state)
            turn = _back(bent, gradient) - _forth(bent, gradient)
            return gradient + 0.5 * self.symplectic * turn
        if self.method == "competitive_gradient_descent":
            bent, h = field.jacobian(state), self.lr
            answered = gradient - h * _across(bent, gradient)
            return np.asarray(answered / (1 - h * h * bent[:, 0, 1:] * bent[:, 1, :1]))
        return gradient

    def _in_turn(self, field: VectorField, state: Array, memory: Array) -> Array:
        """Each player sees where the others went."""
        for player in self.turns:
            one = np.arange(2) == player
            gradient = field.gradient(state)
            step = self._direction(field, state, gradient)
            if self.method == "momentum":
                memory = np.where(one, self.momentum * memory + gradient, memory)
                step = memory
            state = self._clipped(np.where(one, state - self.lr * step, state))
        kept = memory if self.method == "momentum" else 0 * memory
        return np.concatenate([state, kept], axis=-1)

    def _clipped(self, state: Array) -> Array:
        critic = np.clip(state[:, 1:], -self.bound, self.bound)
        return np.concatenate([state[:, :1], critic], axis=-1)

    def matrix(self, jacobian: Array) -> Array:
        """The update of the linear game with this Jacobian, within the bound, `(trials, 4, 4)`."""
        field, trials = Linear(jacobian), len(jacobian)
        free = replace(self, bound=np.full_like(self.bound, np.inf))
        columns = [free.update(field, np.tile(unit, (trials, 1))) for unit in np.eye(4)]
        return np.stack(columns, axis=-1)


def _forth(jacobian: Array, vector: Array) -> Array:
    """J u."""
    return np.asarray(jacobian[:, :, 0] * vector[:, :1] + jacobian[:, :, 1] * vector[:, 1:])


def _back(jacobian: Array, vector: Array) -> Array:
    """The transpose of J, times u."""
    return np.asarray(jacobian[:, 0] * vector[:, :1] + jacobian[:, 1] * vector[:, 1:])


def _across(jacobian: Array, vector: Array) -> Array:
    """J u without its diagonal: what the other player's u does to each one's gradient."""
    return np.stack([jacobian[:, 0, 1] * vector[:, 1], jacobian[:, 1, 0] * vector[:, 0]], axis=-1)
