"""Scores of trials as they land, put together as the contest of the arms sees them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.contest import Contest, StoppingRules, paired_differences
from ganstudy.score import trial_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds import Kind
    from ganstudy.study import Study
    from ganstudy.trial import Record, Trial

__all__ = ["Scoreboard"]


class Scoreboard:
    """The scores of a study's trials, the higher the better.

    scores  by the trial's id; NaN of a trial that failed, whose pair is left out
    """

    def __init__(self, study: Study, trials: Mapping[tuple[int, ...], Trial[Kind]]) -> None:
        self.study = study
        self.trials = trials
        self.scores: dict[str, float] = {}

    def note(self, record: Record) -> None:
        """Take note of the score of a record of one of the trials."""
        metric = self.study.score
        reading = self._readings[record.id]
        sign = 1.0 if reading["direction"] == "higher" else -1.0
        curve = record.values.get(metric, np.empty(0))
        self.scores[record.id] = sign * trial_score(record.status, curve, reading)

    def contest(self, rules: StoppingRules) -> Contest:
        """The arms, as far as they are recorded; over the settings that every arm has."""
        scores = np.full((*self._shape, len(self.study.seeds)), np.nan)
        for place, trial in self.trials.items():
            scores[place] = self.scores.get(trial.id, np.nan)
        by_arm = self._by_arm(scores, scores.shape[-1])
        return Contest(rules, len(by_arm), paired_differences(by_arm[:, self._shared]))

    @property
    def recorded(self) -> NDArray[np.bool_]:
        """Whether all trials of an arm with a seed are recorded, `(arms, seeds)`."""
        axis = self.study.arm_axis
        found = np.ones((self._shape[axis], len(self.study.seeds)), dtype=bool)
        for place, trial in self.trials.items():
            found[place[axis], place[-1]] &= trial.id in self.scores
        return found

    @cached_property
    def _readings(self) -> dict[str, Mapping[str, Any]]:
        return {t.id: t.configuration.readings[self.study.score] for t in self.trials.values()}

    @property
    def _shape(self) -> tuple[int, ...]:
        return tuple(len(axis.labels) for axis in self.study.axes)

    @property
    def _shared(self) -> NDArray[np.bool_]:
        """The settings that every arm has, which are compared."""
        points = np.zeros(self._shape, dtype=bool)
        for index in self.study.points:
            points[index] = True
        return np.asarray(self._by_arm(points).all(axis=0))

    def _by_arm(self, values: NDArray[Any], *rest: int) -> NDArray[Any]:
        """Arms first, then all settings in one axis."""
        moved = np.moveaxis(values, self.study.arm_axis, 0)
        return moved.reshape(len(moved), -1, *rest)
