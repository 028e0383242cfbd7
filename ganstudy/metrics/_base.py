"""What a metric is: a number for a cloud of samples, and how to read it."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from ganstudy.family import Member
from ganstudy.variable import Reading, Variable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.targets import Target

    Array = NDArray[np.floating]

__all__ = ["Metric", "Reading"]


class Metric(Member, ABC):
    """A number for each cloud of samples, in plain NumPy so that stored samples can be measured.

    at  when a trial records it: `every` recorded step, or the `end` alone because it is costly;
        either way it is a curve, with NaN where it was not recorded
    """

    at: ClassVar[Literal["every", "end"]] = "every"

    def problem(self, target: Target) -> str | None:
        """Why this target cannot be measured, in a sentence; None where it can."""
        return None

    labelled: ClassVar[bool] = False
    """Whether it needs the labels under which the samples were generated."""

    def compute_labelled(self, samples: Array, labels: NDArray[np.int64], target: Target) -> Array:
        """The metric of clouds whose samples were generated under labels, `(*pack, samples)`."""
        return self.compute(samples, target)

    @abstractmethod
    def compute(self, samples: Array, target: Target) -> Array:
        """The metric of each cloud, shapes `(*pack, samples, dimension) -> (*pack,)`."""

    @abstractmethod
    def reading(self, target: Target) -> Reading:
        """Name, units, direction, bounds and the value at p = q."""

    def variable(self, target: Target) -> Variable:
        """What a dataset holds of the metric: its reading, and the bias and cost that it states."""
        stated = {name.lower(): self._section(name) for name in ("Bias", "Cost")}
        reading = self.reading(target)
        return Variable.of_metric(self.name, reading, estimate=reading.estimate, **stated)

    def _section(self, name: str) -> str:
        """A section of the docstring in one line; empty without one."""
        text = inspect.cleandoc(type(self).__doc__ or "")
        found = re.search(rf"^{name} +(.*(?:\n .*)*)", text, re.MULTILINE)
        return " ".join(found[1].split()) if found else ""
