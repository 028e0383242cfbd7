"""Checks in which q is p moved, widened or rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.kinds.audit import criteria
from ganstudy.kinds.audit.check import Check, Margins, Reading, Size, normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics import Judged

    Array = NDArray[np.float64]
    Random = np.random.Generator


class MeanShift(Check):
    """p is standard normal; the mean of q goes past it in every coordinate."""

    reach: ClassVar[dict[int, float]] = {1: 6.0, 8: 3.0, 64: 1.0}

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """From one side to the other."""
        reach = self.reach[int(variant.split()[0])]
        return np.linspace(-reach, reach, points)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Standard normal."""
        return normal(rng, size.samples, int(variant.split()[0]))

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """The same, shifted."""
        return x + normal(rng, size.samples, int(variant.split()[0]))

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """1 where p = q, 0 far away on both sides."""
        return criteria.one_peak(values)


class MeanShiftOutlier(MeanShift):
    """The same with one outlier of p, or of q, at the far end of the sweep."""

    variants = tuple(f"{d} of {law}" for d in (1, 8, 64) for law in "pq")

    def _outlier(self, variant: str) -> Array:
        dimension = int(variant.split()[0])
        return np.full((1, dimension), self.reach[dimension])

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Standard normal, and perhaps the outlier."""
        cloud = super().real(variant, x, size, rng)
        return np.concatenate([cloud, self._outlier(variant)]) if variant[-1] == "p" else cloud

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """The same, shifted, and perhaps the outlier."""
        cloud = super().fake(variant, x, size, rng)
        return np.concatenate([cloud, self._outlier(variant)]) if variant[-1] == "q" else cloud


class MeanShiftHeavyTail(MeanShift):
    """The same in one coordinate, with a Pareto law without a variance in the other."""

    variants = ("1",)
    exponent: ClassVar[float] = 1.01

    def _with_tail(self, cloud: Array, rng: Random) -> Array:
        return np.concatenate([cloud, 1 + rng.pareto(self.exponent, size=(len(cloud), 1))], axis=1)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """A normal and a Pareto coordinate."""
        return self._with_tail(super().real(variant, x, size, rng), rng)

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """The same with the first shifted."""
        return self._with_tail(super().fake(variant, x, size, rng), rng)


class Spread(Check):
    """p is standard normal; q has another standard deviation, from far less to far more."""

    reach: ClassVar[dict[str, float]] = {"1": 3.0, "8": 1.0, "64": 0.5}

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """Evenly in the logarithm."""
        return np.linspace(-self.reach[variant], self.reach[variant], points)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Standard normal."""
        return normal(rng, size.samples, int(variant))

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Normal, narrower or wider."""
        return 10**x * normal(rng, size.samples, int(variant))

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """Narrow samples are faithful and not diverse; wide ones are not faithful."""
        narrow, same, wide = values[[0, len(values) // 2, -1]]
        if judged == "fidelity":
            shape, known = criteria.falls(values), (1.0, 1.0, 0.0)
        elif reading == "low":
            shape, known = criteria.peaks(values), (0.0, 1.0, 0.0)
        else:
            shape, known = criteria.rises(values), (0.0, 1.0, 1.0)
        at = zip((narrow, same, wide), known, strict=True)
        return shape, min(criteria.near(value, target) for value, target in at)


class Scaling(Check):
    """p and q apart in one coordinate, while the unit of the other changes for both."""

    variants = ("2",)

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """Evenly in the logarithm."""
        return np.linspace(-3, 3, points)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Standard normal in other units."""
        return normal(rng, size.samples, 2) * [1, 10**x]

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """The same, six standard deviations away in the other coordinate."""
        cloud = normal(rng, size.samples, 2) + [6, 0]  # noqa: RUF005 - a sum of arrays
        return cloud * [1, 10**x]

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """0, whatever the unit."""
        return criteria.flat(values), criteria.ends_near(values, 0.0)


class OneDimensionApart(Check):
    """p and q apart in one coordinate, and alike in more and more others."""

    variants = ("up to 1000",)
    dimensions = 200

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """From one to a thousand."""
        return np.linspace(0, 3, points)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Standard normal."""
        return normal(rng, size.samples, 1 + int(10**x))

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """The same, six standard deviations away in the first coordinate."""
        cloud = normal(rng, size.samples, 1 + int(10**x))
        cloud[:, 0] += 6
        return cloud

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """0, however many there are."""
        return criteria.flat(values), criteria.ends_near(values, 0.0)


class Discretised(Check):
    """One law rounded to whole numbers, the other not, while the unit becomes finer."""

    variants = ("p", "q")

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """From coarse to fine."""
        return np.linspace(0, 3, points)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Normal, perhaps rounded."""
        cloud = 10**x * normal(rng, size.samples, 1)
        return np.round(cloud) if variant == "p" else cloud

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """Normal, perhaps rounded."""
        cloud = 10**x * normal(rng, size.samples, 1)
        return np.round(cloud) if variant == "q" else cloud

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """Rounded samples are in the support of the others and do not cover it; not the reverse."""
        if judged == "fidelity":
            target = 1.0 if variant == "q" else 0.0
        else:
            target = 1.0 if variant == "p" and reading == "high" else 0.0
        return criteria.flat(values), criteria.ends_near(values, target)
