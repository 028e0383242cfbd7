"""Laws on a grid of the line: objectives with their first variation in q."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences import DiscreteLaws
from ganstudy.kinds._losses import generator_terms
from ganstudy.kinds._normal import normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.divergences import Divergence

    Array = NDArray[np.float64]

FLOOR = 1e-60
"""Least density that enters a ratio; e to the ratio's logarithm stays within double precision."""
LEVELS = 4000
"""Levels of the quantile functions of W2."""


@dataclass(frozen=True, eq=False)
class Objective:
    """A divergence of q from p on a grid `x`; densities are `(points,)`.

    name  `wasserstein_1`, `wasserstein_2` (half the squared distance), or `divergence`
    """

    name: str
    divergence: Divergence
    x: Array
    p: Array

    @property
    def dx(self) -> float:
        """Width of a cell."""
        return float(self.x[1] - self.x[0])

    def value(self, q: Array) -> float:
        """What is descended."""
        if self.name == "divergence":
            return self.divergence.exact(self._laws(q))
        if self.name == "wasserstein_1":
            return float(np.abs(self._distribution(q) - self._distribution(self.p)).sum() * self.dx)
        # Over levels, not over x: the map jumps between modes, within less than a cell.
        levels = (np.arange(LEVELS) + 0.5) / LEVELS
        quantiles = [np.interp(levels, *self._rising(law)) for law in (self.p, q)]
        return float(((quantiles[0] - quantiles[1]) ** 2).mean() / 2)

    def variation(self, q: Array) -> Array:
        r"""Derivative in q at each point, up to a constant.

        Maths   for a divergence, the generator's loss at the best critic; for W1,
                $\int_{y > x} sign(F_q - F_p) dy$; for half the squared W2, the potential whose
                slope is $x - T(x)$, with the monotone map T from q to p.
        Source  Santambrogio 2015, "Optimal transport for applied mathematicians", section 7.2.
        """
        if self.name == "divergence":
            laws = self._laws(q)
            return generator_terms(self.divergence, self.divergence.optimal_logits(laws))
        if self.name == "wasserstein_1":
            sign = np.sign(self._distribution(q) - self._distribution(self.p))
            return np.asarray(np.cumsum(sign[::-1])[::-1] * self.dx)
        slope = self.x - self._transport(q)
        return np.concatenate([[0.0], np.cumsum((slope[1:] + slope[:-1]) / 2) * self.dx])

    def _laws(self, q: Array) -> DiscreteLaws:
        p, floored = (np.maximum(law, FLOOR) * self.dx for law in (self.p, q))
        return DiscreteLaws(p, floored, self.x[:, None])

    def _distribution(self, law: Array) -> Array:
        """Distribution function at the middle of each cell."""
        mass = law * self.dx
        return np.asarray(np.cumsum(mass) - mass / 2)

    def _transport(self, q: Array) -> Array:
        return np.interp(self._distribution(q), *self._rising(self.p))

    def _rising(self, law: Array) -> tuple[Array, Array]:
        """Distribution function and points, where it rises: elsewhere quantiles are not unique."""
        own = self._distribution(law)
        kept = np.concatenate([[True], own[1:] > np.maximum.accumulate(own)[:-1]])
        return own[kept], self.x[kept]


@dataclass(frozen=True, eq=False)
class Model:
    """A mixture of normals with parameters `(3, components)`: means, log stds, log weights."""

    parameters: Array

    @property
    def weights(self) -> Array:
        """Softmax of the last row."""
        raised = np.exp(self.parameters[2] - self.parameters[2].max())
        return np.asarray(raised / raised.sum())

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        means, stds = self.parameters[0], np.exp(self.parameters[1])
        mean = float((self.weights * means).sum())
        second = float((self.weights * (stds**2 + means**2)).sum())
        return mean, float(np.sqrt(second - mean**2))

    def parts(self, x: Array) -> Array:
        """Densities of the components, `(components, points)`."""
        stds = np.exp(self.parameters[1])
        return np.stack([normal(x, m, s) for m, s in zip(self.parameters[0], stds, strict=True)])

    def density(self, x: Array) -> Array:
        """Density of the mixture."""
        return np.asarray((self.weights[:, None] * self.parts(x)).sum(0))

    def gradient(self, x: Array, variation: Array, dx: float) -> Array:
        """Chain rule from a first variation to the parameters."""
        parts, weights = self.parts(x), self.weights[:, None]
        scaled = (x - self.parameters[0][:, None]) / np.exp(self.parameters[1])[:, None]
        of_mean = weights * parts * scaled / np.exp(self.parameters[1])[:, None]
        of_std = weights * parts * (scaled**2 - 1)
        of_weight = weights * (parts - (weights * parts).sum(0))
        return np.stack([(variation * part).sum(-1) * dx for part in (of_mean, of_std, of_weight)])
