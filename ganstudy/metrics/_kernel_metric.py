"""Metrics of how alike samples are, by a kernel as wide as p is."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from ganstudy.metrics._cloud_metric import CloudMetric
from ganstudy.metrics._clouds import typical_distance_in

if TYPE_CHECKING:
    from ganstudy.targets import Target


class KernelMetric(CloudMetric, ABC):
    """A metric with a Gaussian kernel whose width is a multiple of the median distance in p."""

    at: ClassVar[Literal["every", "end"]] = "end"
    of_many: ClassVar[bool] = True
    bandwidth: float = Field(0.25, gt=0, description="s, in median distances of samples of p")

    def problem(self, target: Target) -> str | None:
        """Where most samples of p are equal, in pairs, its kernel would have no width."""
        # Features of samples are computed where trials are measured, and not to find this out.
        if self.features is None and typical_distance_in(target) == 0:
            of = f"the median distance of samples of {target.name}, which is 0"
            return f"metric {self.recorded_as} has a kernel as wide as {of}"
        return super().problem(target)
