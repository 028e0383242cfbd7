"""Bayesian search: points are proposed by results, for every arm by a sampler of its own."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.engine.packing import LARGEST, WORKING_SET, packs
from ganstudy.family import canonical_json
from ganstudy.score import tail_mean, worst
from ganstudy.search import halving
from ganstudy.search._base import Search
from ganstudy.search.samplers import Known, Question, propose
from ganstudy.space import Range, at_random
from ganstudy.trial import Trial

if TYPE_CHECKING:
    from ganstudy.engine.packing import Pack
    from ganstudy.family import Member
    from ganstudy.study import Study
    from ganstudy.trial import Record

__all__ = ["Bayes", "Point"]

ATTEMPTS = 20
"""Proposals of known points after which a sampler is passed over for random ones."""
RANDOM_ATTEMPTS = 500
"""Random points in a row that are all known: the space counts as used up."""

STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
}

Arm = tuple[int, ...]


@dataclass(eq=False)
class Point:
    """One point of a space in one arm, with all its seeds.

    rungs   M-steps to which it is trained, one after another; only one without a pruner
    trials  `[rung][seed]`
    level   the rung at which it is, or was when it was stopped
    """

    arm: Arm
    values: Mapping[str, Any]
    rungs: tuple[int, ...]
    trials: tuple[tuple[Trial[Any], ...], ...]
    level: int = 0

    @property
    def last(self) -> bool:
        """Whether it is at its last rung."""
        return self.level == len(self.rungs) - 1


@dataclass(frozen=True)
class _Outcome:
    """What the search keeps of a record."""

    status: str
    finished: float
    scores: Mapping[str, float] = field(default_factory=dict)


class Bayes(Search):
    """Asked for points as workers fall free, told of their scores as records land.

    A point is its seeds: its value is a statistic of their scores (`search.bayes.statistic`). A
    trial that diverged or failed scores the worst bound of the metric; where that is infinite its
    point gets the worst value known in the arm, whatever its other seeds score. A point in training
    counts as the worst known (a constant liar), so that points asked together differ.
    """

    def __init__(self, study: Study) -> None:
        assert study.file.search.bayes is not None
        self.study = study
        self.file = study.file.search.bayes
        self._points: dict[Arm, list[Point]] = {arm: [] for arm in study.points}
        self._by_settings: dict[str, tuple[Point, int] | None] = {}
        self._outcomes: dict[str, _Outcome] = {}
        self._in_flight: set[str] = set()
        self._used_up: set[Arm] = set()
        self._slots = 1

    @cached_property
    def objectives(self) -> dict[str, str]:
        """Direction by metric."""
        return dict(self.file.objective.metrics)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis, then of points, then of seeds."""
        axes = (len(axis.labels) for axis in self.study.axes)
        return (*axes, self.file.trials, len(self.study.seeds))

    @property
    def trials(self) -> dict[tuple[int, ...], Trial[Any]]:
        """The trials known so far, those of a pruned point at the rung where it was stopped."""
        return {
            (*arm, number, seed): trial
            for arm in self._points
            for number, point in enumerate(self.points(arm))
            for seed, trial in enumerate(point.trials[point.level])
        }

    def points(self, arm: Arm) -> list[Point]:
        """The points of an arm's budget, in the order in which the search learned of them."""
        order = {id(point): number for number, point in enumerate(self._points[arm])}
        ordered = sorted(self._points[arm], key=lambda p: (self._learned(p), order[id(p)]))
        return ordered[: self.file.trials]

    def status(self, index: tuple[int, ...]) -> str:
        """The status of its record; `pruned` if the point was trained well and not to the end."""
        *arm, number, seed = index
        point = self.points(tuple(arm))[number]
        return self._status(point, point.trials[point.level][seed])

    def _status(self, point: Point, trial: Trial[Any]) -> str:
        outcome = self._outcomes.get(trial.id)
        if outcome is None:
            return "missing"
        return "pruned" if outcome.status == "complete" and not point.last else outcome.status

    def pareto(self, arm: Arm) -> list[Point]:
        """Points of the arm, trained to the end, that no other one betters in every objective."""
        signs = [1.0 if d == "maximize" else -1.0 for d in self.objectives.values()]
        scored = [
            (point, [s * v for s, v in zip(signs, known.values, strict=True)])
            for point, known in self.known(arm)
            if point.last and self._complete(point)
        ]
        return [
            point
            for point, own in scored
            if not any(
                all(a >= b for a, b in zip(other, own, strict=True)) and other != own
                for _, other in scored
            )
        ]

    def counts(self) -> Counter[str]:
        """Planned trials by status; a pruned point counts once, where it was stopped."""
        found: Counter[str] = Counter()
        for arm in self._points:
            for point in self.points(arm):
                found.update(self._status(point, trial) for trial in point.trials[point.level])
        planned = len(self._points) * self.file.trials * len(self.study.seeds)
        found["missing"] += planned - found.total()
        return +found

    def masked(self) -> tuple[Member, ...]:
        """The masked members of all trials that the space allows."""
        corners = self.study.corners()
        return tuple(dict.fromkeys(member for c in corners for member in c.masked()))

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
            self._outcomes[record.id] = self._outcome(point, record)

    def _outcome(self, point: Point, record: Record) -> _Outcome:
        readings = point.trials[0][0].configuration.variables()
        scores = {}
        for name in self.objectives:
            score = math.nan
            if record.status == "complete":
                score = float(tail_mean(record.curves[name].astype(np.float64)))
            scores[name] = score if math.isfinite(score) else worst(readings[name])
        return _Outcome(record.status, record.finished, scores)

    def _recover(self, text: str) -> None:
        """Add the point that has a trial of these settings, if there is one in the space.

        Candidates are read off the settings and proved by resolving them again, so that a record of
        another study, or of other shared settings, never passes for one of this search.
        """
        settings = json.loads(text)
        for arm in self._points:
            bundles = (axis.settings[i] for axis, i in zip(self.study.axes, arm, strict=True))
            if not all(_agrees(bundle, settings) for bundle in bundles):
                continue
            for values in self._candidates(settings, self.study.labels(arm)):
                point = self._point(arm, values)
                if any(trials[0].settings == text for trials in point.trials):
                    self._add(point)
                    return

    def _candidates(
        self, settings: Mapping[str, Any], arm: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        possible: list[list[Any]] = []
        for parameter in self.study.space:
            if isinstance(parameter, Range):
                value = _at(settings, parameter.name)
                possible.append([value] if parameter.holds(value) else [None])
            else:
                pairs = zip(parameter.labels, parameter.bundles, strict=True)
                possible.append([x for x, bundle in pairs if _agrees(bundle, settings)] or [None])
        for chosen in itertools.product(*possible):
            values: dict[str, Any] = {}
            for parameter, value in zip(self.study.space, chosen, strict=True):
                if parameter.active({**arm, **values}):
                    values[parameter.name] = value
            if None not in values.values():
                yield values

    # --- asked --------------------------------------------------------------------------------

    def ask(self, free_slots: int) -> list[Pack]:
        """Unfinished points first, then promotions, then new points, up to those in training."""
        self._slots = max(self._slots, free_slots)
        together = max(self.file.together, math.ceil(self._slots / len(self._points)))
        ready: list[tuple[Trial[Any], ...]] = []
        for arm in self._points:
            busy = 0
            for point in self.points(arm):
                lacking = tuple(t for t in point.trials[point.level] if self._is_missing(t))
                if lacking:
                    ready.append(lacking)
                busy += self._waiting(point)
            while busy < together:
                found = self._promoted(arm) or self._new(arm)
                if found is None:
                    break
                ready.append(found.trials[found.level])
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
        trials: list[Trial[Any]] = []
        for arm in self._points:
            labels, points = self.study.labels(arm), self.points(arm)
            trials += [t for p in points for t in p.trials[p.level] if self._is_missing(t)]
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
        known = tuple(known for _, known in self.known(arm, lies=True))
        learned = sum(not k.lie for k in known)
        sampler = self.file.sampler
        if sampler in ("tpe", "gp") and learned < self.file.startup:
            sampler = "random"
        for attempt in range(ATTEMPTS + RANDOM_ATTEMPTS):
            question = Question(
                space=self.study.space,
                arm=self.study.labels(arm),
                directions=tuple(self.objectives.values()),
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
        (direction,) = self.objectives.values()
        sign = 1.0 if direction == "maximize" else -1.0
        brackets: dict[tuple[int, ...], list[Point]] = {}
        for point in points:
            brackets.setdefault(point.rungs, []).append(point)
        for rungs, peers in brackets.items():
            for level in reversed(range(len(rungs) - 1)):
                known = {id(p): self._value_at(p, level) for p in peers if self._alive(p, level)}
                scores = {key: sign * v for key, v in known.items() if v is not None}
                promoted = [id(p) for p in peers if p.level > level]
                chosen = halving.promotable(scores, promoted, self.file.pruner.factor)
                yield from (p for key in chosen for p in peers if id(p) == key)

    def _last_resort(self, points: Sequence[Point]) -> Point | None:
        """The best point, if the budget is spent and no point has been trained to the end."""
        if any(point.last or self._waiting(point) for point in points):
            return None
        (direction,) = self.objectives.values()
        sign = 1.0 if direction == "maximize" else -1.0

        def standing(point: Point) -> tuple[int, float]:
            value = self._value_at(point, point.level)
            return point.rungs[point.level], -math.inf if value is None else sign * value

        return max((p for p in points if self._alive(p, p.level)), key=standing, default=None)

    def _packed(self, ready: Sequence[tuple[Trial[Any], ...]], slots: int) -> list[Pack]:
        """Packs of whole points, which wait for no other pack; at least one for each slot."""
        shapes: dict[str, list[tuple[Trial[Any], ...]]] = {}
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

    # --- what is known --------------------------------------------------------------------------

    def known(self, arm: Arm, lies: bool = False) -> list[tuple[Point, Known]]:
        """Points with values, in the order in which they were learned; then, if asked, lies."""
        points = self.points(arm)
        raw = {id(p): self._raw(p, p.level) for p in points}
        penalties = []
        for place, direction in enumerate(self.objectives.values()):
            finite = [v[place] for v in raw.values() if v is not None and math.isfinite(v[place])]
            pick = min if direction == "maximize" else max
            penalties.append(pick(finite, default=0.0))
        found: list[tuple[Point, Known]] = []
        for point in points:
            values = raw[id(point)]
            if values is None:
                continue
            filled = tuple(
                v if math.isfinite(v) else p for v, p in zip(values, penalties, strict=True)
            )
            rung = None if point.last else point.rungs[point.level]
            found.append((point, Known(point.values, filled, rung)))
        if found and lies:
            waiting = [point for point in points if raw[id(point)] is None]
            found += [(p, Known(p.values, tuple(penalties), lie=True)) for p in waiting]
        return found

    def _raw(self, point: Point, level: int) -> tuple[float, ...] | None:
        """Statistics over seeds by objective, NaN for a penalty; None if a seed is not recorded."""
        outcomes = [self._outcomes.get(trial.id) for trial in point.trials[level]]
        recorded = [outcome for outcome in outcomes if outcome is not None]
        if len(recorded) < len(outcomes):
            return None
        values = []
        for name in self.objectives:
            scores = [outcome.scores[name] for outcome in recorded]
            finite = all(map(math.isfinite, scores))
            values.append(float(STATISTICS[self.file.statistic](scores)) if finite else math.nan)
        return tuple(values)

    def _value_at(self, point: Point, level: int) -> float | None:
        """Value at a rung, for comparisons there: a penalty is worse than anything."""
        values = self._raw(point, level)
        if values is None:
            return None
        (direction,) = self.objectives.values()
        worst_of_all = -math.inf if direction == "maximize" else math.inf
        return values[0] if math.isfinite(values[0]) else worst_of_all

    def _learned(self, point: Point) -> float:
        """When the last seed of its first rung was recorded; infinite if one is missing."""
        outcomes = [self._outcomes.get(trial.id) for trial in point.trials[0]]
        return max((o.finished if o is not None else math.inf) for o in outcomes)

    def _recorded(self, point: Point) -> bool:
        return all(trial.id in self._outcomes for trial in point.trials[point.level])

    def _waiting(self, point: Point) -> bool:
        return not self._recorded(point)

    def _complete(self, point: Point) -> bool:
        outcomes = [self._outcomes.get(trial.id) for trial in point.trials[point.level]]
        return all(o is not None and o.status != "failed" for o in outcomes)

    def _alive(self, point: Point, level: int) -> bool:
        outcomes = [self._outcomes.get(trial.id) for trial in point.trials[level]]
        return any(o is not None and o.status == "complete" for o in outcomes)

    def _is_missing(self, trial: Trial[Any]) -> bool:
        return trial.id not in self._outcomes and trial.id not in self._in_flight

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
            own = whole if rung == steps else self.study.resolve(place, values, rung)
            trials.append(tuple(Trial(own, seed) for seed in self.study.seeds))
        return Point(arm, dict(values), rungs, tuple(trials))

    def _stream(self, arm: Arm) -> tuple[int, ...]:
        """Entropy of an arm's search, by the labels of the arm and not by their order."""
        text = canonical_json({name: str(x) for name, x in self.study.labels(arm).items()})
        digest = hashlib.sha256(text.encode()).digest()
        return (self.file.seed, int.from_bytes(digest[:8], "big"))


def _at(settings: Mapping[str, Any], path: str) -> Any:
    """The value at a key path; None if there is none."""
    value: Any = settings
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _agrees(bundle: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether resolved settings can have come from a bundle, which is a part of them."""

    def within(written: Any, resolved: Any) -> bool:
        if isinstance(written, str) and isinstance(resolved, Mapping):
            return written == resolved.get("name")
        if isinstance(written, Mapping) and isinstance(resolved, Mapping):
            return all(within(value, _at(resolved, key)) for key, value in written.items())
        return isinstance(written, list) or bool(written == resolved)

    return within(bundle, settings)
