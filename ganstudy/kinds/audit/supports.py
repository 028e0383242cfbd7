"""Checks in which p and q share nothing, or a known part, of where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.kinds.audit import criteria
from ganstudy.kinds.audit.check import Check, Margins, Reading, Size, ball, normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics import Judged

    Array = NDArray[np.float64]
    Random = np.random.Generator


class Hypersphere(Check):
    """p on the unit sphere, q on a smaller or larger one: never any overlap but at radius 1."""

    variants = ("2", "16", "128")

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """From well inside to well outside."""
        return np.linspace(0.1, 1.9, points)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """On the unit sphere."""
        return self._sphere(1.0, variant, size, rng)

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """On another."""
        return self._sphere(x, variant, size, rng)

    def _sphere(self, radius: float, variant: str, size: Size, rng: Random) -> Array:
        cloud = normal(rng, size.samples, int(variant))
        return np.asarray(radius * cloud / np.linalg.norm(cloud, axis=1, keepdims=True))

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """1 on the sphere, 0 off it."""
        return criteria.one_peak(values)


class SampleSize(Check):
    """Two cubes that share a fifth of their volume, with more and more samples of both."""

    shared: ClassVar[float] = 0.2
    of_p = True

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """Evenly in the logarithm."""
        return size.sweep(points)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """In the unit cube."""
        return rng.random((int(x) if self.of_p else size.samples, int(variant)))

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """In a cube that is shifted along the diagonal."""
        shift = 1 - self.shared ** (1 / int(variant))
        return np.asarray(shift + rng.random((int(x), int(variant))))

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """It settles at the shared volume."""
        return criteria.settles(values), criteria.near(values[-1], self.shared)


class GeneratedSize(SampleSize):
    """The same with more samples of q alone."""

    of_p = False


class HypersphereToTorus(Check):
    """A ball inside a torus, which share nothing, either of them p, with more samples of q."""

    variants = ("ball", "torus")

    def sweep(self, variant: str, points: int, size: Size) -> Array:
        """Evenly in the logarithm."""
        return size.sweep(points)

    def real(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """The variant."""
        return self._draw(variant, size.samples, rng)

    def fake(self, variant: str, x: float, size: Size, rng: Random) -> Array:
        """The other one."""
        return self._draw("torus" if variant == "ball" else "ball", int(x), rng)

    def _draw(self, law: str, samples: int, rng: Random) -> Array:
        if law == "ball":
            return ball(rng, samples, 3, 0.8)
        tube, angle = ball(rng, samples, 2, 0.1), rng.uniform(0, 2 * np.pi, samples)
        outwards = 1 + tube[:, 0]
        return np.stack([outwards * np.cos(angle), outwards * np.sin(angle), tube[:, 1]], axis=1)

    def margins(self, variant: str, values: Array, judged: Judged, reading: Reading) -> Margins:
        """It settles, and at 0."""
        return criteria.settles(values), criteria.near(values[-1], 0.0)
