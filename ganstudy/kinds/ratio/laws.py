"""Pairs of laws whose log-ratio, its gradient and KL(p || q) are known.

Shapes  points `(points, dimension)`; log-ratios `(points,)`, gradients as points.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DEGREES = 5
"""Degrees of freedom of Student's law."""
NODES = 200
"""Points of a quadrature along the line of the means, and a third of them across it."""


@dataclass(frozen=True)
class Laws(ABC):
    """p with means at a distance and a standard deviation; q about the origin."""

    dimension: int
    shift: float
    scale: float

    @property
    def mean(self) -> Array:
        """The vector of length `shift` along the diagonal."""
        return np.full(self.dimension, self.shift / np.sqrt(self.dimension))

    @abstractmethod
    def samples(self, count: int, stream: np.random.Generator) -> tuple[Array, Array]:
        """As many samples of p as of q."""

    @abstractmethod
    def log_ratio(self, x: Array) -> Array:
        """log p(x)/q(x)."""

    @abstractmethod
    def gradient(self, x: Array) -> Array:
        """Gradient of the log-ratio."""

    @property
    @abstractmethod
    def kl(self) -> float:
        """KL(p || q)."""


class Normal(Laws):
    r"""$q = N(0, I)$, $p = N(\mu, \sigma^2 I)$: a quadratic log-ratio, no mixed terms."""

    def samples(self, count: int, stream: np.random.Generator) -> tuple[Array, Array]:
        """Both from one array of normal numbers."""
        p, q = stream.normal(size=(2, count, self.dimension))
        return self.mean + self.scale * p, q

    def log_ratio(self, x: Array) -> Array:
        """In closed form."""
        centred = ((x - self.mean) ** 2).sum(-1) / (2 * self.scale**2)
        return np.asarray((x**2).sum(-1) / 2 - centred - self.dimension * np.log(self.scale))

    def gradient(self, x: Array) -> Array:
        """Linear in x."""
        return np.asarray(x - (x - self.mean) / self.scale**2)

    @property
    def kl(self) -> float:
        """In closed form."""
        spread = self.dimension * (self.scale**2 - 1 - 2 * np.log(self.scale))
        return float(spread + self.shift**2) / 2


class MixtureAndStudent(Laws):
    r"""$p = \frac12 N(\mu, \sigma^2 I) + \frac12 N(-\mu, \sigma^2 I)$ against Student's t.

    The log-ratio is $\log \cosh \frac{\mu^T x}{\sigma^2} - \frac{|x|^2}{2 \sigma^2} + \frac{\nu +
    d}2 \log(1 + |x|^2 / \nu)$ up to a constant: no estimator here has such features.
    """

    def samples(self, count: int, stream: np.random.Generator) -> tuple[Array, Array]:
        """Student's law is a normal one over the root of a mean square."""
        p, q = stream.normal(size=(2, count, self.dimension))
        sides = stream.choice((-1.0, 1.0), size=(count, 1))
        spread = np.sqrt(stream.chisquare(DEGREES, size=(count, 1)) / DEGREES)
        return sides * self.mean + self.scale * p, q / spread

    def log_ratio(self, x: Array) -> Array:
        """In closed form."""
        return self._at(x @ self.mean, (x**2).sum(-1))

    def gradient(self, x: Array) -> Array:
        """In closed form."""
        variance, squares = self.scale**2, (x**2).sum(-1, keepdims=True)
        of_p = np.tanh((x @ self.mean) / variance)[:, None] * self.mean / variance - x / variance
        return np.asarray(of_p + (DEGREES + self.dimension) * x / (DEGREES + squares))

    @property
    def kl(self) -> float:
        """By Gauss's rules along the line of the means and for the squared distance from it."""
        from scipy.special import roots_genlaguerre, roots_hermitenorm

        along, weights = roots_hermitenorm(NODES)
        along, across, chance = self.shift + self.scale * along, np.zeros(1), np.ones(1)
        if self.dimension > 1:
            across, chance = roots_genlaguerre(NODES // 3, (self.dimension - 3) / 2)
            across = 2 * self.scale**2 * across
        ratios = self._at(self.shift * along[:, None], along[:, None] ** 2 + across)
        return float(weights @ ratios @ chance / (weights.sum() * chance.sum()))

    def _at(self, product: Array, squares: Array) -> Array:
        """log p/q from x's product with the mean and its squared norm."""
        from scipy.special import gammaln

        d, variance, tails = self.dimension, self.scale**2, (DEGREES + self.dimension) / 2
        of_p = np.logaddexp(product / variance, -product / variance) - np.log(2)
        of_p = (
            of_p - (squares + self.shift**2) / (2 * variance) - d / 2 * np.log(2 * np.pi * variance)
        )
        of_q = gammaln(tails) - gammaln(DEGREES / 2) - d / 2 * np.log(DEGREES * np.pi)
        return np.asarray(of_p - of_q + tails * np.log1p(squares / DEGREES))


LAWS: dict[str, type[Laws]] = {"normal": Normal, "mixture_and_student": MixtureAndStudent}
