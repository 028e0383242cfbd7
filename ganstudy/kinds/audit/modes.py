"""Checks in which q has other modes than p."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.kinds.audit import criteria
from ganstudy.kinds.audit.check import Check, Margins, Reading, Size, normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics import Judged

    Array = NDArray[np.float64]
    Random = np.random.Generator


class _Modes(Check):
    """Ten modes on the diagonal, some with fewer samples in q or none."""

    modes: ClassVar[int] = 10
    widths: ClassVar[dict[str, float]] = {"1": 1 / 6, "8": 1 / 3, "64": 1.0}
    dropped_at: ClassVar[int]
    """Where on the sweep diversity has to have dropped."""

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """All modes alike."""
        return self._mixture(np.full(self.modes, 1 / self.modes), variant, size, rng)

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """By the weights at x."""
        return self._mixture(self.weights(x), variant, size, rng)

    @abstractmethod
    def weights(self, x: float) -> Array:
        """Of the modes of q."""

    def _mixture(self, weights: Array, variant: str, size: Size, rng: Random) -> Array:
        mode = rng.choice(self.modes, size=size.samples, p=weights)
        means = np.linspace(0, 10, self.modes)[mode, None]
        return means + self.widths[variant] * normal(rng, size.samples, int(variant))

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """Fidelity stays at 1; diversity falls, and in time."""
        same = criteria.near(values[0], 1.0)
        if judged == "fidelity":
            return criteria.flat(values), min(same, criteria.near(values[-1], 1.0))
        return min(criteria.falls(values), criteria.drops_by(values, self.dropped_at)), same


class ModesDroppedTogether(_Modes):
    """All modes but the first lose their samples at once."""

    dropped_at = -2

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """From none to all, with the nineteen twentieths at which diversity is read."""
        return np.append(np.linspace(0, 0.95, points - 1), 1.0)

    def weights(self, x: float) -> Array:
        """The first mode, and what is left of the others."""
        weights = np.append(1.0, np.full(self.modes - 1, 1 - x))
        return np.asarray(weights / weights.sum())


class ModesDroppedInTurn(_Modes):
    """One mode after the other loses its samples."""

    dropped_at = 4

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """From none to all but one."""
        return np.arange(self.modes, dtype=np.float64)

    def weights(self, x: float) -> Array:
        """The modes that are left."""
        weights = (np.arange(self.modes) < self.modes - x).astype(np.float64)
        return np.asarray(weights / weights.sum())


class ModesDroppedAndInvented(Check):
    """p has five modes in the plane; q has the first of ten: too few, the same, too many."""

    variants = ("2",)
    modes: ClassVar[int] = 5
    radius: ClassVar[float] = 15.0
    width: ClassVar[float] = 0.25

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """From one to twice as many as p has."""
        return np.arange(1.0, 2 * self.modes + 1)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Five modes."""
        return self._mixture(self.modes, size, rng)

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """The first x of all."""
        return self._mixture(int(x), size, rng)

    def _mixture(self, modes: int, size: Size, rng: Random) -> Array:
        # Modes of p and invented ones take turns on a ring; the authors drew ten places at random.
        places = np.concatenate([np.arange(0, 10, 2), np.arange(1, 10, 2)])
        angle = 2 * np.pi * places[rng.integers(modes, size=size.samples)] / (2 * self.modes)
        means = self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return means + self.width * normal(rng, size.samples, 2)

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """Fidelity is 1 until modes are invented; diversity from when all are there."""
        same = criteria.near(values[self.modes - 1], 1.0)
        if judged == "fidelity":
            return criteria.falls(values), min(same, criteria.near(values[0], 1.0))
        return criteria.rises(values), min(same, criteria.near(values[-1], 1.0))


class TwoModesForOne(Check):
    """p has two modes that move apart; q is one normal law of their mean, and wider."""

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """From none to five standard deviations."""
        return np.linspace(0, 5, points)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Two modes."""
        side = rng.choice([-0.5, 0.5], size=(size.samples, 1))
        return np.asarray(x * side + normal(rng, size.samples, int(variant)))

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """One; its variance is the authors' 1 + x², four times what the modes add."""
        return np.asarray(np.sqrt(1 + x**2) * normal(rng, size.samples, int(variant)))

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """Fidelity falls; diversity falls or stays."""
        high = judged == "diversity" and reading == "high"
        shape = criteria.flat(values) if high else criteria.falls(values)
        return shape, criteria.near(values[0], 1.0)
