"""Local workers and the whole walk, when things go wrong and when they are done again."""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result
from inline import trained_inline
from processes import running
from scripted import Scripted, attempts, scripted
from tiny import STUDY, Listed, write_study
from unrendered import unrendered
from waiting import wait_until

from ganstudy import open_run, pipeline, retraining
from ganstudy.cli import main
from ganstudy.engine.session import Session
from ganstudy.kinds.adversarial.training import train
from ganstudy.progress import Progress
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.loop import TRIES, Resumed, train_packs
from ganstudy.search import search_of
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory
from ganstudy.study import load
from ganstudy.trial import Record, Trial


def _train(packs: list[tuple[Trial[Scripted], ...]], workers: int = 2) -> dict[str, Record]:
    """Records by trial id; each trial has exactly one."""
    with LocalExecutor(workers) as executor:
        found = [record for part in train_packs(Listed(packs), executor) for record in part]
    planned = Counter(trial.id for pack in packs for trial in pack)
    assert Counter(record.id for record in found) == planned
    return {record.id: record for record in found}


@pytest.mark.slow
def test_a_trial_that_raises_fails_alone(tmp_path: Path) -> None:
    """Its pack is halved until it stands alone; the record holds its traceback."""
    pack = [scripted(tmp_path, seed) for seed in range(5)]
    bad = scripted(tmp_path, 7, action="raise")
    found = _train([(*pack[:3], bad, *pack[3:])], workers=1)
    assert [found[trial.id].status for trial in pack] == ["complete"] * 5
    record = found[bad.id]
    assert record.status == "failed"
    assert "ArithmeticError: told to fail with seed 7" in record.cause
    assert "scripted.py" in record.cause
    assert (record.id, record.seed, record.settings) == (bad.id, 7, bad.settings)
    assert "samples" not in record.values


@pytest.mark.slow
def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """A worker that dies once, as from a full memory, costs nothing but time."""
    packs = [
        (scripted(tmp_path, 0, action="kill once"), scripted(tmp_path, 1)),
        *((scripted(tmp_path, 10 + i),) for i in range(3)),
    ]
    assert {record.status for record in _train(packs, workers=1).values()} == {"complete"}


@pytest.mark.slow
def test_a_trial_that_kills_its_worker_fails_and_no_other_does(tmp_path: Path) -> None:
    """After three deaths; trials that happen to run beside it are not blamed for it."""
    killer = scripted(tmp_path, 0, action="kill", seconds=0.2)
    beside = scripted(tmp_path, 1, seconds=1.0)
    others = [scripted(tmp_path, 2 + i) for i in range(3)]
    found = _train([(killer,), (beside,), tuple(others)])
    assert found[killer.id].status == "failed"
    assert f"tried {TRIES} times" in found[killer.id].cause
    assert "SIGKILL" in found[killer.id].cause
    assert found[beside.id].status == "complete"
    assert {found[trial.id].status for trial in others} == {"complete"}
    assert attempts(killer) == TRIES


@pytest.mark.slow
def test_a_worker_that_compiles_leaves_no_semaphore() -> None:
    """torch's compiler counts with tqdm, which locks with a semaphore of the system by default."""
    from torch.hub import tqdm

    from ganstudy.kinds.adversarial.program import program

    program("compiled", "cpu")
    assert isinstance(tqdm.get_lock(), type(threading.RLock()))


@pytest.mark.slow
def test_a_worker_may_die_while_records_are_written(tmp_path: Path) -> None:
    """The death is noticed when the next pack is handed out, and does not end the run."""
    packs = [
        (scripted(tmp_path, 0, seconds=0.2),),
        (scripted(tmp_path, 1, action="kill once", seconds=0.8),),
        *((scripted(tmp_path, 2 + i),) for i in range(2)),
    ]
    found: list[Record] = []
    with LocalExecutor(2) as executor:
        workers = psutil.Process().children(recursive=True)
        # A worker that is ready late would get its pack only after the records of the first.
        while executor.room() < 2:
            executor.wait(0.2)
        for part in train_packs(Listed(packs), executor):
            if not found:
                wait_until(lambda: not all(map(running, workers)))
            found += part
    assert Counter(r.id for r in found) == Counter(t.id for pack in packs for t in pack)
    assert {record.status for record in found} == {"complete"}


# --- the whole walk ------------------------------------------------------------------------------

ABSURD = STUDY.replace(
    "    critic.steps: [1, 2]",
    "    size: {s: {}, absurd: {generator: {width: 65536, depth: 2}}}",
).replace("seeds: 2", "seeds: 1\nengine: {program: eager}")
"""Half of its trials would take 17 GB."""


