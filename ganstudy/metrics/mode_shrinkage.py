"""`mode_shrinkage`: how much too narrow the generator's modes are."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._clouds import reference
from ganstudy.metrics._histogram import ModeMetric, modes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target

REFERENCE_SAMPLES = 20_000
FLAT = 1e-5
"""A mode of p has no volume if it is narrower somewhere than this share of its widest direction,
which is what single precision leaves of none."""


class ModeShrinkage(ModeMetric):
    r"""How much narrower the samples of a mode are than the mode: 0 as wide or wider, 1 a curve.

    Maths   $\max(0, 1 - \sum_k n_k v_k / \sum_k n_k)$ over modes with at least `minimum` samples
            of high quality, $v_k = (\det \hat\Sigma_k / \det \Sigma_k)^{1/2d}$ the ratio of widths,
            the covariance of the mode taken from samples of p that are of high quality too, so that
            the cut at the radius is the same for both. The modes that are missing are left to
            `modes_covered`; without any mode the value is 1.
    Bias    upwards: a covariance of few samples has too small a determinant, which makes a width of
            n samples narrower by up to $(d + 1)/4n$; the cut at 0 adds up to 0.4 of the standard
            error, $1/\sqrt{2 d N}$ with N samples of all modes.
    Cost    that of counting and small covariances; cheap enough for every record.
    Source  ours; a share of high-quality samples above that of p says the same less directly.
    """

    of_many: ClassVar[bool] = True

    minimum: int = Field(10, ge=3, description="high-quality samples that a width is taken from")

    def fewest(self, target: Target) -> int:
        """Ten for each dimension of each mode: the bias of a width is then some hundredths."""
        return len(modes_of(target).weights) * max(self.minimum, 10 * target.dimension)

    def unfit(self, target: Target, samples: int) -> str | None:
        """As of any metric; and nothing is narrower than modes without volume."""
        if why := super().unfit(target, samples):
            return why
        if _own_widths(self, target).any():
            return None
        shown = f"which {REFERENCE_SAMPLES:,} samples of {target.name} do not show"
        return f"metric {self.name} needs modes with a volume, {shown}"

    def compute(self, samples: Array, target: Target) -> Array:
        """Shrinkage of each cloud."""
        own = _own_widths(self, target)
        flat = samples.reshape(-1, *samples.shape[-2:])
        return np.array([self._shrinkage(cloud, own, target) for cloud in flat]).reshape(
            samples.shape[:-2]
        )

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1."""
        return Reading("within-mode shrinkage", "1", "lower", (0.0, 1.0), 0.0)

    def _shrinkage(self, cloud: Array, own: NDArray[np.float64], target: Target) -> float:
        widths, counts = self.widths(cloud, target)
        used = (counts >= max(self.minimum, cloud.shape[-1] + 1)) & (own > 0)
        if not used.any():
            return 1.0
        ratio = np.average(widths[used] / own[used], weights=counts[used])
        return float(np.clip(1 - ratio, 0.0, 1.0))

    def widths(
        self, cloud: Array, target: Target, flat: float = 0.0
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Geometric mean of the standard deviations within each mode, and the samples used.

        flat  the share of the widest direction below which a mode has no width at all
        """
        mode, high_quality = modes_of(target).assign(cloud, self.radius)
        modes, dimension = len(modes_of(target).weights), cloud.shape[-1]
        widths, counts = np.zeros(modes), np.zeros(modes, np.int64)
        for index in range(modes):
            members = cloud[high_quality & (mode == index)].astype(np.float64)
            counts[index] = len(members)
            if len(members) > dimension:
                covariance = np.atleast_2d(np.cov(members, rowvar=False))
                if flat and _narrowest(covariance) < flat:
                    continue
                sign, log_determinant = np.linalg.slogdet(covariance)
                widths[index] = np.exp(log_determinant / (2 * dimension)) if sign > 0 else 0.0
        return widths, counts


@cache
def _own_widths(metric: ModeShrinkage, target: Target) -> NDArray[np.float64]:
    return metric.widths(reference(target, REFERENCE_SAMPLES), target, FLAT)[0]


def _narrowest(covariance: NDArray[np.float64]) -> float:
    """The least standard deviation in any direction, as a share of the largest."""
    variances = np.linalg.eigvalsh(covariance)
    return float(np.sqrt(max(variances[0], 0.0) / variances[-1])) if variances[-1] > 0 else 0.0
