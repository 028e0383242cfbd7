"""Seeds are added until the question is settled, for the arms that it is still open for."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.contest import Contest, Played, Standing, paired_differences, play
from ganstudy.engine.packing import packs
from ganstudy.score import trial_score
from ganstudy.search._base import Search
from ganstudy.study.until_settled import SettledSeeds
from ganstudy.trial import Trial

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.family import Member
    from ganstudy.kinds import Kind, Pack
    from ganstudy.study import Study
    from ganstudy.trial import Record

__all__ = ["Settled"]


class Settled(Search):
    """Seeds are added to arms that are not told apart from the leader, all settings of an arm.

    Records alone decide: the contest is played from its first seed whenever one lands, up to a look
    that lacks a record. So it does not matter in what order they come, whether a run was killed,
    or what other seeds are recorded already; with a larger `max` it goes on.
    """

    open_ended = True
    why_eager = "seeds are added in packs of too many sizes to compile"

    def __init__(self, study: Study) -> None:
        assert isinstance(study.keys, SettledSeeds)
        super().__init__(study)
        self.rules = study.keys.rules
        self._status: dict[str, str] = {}
        self._scores: dict[str, float] = {}
        self._in_flight: set[str] = set()
        self._played: Played | None = None

    @cached_property
    def _all(self) -> dict[tuple[int, ...], Trial[Kind]]:
        """Every trial that may be asked for."""
        return {
            (*index, number): Trial(configuration, seed)
            for index, configuration in self.study.points.items()
            for number, seed in enumerate(self.study.seeds)
        }

    @cached_property
    def _arm(self) -> int:
        """Which of the axes has the arms."""
        return [axis.dimension for axis in self.study.axes].index(self.study.compare)

    @property
    def contest(self) -> Contest:
        """The arms, as far as they are recorded."""
        arms = len(self.study.axes[self._arm].labels)
        scores = np.full((*(len(axis.labels) for axis in self.study.axes), self._most), np.nan)
        for place, trial in self._all.items():
            scores[place] = self._scores.get(trial.id, np.nan)
        scores = np.moveaxis(scores, self._arm, 0)
        whole = self._planned_for_all()
        shared = scores.reshape(arms, -1, self._most)[:, whole]
        return Contest(self.rules, arms, paired_differences(shared))

    @property
    def _most(self) -> int:
        return len(self.study.seeds)

    def _planned_for_all(self) -> NDArray[np.bool_]:
        """The settings that every arm has, which are compared."""
        points = np.zeros(tuple(len(axis.labels) for axis in self.study.axes), dtype=bool)
        for index in self.study.points:
            points[index] = True
        flat = np.moveaxis(points, self._arm, 0).reshape(points.shape[self._arm], -1)
        return np.asarray(flat.all(axis=0))

    @property
    def played(self) -> Played:
        """The seeds that each arm is to have, and what is known."""
        if self._played is None:
            arms = len(self.study.axes[self._arm].labels)
            recorded = np.ones((arms, self._most), dtype=bool)
            for place, trial in self._all.items():
                recorded[place[self._arm], place[-1]] &= trial.id in self._status
            self._played = play(self.contest, recorded)
        return self._played

    # --- trials ---------------------------------------------------------------------------------

    @property
    def trials(self) -> dict[tuple[int, ...], Trial[Kind]]:
        """Those of the seeds that each arm is to have by now."""
        seeds = self.played.seeds
        return {p: t for p, t in self._all.items() if p[-1] < seeds[p[self._arm]]}

    @property
    def statuses(self) -> dict[tuple[int, ...], str]:
        """The status of each trial's record."""
        return {place: self._status.get(t.id, "missing") for place, t in self.trials.items()}

    def counts(self) -> Counter[str]:
        """Trials that are known to be needed, by status."""
        ids = {trial.id for trial in self.trials.values()}
        return Counter(self._status.get(trial_id, "missing") for trial_id in ids)

    def masked(self) -> tuple[Member, ...]:
        """The masked members of all points."""
        configurations = self.study.points.values()
        return tuple(dict.fromkeys(member for c in configurations for member in c.masked()))

    # --- asked and told -------------------------------------------------------------------------

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of scores; a failed trial has none, and its pair is left out."""
        metric = self.study.score
        readings = {t.id: t.configuration.readings[metric] for t in self._all.values()}
        for record in records:
            self._in_flight.discard(record.id)
            if record.id in readings:
                reading = readings[record.id]
                sign = 1.0 if reading["direction"] == "higher" else -1.0
                self._status[record.id] = record.status
                curve = record.values.get(metric, np.empty(0))
                self._scores[record.id] = sign * trial_score(record.status, curve, reading)
                self._played = None

    def ask(self, free_slots: int) -> list[Pack]:
        """What the next look lacks, the seeds of all arms together."""
        parts = packs(
            self._missing(), max(free_slots, 1), self.study.file.engine.pack, per_worker=1
        )
        self.begin(parts)
        return parts

    def begin(self, parts: Iterable[Pack]) -> None:
        """Do not give these trials again while they are in training."""
        self._in_flight.update(trial.id for pack in parts for trial in pack)

    def outlook(self, slots: int) -> list[Pack]:
        """Packs of all that may still be needed: every arm that is open, to the last seed."""
        trials = self._missing()
        standing = self.played.standing
        if standing is None or not standing.settled:
            going = np.ones(len(self.played.seeds), bool) if standing is None else standing.active
            trials += [
                trial
                for place, trial in self._all.items()
                if going[place[self._arm]] and trial.id not in self._status
            ]
        return packs(trials, max(slots, 1), self.study.file.engine.pack)

    def _missing(self) -> list[Trial[Kind]]:
        done = self._status.keys() | self._in_flight
        return [trial for trial in self.trials.values() if trial.id not in done]

    # --- what the dataset holds -----------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Values of each axis, and as many seeds as the arm with the most has."""
        return (*super().shape[:-1], int(self.played.seeds.max()))

    @property
    def planned(self) -> NDArray[np.bool_]:
        """The seeds that each arm has; what an arm did not need is excluded."""
        found = np.zeros(self.shape, dtype=bool)
        for place in self.trials:
            found[place] = True
        return found

    def coordinates(self) -> dict[str, Any]:
        """Those of a grid, with the seeds that some arm has."""
        seeds = np.array(self.study.seeds[: self.shape[-1]])
        return {**super().coordinates(), "seed": (("seed",), seeds, {})}

    def attributes(self) -> dict[str, Any]:
        """The rules by which seeds are added."""
        return {"search": "settled", "settled_by": json.dumps(asdict(self.rules))}

    # --- what others read -----------------------------------------------------------------------

    def seeds_in_words(self) -> str:
        """How many there are at first and at most."""
        return (
            f"{self.rules.start} of each arm, then more for those that are not told apart from the "
            f"leader, at most {self.rules.most}"
        )

    def refusal(self, kept: Mapping[str, Any]) -> str:
        """Rules that cannot be changed once scores have been seen."""
        before = kept.get("seeds")
        if not isinstance(before, Mapping) or not self._status:
            return ""
        try:
            known = SettledSeeds.model_validate(before).rules
        except ValueError:
            return ""
        fixed = ["method", "equal_within"]
        if self.rules.method == "group_sequential":
            fixed += ["most", "start"]
        for name in fixed:
            was, now = getattr(known, name), getattr(self.rules, name)
            if was != now:
                key = {"most": "max"}.get(name, name)
                return (
                    f"seeds.{key} was {was} when these scores were first looked at, and is {now} "
                    f"now; {_WHY[name]}. Keep it, or start anew with --fresh"
                )
        return ""

    def sentences(self) -> list[str]:
        """What is settled, and how far the evidence on each open pair is."""
        seeds, standing = self.played.seeds, self.played.standing
        labels = [str(label) for label in self.study.axes[self._arm].labels]
        if standing is None:
            return [f"no look yet: the first is after {self.rules.start} seeds of every arm"]
        had = int(standing.seeds.max())
        done = "settled" if standing.settled else "open"
        leader = labels[standing.leader]
        said = [f"{done} after {had} seeds of at most {self.rules.most}; leader: {leader}"]
        contest = self.contest
        for pair, (first, second) in enumerate(contest.pairs):
            if standing.leader not in (first, second):
                continue
            name = f"{labels[first]} - {labels[second]}"
            number = int(min(standing.seeds[first], standing.seeds[second]))
            if standing.better[pair]:
                ahead = labels[first if standing.better[pair] > 0 else second]
                said.append(f"  {name}: {ahead} is better, told apart")
            elif standing.equal[pair]:
                said.append(f"  {name}: equal to within {self.rules.equal_within:g}")
            else:
                said.append(f"  {name}: open, {self._evidence(contest, pair, number, standing)}")
        if (seeds > standing.seeds).any():
            said.append(f"  in training: up to {int(seeds.max())} seeds")
        return said

    def _evidence(self, contest: Contest, pair: int, seeds: int, standing: Standing) -> str:
        """How far a pair is from being told apart, in words."""
        most, needed = contest.reached(pair, seeds), contest.needed(standing)
        after = f"after {seeds} seeds"
        if self.rules.method == "e_process":
            return f"evidence {math.exp(most):,.2g} of {math.exp(needed[-1]):,.0f} {after}"
        now = abs(contest.apart[pair, seeds - 1])
        return f"|z| {now:.2f} of {needed[seeds - 1]:.2f} {after}"


_WHY = {
    "method": "a method that is chosen by its outcome has no error rate",
    "equal_within": "a margin that is chosen by the scores has no error rate",
    "most": "the error of group_sequential is spent by a largest number that is fixed for good",
    "start": "the error of group_sequential is spent at looks that are fixed for good",
}