def _train_unless_absurd(trials: Sequence[Trial[Any]], session: Session) -> list[Record]:
    """As a worker does that may take less, which the process of a test may not be told."""
    if any(trial.configuration.generator.width == 65536 for trial in trials):
        raise MemoryError("17 GB")
    return train(trials, session)


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the figures, which take longer than the training."""

    def build(dataset: Any, provenance: Any, destination: Path, press: Any) -> Path:
        return destination / "index.html"

    monkeypatch.setattr("ganstudy.report.build", build)


@pytest.fixture
def inline() -> Iterator[None]:
    """Train without the seconds that a worker takes to start."""
    with trained_inline():
        yield


def _run(study: Path, out: Path, *more: str) -> Result:
    return CliRunner().invoke(
        main, ["run", str(study), *more, "--out", str(out), "--workers", "1", "--json"]
    )


def _answer(result: Result) -> dict[str, Any]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_the_walk_end_to_end(tmp_path: Path) -> None:
    """From a study file to a page that states its question, by the pipeline alone."""
    study = load(write_study(tmp_path), ["search.grid.critic.steps=[1]"])
    seen: list[tuple[int, int]] = []
    with trained_inline(), unrendered() as figures:
        progress = pipeline.run(
            study,
            tmp_path / "run",
            workers=1,
            observe=lambda p: seen.append((p.trained, p.planned)),
        )
    assert progress.done == {"complete": 4}
    assert progress.trial_steps == 4 * 6
    assert seen[0] == (0, 4)
    assert seen[-1] == (4, 4)
    page = (tmp_path / "run" / "report" / "index.html").read_text(encoding="utf-8")
    assert "Which divergence keeps all modes?" in page
    assert figures
    for name in ("minimax", "wasserstein"):
        assert name in page
    assert (tmp_path / "run" / "environment.json").is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
def test_only_what_is_missing_is_trained(tmp_path: Path) -> None:
    """Run, run again, extend, shrink: each trial is trained once."""
    with trained_inline():
        _extend_and_shrink(tmp_path)


def _extend_and_shrink(tmp_path: Path) -> None:
    study, out = write_study(tmp_path), tmp_path / "run"
    first = _run(study, out)
    assert first.exit_code == 0
    assert _answer(first)["trained"] == 8
    assert _answer(first)["status"] == {"complete": 8}
    before = {record.id: record for record in RunDirectory(out).read()}

    again = _run(study, out)
    assert again.exit_code == 0
    assert _answer(again)["trained"] == 0
    assert _answer(again)["status"] == {"complete": 8}

    more = _run(study, out, "search.grid.divergence=[minimax,wasserstein,reverse_kl]")
    assert _answer(more)["trained"] == 4
    assert _answer(more)["status"] == {"complete": 12}
    after = {record.id: record for record in RunDirectory(out).read()}
    assert set(before) < set(after)
    dataset = open_run(out)
    assert dict(dataset.sizes)["divergence"] == 3
    assert set(dataset["status"].to_numpy().ravel().tolist()) == {"complete"}
    assert dataset["divergence"].to_numpy().tolist() == ["minimax", "wasserstein", "reverse_kl"]
    (one,) = [r for r in before.values() if r.id == str(dataset["trial_id"][0, 0, 0].item())]
    assert "samples" in one.values
    assert (dataset["samples"][0, 0, 0].to_numpy() == one.values["samples"]).all()

    status = CliRunner().invoke(main, ["status", str(out), "--json"])
    assert json.loads(status.stdout)["status"] == {"complete": 12}
    sessions = json.loads((out / "environment.json").read_text())["sessions"]
    assert [session["trials"] for session in sessions] == [8, 4]
    fewer = _run(study, out)
    assert _answer(fewer)["trained"] == 0
    assert dict(open_run(out).sizes)["divergence"] == 2
    assert CliRunner().invoke(main, ["report", str(out)]).exit_code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("no_report", "inline")
def test_failures_are_reported_and_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1, causes in `status`; `retry` trains the failed trials again, and nothing else."""
    monkeypatch.setattr("ganstudy.kinds.adversarial.training.train", _train_unless_absurd)
    study, out = write_study(tmp_path, ABSURD), tmp_path / "run"
    first = _run(study, out)
    assert first.exit_code == 1
    assert _answer(first)["status"] == {"complete": 2, "failed": 2}
    status = json.loads(CliRunner().invoke(main, ["status", str(out), "--json"]).stdout)
    assert len(status["failures"]) == 2
    assert all("17 GB" in failure["cause"] for failure in status["failures"])
    assert _answer(_run(study, out))["trained"] == 0
    # One of the others is missing now, and stays so.
    (lost, *_) = [i for i, status in RunDirectory(out).recorded().items() if status == "complete"]
    RunDirectory(out).forget({lost})
    shutil.rmtree(out / "results.zarr")
    before = {record.id: record.finished for record in RunDirectory(out).read()}
    retried = CliRunner().invoke(main, ["retry", str(out), "--workers", "1", "--json"])
    assert retried.exit_code == 1
    assert _answer(retried)["trained"] == 2
    assert _answer(retried)["status"] == {"complete": 1, "failed": 2}
    after = {record.id: record.finished for record in RunDirectory(out).read()}
    assert before.keys() == after.keys()
    again = {trial for trial in after if before[trial] != after[trial]}
    assert again == {i for i, status in RunDirectory(out).recorded().items() if status == "failed"}
    assert _answer(_run(out / "study.yaml", out))["trained"] == 1
    assert open_run(out).attrs["study"] == "tiny"


