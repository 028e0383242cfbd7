"""What a metric is: a number for a cloud of samples, and how to read it."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ganstudy.family import Member

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.targets import Target

    Array = NDArray[np.floating]


@dataclass(frozen=True)
class Reading:
    """How a metric is to be read, for a given target; it travels with the data as attributes.

    estimate  how samples stand for laws, where there is a choice: exact, by neighbours, a kernel
    """

    long_name: str
    units: str
    direction: Literal["higher", "lower"]
    bounds: tuple[float, float]
    value_at_equality: float
    estimate: str = ""


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

    def attributes(self, target: Target) -> dict[str, Any]:
        """What a dataset says of the metric: its reading, and the bias and cost that it states."""
        stated = {name: self._section(name) for name in ("Bias", "Cost")}
        return {
            **asdict(self.reading(target)),
            "bias": stated["Bias"],
            "cost": stated["Cost"],
            "role": "metric",
        }

    def _section(self, name: str) -> str:
        """A section of the docstring in one line; empty without one."""
        text = inspect.cleandoc(type(self).__doc__ or "")
        found = re.search(rf"^{name} +(.*(?:\n .*)*)", text, re.MULTILINE)
        return " ".join(found[1].split()) if found else ""
