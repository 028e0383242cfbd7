"""What a search is: asked for packs when a worker is free, told of records as they land."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ganstudy.engine.packing import PackSize
from ganstudy.family import Part
from ganstudy.study.search_keys import SearchKeys

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydantic.fields import FieldInfo

    from ganstudy.family import Member
    from ganstudy.kinds import Kind, Pack
    from ganstudy.study import Study
    from ganstudy.trial import Record, Trial
    from ganstudy.variable import Variable

__all__ = ["Search"]

Column = tuple[tuple[str, ...], "NDArray[Any]", Mapping[str, Any]]
"""Dimensions, values and attributes of a variable of the dataset."""


class Search(Part, ABC):
    """All trials of a study, each with its place in the dataset.

    A search keeps nothing on disk: told the records of a run, in any order, it is where it was, but
    for trials in flight of points of which nothing is recorded; such a point is chosen anew.

    keys         the keys that a study file may write below `search.NAME`
    adds         what the search adds to the dataset beside its trials; no axis can take its names
    open_ended   whether results decide how many trials there are
    pack_size    how large its packs may be; of a CPU, unless it is told otherwise
    why_eager    why its trials are not worth a compiled program; empty if they may be
    """

    keys: ClassVar[type[SearchKeys]] = SearchKeys
    adds: ClassVar[tuple[Variable, ...]] = ()
    open_ended: ClassVar[bool] = False
    why_eager: ClassVar[str] = ""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.pack_size = PackSize(asked=study.file.engine.pack)

    @classmethod
    def of(cls, study: Study) -> Search:
        """The search of a study; a member may have several forms."""
        return cls(study)

    @classmethod
    def parameters_of(cls) -> Mapping[str, FieldInfo]:
        """Its keys in a study file."""
        return cls.keys.model_fields

    @classmethod
    def about(cls, name: str) -> Mapping[str, Any]:
        """Attributes of one of those that it adds."""
        return next(own.attributes for own in cls.adds if own.name == name)

    # --- trials ---------------------------------------------------------------------------------

    @property
    @abstractmethod
    def trials(self) -> Mapping[tuple[int, ...], Trial[Kind]]:
        """The trials known so far, by their index on each dimension."""

    @property
    def by_id(self) -> dict[str, Trial[Kind]]:
        """Each trial once, by its id; several places may have it."""
        return {trial.id: trial for trial in self.trials.values()}

    @property
    def to_come(self) -> set[str]:
        """Ids that may come to be of `trials` as more is recorded: by default none.

        Records of them wait for their place, as when an arm or a larger budget was added.
        """
        return set()

    @property
    def accounted_for(self) -> set[str]:
        """Ids of `trials`, of those `to_come`, and of those on the way, which are by default none:
        their records stay.
        """
        return self.by_id.keys() | self.to_come

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
        """Take note of packs in flight, which are trained without having been asked for."""

    @abstractmethod
    def outlook(self, slots: int) -> list[Pack]:
        """Packs like those without a record, for estimates of time; nothing is asked.

        Those in flight count: what is asked for waits for a worker, or for another pack to end.
        """

    @abstractmethod
    def counts(self) -> Counter[str]:
        """Planned trials by status; those without a record are `missing`."""

    @abstractmethod
    def masked(self) -> tuple[Member, ...]:
        """The masked members of all trials there can be, each once."""

    # --- what the dataset holds -----------------------------------------------------------------

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the dimensions of the dataset, seeds last: by default the axes and the seeds."""
        return (*(axis.dimension for axis in self.study.axes), "seed")

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each dimension: by default the values of each axis, and the seeds."""
        return (*(len(axis.labels) for axis in self.study.axes), len(self.study.seeds))

    @property
    def planned(self) -> NDArray[np.bool_]:
        """Which places of the dataset are those of trials: by default all but excluded points."""
        found = np.zeros(self.shape, dtype=bool)
        for arm in self.study.points:
            found[arm] = True
        return found

    def coordinates(self) -> dict[str, Column]:
        """Coordinates by name: by default the labels of the axes, and the seeds."""
        labels: dict[str, Column] = {
            axis.dimension: ((axis.dimension,), np.array(axis.labels), {"long_name": axis.name})
            for axis in self.study.axes
        }
        return {**labels, "seed": (("seed",), np.array(self.study.seeds), {})}

    def variables(self) -> dict[str, Column]:
        """Variables that the search adds beside what trials record, by name; by default none."""
        return {}

    def attributes(self) -> dict[str, Any]:
        """Attributes of the dataset that say what was sought; by default none."""
        return {}

    # --- what others read -----------------------------------------------------------------------

    def sentences(self) -> list[str]:
        """How far the search is, where numbers of trials do not say it; by default nothing."""
        return []

    def seeds_in_words(self) -> str:
        """Which seeds trials have: by default those of the study."""
        return ", ".join(map(str, self.study.seeds))

    def refusal(self, kept: Mapping[str, Any]) -> str:
        """Why a run of an earlier study cannot be continued as this one; by default it can, but for
        one whose seeds are added until it is settled: the rules of these would be forgotten.

        `kept` is `fixed` of the earlier study.
        """
        if "seeds.method" not in kept or not self._seen:
            return ""
        return (
            "its seeds are added until its question is settled, and scores have been seen under "
            "these rules. Keep them (seeds.max raises how many there are), train elsewhere with "
            "--out, or start anew with --fresh"
        )

    def told_of(self, kept: Mapping[str, Any]) -> str:
        """What is to be known of a run of an earlier study that is continued as this one, in words;
        by default nothing. `kept` is as of `refusal`.
        """
        return ""

    @property
    def _seen(self) -> bool:
        """Whether there is a record of any trial."""
        counts = self.counts()
        return counts.total() > counts["missing"]

    def write_files(self, folder: Path) -> None:
        """Write files for other tools into a run's folder; by default none.

        Errors  `OSError`, such as for a full disk.
        """
