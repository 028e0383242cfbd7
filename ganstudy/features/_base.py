"""What a feature space is: numbers in which images that look alike are near each other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ganstudy.family import Member

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.targets import Target


class Features(Member, ABC):
    """A map from samples of a target to numbers, the same for p and q and for every trial."""

    def problem(self, target: Target) -> str | None:
        """Why samples of this target have no such features, in a sentence; None where they do."""
        return None if target.image is not None else f"{target.name} has no images"

    @property
    def gone(self) -> str:
        """Why a file of the user's own, which trials were measured with, cannot be asked here."""
        return ""

    @abstractmethod
    def of(self, samples: NDArray[np.floating], target: Target) -> NDArray[np.float64]:
        """Features of finite samples, shapes `(count, dimension) -> (count, features)`."""

    @abstractmethod
    def dimension(self, target: Target) -> int:
        """How many there are."""

    def about(self, target: Target) -> str:
        """What stands beside a metric in this space: which features they are, and how good."""
        return f"in features of {self.name.replace('_', ' ')}"
