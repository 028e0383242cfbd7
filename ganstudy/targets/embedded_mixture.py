"""`embedded_mixture`: Gaussians on a random subspace of a space of many dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, model_validator

from ganstudy.targets._base import Target
from ganstudy.targets._mixture import IsotropicMixture, radius_in, share_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array, Modes


class EmbeddedMixture(Target):
    r"""A mixture of Gaussians on a random subspace; it fills no volume, as images fill none.

    Maths   $x = A z$ with $z \sim \frac1M \sum_k N(\mu_k, s^2 I_l)$, A of size $d \times l$ with
            orthonormal columns (Haar) and $\mu_k \sim N(0, I_l)$, both drawn from `law_seed`,
            which is part of the law. A sample belongs to the nearest $A \mu_k$, by the distance
            in the whole space.
    Labels  the modes.
    Source  Srivastava et al. 2017, VEEGAN, section 5 (ten Gaussians of 700 dimensions in 1,200);
            they state neither means nor widths, which are ours. Their criterion of ten standard
            deviations would leave out every sample of p (see `Modes.assign`).
    """

    modes: int = Field(10, ge=1, le=10_000, description="number of Gaussians")
    features: int = Field(1200, ge=1, le=5000, description="dimension of the space")
    latent: int = Field(700, ge=1, le=5000, description="dimension of the subspace")
    std: float = Field(
        0.1, gt=0, description="standard deviation of each Gaussian, in the subspace"
    )
    law_seed: int = Field(0, ge=0, le=2**63 - 1, description="seed of the subspace and the means")

    @model_validator(mode="after")
    def _fits(self) -> EmbeddedMixture:
        if self.latent > self.features:
            raise ValueError(f"latent must be at most features, {self.features}")
        if self.features * self.latent**2 > 2 * 10**9 or self.modes * self.features > 10**7:
            message = "features * latent^2 should be at most 2e9, and modes * features 1e7"
            raise ValueError(f"{message}: drawing the subspace costs as much")
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
        law = self._law()
        inner, mode = law.inner.sample_labelled(rng, count)
        return inner @ law.transposed, mode

    def moments(self) -> tuple[Array, Array]:
        """The image of those in the subspace."""
        law = self._law()
        mean, covariance = law.inner.moments()
        return law.basis @ mean, law.basis @ covariance @ law.basis.T

    def known_modes(self) -> Modes:
        """The Gaussians."""
        return self._law()

    def _law(self) -> _Embedding:
        return _embedding(self.modes, self.features, self.latent, self.std, self.law_seed)


@dataclass(frozen=True, eq=False)
class _Embedding:
    """The law: a mixture in the subspace, and the subspace's orthonormal `basis` in columns."""

    inner: IsotropicMixture
    basis: Array

    @property
    def weights(self) -> Array:
        """Share of each mode."""
        return self.inner.weights

    @cached_property
    def transposed(self) -> NDArray[np.float32]:
        """What takes rows of the subspace into the space."""
        return np.ascontiguousarray(self.basis.T, np.float32)

    @cached_property
    def _outer(self) -> IsotropicMixture:
        """The means in the space; in this sense only is p a mixture there."""
        return IsotropicMixture(
            self.inner.means @ self.basis.T, self.inner.weights, self.inner.stds
        )

    def assign(self, samples: Array, radius: float) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The nearest mean, and whether it is as near as in the subspace; see `Modes.assign`."""
        with np.errstate(over="ignore", invalid="ignore"):
            mode, distance = self._outer.nearest(samples.astype(np.float64))
        return mode, distance <= radius_in(self.inner.means.shape[1], radius)

    def high_quality_share(self, radius: float) -> float:
        """Samples of p lie in the subspace."""
        return share_within(radius)


@lru_cache(maxsize=4)
def _embedding(modes: int, features: int, latent: int, std: float, seed: int) -> _Embedding:
    rng = np.random.default_rng(seed)
    means = rng.standard_normal((modes, latent))
    basis, triangle = np.linalg.qr(rng.standard_normal((features, latent)))
    # The QR of a Gaussian matrix is Haar once the signs on the diagonal of R are taken out.
    basis *= np.sign(np.diag(triangle))
    shares, stds = np.full(modes, 1 / modes), np.full(modes, std)
    return _Embedding(IsotropicMixture(means, shares, stds), basis)
