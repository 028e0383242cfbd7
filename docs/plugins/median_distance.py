"""A metric of the user's own."""

import numpy as np

from ganstudy.metrics import Metric, Reading


class MedianDistance(Metric):
    """Distance between the medians of q and p: where the bulk of the samples lies.

    Bias    upwards, as any distance from noisy samples; of order 1 / sqrt(n) at q = p.
    Cost    a partial sort of each feature.
    Source  this page.
    """

    def compute(self, samples, target):
        """Shapes (*pack, samples, dimension) -> (*pack,)."""
        real = target.sample(np.random.default_rng(0), 10_000)
        with np.errstate(over="ignore", invalid="ignore"):
            gap = np.median(samples, axis=-2) - np.median(real, axis=0)
            distance = np.sqrt((gap.astype(float) ** 2).sum(-1))
        # A cloud that is nowhere, or as good as nowhere, has the worst value there is.
        return np.where(distance < 1e12, distance, np.inf)

    def reading(self, target):
        """From 0 up; less is better."""
        return Reading("distance of medians", "", "lower", (0.0, np.inf), 0.0)
