"""What a search by results is after: its objectives, its pruner, and bounds that a point keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ganstudy.settings import Settings

__all__ = ["Bound", "ConstraintFile", "ObjectiveFile", "PrunerFile", "bounds"]


class ObjectiveFile(Settings):
    """What the search is after: metrics to maximise, to minimise, or both."""

    maximize: str | list[str] = Field([], description="metric, or several")
    minimize: str | list[str] = Field([], description="metric, or several")

    @property
    def metrics(self) -> dict[str, Literal["maximize", "minimize"]]:
        """Direction by metric: those to maximise, then those to minimise, each as written."""
        return dict(self._listed())

    @property
    def repeated(self) -> list[str]:
        """Metrics that are written more than once."""
        names = Counter(name for name, _ in self._listed())
        return [name for name, count in names.items() if count > 1]

    def _listed(self) -> Iterator[tuple[str, Literal["maximize", "minimize"]]]:
        for name in [self.maximize] if isinstance(self.maximize, str) else self.maximize:
            yield name, "maximize"
        for name in [self.minimize] if isinstance(self.minimize, str) else self.minimize:
            yield name, "minimize"


class PrunerFile(Settings):
    """Which points are trained to the end: all are trained a little, the best of them further."""

    name: Literal["successive_halving", "hyperband"] = Field(description="how points are pruned")
    factor: int = Field(3, ge=2, description="one in so many points goes on; steps grow as much")
    first: int = Field(ge=1, le=10**9, description="M-steps after which points are first compared")


class ConstraintFile(Settings):
    """What a metric of a point must keep to."""

    minimum: float | None = Field(None, description="least value that is accepted")
    maximum: float | None = Field(None, description="largest value that is accepted")


@dataclass(frozen=True)
class Bound:
    """A bound that a metric of a point must keep.

    sign  1 for a least value, -1 for a largest
    """

    metric: str
    sign: int
    bound: float

    def __str__(self) -> str:
        return f"{self.metric} {'≥' if self.sign > 0 else '≤'} {self.bound:g}"

    def violation(self, value: float) -> float:
        """How far a value is on the wrong side of the bound; negative on the right side."""
        return self.sign * (self.bound - value)


def bounds(constraints: Mapping[str, ConstraintFile]) -> tuple[Bound, ...]:
    """The bounds of a search, in the order in which they are written."""
    return tuple(
        Bound(metric, sign, bound)
        for metric, written in constraints.items()
        for sign, bound in ((1, written.minimum), (-1, written.maximum))
        if bound is not None
    )
