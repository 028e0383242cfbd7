"""What a metric is: a number for a cloud of samples, and how to read it."""

from __future__ import annotations

import functools
import inspect
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ganstudy.family import Member
from ganstudy.features import Seen
from ganstudy.metrics._audits import passed
from ganstudy.variable import Reading, Variable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets import Target

    Array = NDArray[np.floating]

__all__ = ["Judged", "Metric", "Reading", "measured_by"]

Judged = Literal["fidelity", "diversity"]
"""Whether samples are like p's, or p's are like some of them."""


class Metric(Member, ABC):
    """A number for each cloud of samples, in plain NumPy so that stored samples can be measured.

    at  when a trial records it: `every` recorded step, or the `end` alone because it is costly;
        either way it is a curve, with NaN where it was not recorded
    """

    at: ClassVar[Literal["every", "end"]] = "every"

    judges: ClassVar[Judged | None] = None
    """What it is a share of, from 0 to 1, so that it can be audited; None for other metrics."""

    most_features: ClassVar[int | None] = None
    """In how many dimensions it means something; None for any number."""

    @property
    def recorded_as(self) -> str:
        """Its name in a dataset."""
        return self.name

    def seen(self, target: Target) -> Target:
        """The law whose samples it compares with: p, or that of features of p."""
        return target

    def gone(self, target: Target) -> str:
        """Why it cannot be measured where a run is read that has: its data, for one, have moved."""
        return target.gone

    def problem(self, target: Target) -> str | None:
        """Why this target cannot be measured, in a sentence; None where it can."""
        return None

    def fewest(self, target: Target) -> int:
        """With how many samples it begins to mean something."""
        return 10

    def unfit(self, target: Target, samples: int) -> str | None:
        """Why so many samples of this target mean nothing, in a sentence; None where they do.

        Beyond these limits a perfect generator no longer scores like one.
        """
        if why := self.problem(target):
            return why
        most = self.most_features
        if most is not None and target.dimension > most:
            beside = f"{target.name} has {target.dimension}"
            return f"metric {self.name} means nothing beyond {most} features; {beside}"
        if samples < (least := self.fewest(target)):
            return f"metric {self.name} needs {least:,} samples of {target.name} (got {samples})"
        return self.unseen_problem(target)

    of_many: ClassVar[bool] = False
    """Whether it takes `fewest` unseen samples of p, too, to hold others against."""

    def unseen_problem(self, target: Target) -> str | None:
        """Why there is too little of p to hold samples against; None where there is enough."""
        rows, least = target.unseen_rows, self.fewest(target)
        if not self.of_many or rows is None or rows >= least:
            return None
        more = "; hold out more" if hasattr(target, "held_out_share") else ""
        short = f"needs {least:,} held-out samples (there are {rows:,})"
        return f"metric {self.recorded_as} {short}{more}"

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
        """What a dataset holds of the metric: its reading, and what it states of itself."""
        reading = self.reading(target)
        return Variable.of_metric(
            self.recorded_as,
            reading,
            estimate=reading.estimate,
            bias=_section(type(self), "Bias"),
            cost=_section(type(self), "Cost"),
            fewest_samples=self.fewest(target),
            most_features=self.most_features or "any",
            **({"audit": found} if (found := passed(self.name)) else {}),
        )


@functools.cache
def _section(metric: type[Metric], name: str) -> str:
    """A section of a metric's docstring in one line; empty without one."""
    text = inspect.cleandoc(metric.__doc__ or "")
    found = re.search(rf"^{name} +(.*(?:\n .*)*)", text, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def measured_by(
    metric: Metric, samples: Array, labels: NDArray[np.int64] | None, target: Target
) -> Array:
    """The metric of each cloud, `(*pack, samples, dimension) -> (*pack,)`, with labels if any.

    Errors  `ValueError` for a metric that gives anything but a number for each cloud; and whatever
            the metric raises.
    """
    seen = metric.seen(target)
    if isinstance(seen, Seen):
        clouds = samples.reshape(-1, *samples.shape[-2:])
        samples = np.stack([seen.of(cloud) for cloud in clouds]).reshape(
            *samples.shape[:-1], seen.dimension
        )
    if labels is None:
        values = np.asarray(metric.compute(samples, seen), np.float64)
    else:
        values = np.asarray(metric.compute_labelled(samples, labels, seen), np.float64)
    if values.shape != samples.shape[:-2]:
        shape = f"{values.shape} for clouds {samples.shape[:-2]}"
        raise ValueError(f"gives no number for each cloud: shape {shape}")
    return values
