"""`modes_covered`: how many modes the generator reaches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Reading
from ganstudy.metrics._histogram import ModeMetric, mode_name, modes_of
from ganstudy.metrics._misreading import by_mistake, judged, lost_to_doubt
from ganstudy.plural import plural

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target
    from ganstudy.variable import Variable


_LOST = 0.1
"""Of a perfect generator's modes so many may be lost to doubt, in the mean over its clouds."""


class ModesCovered(ModeMetric):
    """Number of modes with at least `minimum` high-quality samples, or a `share` of the fair share.

    Maths   a mode of weight w is covered by n samples if at least max(minimum, share w n) of them
            are of high quality and its own. The first definition counts modes that are hinted at,
            the second (share 0.1, say) those that are served. Where a classifier that errs reads
            the modes of images, they must also be more than it may have misread of the others, with
            a chance of 1 in 1,000, if it errs as it does on held-out images.
    Bias    grows with the number of samples: with `minimum: 1` one stray sample covers a mode.
    Cost    that of counting; cheap enough for every record.
    Source  Metz et al. 2017, Unrolled GAN; Srivastava et al. 2017, VEEGAN, section 5
            (high quality: within three standard deviations; minimum 1).
    """

    corrected: ClassVar[bool] = True

    minimum: int = Field(1, ge=1, description="high-quality samples that make a mode covered")
    share: float = Field(
        0.0, ge=0, le=1, description="share of its fair share that makes a mode covered"
    )

    def fewest(self, target: Target) -> int:
        """As many as cover all modes when they are dealt out evenly."""
        return max(10, self.minimum * len(modes_of(target).weights))

    def unfit(self, target: Target, samples: int) -> str | None:
        """As of any metric of modes; and p itself covers all, but in one cloud of ten."""
        if why := super().unfit(target, samples):
            return why
        modes = modes_of(target)
        if (known := judged(modes)) is None:
            return None
        lost = lost_to_doubt(known, modes.weights, samples)
        if lost.sum() < _LOST:
            return None
        least = int(np.argmax(modes.weights / (known + 1)))
        images = plural(int(known[least]), "held-out image")
        return (
            f"metric {self.name}: so few held-out images show that classes are read right that "
            f"{samples:,} samples of {target.name} itself would cover "
            f"{len(lost) - lost.sum():.1f} of {len(lost)}, with {images} of class "
            f"{mode_name(target, least)!r}; hold out more (`held_out_share`)"
        )

    def compute(self, samples: Array, target: Target) -> Array:
        """Covered modes of each cloud."""
        return np.asarray(self.covered(samples, target).sum(axis=-1), np.float64)

    def covered(self, samples: Array, target: Target) -> NDArray[np.bool_]:
        """Which modes are covered, `(*pack, samples, dimension) -> (*pack, modes)`."""
        fair_share = samples.shape[-2] * modes_of(target).weights
        needed = np.maximum(self.minimum, self.share * fair_share)
        counts = self.counts(samples, target)
        return np.asarray((counts >= needed) & (counts > by_mistake(counts, modes_of(target))))

    def variable(self, target: Target) -> Variable:
        """With the settings by which a mode is covered, so that a map can show which ones are."""
        own = super().variable(target)
        return replace(own, about={**own.about, "settings": self.settings})

    def reading(self, target: Target) -> Reading:
        """Between none and all modes; none at p = q if `share` is more than is of high quality."""
        modes = float(len(modes_of(target).weights))
        reached = self.share < modes_of(target).high_quality_share(self.radius)
        at_equality = modes if reached else 0.0
        return Reading("modes covered", "modes", "higher", (0.0, modes), at_equality)
