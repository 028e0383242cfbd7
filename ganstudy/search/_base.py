"""What a search is: asked for packs when a worker is free, told of records as they land."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganstudy.engine.packing import Pack
    from ganstudy.family import Member
    from ganstudy.study import Study
    from ganstudy.trial import Record, Trial


class Search(ABC):
    """All trials of a study, each with its place in the dataset.

    A search keeps nothing on disk: told the records of a run, in any order, it is where it was.
    """

    study: Study

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Length of each dimension of the dataset, seeds last."""

    @property
    @abstractmethod
    def trials(self) -> Mapping[tuple[int, ...], Trial[Any]]:
        """The trials known so far, by their index on each dimension."""

    @property
    @abstractmethod
    def statuses(self) -> Mapping[tuple[int, ...], str]:
        """What became of each of `trials`, by the same index: `missing` without a record."""

    @abstractmethod
    def tell(self, records: Iterable[Record]) -> None:
        """Take note of records; those of other studies are ignored."""

    @abstractmethod
    def ask(self, free_slots: int) -> list[Pack]:
        """Packs for slots that have nothing to do; empty if there are none now."""

    @abstractmethod
    def begin(self, parts: Iterable[Pack]) -> None:
        """Take note of packs that are trained without having been asked for: those in flight."""

    @abstractmethod
    def outlook(self, slots: int) -> list[Pack]:
        """Packs like those that are left to train, for estimates of time; nothing is asked."""

    @abstractmethod
    def counts(self) -> Counter[str]:
        """Planned trials by status; those without a record are `missing`."""

    @abstractmethod
    def masked(self) -> tuple[Member, ...]:
        """The masked members of all trials there can be, each once."""
