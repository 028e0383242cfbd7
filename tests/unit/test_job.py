"""A folder of studies is one job: all are read first, each has a run, one status says how far."""

from __future__ import annotations

import errno
import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inline import trained_inline
from tiny import STUDY, write_study
from unrendered import pageless

from ganstudy import open_run, pipeline
from ganstudy.cli import main
from ganstudy.display import display
from ganstudy.engine import pace
from ganstudy.job.folder import Folder
from ganstudy.job.page import JoinedPage, page_anew, page_where_due
from ganstudy.job.status import status
from ganstudy.job.walk import RunEnded, walk
from ganstudy.progress import Progress
from ganstudy.schedule.where import Where
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, RunError, finished, page_files, runs_at
from ganstudy.store.job_directory import Foreseen, JobDirectory
from ganstudy.store.place import Unlike, why_none
from ganstudy.study import load

SHARED = STUDY.replace("question: Which divergence keeps all modes?\n", "")


def _asked(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@contextmanager
def _quickly() -> Iterator[None]:
    """Trained within this process; the page, which takes longest, says nothing."""

    def build(dataset: Any, provenance: Any, destination: Path, press: Any) -> Path:
        destination.mkdir(exist_ok=True)
        page_files.note(destination, ())
        (destination / "index.html").write_text("")
        return destination / "index.html"

    with trained_inline(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganstudy.report.build", build)
        patch.setattr("ganstudy.existing.build", build)
        yield


def _one(folder: Folder) -> dict[str, Where]:
    """One worker for each study."""
    return dict.fromkeys(folder.studies, Where(1))


def _folder(path: Path) -> Path:
    """Two studies that share their settings, and what is none."""
    path.mkdir(exist_ok=True)
    write_study(path, SHARED, "_shared.yaml")
    write_study(
        path, "extends: _shared.yaml\nquestion: Ten?\nsearch: {grid: {batch: [8]}}", "b.yaml"
    )
    write_study(path, "extends: _shared.yaml\nquestion: One?\nseeds: 1\n", "a.yml")
    (path / "notes.txt").write_text("no study")
    (path / "deeper").mkdir(exist_ok=True)
    write_study(path / "deeper", STUDY)
    return path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A folder that was run, and what was printed as JSON."""
    path = _folder(tmp_path_factory.mktemp("job") / "mine")
    with _quickly():
        code, text = _asked("run", path, "--out", path / "runs", "--workers", "1", "--json")
    assert code == 0
    return path, json.loads(text)


def test_each_study_has_a_run_of_its_own(ran: tuple[Path, Any]) -> None:
    path, said = ran
    assert list(said["studies"]) == ["a", "b"]
    assert said["status"] == {"complete": 12}
    assert dict(open_run(path / "runs" / "a").sizes)["seed"] == 1
    assert open_run(path / "runs" / "b")["batch"].values.tolist() == [8]
    for name in ("a", "b"):
        assert (path / "runs" / name / "report" / "index.html").is_file()


@pytest.mark.slow
def test_the_same_command_trains_nothing_again(ran: tuple[Path, Any]) -> None:
    """And a study that has grown trains what is new."""
    path, _ = ran
    with _quickly():
        code, text = _asked(
            "run", path, "--out", path / "runs", "--workers", "1", "--json", "seeds=2"
        )
    trained = {name: own["trained"] for name, own in json.loads(text)["studies"].items()}
    assert (code, trained) == (0, {"a": 4, "b": 0})


@pytest.mark.slow
def test_its_reports_are_made_anew(ran: tuple[Path, Any]) -> None:
    page = ran[0] / "runs" / "b" / "report" / "index.html"
    page.unlink()
    with _quickly():
        code, text = _asked("report", ran[0] / "runs")
    assert code == 0
    assert text.count("report: ") == 2
    assert page.is_file()


def test_what_has_ended_is_left_alone(ran: tuple[Path, Any]) -> None:
    """In a line each, without a look at its records."""
    with _quickly():
        _asked("run", ran[0], "--out", ran[0] / "runs", "--workers", "1", "--json")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(RunDirectory, "read", lambda *_: pytest.fail("reads records"))
            code, text = _asked("run", ran[0], "--out", ran[0] / "runs", "--workers", "1")
    assert code == 0
    for name in ("a", "b"):
        assert f"{name} has ended before, and nothing has changed; left as it is" in text


@pytest.mark.slow
def test_studies_that_differ_have_no_page_in_common(ran: tuple[Path, Any]) -> None:
    """Which is no mistake, and is said."""
    with _quickly():
        code, text = _asked("report", ran[0] / "runs")
    assert code == 0
    assert "no page over all studies: cannot join" in text
    assert not (ran[0] / "runs" / "report").exists()


@pytest.mark.slow
def test_one_page_over_all_studies(targets: list[Path], tmp_path: Path) -> None:
    """Also of a folder of runs that no job has made; after a job, where it is not current."""
    shutil.copytree(targets[0].parent, tmp_path / "runs")
    runs = [tmp_path / "runs" / own.name for own in targets]
    page = tmp_path / "runs" / "report" / "index.html"
    with _quickly():
        code, text = _asked("report", tmp_path / "runs")
        assert (code, text.count("report: ")) == (0, 2), text
        assert f"over all studies: {page}" in text
        page.write_text("as it was")
        finished.note_joined_page(page.parents[1], runs)
        ended = [RunEnded(own.name, own, Progress(1, "eager", "")) for own in runs]
        job = JobDirectory(page.parents[1])
        assert page_where_due(job, ended, "") == JoinedPage(page)
        assert page.read_text() == "as it was"
        (runs[0] / "verification.json").write_text("")
        assert page_where_due(job, ended, "") == JoinedPage(page)
        assert page.read_text() == ""
        failed = RunEnded("third", tmp_path, None, "why")
        assert "not all of them could be run" in page_where_due(job, [*ended, failed], "").why
    code, text = _asked("status", tmp_path / "runs")
    assert code == 0
    assert "not running" in text
    assert "  ring: " in text


def test_status_of_a_job_that_has_ended(ran: tuple[Path, Any]) -> None:
    code, text = _asked("status", ran[0] / "runs")
    assert code == 0
    assert "not running" in text
    assert "  b: 8 complete" in text
    code, text = _asked("report", ran[0] / "runs", "--live")
    assert code == 2
    assert "nobody runs this folder; `ganstudy report" in text


@pytest.mark.parametrize("verb", ["retry", "verify", "sample"])
def test_what_takes_one_run_names_those_of_a_job(ran: tuple[Path, Any], verb: str) -> None:
    code, text = _asked(verb, ran[0] / "runs")
    assert code == 2
    assert f"a folder of 2 runs; name one, such as {ran[0] / 'runs' / 'a'}" in text
    code, text = _asked(verb, ran[0])
    assert code == 2
    assert f"it holds folders of runs; name one, such as {ran[0] / 'runs'}" in text


def test_status_while_one_is_run(tmp_path: Path) -> None:
    """What is done, what is run, and what has not begun; its time is what the plan says."""
    path = _folder(tmp_path / "mine")
    folder = Folder.read(path, (), tmp_path / "job")
    seen: list[dict[str, Any]] = []

    def told(*given: Any, **how: Any) -> Any:
        directory = RunDirectory(given[1])
        directory.path.mkdir(parents=True)
        directory.write_heartbeat({"seconds_left": 7.0})
        seen.append(status(folder.directory.path))
        raise RunError("no more")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganstudy.job.walk.pipeline.run", told)
        ended = list(walk(folder, _one(folder), observing=lambda name: display(quiet=True)))
    assert [own.why for own in ended] == ["no more", "no more"]
    assert [own["running"] for own in seen] == ["a", "b"]
    assert seen[0]["status"] == {"missing": 12}
    assert folder.directory.running() is None


def test_a_job_of_another_machine_is_believed_while_it_trains(tmp_path: Path) -> None:
    """It told of itself as a study began, and was dead for a login node ten minutes later."""
    folder = Folder.read(_folder(tmp_path / "mine"), (), tmp_path / "job")
    seen: list[str | None] = []

    def told(*given: Any, observe: Callable[[Any], None], **how: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            hour, later = time.time() + 3600.0, time.monotonic() + 3600.0
            patch.setattr("time.time", lambda: hour)
            patch.setattr("time.monotonic", lambda: later)
            observe(None)
            patch.setattr("socket.gethostname", lambda: "login")
            seen.append(folder.directory.running())
        raise RunError("no more")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganstudy.job.walk.pipeline.run", told)
        list(walk(folder, _one(folder), observing=lambda name: nullcontext(lambda progress: None)))
    assert seen == ["a", "b"]


def test_the_time_left_is_that_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the run at work says, and of those behind it the share that is missing."""
    directory = JobDirectory(tmp_path / "job")
    plan = {"a": Foreseen(4, 10.0), "b": Foreseen(8, 100.0), "c": Foreseen(10, 1000.0)}
    monkeypatch.setattr("ganstudy.job.status.is_run", lambda path: path.name in "ab")
    found = {
        "a": {
            "run": "a",
            "status": {"complete": 3, "missing": 1},
            "running": {"seconds_left": 5.0},
        },
        "b": {"run": "b", "status": {"complete": 6, "missing": 2}, "running": None},
    }
    monkeypatch.setattr("ganstudy.existing.status", lambda path, **_: found[path.name])
    with directory.held():
        directory.write(plan, "a")
        said = status(directory.path)
        assert (said["running"], said["seconds_left"]) == ("a", 5.0 + 25.0 + 1000.0)
        found["a"]["running"] = None
        assert status(directory.path)["seconds_left"] is None
        with pytest.raises(RunError, match="another ganstudy"), directory.held():
            pass
    assert status(directory.path)["running"] is None


@pytest.mark.slow
def test_one_that_cannot_be_run_keeps_no_other_from_it(tmp_path: Path) -> None:
    """Its folder holds another study; the exit code is the one that it would have alone."""
    path, out = _folder(tmp_path / "mine"), tmp_path / "job"
    with _quickly():
        _run(tmp_path, out / "a")
        code, text = _asked("run", path, "--out", out, "--workers", "1")
    assert code == 2
    assert "a: " in text
    assert "holds another study" in text
    assert "b: 8 complete" in text


def _run(folder: Path, out: Path) -> None:
    pipeline.run(load(write_study(folder), ["trial.steps=4", "seeds=1"]), out, workers=1)


@pytest.mark.parametrize(
    ("done", "incomplete", "told"),
    [
        ({"complete": 3, "failed": 1}, "", "a: 1 failed; `ganstudy status"),
        ({"complete": 4}, "lacks a section", "a: lacks a section"),
    ],
)
def test_what_has_failed_is_told_at_the_end(
    tmp_path: Path, done: dict[str, int], incomplete: str, told: str
) -> None:
    """And the exit code is that of a single run."""

    def run(*given: Any, **how: Any) -> Progress:
        return Progress(4, "eager", "", done=Counter(done), incomplete=incomplete)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganstudy.job.walk.pipeline.run", run)
        patch.setattr("ganstudy.job.verbs.page_where_due", lambda *_: JoinedPage())
        code, text = _asked("run", _folder(tmp_path / "mine"), "--out", tmp_path / "job")
    assert code == 1
    assert told in text


def test_a_dry_run_plans_all(tmp_path: Path) -> None:
    code, text = _asked("run", _folder(tmp_path / "mine"), "--out", tmp_path / "job", "--dry-run")
    assert code == 0
    assert "2 studies, one after the other: 12 trials" in text
    assert not (tmp_path / "job").exists()


def test_all_are_checked_before_any_is_trained(tmp_path: Path) -> None:
    """Every mistake of every file at once, each with its line."""
    path = _folder(tmp_path / "mine")
    write_study(path, "extends: _shared.yaml\nquestion: Two?\nseads: 1\n", "a.yml")
    write_study(path, "extends: _shared.yaml\nquestion: Two?\ntrial: {stops: 2}\n", "c.yaml")
    for verb in ("run", "check", "plan"):
        code, text = _asked(verb, path)
        assert code == 2
        assert "a.yml:3: seads: no such key; did you mean 'seeds'?" in text
        assert "c.yaml:3: trial.stops" in text
    assert not (path / "runs").exists()


def test_check_and_plan_say_it_of_each(tmp_path: Path) -> None:
    path = _folder(tmp_path / "mine")
    code, text = _asked("check", path)
    assert (code, text.count("no mistakes found")) == (0, 2)
    code, text = _asked("plan", path, "--workers", "2", "--json")
    assert {k: v["trials"] for k, v in json.loads(text)["studies"].items()} == {"a": 4, "b": 8}
    # One that would be refused keeps no other from its plan.
    (tmp_path / "runs" / "b").mkdir(parents=True)
    (tmp_path / "runs" / "b" / "notes.txt").touch()
    code, text = _asked("plan", path, "--out", tmp_path / "runs")
    assert (code, "b: " in text, "is no run" in text) == (2, True, True)
    assert "1 study, one after the other: 4 trials" in text


def test_a_plan_of_seeds_until_it_is_settled_is_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trials of the first look stood beside the time of all that there can be."""
    monkeypatch.setattr(pace, "known", lambda: pace.GUESS)
    path = tmp_path / "mine"
    path.mkdir()
    settled = STUDY.replace("seeds: 2", "seeds: {until: settled, start: 2, max: 7}")
    write_study(path, settled, "a.yaml")
    write_study(path, STUDY, "b.yaml")
    code, text = _asked("plan", path, "--workers", "1")
    assert code == 0
    assert "at most 28 trials, 0 recorded, 28 to train" in text
    assert re.search(r"other: at most 36 trials, 0 recorded; at most .* \(a guess", text)
    plans = json.loads(_asked("plan", path, "--workers", "1", "--json")[1])["studies"]
    assert [plans[name]["trials"] for name in "ab"] == [28, 8]


REFUSED = {
    "no study": ({"_shared.yaml": SHARED}, "holds no study"),
    "two of one name": ({"a.yaml": STUDY, "a.yml": STUDY}, "would be that of a.yaml"),
    "a taken name": ({"report.yaml": STUDY}, "no study can be called report"),
    "a run": ({"study.yaml": STUDY, "resolved.yaml": ""}, "is a run"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_that_cannot_be_run(tmp_path: Path, name: str) -> None:
    files, told = REFUSED[name]
    for file, text in files.items():
        write_study(tmp_path, text, file)
    code, text = _asked("run", tmp_path, "--out", tmp_path / "job")
    assert code == 2
    assert told in text
    assert not (tmp_path / "job").exists()


def test_a_job_is_no_run_and_a_run_no_job(tmp_path: Path) -> None:
    path = _folder(tmp_path / "mine")
    with _quickly():
        _run(tmp_path, tmp_path / "run")
    code, text = _asked("run", path, "--out", tmp_path / "run", "--workers", "1")
    assert code == 2
    assert "no place for those of a folder" in text
    assert not (tmp_path / "run" / "job.json").exists()


def test_a_damaged_plan_is_told(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{")
    code, text = _asked("status", tmp_path)
    assert code == 2
    assert "job.json: it is not whole; move it away, and `ganstudy run FOLDER` writes it" in text


@pytest.mark.parametrize("name", ["job.json", "heartbeat.json", ".draft.partial"])
def test_a_job_writes_over_nothing_of_somebody_else(tmp_path: Path, name: str) -> None:
    """A list of one's own was overwritten, and what others call partial removed."""
    out = tmp_path / "proj"
    out.mkdir()
    (out / name).write_text('{"kind": "Job"}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganstudy.job.walk.pipeline.run", _ended)
        patch.setattr("ganstudy.job.verbs.page_where_due", lambda *_: JoinedPage())
        code, text = _asked("run", _folder(tmp_path / "mine"), "--out", out, "--workers", "1")
    assert (out / name).read_text() == '{"kind": "Job"}'
    assert code == (0 if name == ".draft.partial" else 2), text
    if code:
        assert f"{out / name}: is not what a job has written; move it away" in text
        assert [own.name for own in out.iterdir()] == [name]


def _ended(*given: Any, **how: Any) -> Progress:
    return Progress(4, "eager", "", done=Counter(complete=4))


def test_a_run_of_another_user_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permission denied of the first ended the job, its plan, and the status of all."""
    folder, out = _folder(tmp_path / "mine"), tmp_path / "job"
    monkeypatch.setattr("ganstudy.job.verbs.page_where_due", lambda *_: JoinedPage())
    with trained_inline(), pageless():
        _asked("run", folder, "--out", out, "--workers", "1", "trial.steps=4")
    exists = Path.exists

    def denied(path: Path) -> bool:
        if path.parent == out / "a":
            raise PermissionError(errno.EACCES, "Permission denied", str(path.parent))
        return exists(path)

    monkeypatch.setattr(Path, "exists", denied)
    for verb in ("run", "plan"):
        code, text = _asked(verb, folder, "--out", out, "--workers", "1", "trial.steps=4")
        assert code == 2
        assert f"a: Permission denied: {out / 'a'}" in text
        assert re.search("^b: 8 complete|^1 study, one after the other: 8 trials", text, re.M)
    code, text = _asked("status", out)
    assert (code, "b: 8 complete" in text) == (2, True)
    assert f"a: Permission denied: {out / 'a'}" in text
    studies = json.loads(_asked("status", out, "--json")[1].splitlines()[0])["studies"]
    assert studies["a"] == {"run": str(out / "a"), "error": studies["a"]["error"]}
    # What is no job leaves out what cannot be read, and so do those who look for what was meant.
    (out / "job.json").unlink()
    assert runs_at(out) == [out / "b"]
    assert f"did you mean {out / 'b'}?" in why_none(out / "bb")


def test_a_study_that_is_gone_hides_the_status_of_no_other(ran: tuple[Path, Any]) -> None:
    study = ran[0] / "runs" / "a" / "study.yaml"
    kept = study.read_bytes()
    study.unlink()
    try:
        code, text = _asked("status", ran[0] / "runs")
    finally:
        study.write_bytes(kept)
    assert code == 2
    assert "  b: 8 complete" in text
    assert "a: " in text
    assert "its study.yaml is gone" in text


def test_runs_are_no_studies(ran: tuple[Path, Any]) -> None:
    code, text = _asked("run", ran[0] / "runs")
    assert code == 2
    assert "holds runs, and no study; `ganstudy run FOLDER` takes that of their studies" in text


def test_each_study_trains_where_it_would_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a study of the GPU's, what a processor computes had one worker, and waited for it."""
    shutil.copy(Path(__file__).parents[2] / "studies" / "nash_xy.yaml", tmp_path / "theory.yaml")
    write_study(tmp_path, STUDY, "gan.yaml")
    seen: dict[str, Any] = {}

    def run(study: Any, path: Path, **how: Any) -> Progress:
        seen[path.name] = (how["devices"], how["workers"])
        return _ended()

    monkeypatch.setattr("ganstudy.schedule.devices.named", lambda asked: ("cuda:0",))
    monkeypatch.setattr("ganstudy.asked.cores", lambda: 16)
    monkeypatch.setattr("ganstudy.job.walk.pipeline.run", run)
    monkeypatch.setattr("ganstudy.job.walk.Outlook.of", lambda *_: Foreseen(1, 1.0))
    monkeypatch.setattr("ganstudy.job.verbs.page_where_due", lambda *_: JoinedPage())
    _asked("run", tmp_path, "--out", tmp_path / "job")
    assert seen == {"gan": (("cuda:0",), 1), "theory": (("cpu",), 16)}


def _mine(folder: Path) -> dict[str, bytes]:
    """Somebody's own files, where a page would be."""
    folder.mkdir(parents=True)
    for name in ("thesis.tex", "fig1.png", "data.csv", "index.html"):
        (folder / name).write_text("mine")
    return _contents(folder)


def _contents(folder: Path) -> dict[str, bytes]:
    return {own.name: own.read_bytes() for own in folder.iterdir()}


@pytest.mark.slow
def test_a_page_takes_no_place_of_somebody_else(targets: list[Path], tmp_path: Path) -> None:
    """All that was not its own it removed, and said nothing."""
    shutil.copytree(targets[0].parent, tmp_path / "exp")
    places = [tmp_path / "exp" / "report", tmp_path / "paper" / "report"]
    before = [_mine(own) for own in places]
    with _quickly():
        code, text = _asked("report", tmp_path / "exp")
        assert (code, f"{places[0]}: is there already, and is no page" in text) == (2, True)
        assert not (tmp_path / "exp" / "finished.json").exists()
        asked = ("compare", *targets, "--along", "study", "--out", tmp_path / "paper")
        code, text = _asked(*asked)
        assert (code, f"{places[1]}: is no page" in text) == (2, True)
        assert [_contents(own) for own in places] == before
        shutil.rmtree(places[0])
        (tmp_path / "exp" / "finished.json").write_text("mine")
        code, text = _asked("report", tmp_path / "exp")
        assert (code, "tells of no page; move it away" in text) == (2, True)
        assert (tmp_path / "exp" / "finished.json").read_text() == "mine"


def test_a_job_all_of_whose_studies_are_refused_is_known(tmp_path: Path) -> None:
    """`status` took its folder for somebody else's."""
    folder, out = _folder(tmp_path / "mine"), tmp_path / "job"
    for name in ("a", "b"):
        (out / name).mkdir(parents=True)
        (out / name / "notes.txt").write_text("mine")
    code, text = _asked("run", folder, "--out", out, "--workers", "1", "--fresh")
    assert (code, text.count("notes.txt")) == (2, 2)
    assert [*JobDirectory(out).read()] == ["a", "b"]


@pytest.mark.slow
def test_studies_without_axes_have_no_page_in_common(tmp_path: Path) -> None:
    """They have no arm in common; it ended in a traceback."""
    study = STUDY[: STUDY.index("search:")] + "seeds: 2\n"
    (folder := tmp_path / "mine").mkdir()
    for modes in ("4", "5"):
        (folder / f"of_{modes}.yaml").write_text(study.replace("modes: 4", f"modes: {modes}"))
    code, text = _asked("run", folder, "--out", tmp_path / "job", "--workers", "1")
    assert code == 0, text
    assert "no page over all studies: cannot join" in text
    assert "nothing varies within a study" in text
    assert not (tmp_path / "job" / "report").exists()


@pytest.mark.slow
def test_a_page_over_studies_that_join_no_more_is_removed(
    targets: list[Path], tmp_path: Path
) -> None:
    """It stood there as if it were of today."""
    shutil.copytree(targets[0].parent, tmp_path / "runs")
    runs = [tmp_path / "runs" / own.name for own in targets]
    report = tmp_path / "runs" / "report"
    with _quickly(), pytest.MonkeyPatch.context() as patch:
        assert page_anew(tmp_path / "runs", runs, "").path
        (report / "notes.txt").write_text("mine")

        def differ(*given: Any, **how: Any) -> None:
            raise Unlike("cannot join")

        patch.setattr("ganstudy.existing.report_joined", differ)
        why = "no page over all studies: cannot join"
        assert page_anew(tmp_path / "runs", runs, "").why == f"{why}; the earlier one is removed"
        assert sorted(own.name for own in report.iterdir()) == ["files.json", "notes.txt"]
        assert page_anew(tmp_path / "runs", runs, "").why == why


def test_a_page_over_studies_of_which_one_is_left_is_removed(tmp_path: Path) -> None:
    """It stood there as if it were of today; one that is not ours stays."""
    report = tmp_path / "report"
    report.mkdir()
    for name in ("index.html", "notes.txt"):
        (report / name).write_text("mine")
    assert page_anew(tmp_path, [tmp_path / "a"], "") == JoinedPage()
    page_files.note(report, ())
    told = page_anew(tmp_path, [tmp_path / "a"], "")
    assert (told.path, told.code) == (None, 0)
    assert "no page over all studies: it needs two runs; the earlier one is removed" in told.why
    assert sorted(own.name for own in report.iterdir()) == ["files.json", "notes.txt"]
    assert page_anew(tmp_path, [tmp_path / "a"], "") == JoinedPage()


def test_a_page_is_not_built_anew_while_its_job_runs(ran: tuple[Path, Any], tmp_path: Path) -> None:
    """Its own page was removed while it was written."""
    shutil.copytree(ran[0] / "runs", tmp_path / "runs")
    job = JobDirectory(tmp_path / "runs")
    with job.held():
        told = page_anew(job.path, runs_at(job.path), "")
    assert told.code == 2
    assert "no page over all studies" in told.why


@pytest.mark.slow
def test_fresh_sets_each_run_aside(ran: tuple[Path, Any]) -> None:
    """Last, since the runs of the others are gone then."""
    path, out = ran[0], ran[0] / "runs"
    with _quickly():
        code, text = _asked("run", path, "--out", out, "--workers", "1", "--fresh", "--json")
    assert code == 0
    for name in ("a.aside-1", "b.aside-1"):
        assert f"the earlier run is now {out / name}" in text
    names = {own.name for own in out.iterdir() if own.is_dir()}
    assert names == {"a", "a.aside-1", "b", "b.aside-1"}


def test_one_that_cannot_be_set_aside_keeps_no_other_from_it(tmp_path: Path) -> None:
    """The job ended there, with the runs of others moved, and nothing said of these."""
    folder, out = _folder(tmp_path / "mine"), tmp_path / "job"
    for name in ("a", "b"):
        (out / name).mkdir(parents=True)
        (out / name / "notes.txt").write_text("mine" * (name == "b"))
    (out / "a" / "notes.txt").unlink()
    run: list[str] = []

    def ran(study: Any, path: Path, **_: Any) -> Progress:
        run.append(path.name)
        return Progress(6, "eager", "", done=Counter(complete=6))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganstudy.job.walk.pipeline.run", ran)
        patch.setattr("ganstudy.job.verbs.page_where_due", lambda *_: JoinedPage())
        code, text = _asked("run", folder, "--out", out, "--workers", "1", "--fresh")
    assert (code, run) == (2, ["a"])
    assert f"the earlier run is now {out / 'a.aside-1'}" in text
    assert (out / "b" / "notes.txt").is_file()
    planned = JobDirectory(out).read()
    assert list(planned) == ["a", "b"], "by the plan status and report know the run of b"
    assert planned["b"] == Foreseen(8, 0.0)


@pytest.mark.parametrize("words", [["plan"], ["run", "--dry-run"]])
def test_a_place_that_the_job_is_refused_is_refused_to_its_plan(
    tmp_path: Path, words: list[str]
) -> None:
    folder, out = _folder(tmp_path / "mine"), tmp_path / "job"
    RunDirectory(out).records.mkdir(parents=True)
    RunDirectory(out).write_study(Grid(load(folder / "b.yaml")))
    code, text = _asked(*words, folder, "--out", out)
    assert code == 2
    assert "no place for those of a folder" in text