def test_a_point_that_has_failed_is_retried_as_it_is(tmp_path: Path) -> None:
    """Of a search by results: the same settings, and no proposal in their place."""
    text = STUDY.replace("    critic.steps: [1, 2]\n", "").replace(
        "search:\n",
        "search:\n  bayes:\n    space: {generator.lr: {low: 1.0e-4, high: 1.0e-2}}\n"
        "    trials: 30\n    sampler: random\n    objective: {maximize: modes_covered}\n",
    )
    search = search_of(load(write_study(tmp_path, text)))
    asked = {trial.id: trial for pack in search.ask(1) for trial in pack}
    search.tell([Record.of_failure(trial, "eager", "made up") for trial in asked.values()])
    packs = retraining.Retry().parts(RunDirectory(tmp_path / "run"), search, 1)
    assert {trial.id for pack in packs for trial in pack} == asked.keys()
    source = Resumed(packs, search, search_on=False)
    assert source.ask(1) == packs
    assert source.ask(1) == []
    assert search.ask(1) != []


@pytest.mark.slow
@pytest.mark.usefixtures("no_report", "inline")
def test_fresh_sets_the_earlier_run_aside(tmp_path: Path) -> None:
    """Nothing is deleted, and everything is trained anew."""
    text = STUDY.replace("[minimax, wasserstein]", "[minimax]").replace("seeds: 2", "seeds: 1")
    study, out = write_study(tmp_path, text), tmp_path / "run"
    ids = {trial.id for trial in Grid(load(study)).trials.values()}
    with RunDirectory(out).locked():
        for trial in Grid(load(study)).trials.values():
            RunDirectory(out).write([Record.of_failure(trial, "eager", "made up")])
    assert set(RunDirectory(out).recorded()) == ids
    assert _answer(_run(study, out, "--fresh"))["trained"] == 2
    assert RunDirectory(out).recorded() == dict.fromkeys(ids, "complete")
    assert RunDirectory(tmp_path / "run.aside-1").recorded() == dict.fromkeys(ids, "failed")


@pytest.mark.slow
def test_a_session_is_told_before_it_ends(
    tmp_path: Path, no_page: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was killed had left no entry: its trials seemed to be those of the next session."""
    monkeypatch.setattr("ganstudy.progress.NOTED_EVERY", 0.0)
    run, seen = RunDirectory(tmp_path / "run"), list[list[tuple[str, int, bool]]]()

    def observe(progress: Progress) -> None:
        sessions = run.read_environment()["sessions"]
        seen.append([(own["command"], own["trials"], "packages" in own) for own in sessions])
        assert sessions[-1]["trials"] == progress.trained

    study = write_study(tmp_path)
    with trained_inline():
        for command, seeds in (("first", "seeds=1"), ("then", "seeds=2")):
            asked = load(study, [seeds, "engine.pack=2"])
            pipeline.run(asked, run.path, workers=1, command=command, observe=observe)
    first, then = ("first", 4, True), ("then", 4, True)
    assert seen[0] == [("first", 0, True)]
    assert [first, ("then", 0, True)] in seen
    assert seen[-1] == [first, then]
    assert [own["trials"] for own in run.provenance()["sessions"]] == [4, 4]


def test_packs_that_land_one_upon_another_are_noted_at_the_end(
    tmp_path: Path, no_page: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each note waits for the disk."""
    monkeypatch.setattr("ganstudy.progress.NOTED_EVERY", 3600.0)
    run, seen = RunDirectory(tmp_path / "run"), set[int]()

    def observe(progress: Progress) -> None:
        seen.add(run.read_environment()["sessions"][-1]["trials"])

    study = load(write_study(tmp_path), ["seeds=1", "engine.pack=2"])
    with trained_inline():
        pipeline.run(study, run.path, workers=1, observe=observe)
    assert seen == {0, 2}
    assert [own["trials"] for own in run.provenance()["sessions"]] == [4]


def test_a_run_in_use_is_left_alone(tmp_path: Path) -> None:
    """Exit 2 while another process holds the run, whatever is asked of it."""
    study, out = write_study(tmp_path), tmp_path / "run"
    with RunDirectory(out).locked():
        RunDirectory(out).write_study(Grid(load(study)))
        here = sorted(out.rglob("*"))
        for arguments in (
            ["run", str(study), "--out", str(out)],
            ["run", str(study), "--out", str(out), "--fresh"],
            ["retry", str(out)],
            ["report", str(out)],
        ):
            result = CliRunner().invoke(main, arguments)
            assert result.exit_code == 2
            assert isinstance(result.exception, SystemExit)
            assert "another ganstudy" in result.stderr
            assert result.stdout == ""
        assert sorted(out.rglob("*")) == here
