"""`jensen_shannon`: how well an ideal classifier could tell samples from p."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._log_densities import DensityMetric

if TYPE_CHECKING:
    from ganstudy.metrics._log_densities import LogRatios
    from ganstudy.targets import Target


class JensenShannon(DensityMetric):
    r"""Jensen-Shannon divergence of p and q, estimated; log 2 where they do not overlap.

    Maths   $\log 2 - \frac12 E_p[\mathrm{softplus}(r)] - \frac12 E_q[\mathrm{softplus}(-r)]$ with
            $r = \log \hat q - \log p$; the density of q by k-th neighbours, that of p exact where
            the target states one, and else estimated in the same way.
    Bias    downwards, since softplus is convex: by about $1/(8k)$ nat near p = q, where an estimate
            below zero is cut off at zero. k is larger than for the KL divergences for this reason.
    Cost    two nearest-neighbour trees; at the end.
    Source  Lin 1991, "Divergence measures based on the Shannon entropy"; the densities as in Wang,
            Kulkarni and Verdú 2009.
    """

    neighbours: int = Field(20, ge=1, description="k: density from the k-th neighbour")

    def estimate(self, ratios: LogRatios) -> float:
        """Between 0 and log 2, as the divergence itself is."""
        real_part = np.logaddexp(0, ratios.at_real).mean()
        fake_part = np.logaddexp(0, -ratios.at_fake).mean()
        return float(np.clip(np.log(2) - (real_part + fake_part) / 2, 0, np.log(2)))

    def reading(self, target: Target) -> Reading:
        """Between 0 and log 2, in nats."""
        bounds = (0.0, float(np.log(2)))
        density = self.stated(target)
        return Reading("Jensen-Shannon divergence", "nat", "lower", bounds, 0.0, density)
