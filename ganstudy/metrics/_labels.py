"""Samples under the label that their generator was told."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ganstudy.metrics._histogram import ModeMetric, modes_of
from ganstudy.metrics._misreading import trueness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target


class LabelMetric(ModeMetric, ABC):
    """A metric of how well a conditional generator does what its label says; label k is mode k."""

    labelled: ClassVar[bool] = True
    corrected: ClassVar[bool] = True

    def problem(self, target: Target) -> str | None:
        """Only labels that name modes can be checked."""
        modes = target.known_modes()
        if modes is None or target.labels != len(modes.weights):
            return f"metric {self.name} needs labels that name modes; those of {target.name} do not"
        return None

    def compute(self, samples: Array, target: Target) -> Array:
        """Samples without labels cannot be measured.

        Errors  `ValueError`, always.
        """
        raise ValueError(f"metric {self.name} needs the labels of the samples")

    def shares(
        self, samples: Array, labels: NDArray[np.int64], target: Target
    ) -> tuple[Array, NDArray[np.int64]]:
        """Share of each label's samples that are of high quality and of its own mode, and how many
        samples each label has; NaN for a label without samples. Where a classifier that errs reads
        modes, a share is an estimate without bias, if it is known how it errs, and may lie a little
        beyond 0 and 1.

        Shapes  `(*pack, samples, dimension), (*pack, samples) -> (*pack, labels), (*pack, labels)`.
        """
        modes = modes_of(target)
        mode, high_quality = modes.assign(samples, self.radius)
        count = len(modes.weights)
        clouds = int(np.prod(labels.shape[:-1], dtype=int))
        cell = (labels + count * np.arange(clouds).reshape(*labels.shape[:-1], 1)).ravel()
        right = (high_quality * trueness(mode, labels, modes)).ravel()
        shape = (*labels.shape[:-1], count)
        asked = np.bincount(cell, minlength=clouds * count).reshape(shape)
        kept = np.bincount(cell, right, minlength=clouds * count).reshape(shape)
        return np.where(asked > 0, kept / np.maximum(asked, 1), np.nan), asked
