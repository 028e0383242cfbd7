"""A grid: its trials are counted as their records land."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tiny import STUDY, trial, write_study

from ganstudy.search.grid import Grid
from ganstudy.study import load
from ganstudy.trial import Record


def test_counts_are_those_of_the_records(tmp_path: Path) -> None:
    """Told in any order, of one trial twice, of another study's, and of a trial of two places."""
    same = "again: {a: {critic.steps: 1}, b: {critic.steps: 1}}"
    text = STUDY.replace("critic.steps: [1, 2]", same)
    plan = Grid(load(write_study(tmp_path, text), kept=True))
    ids = list(dict.fromkeys(own.id for own in plan.trials.values()))
    assert len(ids) == len(plan.trials) / 2
    told = {own.id: own for own in plan.trials.values()}
    known: dict[str, str] = {}
    for place, status in [(3, "failed"), (0, "complete"), (3, "complete"), (1, "diverged")]:
        other = trial(99)
        plan.tell(
            Record(own.id, own.seed, own.settings, status, "eager", 0.0, 0.0)  # type: ignore[arg-type]
            for own in (told[ids[place]], other)
        )
        known[ids[place]] = status
        assert plan.counts() == Counter(known.get(own, "missing") for own in ids)
    assert plan.counts() == {"complete": 2, "diverged": 1, "missing": len(ids) - 3}
