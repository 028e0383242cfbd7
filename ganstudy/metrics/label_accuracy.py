"""`label_accuracy`: how often a conditional generator does what its label says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.metrics._base import Reading
from ganstudy.metrics._histogram import modes_of
from ganstudy.metrics._labels import LabelMetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target


class LabelAccuracy(LabelMetric):
    """Share of samples that are of high quality and belong to the mode that their label names.

    Maths   where a classifier that errs reads modes, what it errs by is taken back, as it errs on
            held-out images.
    Bias    none; with a classifier upwards by e/h of it for h held-out images of each class, of
            which a share e is misread.
    Cost    that of counting; cheap enough for every record.
    Source  Shmelkov, Schmid & Alahari 2018, "How good is my GAN?" (GAN-test), with the modes of the
            target in place of a classifier; that samples are of high quality is asked here too.
    """

    def compute_labelled(self, samples: Array, labels: NDArray[np.int64], target: Target) -> Array:
        """Share of right samples of each cloud."""
        shares, asked = self.shares(samples, labels, target)
        found = np.nansum(shares * asked, axis=-1) / asked.sum(axis=-1)
        return np.asarray(np.clip(found, 0.0, 1.0))

    def reading(self, target: Target) -> Reading:
        """Between 0 and 1; a perfect generator has the target's own share of high quality."""
        at_equality = modes_of(target).high_quality_share(self.radius)
        return Reading("samples true to their label", "1", "higher", (0.0, 1.0), at_equality)
