"""`labels_covered`: how many labels a conditional generator serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._histogram import modes_of
from ganstudy.metrics._labels import LabelMetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target


class LabelsCovered(LabelMetric):
    """Number of labels at least `share` of whose samples are of high quality and of their own mode.

    Bias    downwards by the labels that no sample was generated under.
    Cost    that of counting; cheap enough for every record.
    Source  `modes_covered`, label by label.
    """

    share: float = Field(0.5, gt=0, le=1, description="share of right samples that covers a label")

    def compute_labelled(self, samples: Array, labels: NDArray[np.int64], target: Target) -> Array:
        """Covered labels of each cloud."""
        shares, _ = self.shares(samples, labels, target)
        return np.asarray((shares >= self.share).sum(axis=-1), np.float64)

    def reading(self, target: Target) -> Reading:
        """Between none and all labels; none at p = q if `share` is more than is right there."""
        labels = float(len(modes_of(target).weights))
        reached = self.share < modes_of(target).high_quality_share(self.radius)
        at_equality = labels if reached else 0.0
        return Reading("labels covered", "labels", "higher", (0.0, labels), at_equality)
