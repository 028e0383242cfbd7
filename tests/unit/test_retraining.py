"""What `ganstudy retry` trains once more."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from inline import trained_inline
from searched import study_of
from stored import made_up
from tiny import STUDY, differences, stopping_at, trial, write_study
from unrendered import unrendered

from ganstudy import open_run, pipeline
from ganstudy.cause import cleaned
from ganstudy.cli import main
from ganstudy.engine import pace
from ganstudy.engine.checkpoints import Checkpoints, Stopped
from ganstudy.engine.session import Session
from ganstudy.existing import reopen
from ganstudy.kinds.adversarial.training import train
from ganstudy.metrics.mode_kl import ModeKL
from ganstudy.metrics.modes_covered import ModesCovered
from ganstudy.progress import Progress
from ganstudy.retraining import Retry, keep
from ganstudy.search import search_of
from ganstudy.store import RunDirectory, gather
from ganstudy.study import load
from ganstudy.trial import Record

TWO_METRICS = STUDY.replace("samples: 32}", "samples: 32, metrics: [mode_kl, modes_covered]}")

SEARCHED = TWO_METRICS.replace(
    "  grid:\n    divergence: [minimax, wasserstein]\n    critic.steps: [1, 2]\n",
    "  bayes:\n    space: {generator.lr: {low: 1.0e-4, high: 1.0e-2}}\n    trials: 3\n"
    "    sampler: random\n    objective: {minimize: mode_kl}\n    repeats: 2\n    fresh: 1\n",
)
"""Two searches of three points, of which one has a trial more."""


@pytest.mark.slow
def test_trials_that_lack_a_metric_are_trained_again_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A metric that could not be measured, for want of memory perhaps, left a gap for ever."""
    monkeypatch.setattr(pipeline, "report", lambda *_: None)
    run = RunDirectory(tmp_path / "run")

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
            pipeline.run(load(write_study(tmp_path, TWO_METRICS)), run.path, workers=1)
        before = {own.id: own for own in run.read()}
        assert {own.status for own in before.values()} == {"complete"}
        assert retried() == len(before)
        assert retried("--metrics") == 0
    for own in run.read():
        assert np.isfinite(own.values["modes_covered"]).all()
        assert differences(own, before[own.id]) == ["modes_covered"]
        assert own.finished == before[own.id].finished


@pytest.fixture
def lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A run with films of three frames, all of whose trials lack one of two metrics."""
    monkeypatch.setattr(pipeline, "report", lambda *_: None)
    asked = load(write_study(tmp_path, TWO_METRICS), [*FEW, "trial.record.frames=3"])
    with trained_inline(), monkeypatch.context() as patch:
        patch.setattr(ModesCovered, "compute", _broken)
        pipeline.run(asked, tmp_path / "run", workers=1)
    return RunDirectory(tmp_path / "run")


FEW = ("search.grid={divergence: [minimax, non_saturating]}", "seeds=1")


def _broken(*_: Any) -> None:
    raise MemoryError("not today\nbut perhaps tomorrow")


def _retry(run: RunDirectory, *overrides: str) -> None:
    asked = run.read_study(overrides, to_train=True)
    with trained_inline():
        pipeline.run(asked, run.path, workers=1, retry=Retry(metrics=True))


def test_a_retry_loses_no_metric_and_no_film(
    lacking: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another metric was wanting this time, and the whole record was replaced; with no frames asked
    for, the film went with it.
    """
    before = {own.id: own for own in lacking.read()}
    assert all(len(own.values["frame_step"]) == 3 for own in before.values())
    with monkeypatch.context() as patch:
        patch.setattr(ModeKL, "compute", _broken)
        _retry(lacking, "trial.record.frames=0")
    for own in lacking.read():
        assert own.cause == ""
        assert np.isfinite(own.values["modes_covered"]).all()
        assert differences(own, before[own.id]) == ["modes_covered"]


def test_what_lacks_a_generator_and_a_metric_is_trained_once(lacking: RunDirectory) -> None:
    """Whichever is asked for: each of them lacks both."""
    asked = lacking.read_study(["trial.record.generator=true"], to_train=True)
    search = search_of(asked)
    search.tell(lacking.read("curves"))
    for asked_for in (
        {"generators": True},
        {"metrics": True},
        {"generators": True, "metrics": True},
    ):
        parts = Retry(**asked_for).parts(lacking, search, 2)
        ids = [own.id for pack in parts for own in pack]
        assert sorted(ids) == sorted(own.id for own in lacking.read())


