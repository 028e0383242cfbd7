"""Targets along curves in the plane: a law on the curve, with isotropic Gaussian noise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.targets._base import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array

_PANEL = 5.0
"""Length of a panel of the quadrature along a curve, in standard deviations of the noise."""
_NODES = 13
"""Gauss-Legendre nodes of a panel; with these two the relative error of a density is below 1e-9."""
_BLOCK = 2**16
"""Terms of the density that are worked on at once: few enough to stay in cache."""


class CurveTarget(Target, ABC):
    r"""Points $c_k(t)$ on curves $k = 1 \dots K$, equally likely, plus noise $N(0, s^2 I)$.

    Maths   $p(x) = \frac1K \sum_k \int_0^1 N(x; c_k(t), s^2 I)\, \omega(t)\, dt$, by Gauss-Legendre
            quadrature along the curve; the same nodes give mean and covariance.
    Labels  the curves, where there is more than one.
    """

    @property
    @abstractmethod
    def curves(self) -> int:
        """Number of curves."""

    @property
    @abstractmethod
    def noise(self) -> float:
        """Standard deviation of the noise, in the units of the samples."""

    @abstractmethod
    def curve(self, index: NDArray[np.integer], t: Array) -> Array:
        """Points of curves at t in [0, 1], shapes `(*), (*) -> (*, 2)`."""

    def quantile(self, u: Array) -> Array:
        """t of uniform draws; uniform unless a member says otherwise."""
        return u

    def weight(self, t: Array) -> Array:
        r"""$\omega(t)$, the density of t, in agreement with `quantile`."""
        return np.ones_like(t)

    @property
    def dimension(self) -> int:
        """The plane."""
        return 2

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws."""
        return self._drawn(rng, count)[0]

    def _drawn(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        index = rng.integers(self.curves, size=count)
        points = self.curve(index, self.quantile(rng.random(count)))
        drawn = rng.standard_normal((count, 2), dtype=np.float32)
        drawn *= np.float32(self.noise)
        drawn += points.astype(np.float32)
        return drawn, index

    @property
    def labels(self) -> int:
        """Number of curves; 0 for a single one."""
        return self.curves if self.curves > 1 else 0

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws with the curves on which they lie."""
        return self._drawn(rng, count) if self.labels else super().sample_labelled(rng, count)

    def moments(self) -> tuple[Array, Array]:
        """Mean and covariance of the points on the curves, plus that of the noise."""
        nodes, weights = _quadrature(self)
        mean = weights @ nodes
        centred = nodes - mean
        return mean, (weights[:, None] * centred).T @ centred + self.noise**2 * np.eye(2)

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats."""
        nodes, weights = _quadrature(self)
        centre = nodes.mean(axis=0)
        scaled = (nodes - centre) / self.noise
        log_weights = np.log(weights) - 0.5 * np.square(scaled).sum(axis=1)
        flat = (np.asarray(x, np.float64).reshape(-1, 2) - centre) / self.noise
        result = np.empty(len(flat))
        step = max(1, _BLOCK // len(nodes))
        for start in range(0, len(flat), step):
            terms = flat[start : start + step] @ scaled.T
            terms += log_weights
            highest = terms.max(axis=1, keepdims=True)
            terms -= highest
            sums = np.exp(terms, out=terms).sum(axis=1)
            result[start : start + step] = highest[:, 0] + np.log(sums)
        result -= 0.5 * np.square(flat).sum(axis=1) + np.log(2 * np.pi * self.noise**2)
        return result.reshape(np.shape(x)[:-1])


@lru_cache(maxsize=16)
def _quadrature(target: CurveTarget) -> tuple[Array, Array]:
    """Nodes on all curves and their shares of p, shapes `(nodes, 2)` and `(nodes,)`."""
    at, share = np.polynomial.legendre.leggauss(_NODES)
    nodes, weights = [], []
    fine = np.linspace(0, 1, 4097)
    for index in range(target.curves):
        along = np.linalg.norm(np.diff(_points(target, index, fine), axis=0), axis=1)
        length = np.concatenate([[0.0], np.cumsum(along)])
        panels = int(np.ceil(length[-1] / (_PANEL * target.noise)))
        # Equally long panels; where exactly they begin is of no account.
        edges = np.interp(np.linspace(0, length[-1], panels + 1), length, fine)
        half = np.diff(edges)[:, None] / 2
        t = (edges[:-1, None] + half + half * at).ravel()
        nodes.append(_points(target, index, t))
        weights.append((half * share).ravel() * target.weight(t) / target.curves)
    return np.concatenate(nodes), np.concatenate(weights)


def _points(target: CurveTarget, index: int, t: Array) -> Array:
    return target.curve(np.full(t.shape, index), t)
