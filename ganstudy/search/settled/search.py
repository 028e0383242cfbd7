"""Seeds are added until the question is settled, for the arms that it is still open for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.contest import Contest, Played, play
from ganstudy.engine.packing import packs
from ganstudy.search._planned import Planned
from ganstudy.search.settled import words
from ganstudy.search.settled.scoreboard import Scoreboard
from ganstudy.study.until_settled import SettledSeeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds import Kind, Pack
    from ganstudy.study import Study
    from ganstudy.trial import Record, Trial

__all__ = ["Settled"]


class Settled(Planned):
    """Seeds are added to arms that are not told apart from the leader, all settings of an arm.

    Records alone decide: the contest is played from its first seed whenever one lands, up to a look
    that lacks a record. So it does not matter in what order they come, whether a run was killed,
    or what other seeds are recorded already; with a larger `max` it continues from there.
    """

    open_ended = True
    why_eager = "seeds are added in packs of too many sizes to compile"

    def __init__(self, study: Study) -> None:
        assert isinstance(study.keys, SettledSeeds)
        super().__init__(study)
        self.rules = study.keys.rules
        self.board = Scoreboard(study, self.every)
        self._played: Played | None = None

    @property
    def contest(self) -> Contest:
        """The arms, as far as they are recorded."""
        return self.board.contest(self.rules)

    @property
    def played(self) -> Played:
        """The seeds that each arm is to have, and what is known."""
        if self._played is None:
            self._played = play(self.contest, self.board.recorded)
        return self._played

    # --- trials ---------------------------------------------------------------------------------

    @property
    def trials(self) -> dict[tuple[int, ...], Trial[Kind]]:
        """Those of the seeds that each arm is to have by now."""
        seeds, axis = self.played.seeds, self.study.arm_axis
        return {place: t for place, t in self.every.items() if place[-1] < seeds[place[axis]]}

    @property
    def to_come(self) -> set[str]:
        """Those of every seed: with an arm more, all wait for its first ones."""
        return self.ids

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of scores; a failed trial has none, and its pair is left out."""
        for record in records:
            if record.id in self.ids:
                self.recorded[record.id] = record.status
                self.board.note(record)
                self._played = None

    def ask(self, free_slots: int) -> list[Pack]:
        """What the next look lacks, the seeds of all arms together."""
        parts = packs(self.missing, max(free_slots, 1), self.pack_size, per_worker=1)
        self.begin(parts)
        return parts

    def outlook(self, slots: int) -> list[Pack]:
        """Packs of all that may still be needed: every arm that is open, to the last seed."""
        standing = self.played.standing
        going = np.ones(len(self.played.seeds), bool)
        if standing is not None:
            going = standing.active & (not standing.settled)
        due = self.trials
        trials = [
            trial
            for place, trial in self.every.items()
            if (going[place[self.study.arm_axis]] or place in due) and trial.id not in self.recorded
        ]
        return packs(trials, max(slots, 1), self.pack_size)

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
        return words.changed_rule(self.study.fixed, kept) if self.recorded else ""

    def sentences(self) -> list[str]:
        """What is settled, and how far the evidence on each open pair is."""
        labels = [str(label) for label in self.study.axes[self.study.arm_axis].labels]
        return words.progress(labels, self.contest, self.played)