def test_a_metric_that_neither_has_stays_told(
    lacking: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no other."""
    with monkeypatch.context() as patch:
        for metric in (ModeKL, ModesCovered):
            patch.setattr(metric, "compute", _broken)
        _retry(lacking)
    for own in lacking.read():
        assert own.cause.startswith("metric modes_covered: MemoryError: not today")
        assert "mode_kl" not in own.cause
        assert np.isfinite(own.values["mode_kl"]).all()


@pytest.mark.slow
def test_results_stay_where_other_arithmetic_lacks_a_metric_of_theirs(
    lacking: RunDirectory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They are of other bits, which nothing can be put together of."""
    for own in [*lacking.read()]:
        lacking.write([replace(own, seconds=1000.0)], {own.id})
    before, took = {own.id: own for own in lacking.read()}, list[float]()
    monkeypatch.setattr("ganstudy.engine.arithmetic.described", lambda *_: "torch 1.0")
    with monkeypatch.context() as patch:
        patch.setattr(ModeKL, "compute", _broken)
        patch.setattr(pace.Trained, "add", lambda *own: took.append(own[-1]))
        _retry(lacking)
    assert 0.0 < max(took) < 1000.0  # of this machine, not of that which has made what stays
    assert caplog.text.count("mode_kl could not be measured this time; its results stay") == 2
    assert all(differences(own, before[own.id]) == [] for own in lacking.read())
    _retry(lacking, "trial.record.frames=0")
    assert caplog.text.count("its film is of another arithmetic, and is dropped") == 2
    assert {own.arithmetic for own in lacking.read()} == {"torch 1.0"}
    assert not any(own.cause for own in lacking.read())


NAN = math.nan


def _kept(folder: Path, *made: tuple[list[float], dict[str, Any]]) -> Record:
    """What is kept of an earlier record and a new one, of some curve and with more of their own."""
    plain = made_up(trial(record={"metrics": ["mode_kl", "modes_covered"]}))
    earlier, new = (
        replace(plain, values=plain.values | {"mode_kl": np.array(curve, np.float32)}, **more)
        for curve, more in made
    )
    directory = RunDirectory(folder / "run")
    directory.records.mkdir(parents=True)
    directory.write([earlier])
    keep(directory, [new], {new.id})
    (found,) = directory.read()
    return found


@pytest.mark.parametrize(
    ("before", "now", "diverged_at", "told"),
    [
        ([1, NAN, 3], [NAN, 2, 3], NAN, False),
        ([1, NAN, NAN], [NAN, 2, NAN], 5.0, False),
        ([1, NAN, NAN], [NAN, 2, NAN], NAN, True),
    ],
)
def test_a_metric_that_two_records_make_whole_is_not_wanting(
    tmp_path: Path, before: list[float], now: list[float], diverged_at: float, told: bool
) -> None:
    """Each lacked other steps of it; where a trial has diverged none is asked for."""
    more = {"cause": "metric mode_kl: MemoryError: not today", "diverged_at": diverged_at}
    found = _kept(tmp_path, (before, more), (now, more))
    assert found.values["mode_kl"][:2].tolist() == [1, 2]
    assert bool(found.cause) == told


@pytest.mark.parametrize(
    ("curve", "lacked", "lacks"),
    [
        ([1, 2, 3], "modes_covered", {"modes_covered": 5_000, "mode_kl": 20_000}),
        ([1, NAN, 3], "mode_kl", {"mode_kl": 10}),
    ],
)
def test_numbers_stay_where_other_arithmetic_has_none(
    tmp_path: Path, curve: list[float], lacked: str, lacks: dict[str, int]
) -> None:
    """Its cause was so long that the metric's name was cut from it, or named what lacked before."""
    causes = (
        "\n".join(f"metric {name}: {'x' * length}" for name, length in own.items())
        for own in ({lacked: 10}, lacks)
    )
    before, now = ({"cause": cleaned(own)} for own in causes)
    found = _kept(tmp_path, (curve, before), ([NAN] * 3, now | {"arithmetic": "torch 1.0"}))
    assert found.arithmetic == ""
    assert found.values["mode_kl"][0] == 1


def test_films_of_two_lengths_are_kept_side_by_side(
    lacking: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of a trial whose results stay, and another one of its pack."""
    compute, together = ModeKL.compute, [0]

    def of_the_second(self: ModeKL, samples: Any, target: Any) -> Any:
        together.append(len(samples))
        if max(together[-2:]) > 1:
            raise MemoryError("not today")
        return compute(self, samples, target)

    monkeypatch.setattr("ganstudy.engine.arithmetic.described", lambda *_: "torch 1.0")
    monkeypatch.setattr(ModeKL, "compute", of_the_second)
    _retry(lacking, "trial.record.frames=2")
    found = {len(own.values["frame_step"]): own.arithmetic for own in lacking.read()}
    assert found.keys() == {2, 3}
    assert found[2] == "torch 1.0" != found[3]


@pytest.mark.slow
def test_points_of_a_search_keep_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of a retry had those that were trained again last, and the next one where they were.

    Here every third trial has lacked a metric.
    """
    monkeypatch.setattr(pipeline, "report", gather)
    run, compute = RunDirectory(tmp_path / "run"), ModesCovered.compute

    def at_times(*arguments: Any) -> Any:
        if len(run.recorded()) % 3 == 0:
            raise MemoryError("not today")
        return compute(*arguments)

    asked = load(write_study(tmp_path, SEARCHED), ["engine.pack=1", "seeds=1"])
    with trained_inline():
        with monkeypatch.context() as patch:
            patch.setattr(ModesCovered, "compute", at_times)
            pipeline.run(asked, run.path, workers=1)
        before = open_run(run.path).load()
        assert 0 < sum(own.unmeasured for own in run.entries().values()) < len(run.entries())
        pipeline.run(asked, run.path, workers=1, retry=Retry(metrics=True))
    retried = open_run(run.path).load()
    assert not any(own.unmeasured for own in run.entries().values())
    gather(*reopen(run.path))
    xr.testing.assert_identical(retried, open_run(run.path))
    xr.testing.assert_equal(retried["trial_id"], before["trial_id"])


def test_a_pack_in_flight_keeps_its_checkpoint_while_others_land(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of trials that are trained again all are recorded: the first to land took those of all."""
    monkeypatch.setattr(pipeline, "report", lambda *_: None)
    run, seen = RunDirectory(tmp_path / "run"), set[tuple[int, int]]()

    def broken(*_: Any) -> None:
        raise MemoryError("not today")

    def observe(progress: Progress) -> None:
        seen.add((progress.trained, len(list(run.checkpoints.glob("*.checkpoint")))))

    few = ["engine.pack=1", "search.grid={divergence: [minimax, wasserstein]}", "seeds=1"]
    asked = load(write_study(tmp_path, TWO_METRICS), few)
    with trained_inline():
        with monkeypatch.context() as patch:
            patch.setattr(ModesCovered, "compute", broken)
            pipeline.run(asked, run.path, workers=1)
        for own in reopen(run.path)[1].trials.values():
            with stopping_at(3), pytest.raises(Stopped):
                train([own], Session(checkpoints=Checkpoints(run.checkpoints)))
        pipeline.run(asked, run.path, workers=1, retry=Retry(metrics=True), observe=observe)
    assert seen == {(0, 2), (1, 1), (2, 0)}


def test_a_retry_that_was_interrupted_continues_in_its_packs(tmp_path: Path) -> None:
    """They were cut anew from what was left: parts of two packs together began from zero."""
    study = load(write_study(tmp_path), ["search.grid={divergence: [minimax]}", "seeds=9"])
    search, run = search_of(study), RunDirectory(tmp_path / "run")
    trials = [*search.trials.values()]
    with run.locked():
        run.write_study(search)
        run.write([made_up(own, "failed") for own in trials])
    search.tell(run.read("curves"))
    flying = [tuple(trials[:3]), tuple(trials[3:5])]
    for pack in flying:
        with stopping_at(3), pytest.raises(Stopped):
            train(pack, Session(checkpoints=Checkpoints(run.checkpoints)))
    first, second, *others = Retry().parts(run, search, 4)
    assert {first, second} == {*flying}
    assert sorted(own.seed for pack in others for own in pack) == [5, 6, 7, 8]


def test_no_checkpoint_is_left_when_nothing_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search may choose other points after an interruption: those in flight were nobody's. What
    a grid has in flight are trials of more seeds than are asked for now.
    """
    monkeypatch.setattr(pipeline, "report", lambda *_: None)
    run = RunDirectory(tmp_path / "run")
    grid = load(write_study(tmp_path), ["search.grid={divergence: [minimax]}", "seeds=1"])
    few = ["trial.steps=10", "search.bayes.trials=1", "seeds=1"]
    search = study_of(tmp_path, *few, "search.grid={divergence: [minimax]}")
    for study, kept in ((grid, 1), (search, 0)):
        run = RunDirectory(tmp_path / f"run of {kept}")
        with trained_inline():
            pipeline.run(study, run.path, workers=1)
            with stopping_at(3), pytest.raises(Stopped):
                train([trial(77)], Session(checkpoints=Checkpoints(run.checkpoints)))
            pipeline.run(study, run.path, workers=1)
        assert len(list(run.checkpoints.glob("*.checkpoint"))) == kept


@pytest.mark.slow
def test_a_retry_changes_no_trial_and_no_question(tmp_path: Path) -> None:
    """It made a page of a study that study.yaml did not know, half of it missing."""
    with trained_inline(), unrendered():
        asked = load(
            write_study(tmp_path), ["search.grid={divergence: [minimax, hinge]}", "seeds=1"]
        )
        pipeline.run(asked, tmp_path / "run", workers=1)
        run = RunDirectory(tmp_path / "run")

        def kept() -> dict[Path, bytes]:
            return {own: own.read_bytes() for own in run.path.rglob("*") if own.is_file()}

        before = kept()
        for override in (
            *("seeds=2", "compare=divergence", "score=mode_kl", "answer=ranking", "question=what?"),
            *("trial.generator.lr=0.1", "trial.record={samples: 16}", "trial.record.samples=16"),
        ):
            refused = CliRunner().invoke(main, ["retry", str(run.path), override])
            assert refused.exit_code == 2, override
            assert f"{override}: changes more than" in refused.output
        assert kept() == before
        changed = CliRunner().invoke(
            main,
            ["retry", str(run.path), "--workers", "1", "engine.pack=1", "trial.record.frames=3"],
        )
        assert changed.exit_code == 0, changed.output
    found = load(run.study).file
    assert (found.engine.pack, found.trial["record"]["frames"]) == (1, 3)
