"""Trials that hang, crash or take too much memory: found, recorded with their cause, and alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripted import Scripted
from tiny import Listed

from ganstudy.schedule.executor import ExecutorError
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.loop import Limits, train_packs
from ganstudy.trial import Record, Trial


def _script(folder: Path, seed: int, **settings: Any) -> Trial[Scripted]:
    return Trial(Scripted(folder=str(folder), **settings), seed)


def _train(pack: list[Trial[Scripted]], limits: Limits) -> dict[str, Record]:
    with LocalExecutor(1) as executor:
        parts = train_packs(Listed([tuple(pack)]), executor, limits=limits)
        return {record.id: record for part in parts for record in part}


@pytest.mark.slow
def test_a_trial_that_hangs_is_found(tmp_path: Path) -> None:
    """The pack is halved at the time limit; the record of the one at fault says where it hung."""
    other, bad = _script(tmp_path, 0), _script(tmp_path, 7, seconds=600.0)
    found = _train([bad, other], Limits(seconds=1.0))
    assert found[other.id].status == "complete"
    assert found[bad.id].status == "failed"
    assert "TimeLimit: more than 1 s" in found[bad.id].cause
    assert "scripted.py" in found[bad.id].cause


@pytest.mark.slow
def test_a_trial_that_takes_all_memory_is_found(tmp_path: Path) -> None:
    """An allocation beyond the limit fails in its own trial, and leaves the machine alone."""
    others = [_script(tmp_path, seed) for seed in range(2)]
    bad = _script(tmp_path, 7, action="allocate", gigabytes=3.0)
    found = _train([others[0], bad, others[1]], Limits(gigabytes=2.0))
    assert [found[trial.id].status for trial in others] == ["complete"] * 2
    assert found[bad.id].status == "failed"
    assert "MemoryError" in found[bad.id].cause
    fitting = _script(tmp_path, 8, action="allocate", gigabytes=0.1)
    assert _train([fitting], Limits(gigabytes=2.0))[fitting.id].status == "complete"


def test_workers_that_do_not_start_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not started for ever."""
    monkeypatch.setattr("ganstudy.schedule.executors.local._STARTS", 2)
    monkeypatch.setattr("ganstudy.schedule.executors.local.serve", _dies)
    with (
        LocalExecutor(1) as executor,
        pytest.raises(ExecutorError, match="exit code 3"),
    ):
        list(train_packs(Listed([(_script(Path(), 0),)]), executor))


def _dies(*_: object) -> None:
    raise SystemExit(3)
