"""Metrics that compare one cloud at a time with as many samples of p."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ganstudy.metrics._base import Metric
from ganstudy.metrics._clouds import each_cloud, reference

if TYPE_CHECKING:
    from ganstudy.metrics._base import Array
    from ganstudy.metrics._clouds import Cloud, Measure
    from ganstudy.targets import Target


class ComparedMetric(Metric, ABC):
    """A metric of each cloud beside the one cloud of p that serves all trials."""

    of_many: ClassVar[bool] = True

    @abstractmethod
    def measures(self, real: Cloud, target: Target) -> Measure:
        """What gives the number of a cloud beside these samples of p.

        Clouds come one by one, finite, in an order that depends on their samples alone, and, but
        in audits, with no more samples than there are of p.
        """

    def partners(self, samples: int) -> int:
        """How many samples of p a cloud of so many is compared with, if there are as many."""
        return samples

    def compute(self, samples: Array, target: Target) -> Array:
        """The number of each cloud; the worst there is where a sample is not finite."""
        measure = self.measures(reference(target, self.partners(samples.shape[-2])), target)
        return each_cloud(samples, measure, self.worst(target), against=target)

    def worst(self, target: Target) -> float:
        """The end of its range that is worse."""
        reading = self.reading(target)
        low, high = reading.bounds
        return low if reading.direction == "higher" else high
