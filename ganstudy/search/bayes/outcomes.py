"""What a search knows of its points: the outcomes of their trials, and what those amount to."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.score import of_seeds, trial_score, worst
from ganstudy.search.bayes.objective import bounds
from ganstudy.search.bayes.samplers import Known

if TYPE_CHECKING:
    from ganstudy.kinds import Kind
    from ganstudy.search.bayes.keys import BayesKeys
    from ganstudy.search.bayes.point import Point
    from ganstudy.trial import Record, Trial

__all__ = ["Outcomes"]

UNKNOWN_VIOLATION = 1.0
"""What a sampler is told of a constraint on a value that is not finite, if no point breaks it."""


@dataclass(frozen=True)
class _Outcome:
    """What is kept of a record.

    measured  whether every metric that is sought has a value, or the trial none to measure
    """

    status: str
    finished: float
    measured: bool
    scores: Mapping[str, float] = field(default_factory=dict)


class Outcomes:
    """Outcomes of trials, and the values of points that follow from them.

    A value of a point is the study's statistic over the scores of its seeds. A trial that diverged
    or failed, or whose metric could not be measured, scores the worst bound of the metric; where
    that is infinite the value is NaN, breaks every constraint on it, and is told to samplers as the
    worst that is known.
    """

    def __init__(self, file: BayesKeys) -> None:
        self.objectives = dict(file.objective.metrics)
        self.constraints = bounds(file.constraints)
        self._statistic = file.statistic
        self._first_rung = None if file.pruner is None else file.pruner.first
        self._of: dict[str, _Outcome] = {}

    def note(self, point: Point, record: Record) -> None:
        """Take note of the record of one of a point's trials."""
        readings = point.trials[0][0].configuration.readings
        scores, measured = {}, True
        for name in self._metrics:
            curve = record.values.get(name, np.empty(0))  # a failed trial has none
            score = trial_score(record.status, curve, readings[name])
            measured &= record.status != "complete" or not math.isnan(score)
            scores[name] = score if math.isfinite(score) else worst(readings[name])
        self._of[record.id] = _Outcome(record.status, record.finished, measured, scores)

    def __contains__(self, trial: Trial[Kind]) -> bool:
        return trial.id in self._of

    # --- of one point -----------------------------------------------------------------------------

    def status(self, point: Point, trial: Trial[Kind]) -> str:
        """Of its record; `pruned` if the point was trained well and not to the end."""
        outcome = self._of.get(trial.id)
        if outcome is None:
            return "missing"
        return "pruned" if outcome.status == "complete" and not point.last else outcome.status

    def recorded(self, point: Point) -> bool:
        """Whether all seeds have a record at the point's rung."""
        return all(trial in self for trial in point.current)

    def finished(self, point: Point) -> bool:
        """Whether it is at its last rung, with all seeds recorded, none failed and all measured."""
        own = [self._of.get(trial.id) for trial in point.current]
        return point.last and all(o and o.status != "failed" and o.measured for o in own)

    def alive(self, point: Point, level: int) -> bool:
        """Whether a seed is complete at a rung."""
        own = [self._of.get(trial.id) for trial in point.trials[level]]
        return any(o is not None and o.status == "complete" for o in own)

    def learned(self, point: Point) -> float:
        """When the first record of it was made, of whatever seed and rung; infinite without one.

        Records that come later, as of seeds that a study is given then, leave it where it stands.
        """
        trials = itertools.chain.from_iterable(point.trials)
        known = (self._of[trial.id].finished for trial in trials if trial in self)
        return min(known, default=math.inf)

    def violation(self, point: Point) -> float:
        """By how much it breaks its constraints, summed; 0 if it keeps them, NaN if unknown."""
        values = self._values(point, point.level)
        return math.nan if values is None else self._total(values)

    def standing(self, point: Point, level: int) -> tuple[float, float] | None:
        """The better the higher, at a rung; None if a seed is not recorded.

        At a rung that the point has left it is of the seeds that it had there: a seed that the
        study was given later is trained where the point is now.

        Points that break constraints stand behind all that keep them, in the order of how much
        (Deb 2000); a value that is not finite is worse than any other.
        """
        values = self._values(point, level)
        if values is None:
            return None
        return -self._total(values), self._oriented(values)[0]

    # --- of the points of an arm --------------------------------------------------------------

    def known(
        self, points: Sequence[Point], lies: Sequence[Point] = ()
    ) -> list[tuple[Point, Known]]:
        """Points with values, in their order; then others that count as the worst of them.

        With a pruner one that is trained further has the value of the rung that it has reached. The
        rest stand at the first, and so do those that no seed is complete of: a sampler takes
        whoever was trained further for better.
        """
        told = [(p, self._last_values(p, p.level)) for p in points]
        told += [(p, self._last_values(p, p.level - 1)) for p in lies]
        found = [(p, self._told_at(p, at[0]), self._told(at[1])) for p, at in told if at]
        replaced = self._worst_known([vector for _, _, vector in found])
        split = len(self.objectives)

        def known(point: Point, vector: Sequence[float], **more: Any) -> Known:
            whole = tuple(
                v if math.isfinite(v) else w for v, w in zip(vector, replaced, strict=True)
            )
            return Known(point.values, whole[:split], whole[split:], **more)

        answers = [(point, known(point, vector, rung=rung)) for point, rung, vector in found]
        if answers:
            unknown = [point for point, at in told[len(points) :] if at is None]
            lie = {"rung": self._first_rung, "lie": True}
            answers += [(point, known(point, replaced, **lie)) for point in unknown]
        return answers

    def front(self, points: Sequence[Point]) -> list[Point]:
        """The Pareto front: finished points that keep the constraints and are not dominated.

        A value that is not finite is worse than any other; samplers are told the worst known.
        """
        scored = [
            (point, self._oriented(values))
            for point in points
            if (values := self._values(point, point.level)) is not None
            and self.finished(point)
            and self.violation(point) == 0
        ]
        return [
            point
            for point, own in scored
            if not any(
                all(a >= b for a, b in zip(other, own, strict=True)) and other != own
                for _, other in scored
            )
        ]

    # --- of values ----------------------------------------------------------------------------

    @property
    def _metrics(self) -> dict[str, None]:
        return dict.fromkeys([*self.objectives, *(c.metric for c in self.constraints)])

    def _at(self, point: Point, level: int) -> list[_Outcome] | None:
        """Outcomes of its seeds at a rung, or of those it had when it left it; None without."""
        outcomes = [self._of.get(trial.id) for trial in point.trials[level]]
        recorded = [outcome for outcome in outcomes if outcome is not None]
        left = level < point.level and recorded
        return recorded if left or len(recorded) == len(outcomes) else None

    def _values(self, point: Point, level: int) -> dict[str, float] | None:
        """Statistic over seeds by metric, NaN if it is not finite; None if a seed is missing."""
        recorded = self._at(point, level)
        if recorded is None:
            return None
        return {
            name: of_seeds(self._statistic, [outcome.scores[name] for outcome in recorded])
            for name in self._metrics
        }

    def _oriented(self, values: Mapping[str, float]) -> list[float]:
        """Values of the objectives, the better the higher; those that are not finite below all."""
        signs = {"maximize": 1.0, "minimize": -1.0}
        return [
            signs[direction] * values[name] if math.isfinite(values[name]) else -math.inf
            for name, direction in self.objectives.items()
        ]

    def _last_values(self, point: Point, level: int) -> tuple[int, dict[str, float]] | None:
        """Its values at the last rung that has any, up to this one, and which that is."""
        for rung in range(level, -1, -1):
            if (values := self._values(point, rung)) is not None:
                return rung, values
        return None

    def _told_at(self, point: Point, level: int) -> int | None:
        """The M-steps after which a sampler is told that it was stopped; None at the end."""
        if not self.alive(point, level):
            return self._first_rung
        return None if level == len(point.rungs) - 1 else point.rungs[level]

    def _total(self, values: Mapping[str, float]) -> float:
        broken = (
            constraint.violation(values[constraint.metric]) for constraint in self.constraints
        )
        return sum((max(v, 0.0) if math.isfinite(v) else math.inf for v in broken), 0.0)

    def _told(self, values: Mapping[str, float]) -> list[float]:
        """Values of the objectives, then violations, which are negative where there is room."""
        return [
            *(values[name] for name in self.objectives),
            *(constraint.violation(values[constraint.metric]) for constraint in self.constraints),
        ]

    def _worst_known(self, vectors: Sequence[Sequence[float]]) -> list[float]:
        """What stands for a number that is not known, at each place of `_told`."""
        found = []
        directions = [*self.objectives.values(), *("minimize" for _ in self.constraints)]
        for place, direction in enumerate(directions):
            finite = [vector[place] for vector in vectors if math.isfinite(vector[place])]
            extreme = (min if direction == "maximize" else max)(finite, default=0.0)
            if place >= len(self.objectives) and extreme <= 0:
                extreme = UNKNOWN_VIOLATION
            found.append(extreme)
        return found
