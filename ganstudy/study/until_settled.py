"""The key `seeds:` of a study whose seeds are added until its question is settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

from ganstudy.contest import Method, StoppingRules
from ganstudy.study.corner import Corner
from ganstudy.study.document import Document, Problem
from ganstudy.study.search_keys import SearchKeys
from ganstudy.study.space import AnyParameter

__all__ = ["SettledSeeds"]


class SettledSeeds(SearchKeys):
    """Seeds are added to arms that are not told apart from the leader, up to a largest number."""

    until: Literal["settled"] = Field(description="when no more seeds are added")
    start: int = Field(5, ge=2, description="seeds of every arm before the first look")
    max: int = Field(40, ge=2, description="most seeds of an arm")
    step: int = Field(1, ge=1, description="seeds that are added between looks")
    equal_within: float | None = Field(
        None, gt=0, description="arms that differ by less do equally well; default: none do"
    )
    method: Method = Field(
        "e_process",
        description="e_process: may be looked at after every seed, and max be raised; "
        "group_sequential: finds small differences more often, where max is fixed for good",
    )

    @property
    def rules(self) -> StoppingRules:
        """The same, for a contest of arms."""
        return StoppingRules(self.start, self.max, self.step, self.equal_within, self.method)

    @property
    def fixed(self) -> dict[str, Any]:
        """Those that cannot be changed once scores have been seen, by their keys in a study."""
        spent = ("max", "start") if self.method == "group_sequential" else ()
        return {f"seeds.{name}": getattr(self, name) for name in ("method", "equal_within", *spent)}

    def problems(
        self,
        document: Document,
        seeds: Sequence[int],
        space: Sequence[AnyParameter],
        corners: Sequence[Corner],
        drawn: Sequence[Corner],
    ) -> Iterator[Problem]:
        """Numbers that contradict each other."""
        if self.max < self.start:
            message = f"fewer than the {self.start} seeds to start with"
            yield document.problem(("seeds", "max"), message)
        if self.method == "group_sequential" and self.step != 1:
            message = "group_sequential has looks of its own; leave step out"
            yield document.problem(("seeds", "step"), message)
