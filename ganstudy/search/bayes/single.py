"""One search of each arm: its own sampler proposes points by their results."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ganstudy.engine.packing import packs
from ganstudy.search.bayes.described import Described
from ganstudy.search.bayes.halving import going_on, to_come
from ganstudy.search.bayes.making import PointMaker
from ganstudy.search.bayes.order import in_order
from ganstudy.search.bayes.packed import whole_points
from ganstudy.search.bayes.point import Arm, Point
from ganstudy.search.bayes.proposals import Proposals
from ganstudy.trial import Trial

if TYPE_CHECKING:
    from ganstudy.kinds import Kind, Pack
    from ganstudy.study import Study
    from ganstudy.trial import Record

__all__ = ["Single"]


class Single(Described):
    """A search by results; with a grid, one such search for each of its points.

    `outcomes` keeps what came of the points and what a sampler is told of them; here stands
    which trials are due. A point in training counts as the worst known (a constant liar), so that
    points asked together differ.
    """

    def __init__(self, study: Study, repeat: int = 0) -> None:
        super().__init__(study)
        self.repeat = repeat
        self._make = PointMaker(study, self.file, repeat)
        self._proposals = Proposals(self._make, self.outcomes)
        self._points: dict[Arm, list[Point]] = {arm: [] for arm in study.points}
        self._by_settings: dict[str, tuple[Point, int] | None] = {}
        self._seeds = frozenset(study.seeds)
        self._in_flight: set[str] = set()
        self._used_up: set[Arm] = set()
        self._looked_at: dict[Arm, int] = {}
        self._slots = 1

    @property
    def trials(self) -> dict[tuple[int, ...], Trial[Kind]]:
        """The trials known so far, those of a pruned point at the rung where it was stopped.

        Of a point that is to go on they are those to come, whether or not they were asked for.
        """
        return {place: trial for place, _, trial in self._placed()}

    @property
    def statuses(self) -> dict[tuple[int, ...], str]:
        """The status of each of `trials`; `pruned` where a point was stopped before the end."""
        status = self.outcomes.status
        return {place: status(point, trial) for place, point, trial in self._placed()}

    def _placed(self) -> Iterator[tuple[tuple[int, ...], Point, Trial[Kind]]]:
        for arm in self._points:
            due = set(self._due(arm))
            for number, point in enumerate(self.points(arm)):
                for seed, trial in enumerate(point.trials[point.level + (point in due)]):
                    yield (*arm, number, seed), point, trial

    def points(self, arm: Arm) -> list[Point]:
        """The points of an arm's budget, in the order in which the search learned of them."""
        return in_order(self._points[arm], self.outcomes, self.file)[: self.file.trials]

    def spent(self, arm: Arm) -> bool:
        """Whether all points of an arm's budget, or of its space, are recorded and none goes on."""
        known = self.room(arm) == 0 and all(map(self.outcomes.recorded, self.points(arm)))
        return known and not self._due(arm)

    def chosen(self, arm: Arm) -> tuple[int, Point] | None:
        """The best point of an arm and its number, once the budget is spent.

        Of points trained to the end: those that keep the constraints before those that do not, and
        the first on a tie. None before, and if there is none.
        """
        numbered = enumerate(self.points(arm) if self.spent(arm) else [])
        whole = [(number, point) for number, point in numbered if self.outcomes.finished(point)]
        return max(whole, key=self._rank, default=None)

    def _rank(self, numbered: tuple[int, Point]) -> tuple[float, float]:
        standing = self.outcomes.standing(numbered[1], numbered[1].level)
        assert standing is not None
        return standing

    def counts(self) -> Counter[str]:
        """Planned trials by status; a pruned point counts once, where it was stopped."""
        found = Counter(self.statuses.values())
        room = sum(map(self.room, self._points))
        found["missing"] += room * len(self.study.seeds)
        return +found

    # --- told ---------------------------------------------------------------------------------

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of records of its seeds; any of its trials' settings tells a point again."""
        # Whoever trains other seeds chooses points of its own.
        for record in (own for own in records if own.seed in self._seeds):
            self._in_flight.discard(record.id)
            if record.settings not in self._by_settings:
                self._by_settings[record.settings] = None
                if (found := self._make.recovered(record.settings)) is not None:
                    self._add(found)
            if (place := self._by_settings[record.settings]) is not None:
                point, level = place
                point.level = max(point.level, level)
                self.outcomes.note(point, record)

    # --- asked --------------------------------------------------------------------------------

    def ask(self, free_slots: int) -> list[Pack]:
        """Unfinished points, and those that are chosen now."""
        self._slots = max(self._slots, free_slots)
        ready: list[Pack] = []
        for arm in self._points:
            if self.file.synchronous:
                self._choose_round(arm)
            else:
                self._choose_more(arm)
            # What an earlier session has in flight may be a point that this one proposes anew.
            own = [tuple(filter(self._is_missing, point.current)) for point in self.points(arm)]
            ready += filter(None, own)
        parts = whole_points(ready, max(free_slots, 1), len(self.study.seeds), self.pack_size)
        self.begin(parts)
        return parts

    def begin(self, parts: Iterable[Pack]) -> None:
        """These trials are in training."""
        self._in_flight.update(trial.id for pack in parts for trial in pack)

    def outlook(self, slots: int) -> list[Pack]:
        """Packs of as many random points as the budget still allows, and of promotions to come."""
        trials: list[Trial[Kind]] = []
        for arm in self._points:
            points = self.points(arm)
            points += [*self._proposals.drawn(arm, points, self.room(arm))]
            trials += [t for p in points for t in p.current if t not in self.outcomes]
            if self.file.pruner is not None:
                factor, due = self.file.pruner.factor, self._due(arm)
                trials += to_come(points, due, self.outcomes, factor)
        return packs(trials, slots, self.pack_size)

    def _choose_more(self, arm: Arm) -> None:
        """Promotions first, then new points, up to those in training."""
        together = max(self.file.together, math.ceil(self._slots / len(self._points)))
        busy = sum(not self.outcomes.recorded(point) for point in self.points(arm))
        while busy < together and (self._promoted(arm) or self._new(arm)):
            busy += 1

    def _new(self, arm: Arm) -> Point | None:
        """A point chosen by all that is known; None when the budget or the space is used up."""
        points, recorded = self.points(arm), self.outcomes.recorded
        if self.room(arm) == 0:
            return None
        before = [point for point in points if recorded(point)]
        return self._proposed(arm, before, [point for point in points if not recorded(point)])

    def _choose_round(self, arm: Arm) -> None:
        """The points of the first round that is not recorded, by the rounds before it alone.

        Those that an earlier session chose are proposed again, and found.
        """
        points, size = self.points(arm), self.file.together
        # A round that has been given further seeds is not over, though later ones may be.
        recorded = len([*itertools.takewhile(self.outcomes.recorded, points)])
        before, beside = points[: recorded // size * size], list[Point]()
        while len(self._points[arm]) < min(len(before) + size, self.file.trials):
            found = self._proposed(arm, before, beside)
            if found is None:
                return
            beside.append(found)

    def _proposed(self, arm: Arm, before: Sequence[Point], beside: Sequence[Point]) -> Point | None:
        """None of those in training `beside` it and recorded `before`; None if no other is left."""
        taken = {point.trials[0][0].settings for point in (*before, *beside)}
        for point in () if arm in self._used_up else self._proposals.of(arm, before, beside):
            settings = point.trials[0][0].settings
            if settings in taken:
                continue
            place = self._by_settings.get(settings)
            if place is None:
                self._add(point)
                return point
            if place[0].arm == arm:
                return place[0]
        self._used_up.add(arm)
        return None

    def _promoted(self, arm: Arm) -> Point | None:
        """A point that is to be trained further, moved to its next rung; None if there is none."""
        chosen = next(iter(self._due(arm)), None)
        if chosen is not None:
            chosen.level += 1
        return chosen

    def _due(self, arm: Arm) -> list[Point]:
        """Points that are to be trained further, in the order in which they are."""
        if (pruner := self.file.pruner) is None:
            return []
        points, spent = self.points(arm), self.room(arm) == 0
        return going_on(points, self.outcomes, pruner.factor, spent=spent)

    def room(self, arm: Arm) -> int:
        """How many points an arm has yet to choose; none where those of its space are all known."""
        known = self._points[arm]
        left = max(self.file.trials - len(known), 0)
        if left and self._looked_at.get(arm) != len(known):
            self._looked_at[arm] = len(known)
            if all(map(self._by_settings.get, self._proposals.others(arm, known))):
                self._used_up.add(arm)
        return 0 if arm in self._used_up else left

    def _is_missing(self, trial: Trial[Kind]) -> bool:
        return trial not in self.outcomes and trial.id not in self._in_flight

    def _add(self, point: Point) -> None:
        self._points[point.arm].append(point)
        for level, trials in enumerate(point.trials):
            self._by_settings[trials[0].settings] = (point, level)
