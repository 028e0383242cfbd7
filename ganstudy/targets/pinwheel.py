"""`pinwheel`: bent arms around the origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.targets._base import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array


class Pinwheel(Target):
    r"""Elongated Gaussians around the origin, bent by a rotation that grows outwards.

    Maths   $x = c\, R(2\pi k/K + \rho e^{|z|}) z$ with $z \sim N((1, 0), \mathrm{diag}(s_r^2,
            s_t^2))$. A rotation by an angle that depends on the radius alone keeps areas, so that
            $p(x) = \frac1{c^2 K} \sum_k N(R(\cdot)^{-1} x / c)$; with three arms or more the mean
            is 0 and the covariance $\frac{c^2}2 (1 + s_r^2 + s_t^2) I$.
    Source  Johnson et al. 2016, SVAE, section 5; numbers of FFJORD's toy data. There the angle
            grows with $z_1$ and not with $|z|$, which differs little ($s_t$ is small) and has
            no density in closed form.
    """

    arms: int = Field(5, ge=3, le=1000, description="number of arms")
    radial_std: float = Field(0.3, gt=0, description="standard deviation along an arm")
    tangential_std: float = Field(0.1, gt=0, description="standard deviation across an arm")
    rate: float = Field(0.25, description="how fast an arm bends")
    scale: float = Field(2.0, gt=0, description="factor of the coordinates")

    @property
    def dimension(self) -> int:
        """The plane."""
        return 2

    @property
    def labels(self) -> int:
        """The arms."""
        return self.arms

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Independent draws."""
        return self.sample_labelled(rng, count)[0]

    def sample_labelled(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Independent draws with their arms."""
        arm = rng.integers(self.arms, size=count)
        straight = rng.standard_normal((count, 2)) * [self.radial_std, self.tangential_std]
        straight[:, 0] += 1
        return self.scale * self._turned(straight, arm, 1).astype(np.float32), arm

    def moments(self) -> tuple[Array, Array]:
        """In closed form."""
        variance = (1 + self.radial_std**2 + self.tangential_std**2) / 2
        return np.zeros(2), self.scale**2 * variance * np.eye(2)

    def log_prob(self, x: Array) -> Array:
        """Log-density in nats, of the arms straightened out."""
        arms = np.arange(self.arms)
        bent = np.asarray(x, np.float64)[..., None, :] / self.scale
        straight = self._turned(np.broadcast_to(bent, (*bent.shape[:-2], self.arms, 2)), arms, -1)
        radial = (straight[..., 0] - 1) / self.radial_std
        tangential = straight[..., 1] / self.tangential_std
        volume = 2 * np.pi * self.radial_std * self.tangential_std * self.scale**2 * self.arms
        terms = -0.5 * (radial**2 + tangential**2)
        return np.asarray(np.logaddexp.reduce(terms, axis=-1) - np.log(volume))

    def _turned(self, z: Array, arm: NDArray[np.integer], sign: int) -> Array:
        """Each point turned by the angle of its arm and radius, forth or back."""
        angle = 2 * np.pi * arm / self.arms + self.rate * np.exp(np.linalg.norm(z, axis=-1))
        cos, sin = np.cos(angle), sign * np.sin(angle)
        return np.stack(
            [cos * z[..., 0] - sin * z[..., 1], sin * z[..., 0] + cos * z[..., 1]], axis=-1
        )
