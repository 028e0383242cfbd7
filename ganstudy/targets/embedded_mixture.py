"""`embedded_mixture`: Gaussians on a random subspace of a space of many dimensions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, model_validator

from ganstudy.targets._base import Target
from ganstudy.targets._mixture import IsotropicMixture, radius_in, share_within
from ganstudy.targets._parameters import Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array, Modes


class EmbeddedMixture(Target):
    r"""A mixture of Gaussians on a random subspace; it fills no volume, as images fill none.

    Maths   $x = A z$ with $z \sim \frac1M \sum_k N(\mu_k, s^2 I_l)$, A of size $d \times l$ with
            orthonormal columns (Haar) and $\mu_k \sim N(0, I_l)$, both drawn from `law_seed`,
            which is part of the law. A sample belongs to the nearest $A \mu_k$, by the distance
            in the whole space.
            With `offsets` o instead, $x = o_k 1 + (z, 0)$ with $z \sim N(0, s^2 I_l)$: Gaussians
            along the first l axes, each in a subspace of its own.
    Labels  the modes.
    Source  Srivastava et al. 2017, VEEGAN, section 5 (ten Gaussians of 700 dimensions in 1,200);
            they state neither means nor widths, which are ours; the offsets of the public code of
            PacGAN (Lin et al. 2018) are -1, -0.5, 0, 0.5, -2, -2.5, 10, 0.25, -13 and -5.5, with a
            std of 1. Their criterion of ten standard
            deviations would leave out every sample of p (see `Modes.assign`).
    """

    modes: int = Field(10, ge=1, le=10_000, description="number of Gaussians")
    features: int = Field(1200, ge=1, le=5000, description="dimension of the space")
    latent: int = Field(700, ge=1, le=5000, description="dimension of the subspace")
    std: float = Field(
        0.1, gt=0, description="standard deviation of each Gaussian, in the subspace"
    )
    law_seed: int = Field(0, ge=0, le=2**63 - 1, description="seed of the subspace and the means")

    # It came after studies had been run: where it is not set, ids of trials do not know of it.
    offsets: Vector | None = Field(
        None,
        exclude_if=lambda offsets: offsets is None,
        description="what is added to every feature of each mode, in place of random means in a "
        "random subspace",
    )

    @model_validator(mode="after")
    def _fits(self) -> EmbeddedMixture:
        if self.latent > self.features:
            raise ValueError(f"latent must be at most features, {self.features}")
        if self.features * self.latent**2 > 2 * 10**9 or self.modes * self.features > 10**7:
            message = "features * latent^2 should be at most 2e9, and modes * features 1e7"
            raise ValueError(f"{message}: drawing the subspace costs as much")
        if self.offsets is not None and len(self.offsets) != self.modes:
            raise ValueError(f"offsets: {len(self.offsets)} given for {self.modes} modes")
        return self

    @property
    def dimension(self) -> int:
        """Of the space."""
        return self.features

    @property
    def labels(self) -> int:
        """The modes."""
        return self.modes

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws."""
        return self.sample_labelled(rng, count)[0]

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws with their modes."""
        return self._law().sample_labelled(rng, count)

    def moments(self) -> tuple[Array, Array]:
        """Those of the modes' means, and of the Gaussian around each, which fills no volume."""
        return self._law().moments()

    def known_modes(self) -> Modes:
        """The Gaussians."""
        return self._law()

    def _law(self) -> _Law:
        if self.offsets is not None:
            return _shifted(self.offsets, self.features, self.latent, self.std)
        return _embedding(self.modes, self.features, self.latent, self.std, self.law_seed)


@dataclass(frozen=True, eq=False)
class _Law(ABC):
    """Gaussians of fewer dimensions than their space; `outer` has their means in the space.

    In the sense of its means only is p the mixture `outer`.
    """

    outer: IsotropicMixture
    latent: int

    @property
    def weights(self) -> Array:
        """Share of each mode."""
        return self.outer.weights

    def assign(self, samples: Array, radius: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The nearest mean, and whether it is as near as in the subspace; see `Modes.assign`."""
        with np.errstate(over="ignore", invalid="ignore"):
            mode, distance = self.outer.nearest(samples.astype(np.float64))
        return mode, distance <= radius_in(self.latent, radius)

    def high_quality_share(self, radius: float) -> float:
        """Samples of p lie in the subspace of their mode."""
        return share_within(radius)

    @abstractmethod
    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws with their modes."""

    @abstractmethod
    def moments(self) -> tuple[Array, Array]:
        """Mean and covariance of p."""


@dataclass(frozen=True, eq=False)
class _Embedding(_Law):
    """A mixture in the subspace, and the subspace's orthonormal `basis` in columns."""

    inner: IsotropicMixture
    basis: Array

    @cached_property
    def _transposed(self) -> NDArray[np.float32]:
        return np.ascontiguousarray(self.basis.T, np.float32)

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Draws of the mixture, taken into the space."""
        inner, mode = self.inner.sample_labelled(rng, count)
        return inner @ self._transposed, mode

    def moments(self) -> tuple[Array, Array]:
        """The image of those in the subspace."""
        mean, covariance = self.inner.moments()
        return self.basis @ mean, self.basis @ covariance @ self.basis.T


@dataclass(frozen=True, eq=False)
class _Shifted(_Law):
    """Gaussians along the first axes, around means that lie anywhere."""

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The mean of a mode, with noise in its first features."""
        mode = rng.integers(len(self.weights), size=count)
        drawn = np.take(self.outer.means.astype(np.float32), mode, axis=0)
        noise = rng.standard_normal((count, self.latent), dtype=np.float32)
        drawn[:, : self.latent] += noise * np.float32(self.outer.stds[0])
        return drawn, mode

    def moments(self) -> tuple[Array, Array]:
        """Those of the mixture, without what it spreads along the other axes."""
        mean, covariance = self.outer.moments()
        rest = np.arange(self.latent, len(mean))
        covariance[rest, rest] -= self.outer.stds[0] ** 2
        return mean, covariance


@lru_cache(maxsize=4)
def _embedding(modes: int, features: int, latent: int, std: float, seed: int) -> _Embedding:
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((modes, latent))
    basis, triangle = np.linalg.qr(rng.standard_normal((features, latent)))
    # The QR of a Gaussian matrix is Haar once the signs on the diagonal of R are taken out.
    basis *= np.sign(np.diag(triangle))
    shares, stds = np.full(modes, 1 / modes), np.full(modes, std)
    outer = IsotropicMixture(means @ basis.T, shares, stds)
    return _Embedding(outer, latent, IsotropicMixture(means, shares, stds), basis)


@lru_cache(maxsize=4)
def _shifted(offsets: tuple[float, ...], features: int, latent: int, std: float) -> _Shifted:
    means = np.repeat(np.array(offsets)[:, None], features, axis=1)
    modes = len(offsets)
    outer = IsotropicMixture(means, np.full(modes, 1 / modes), np.full(modes, std))
    return _Shifted(outer, latent)
