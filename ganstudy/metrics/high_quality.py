"""`high_quality`: how many samples lie on a mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Metric, Reading
from ganstudy.metrics._histogram import mode_counts

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target


class HighQuality(Metric):
    r"""Share of samples within `radius` standard deviations of their nearest mode.

    Maths   for separated modes a perfect generator has $P(\chi^2_d \le r^2)$, 0.989 for r = 3 in
            the plane; a larger share means that the generator's modes are too narrow.
    Source  Srivastava et al. 2017, VEEGAN, section 5.
    """

    radius: float = Field(3.0, gt=0, description="high quality, in standard deviations of a mode")

    def compute(self, samples: Array, target: Target) -> Array:
        """Share of high-quality samples of each cloud."""
        counts = mode_counts(samples, target, self.radius)
        return np.asarray(counts.sum(axis=-1) / samples.shape[-2])

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; a perfect generator stays a little below 1."""
        from scipy.stats import chi2

        expected = float(chi2.cdf(self.radius**2, df=target.dimension))
        return Reading("share of high-quality samples", "1", "higher", (0.0, 1.0), expected)
