"""One search of every arm: points are proposed by results, by a sampler of the arm's own."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ganstudy.engine.packing import LARGEST, WORKING_SET, packs
from ganstudy.family import canonical_json
from ganstudy.search._base import Column, Search
from ganstudy.search.bayes import halving
from ganstudy.search.bayes.keys import BayesKeys
from ganstudy.search.bayes.outcomes import Outcomes
from ganstudy.search.bayes.point import Arm, Point
from ganstudy.search.bayes.recognition import agrees, candidates
from ganstudy.search.bayes.samplers import Known, Question, propose
from ganstudy.search.bayes.storage import write_storage
from ganstudy.study.space import at_random
from ganstudy.trial import Trial

if TYPE_CHECKING:
    from ganstudy.family import Member
    from ganstudy.kinds import Kind, Pack
    from ganstudy.study import Study
    from ganstudy.study.configuration import Assignment
    from ganstudy.study.space import AnyParameter
    from ganstudy.trial import Record

__all__ = ["Single"]

ATTEMPTS = 20
"""Proposals of known points after which a sampler is passed over for random ones."""
RANDOM_ATTEMPTS = 500
"""Random points in a row that are all known: the space counts as used up."""


class Single(Search):
    """A search by results; with a grid, one such search for each of its points.

    What came of the points, and what a sampler is told of them, is kept by `outcomes`; here stands
    which trials are due. A point in training counts as the worst known (a constant liar), so that
    points asked together differ.
    """

    keys = BayesKeys
    why_eager = "a search asks for packs of too many sizes to compile"
    adds: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "trial": {"long_name": "point of the search, in the order in which it was learned"},
        "pareto": {"long_name": "no other point of the arm betters it in every objective"},
        "violation": {"long_name": "by how much the point breaks the search's constraints, summed"},
    }

    def __init__(self, study: Study, repeat: int = 0) -> None:
        assert isinstance(study.keys, BayesKeys)
        super().__init__(study)
        self.file = study.keys
        self.repeat = repeat
        self.outcomes = Outcomes(self.file)
        self._points: dict[Arm, list[Point]] = {arm: [] for arm in study.points}
        self._by_settings: dict[str, tuple[Point, int] | None] = {}
        self._in_flight: set[str] = set()
        self._used_up: set[Arm] = set()
        self._slots = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis, then of points, then of seeds."""
        axes = (len(axis.labels) for axis in self.study.axes)
        return (*axes, self.file.trials, len(self.study.seeds))

    @property
    def trials(self) -> dict[tuple[int, ...], Trial[Kind]]:
        """The trials known so far, those of a pruned point at the rung where it was stopped."""
        return {
            (*arm, number, seed): trial
            for arm in self._points
            for number, point in enumerate(self.points(arm))
            for seed, trial in enumerate(point.current)
        }

    def points(self, arm: Arm) -> list[Point]:
        """The points of an arm's budget, in the order in which the search learned of them."""
        order = {id(point): number for number, point in enumerate(self._points[arm])}
        ordered = sorted(self._points[arm], key=lambda p: (self.outcomes.learned(p), order[id(p)]))
        return ordered[: self.file.trials]

    def spent(self, arm: Arm) -> bool:
        """Whether all points of an arm's budget, or of its space, are recorded."""
        points = self.points(arm)
        whole = len(points) == self.file.trials or arm in self._used_up
        return whole and all(self.outcomes.recorded(point) for point in points)

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

    @property
    def statuses(self) -> dict[tuple[int, ...], str]:
        """The status of each of `trials`; `pruned` where a point was stopped before the end."""
        return {
            (*arm, number, seed): self.outcomes.status(point, trial)
            for arm in self._points
            for number, point in enumerate(self.points(arm))
            for seed, trial in enumerate(point.current)
        }

    def counts(self) -> Counter[str]:
        """Planned trials by status; a pruned point counts once, where it was stopped."""
        found = Counter(self.statuses.values())
        planned = len(self._points) * self.file.trials * len(self.study.seeds)
        found["missing"] += planned - found.total()
        return +found

    def masked(self) -> tuple[Member, ...]:
        """The masked members of all trials that the space allows."""
        corners = self.study.corners()
        return tuple(dict.fromkeys(member for c in corners for member in c.masked()))

    # --- what the dataset holds -----------------------------------------------------------------

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The axes, points of the search, seeds."""
        return (*super().dimensions[:-1], "trial", "seed")

    def coordinates(self) -> dict[str, Column]:
        """Those of a grid, numbers of points, and parameters: NaN or empty where not used."""
        return {
            **super().coordinates(),
            "trial": (("trial",), np.arange(self.file.trials), self.adds["trial"]),
            **{parameter.dimension: self._column(parameter) for parameter in self.study.space},
        }

    def _column(self, parameter: AnyParameter) -> Column:
        """The values of a parameter at each point."""
        numbers = all(isinstance(x, int | float) for x in parameter.extremes)
        values = np.full(self.shape[:-1], np.nan if numbers else "", None if numbers else object)
        for arm in self._points:
            for number, point in enumerate(self.points(arm)):
                if parameter.name in point.values:
                    values[(*arm, number)] = point.values[parameter.name]
        own = values if numbers else values.astype(str)
        return self.dimensions[:-1], own, parameter.attributes

    def variables(self) -> dict[str, Column]:
        """Which points are on the Pareto front; with constraints, how far they are broken."""
        shape, dims = self.shape[:-1], self.dimensions[:-1]
        pareto, violation = np.zeros(shape, dtype=bool), np.full(shape, np.nan)
        for arm in self._points:
            points = self.points(arm)
            front = {id(point) for point in self.outcomes.front(points)}
            for number, point in enumerate(points):
                pareto[(*arm, number)] = id(point) in front
                violation[(*arm, number)] = self.outcomes.violation(point)
        found = {"pareto": pareto}
        if self.outcomes.constraints:
            found["violation"] = violation
        return {name: (dims, values, self.adds[name]) for name, values in found.items()}

    def attributes(self) -> dict[str, Any]:
        """How points were proposed, and what was sought."""
        constraints = [str(bound) for bound in self.outcomes.constraints]
        return {
            "search": "bayes",
            "sampler": self.file.sampler,
            "objectives": list(self.outcomes.objectives),
            "statistic": self.file.statistic,
            "parameters": [parameter.dimension for parameter in self.study.space],
            **({"constraints": constraints} if constraints else {}),
        }

    def write_files(self, folder: Path) -> None:
        """search.db, for Optuna's tools: a study for each arm, named after it."""
        known = {self.named(arm): self.known(arm) for arm in self._points}
        write_storage(folder / "search.db", known, self.study.space, self.outcomes.objectives)

    def named(self, arm: Arm) -> str:
        """The study and the arm, in words."""
        labels = self.study.labels(arm).items()
        return ", ".join([self.study.name, *(f"{axis} {label}" for axis, label in labels)])

    def known(self, arm: Arm) -> list[Known]:
        """Points of an arm that have values, in the order in which they were learned."""
        return [known for _, known in self.outcomes.known(self.points(arm))]

    # --- told ---------------------------------------------------------------------------------

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of records; a point is found again from the settings of any of its trials."""
        for record in records:
            self._in_flight.discard(record.id)
            if record.settings not in self._by_settings:
                self._by_settings[record.settings] = None
                self._recover(record.settings)
            place = self._by_settings[record.settings]
            if place is None:
                continue
            point, level = place
            point.level = max(point.level, level)
            self.outcomes.note(point, record)

    def _recover(self, text: str) -> None:
        """Add the point that has a trial of these settings, if there is one in the space.

        Candidates are read off the settings and proved by resolving them again, so that a record of
        another study, or of other shared settings, never passes for one of this search.
        """
        settings = json.loads(text)
        for arm in self._points:
            bundles = (axis.settings[i] for axis, i in zip(self.study.axes, arm, strict=True))
            if not all(agrees(bundle, settings) for bundle in bundles):
                continue
            for values in candidates(self.study.space, settings, self.study.labels(arm)):
                point = self._point(arm, values)
                if any(trials[0].settings == text for trials in point.trials):
                    self._add(point)
                    return

    # --- asked --------------------------------------------------------------------------------

    def ask(self, free_slots: int) -> list[Pack]:
        """Unfinished points first, then promotions, then new points, up to those in training."""
        self._slots = max(self._slots, free_slots)
        together = max(self.file.together, math.ceil(self._slots / len(self._points)))
        ready: list[Pack] = []
        for arm in self._points:
            busy = 0
            for point in self.points(arm):
                lacking = tuple(t for t in point.current if self._is_missing(t))
                if lacking:
                    ready.append(lacking)
                busy += not self.outcomes.recorded(point)
            while busy < together:
                found = self._promoted(arm) or self._new(arm)
                if found is None:
                    break
                ready.append(found.current)
                self._in_flight.update(trial.id for trial in ready[-1])
                busy += 1
        parts = self._packed(ready, max(free_slots, 1))
        self.begin(parts)
        return parts

    def begin(self, parts: Iterable[Pack]) -> None:
        """These trials are in training."""
        self._in_flight.update(trial.id for pack in parts for trial in pack)

    def outlook(self, slots: int) -> list[Pack]:
        """Packs of as many random points as the budget still allows, and of promotions."""
        trials: list[Trial[Kind]] = []
        for arm in self._points:
            labels, points = self.study.labels(arm), self.points(arm)
            trials += [t for p in points for t in p.current if self._is_missing(t)]
            for number in range(len(points), self.file.trials):
                rng = np.random.default_rng((*self._stream(arm), number))
                point = self._point(arm, at_random(self.study.space, rng, labels))
                trials += point.trials[0]
            further = list(self._promotable(points)) if self.file.pruner else []
            trials += [t for p in further for t in p.trials[p.level + 1]]
        return packs(trials, slots, self.study.file.engine.pack)

    def _new(self, arm: Arm) -> Point | None:
        """A point that has never been tried, or None when the budget or the space is used up."""
        number = len(self._points[arm])
        if number >= self.file.trials or arm in self._used_up:
            return None
        known = tuple(known for _, known in self.outcomes.known(self.points(arm), lies=True))
        learned = sum(not k.lie for k in known)
        sampler = self.file.sampler
        if sampler in ("tpe", "gp") and learned < self.file.startup:
            sampler = "random"
        for attempt in range(ATTEMPTS + RANDOM_ATTEMPTS):
            question = Question(
                space=self.study.space,
                arm=self.study.labels(arm),
                directions=tuple(self.outcomes.objectives.values()),
                known=known,
                number=number + attempt,
                seed=(*self._stream(arm), number, attempt),
                stream=self._stream(arm),
            )
            values = propose(sampler if attempt < ATTEMPTS else "random", question)
            point = self._point(arm, values)
            if self._by_settings.get(point.trials[0][0].settings) is None:
                self._add(point)
                return point
        self._used_up.add(arm)
        return None

    def _promoted(self, arm: Arm) -> Point | None:
        """A point that is to be trained further, moved to its next rung; None if there is none."""
        if self.file.pruner is None:
            return None
        points = self.points(arm)
        chosen = next(self._promotable(points), None)
        if chosen is None and (len(points) == self.file.trials or arm in self._used_up):
            chosen = self._last_resort(points)
        if chosen is not None:
            chosen.level += 1
        return chosen

    def _promotable(self, points: Sequence[Point]) -> Iterator[Point]:
        """Points among the best of their rung and bracket, highest rungs first."""
        assert self.file.pruner is not None
        brackets: dict[tuple[int, ...], list[Point]] = {}
        for point in points:
            brackets.setdefault(point.rungs, []).append(point)
        for rungs, peers in brackets.items():
            for level in reversed(range(len(rungs) - 1)):
                known = {
                    id(p): self.outcomes.standing(p, level)
                    for p in peers
                    if self.outcomes.alive(p, level)
                }
                scores = {key: standing for key, standing in known.items() if standing is not None}
                promoted = [id(p) for p in peers if p.level > level]
                chosen = halving.promotable(scores, promoted, self.file.pruner.factor)
                yield from (p for key in chosen for p in peers if id(p) == key)

    def _last_resort(self, points: Sequence[Point]) -> Point | None:
        """The best point, if the budget is spent and no point has been trained to the end."""
        if any(point.last or not self.outcomes.recorded(point) for point in points):
            return None

        def reached(point: Point) -> tuple[int, tuple[float, float] | None]:
            return point.rungs[point.level], self.outcomes.standing(point, point.level)

        alive = [point for point in points if self.outcomes.alive(point, point.level)]
        return max(alive, key=reached, default=None)

    def _packed(self, ready: Sequence[Pack], slots: int) -> list[Pack]:
        """Packs of whole points, which wait for no other pack; at least one for each slot."""
        shapes: dict[str, list[Pack]] = {}
        for trials in ready:
            shapes.setdefault(trials[0].configuration.pack_key(), []).append(trials)
        share = math.ceil(len(ready) / slots)
        parts: list[Pack] = []
        for own in shapes.values():
            configuration = own[0][0].configuration
            fitting = int(WORKING_SET // configuration.working_set())
            most = self.study.file.engine.pack or max(1, min(fitting, LARGEST))
            points = max(1, min(share, most // len(self.study.seeds)))
            count = math.ceil(len(own) / points)
            for part in range(count):
                trials = tuple(itertools.chain(*own[part::count]))
                parts += [trials[i : i + most] for i in range(0, len(trials), most)]
        return sorted(parts, key=lambda pack: -len(pack) * pack[0].configuration.cost())

    def _is_missing(self, trial: Trial[Kind]) -> bool:
        return trial not in self.outcomes and trial.id not in self._in_flight

    # --- points ---------------------------------------------------------------------------------

    def _add(self, point: Point) -> None:
        self._points[point.arm].append(point)
        for level, trials in enumerate(point.trials):
            self._by_settings[trials[0].settings] = (point, level)

    def _point(self, arm: Arm, values: Mapping[str, Any]) -> Point:
        place = dict(zip((axis.name for axis in self.study.axes), arm, strict=True))
        whole = self.study.resolve(place, values)
        steps, pruner = whole.steps, self.file.pruner
        rungs: tuple[int, ...] = (steps,)
        if pruner is not None:
            rungs = halving.rungs(pruner.first, pruner.factor, steps)
            if pruner.name == "hyperband":
                key = canonical_json(whole.model_dump())
                rungs = rungs[halving.bracket(key, len(rungs), pruner.factor) :]
        trials = []
        for rung in rungs:
            own = whole if rung == steps else self.study.resolve(place, values, (_steps(rung),))
            trials.append(tuple(Trial(own, seed) for seed in self.study.seeds))
        return Point(arm, dict(values), rungs, tuple(trials))

    def _stream(self, arm: Arm) -> tuple[int, ...]:
        """Entropy of an arm's search, by the labels of the arm and not by their order.

        The first search of an arm does not know that there are others.
        """
        text = canonical_json({name: str(x) for name, x in self.study.labels(arm).items()})
        digest = hashlib.sha256(text.encode()).digest()
        own = (self.file.seed, int.from_bytes(digest[:8], "big"))
        return (*own, self.repeat) if self.repeat else own


def _steps(rung: int) -> Assignment:
    """Trained up to a rung."""
    return ("steps",), rung, ("search", "bayes", "pruner")
