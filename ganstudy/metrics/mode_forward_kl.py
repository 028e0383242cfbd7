"""`mode_forward_kl`: how badly the modes are served, each by its weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._histogram import ModeMetric, modes_of
from ganstudy.metrics._misreading import corrected_shares

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target


class ModeForwardKL(ModeMetric):
    r"""KL divergence of the modes' weights from the histogram of high-quality samples over modes.

    Maths   $\sum_k w_k \log(w_k / h'_k)$ in nats, with $h' = (1 - \epsilon) h + \epsilon w$: a mode
            without samples would make it infinite, and $-\log \epsilon$ is its bound instead, the
            value of a generator without any high-quality sample. `mode_kl` is the other direction
            and forgives missing modes more. Where a classifier that errs reads classes, h are the
            most likely shares, given how it errs on held-out images.
    Bias    about (modes - 1) / (2 samples) upwards for a perfect generator.
    Cost    that of counting; cheap enough for every record.
    Source  the direction of maximum likelihood, Kullback and Leibler 1951; the floor is ours.
    """

    corrected: ClassVar[bool] = True

    floor: float = Field(0.01, gt=0, lt=1, description="share of the weights that is mixed in")

    def compute(self, samples: Array, target: Target) -> Array:
        """KL divergence of each cloud."""
        weights = modes_of(target).weights
        counts = self.counts(samples, target)
        total = counts.sum(axis=-1, keepdims=True)
        share = corrected_shares(counts, modes_of(target))
        share = (1 - self.floor) * share + self.floor * weights
        # Rounding can leave a perfect histogram a few ulp below zero, outside the stated bounds.
        divergence = np.clip((weights * np.log(weights / share)).sum(axis=-1), 0.0, None)
        return np.asarray(np.where(total[..., 0] > 0, divergence, self._worst(target)))

    def _worst(self, target: Target) -> float:
        """Of a single mode every histogram is right."""
        return float(-np.log(self.floor)) if len(modes_of(target).weights) > 1 else 0.0

    def reading(self, target: Target) -> Reading:
        """Between 0 and minus the logarithm of the floor; 0 alone for a single mode."""
        bounds = (0.0, self._worst(target))
        return Reading("forward KL of the mode histogram", "nat", "lower", bounds, 0.0)
