"""What `ganstudy retry` trains once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from inline import trained_inline
from tiny import STUDY, differences, write_study

from ganstudy import pipeline
from ganstudy.cli import main
from ganstudy.metrics.modes_covered import ModesCovered
from ganstudy.store import RunDirectory
from ganstudy.study import load


def test_trials_that_lack_a_metric_are_trained_again_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A metric that could not be measured, for want of memory perhaps, left a gap for ever."""
    monkeypatch.setattr(pipeline, "report", lambda *_: None)
    run = RunDirectory(tmp_path / "run")
    text = STUDY.replace("samples: 32}", "samples: 32, metrics: [mode_kl, modes_covered]}")

    def broken(*_: Any) -> None:
        raise MemoryError("not today")

    def told(*arguments: str) -> str:
        result = CliRunner().invoke(main, [*arguments])
        assert result.exit_code == 0, result.output
        return result.output

    def retried(*arguments: str) -> int:
        output = told("retry", str(run.path), "--workers", "1", *arguments)
        lacking = sum(bool(own.cause) for own in run.read())
        for said in (output, *(told("status", str(own)) for own in (run.path, tmp_path))):
            assert (f"{lacking} trials lack a metric" in said) == bool(lacking)
            assert (f"`ganstudy retry {run.path} --metrics`" in said) == bool(lacking)
        return lacking

    with trained_inline():
        with monkeypatch.context() as patch:
            patch.setattr(ModesCovered, "compute", broken)
            pipeline.run(load(write_study(tmp_path, text)), run.path, workers=1)
        before = {own.id: own for own in run.read()}
        assert {own.status for own in before.values()} == {"complete"}
        assert retried() == len(before)
        assert retried("--metrics") == 0
    for own in run.read():
        assert np.isfinite(own.values["modes_covered"]).all()
        assert differences(own, before[own.id]) == ["modes_covered"]
        assert own.finished == before[own.id].finished
