"""`mode_kl`: how unevenly the generator serves the modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.metrics._base import Reading
from ganstudy.metrics._histogram import ModeMetric, modes_of
from ganstudy.metrics._misreading import corrected_shares

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target


class ModeKL(ModeMetric):
    r"""KL divergence of the histogram of high-quality samples over modes from the modes' weights.

    Maths   $\sum_k h_k \log(h_k / w_k)$ in nats. A generator without any high-quality sample serves
            the modes as badly as one that sits on the lightest: the upper bound
            $-\log \min_k w_k$ is its value. Where a classifier that errs reads classes, h are the
            most likely shares, given how it errs on held-out images.
    Bias    about (modes - 1) / (2 samples) upwards for a perfect generator.
    Cost    that of counting; cheap enough for every record.
    Source  Metz et al. 2017 and Lin et al. 2018 (reverse KL over modes, there for stacked digits).
    """

    corrected: ClassVar[bool] = True

    def compute(self, samples: Array, target: Target) -> Array:
        """KL divergence of each cloud's histogram."""
        weights = modes_of(target).weights
        counts = self.counts(samples, target)
        total = counts.sum(axis=-1, keepdims=True)
        share = corrected_shares(counts, modes_of(target))
        terms = share * (np.log(np.where(share > 0, share, 1)) - np.log(weights))
        # Rounding can leave a perfect histogram a few ulp below zero, outside the stated bounds.
        divergence = np.maximum(terms.sum(axis=-1), 0.0)
        return np.asarray(np.where(total[..., 0] > 0, divergence, -np.log(weights.min())))

    def reading(self, target: Target) -> Reading:
        """Between 0 and the value of a generator on the lightest mode alone."""
        worst = float(-np.log(modes_of(target).weights.min()))
        return Reading("KL of the mode histogram", "nat", "lower", (0.0, worst), 0.0)
