"""Searches without training: a study, records that are made up, and a peak to find."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tiny import write_study

from ganstudy.search import Search
from ganstudy.search.bayes import Bayes
from ganstudy.study import Study, load
from ganstudy.trial import Record, Trial
from ganstudy.variable import STEP

TEXT = """\
question: Where is the optimum?
trial:
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 90
  batch: 16
  record: {every: 10, samples: 16}
search:
  bayes:
    space:
      generator.lr: {low: 1e-5, high: 1e-1, log: true}
      critic.lr: {low: 1e-5, high: 1e-1, log: true}
      critic.steps: {low: 1, high: 8}
      constraint: [none, clip]
      constraint.bound: {low: 0.01, high: 1.0, log: true, when: {constraint: clip}}
      size: {small: {batch: 8}, large: {batch: 32, critic.width: 8}}
    trials: 12
    startup: 4
    objective: {maximize: modes_covered}
  grid: {divergence: [minimax, reverse_kl]}
seeds: 2
"""

Score = Callable[[Trial[Any]], float]


def peak(trial: Trial[Any]) -> float:
    """Eight modes at learning rates 1e-2 and 1e-4 and three D-steps, with a little noise."""
    own = trial.configuration
    distance = abs(math.log10(own.generator.lr) + 2) + abs(math.log10(own.critic.lr) + 4)
    noise = np.random.default_rng(trial.seed).normal() * 0.05
    return max(0.0, 8 - distance - 0.3 * abs(own.critic.steps - 3) + noise)


READ: dict[tuple[str, ...], Study] = {}


def study_of(folder: Path, *overrides: str, text: str = TEXT) -> Study:
    """A study, written into a folder. Nothing changes one that is read, and points of its space are
    tried out as it is: once for all tests.
    """
    path = write_study(folder, text)
    if (text, *overrides) not in READ:
        READ[text, *overrides] = load(path, overrides)
    return READ[text, *overrides]


def bayes(folder: Path, *overrides: str, text: str = TEXT) -> Bayes:
    """The search of a study, told nothing."""
    return Bayes(study_of(folder, *overrides, text=text))


def made_up(trial: Trial[Any], value: float = 0.0, status: Any = "complete") -> Record:
    """A record with flat curves, without training."""
    every, last = trial.configuration.record.every, trial.configuration.steps
    steps = np.arange(every, last + 1, every)
    stated = trial.configuration.variables() if status != "failed" else ()
    curves = [own for own in stated if own.dims == ("step",)]
    left = value if status == "complete" else math.nan
    return Record(
        id=trial.id,
        seed=trial.seed,
        settings=trial.settings,
        status=status,
        program="eager",
        diverged_at=math.nan,
        seconds=0.0,
        values={own.name: np.full(len(steps), left, np.float32) for own in curves}
        | {"step": steps},
        variables={own.name: own for own in (STEP, *curves)},
    )


def search(
    own: Search, score: Score = peak, status: Callable[[Trial[Any]], str] = lambda trial: "complete"
) -> Iterator[Record]:
    """Ask for one slot at a time and tell at once, until the search has no more questions."""
    while parts := own.ask(1):
        for pack in parts:
            records = [made_up(t, score(t), status(t)) for t in pack]
            own.tell(records)
            yield from records


def points(own: Bayes) -> list[list[dict[str, Any]]]:
    """The values of all points, by arm."""
    return [[dict(point.values) for point in own.points(arm)] for arm in own.study.points]
