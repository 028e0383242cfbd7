"""The histogram of samples over modes, on which the coverage metrics stand."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from ganstudy.metrics._base import Metric
from ganstudy.metrics._misreading import judged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.targets import Modes, Target


class ModeMetric(Metric, ABC):
    """A metric of how samples fall on the modes of a target."""

    radius: float = Field(
        3.0, gt=0, description="high quality, in standard deviations of a mode in the plane"
    )

    corrected: ClassVar[bool] = False
    """Whether what a classifier that reads modes errs by is taken back."""

    def problem(self, target: Target) -> str | None:
        """A target without modes cannot be measured."""
        if target.known_modes() is None:
            return f"metric {self.name} needs a target with modes; {target.name} has none"
        return None

    def fewest(self, target: Target) -> int:
        """As many as there are modes: fewer cannot serve all."""
        return max(10, len(modes_of(target).weights))

    def unfit(self, target: Target, samples: int) -> str | None:
        """As of any metric; and how each class is read has to be known."""
        if why := super().unfit(target, samples):
            return why
        known = judged(modes_of(target)) if self.corrected else None
        if known is None or known.all():
            return None
        which = f"class {mode_name(target, int(known.argmin()))!r} of {target.name}"
        why = "to know how it is read (`held_out_share`)"
        return f"metric {self.name} needs held-out images of {which}, {why}"

    def counts(self, samples: Array, target: Target) -> NDArray[np.int64]:
        """High-quality samples of each mode; a sample that is not finite belongs to none.

        Shapes  `(*pack, samples, dimension) -> (*pack, modes)`.
        """
        modes = modes_of(target)
        mode, high_quality = modes.assign(samples, self.radius)
        count = len(modes.weights)
        clouds = int(np.prod(mode.shape[:-1], dtype=int))
        offset = count * np.arange(clouds).reshape(*mode.shape[:-1], 1)
        counts = np.bincount((mode + offset)[high_quality], minlength=clouds * count)
        return counts.reshape(*mode.shape[:-1], count)


def mode_name(target: Target, index: int) -> str:
    """What the user calls a mode; its number where it has no name."""
    return target.mode_names[index] if target.mode_names else str(index)


def modes_of(target: Target) -> Modes:
    """The modes of a target that has them.

    Errors  `ValueError` for a target without modes, which `ModeMetric.problem` would have named.
    """
    modes = target.known_modes()
    if modes is None:
        raise ValueError(f"{target.name} has no modes")
    return modes
