"""Independent searches of each arm, and their best points on seeds that no search has seen."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ganstudy.engine.packing import packs
from ganstudy.search._base import Column, Search
from ganstudy.search.bayes.keys import BayesKeys
from ganstudy.search.bayes.seeds import fresh_seeds, is_fresh, of_repeat, repeat_of
from ganstudy.search.bayes.single import Single
from ganstudy.search.bayes.storage import write_storage
from ganstudy.trial import Trial
from ganstudy.variable import Variable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.family import Member
    from ganstudy.kinds import Pack
    from ganstudy.search.bayes.point import Point
    from ganstudy.study import Study
    from ganstudy.trial import Record

__all__ = ["Repeated"]


class Repeated(Search):
    """Several searches of each arm that share nothing, and fresh seeds for what they chose.

    Each search has streams of its sampler and seeds of its own, so that what differs between them
    is the luck of a whole search; those of one number share their seeds across arms. The first is
    the search that the study would make without repeats: more repeats, or fresh seeds, add trials
    and leave those that are recorded in their place. Once a search has spent its budget on an arm,
    its best point is trained on fresh seeds.
    """

    keys = BayesKeys
    why_eager = Single.why_eager
    adds: ClassVar[tuple[Variable, ...]] = (
        *Single.adds,
        Variable("repeat", "search of the arm", ("repeat",)),
        Variable("fresh", "whether the seed is one that no search has seen", ("seed",)),
    )

    def __init__(self, study: Study) -> None:
        assert isinstance(study.keys, BayesKeys)
        super().__init__(study)
        self.file = study.keys
        self.searches = [
            Single(replace(study, seeds=of_repeat(study.seeds, repeat)), repeat)
            for repeat in range(self.file.repeats)
        ]
        self._fresh: dict[str, str] = {}
        self._in_flight: set[str] = set()
        self._slots = 1

    # --- trials ---------------------------------------------------------------------------------

    @property
    def trials(self) -> dict[tuple[int, ...], Trial[Any]]:
        """Those of every search, and the fresh ones of the points that are chosen."""
        return dict(itertools.chain(self._of_searches("trials"), self._fresh_trials()))

    @property
    def to_come(self) -> set[str]:
        """Fresh ones of each point that a search under way may choose, as it did before it grew."""
        return _fresh_ids(self, chosen=False)

    @property
    def accounted_for(self) -> set[str]:
        """Those of every search, and fresh ones of all its points, whichever is chosen now."""
        searches = (search.accounted_for for search in self.searches)
        return super().accounted_for.union(_fresh_ids(self, chosen=True), *searches)

    @property
    def statuses(self) -> dict[tuple[int, ...], str]:
        """The status of each of `trials`."""
        fresh = ((at, self._fresh.get(t.id, "missing")) for at, t in self._fresh_trials())
        return dict(itertools.chain(self._of_searches("statuses"), fresh))

    def _of_searches(self, what: str) -> Iterator[tuple[tuple[int, ...], Any]]:
        for repeat, search in enumerate(self.searches):
            for place, value in getattr(search, what).items():
                yield (*place[:-2], repeat, *place[-2:]), value

    def counts(self) -> Counter[str]:
        """Planned trials by status, including fresh ones of searches under way."""
        found = sum((search.counts() for search in self.searches), Counter[str]())
        fresh = [self._fresh.get(trial.id, "missing") for _, trial in self._fresh_trials()]
        found.update(fresh)
        going = sum(not search.spent(arm) for search in self.searches for arm in self.study.points)
        found["missing"] += going * self.file.fresh_seeds
        return +found

    def masked(self) -> tuple[Member, ...]:
        """The masked members of all trials that the space allows."""
        return self.searches[0].masked()

    def _fresh_trials(self) -> Iterator[tuple[tuple[int, ...], Trial[Any]]]:
        """The fresh trials of every search that has chosen, with their places."""
        own = len(self.study.seeds)
        for repeat, search in enumerate(self.searches):
            for arm in self.study.points:
                chosen = search.chosen(arm)
                if chosen is None:
                    continue
                number, point = chosen
                fresh = _on_fresh_seeds(point, self.file.fresh_seeds, repeat)
                for place, trial in enumerate(fresh):
                    yield (*arm, repeat, number, own + place), trial

    # --- what the dataset holds -----------------------------------------------------------------

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The axes, searches, points of a search, seeds."""
        return (*super().dimensions[:-1], "repeat", "trial", "seed")

    @property
    def shape(self) -> tuple[int, ...]:
        """Values of each axis, searches, points, and seeds with the fresh ones behind."""
        axes = super().shape[:-1]
        seeds = len(self.study.seeds) + self.file.fresh_seeds
        return (*axes, len(self.searches), self.file.trials, seeds)

    @property
    def planned(self) -> NDArray[np.bool_]:
        """Those of every search on its seeds; the chosen points on fresh seeds too."""
        found = np.zeros(self.shape, dtype=bool)
        own = np.stack([search.planned for search in self.searches], axis=-3)
        found[..., : len(self.study.seeds)] = own
        for place, _ in self._fresh_trials():
            found[place] = True
        return found

    def coordinates(self) -> dict[str, Column]:
        """Those of a search, numbers of searches, and which seeds are fresh."""
        seeds = [*self.study.seeds, *fresh_seeds(self.file.fresh_seeds, 0)]
        about = {"long_name": "seed of the first search; those of others are further on"}
        fresh = np.arange(len(seeds)) >= len(self.study.seeds)
        return {
            **self._stacked([search.coordinates() for search in self.searches]),
            "repeat": (("repeat",), np.arange(len(self.searches)), self.about("repeat")),
            "seed": (("seed",), np.array(seeds), about),
            "fresh": (("seed",), fresh, self.about("fresh")),
        }

    def variables(self) -> dict[str, Column]:
        """Those of a search."""
        return self._stacked([search.variables() for search in self.searches])

    def _stacked(self, columns: list[dict[str, Column]]) -> dict[str, Column]:
        """What has a value for each point, of all searches; what has none, of the first."""
        found = {}
        for name, (dims, values, about) in columns[0].items():
            # Their numbers are those of all, also where points have no other dimension.
            if name != "trial" and dims == self.searches[0].dimensions[:-1]:
                values = np.stack([own[name][1] for own in columns], axis=-2)
                dims = self.dimensions[:-1]
            found[name] = (dims, values, about)
        return found

    def attributes(self) -> dict[str, Any]:
        """Those of a search."""
        return self.searches[0].attributes()

    def refusal(self, kept: Mapping[str, Any]) -> str:
        """That of any of its searches."""
        return next(filter(None, (search.refusal(kept) for search in self.searches)), "")

    def told_of(self, kept: Mapping[str, Any]) -> str:
        """What is to be known of any of its searches."""
        return next(filter(None, (search.told_of(kept) for search in self.searches)), "")

    def write_files(self, folder: Path) -> None:
        """search.db, for Optuna's tools: a study for each search of each arm."""
        known = {
            f"{search.named(arm)}, repeat {repeat}": search.known(arm)
            for repeat, search in enumerate(self.searches)
            for arm in self.study.points
        }
        objectives = self.searches[0].outcomes.objectives
        write_storage(folder / "search.db", known, self.study.space, objectives)

    # --- asked and told -------------------------------------------------------------------------

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of records; the seed says which search one is of, or that it is fresh."""
        for record in records:
            repeat = repeat_of(record.seed, self.study.seeds)
            if is_fresh(record.seed, self.study.seeds):
                self._in_flight.discard(record.id)
                self._fresh[record.id] = record.status
            elif repeat < len(self.searches):
                self.searches[repeat].tell([record])

    def ask(self, free_slots: int) -> list[Pack]:
        """What every search asks for, and fresh seeds for what is chosen, packed together.

        Searches that have not spent their budget share the slots.
        """
        self._slots = max(self._slots, free_slots)
        going = sum(not all(map(search.spent, self.study.points)) for search in self.searches)
        share = math.ceil(self._slots / max(going, 1))
        asked = [part for search in self.searches for part in search.ask(share)]
        fresh = [trial for trial in self._missing_fresh() if trial.id not in self._in_flight]
        trials = [trial for part in asked for trial in part] + fresh
        self._in_flight.update(trial.id for trial in fresh)
        return packs(trials, max(free_slots, 1), self.pack_size)

    def begin(self, parts: Iterable[Pack]) -> None:
        """These trials are in training."""
        for part in parts:
            self._in_flight.update(trial.id for trial in part)
            for search in self.searches:
                search.begin([part])

    def outlook(self, slots: int) -> list[Pack]:
        """Those of every search, and as many fresh trials at the first point of a space."""
        trials = [t for search in self.searches for part in search.outlook(slots) for t in part]
        trials += self._missing_fresh()
        for repeat, search in enumerate(self.searches):
            for arm, configuration in self.study.points.items():
                if not search.spent(arm):
                    seeds = fresh_seeds(self.file.fresh_seeds, repeat)
                    trials += [Trial(configuration, seed) for seed in seeds]
        return packs(trials, slots, self.pack_size)

    def _missing_fresh(self) -> list[Trial[Any]]:
        return [trial for _, trial in self._fresh_trials() if trial.id not in self._fresh]


def _on_fresh_seeds(point: Point, count: int, repeat: int) -> list[Trial[Any]]:
    configuration = point.trials[-1][0].configuration
    return [Trial(configuration, seed) for seed in fresh_seeds(count, repeat)]


def _fresh_ids(own: Repeated, *, chosen: bool) -> set[str]:
    """Of fresh trials of all points, where a search of an arm has chosen one, or has not."""
    return {
        trial.id
        for repeat, search in enumerate(own.searches)
        for arm in own.study.points
        if (search.chosen(arm) is not None) is chosen
        for point in search.points(arm)
        for trial in _on_fresh_seeds(point, own.file.fresh_seeds, repeat)
    }
