"""The page while a run trains: it reloads itself, says what is missing, and the run has the last
word."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import psutil
import pytest
from browser import needs_browser, opened, title, with_script
from click.testing import CliRunner
from tiny import STUDY, write_study
from unrendered import undrawn

from ganstudy.cli import main
from ganstudy.live import alongside, keep_current, publish
from ganstudy.store import RunDirectory

RELOADS = "location.reload()"


class Started:
    """In place of a process that keeps the page current."""

    command: ClassVar[list[str]] = []

    def __init__(self, command: list[str], **others: object) -> None:
        type(self).command = command

    poll = wait = terminate = lambda self: None


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Path:
    """A run of which half of the records have not landed yet."""
    copy = shutil.copytree(tiny_run, tmp_path / "run")
    shutil.rmtree(copy / "report", ignore_errors=True)
    first = next((copy / "records").glob("*.nc"))
    others = [path for path in (copy / "records").glob("*.nc") if path != first]
    assert others, "the run has several packs"
    for path in others:
        path.unlink()
    return copy


@pytest.mark.slow
def test_it_reloads_itself_and_says_what_is_missing(run: Path) -> None:
    """Without the lock of the run, and without touching its dataset; nothing is left beside it."""
    directory = RunDirectory(run)
    before = {path: path.stat().st_mtime_ns for path in (run / "results.zarr").rglob("*")}
    (run / live_folders("abc_1")[-1]).mkdir()  # of one that was killed
    with directory.locked():
        directory.write_heartbeat({"doing": "training"})
        with undrawn():
            assert publish(run, 7.0)
    page = (run / "report" / "index.html").read_text()
    recorded = len(directory.recorded())
    assert RELOADS in page
    said = re.search(r'<p class="live" role="status" [^>]*data-every="7">(.*?)</p>', page)
    assert said is not None
    assert "The run is training." in said[1]
    assert f"{recorded} of 8 trials had a record and {8 - recorded} were still to come" in said[1]
    assert "built anew every 7 s" in said[1]
    assert "continues it" not in said[1]
    assert (run / "report" / "ranking.tex").exists()
    assert not list(run.glob(".live-*"))
    assert {path: path.stat().st_mtime_ns for path in (run / "results.zarr").rglob("*")} == before


@pytest.fixture
def looked(run: Path) -> Path:
    """A run with a live page from before its first record, which nobody trains any more."""
    directory = RunDirectory(run)
    for path in (run / "records").glob("*.nc"):
        path.unlink()
    with directory.locked():
        directory.write_heartbeat({"doing": "training"})
        assert publish(run, 7.0)
    return run


def test_before_the_first_record_it_says_that_the_run_trains(looked: Path) -> None:
    """Where it told the reader to begin what was under way."""
    page = (looked / "report" / "index.html").read_text()
    assert RELOADS in page
    assert "The run is training." in page
    assert "there is no answer: 8 still to come." in page
    assert "trains what is missing" not in page


@pytest.mark.slow
def test_waiting_on_a_busy_machine_is_no_work(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that was kept from the processor for half a second delays the next by no more."""
    directory, begun = RunDirectory(run), list[float]()

    def publish(*of: object, **how: object) -> None:
        begun.append(time.monotonic())
        time.sleep(0.5)
        directory.write_heartbeat({"doing": "gathering" if len(begun) == 2 else "training"})

    monkeypatch.setattr("ganstudy.live.give_way", lambda: None)
    monkeypatch.setattr("ganstudy.live.publish", publish)
    with directory.locked():
        directory.write_heartbeat({"doing": "training"})
        keep_current(run, 0.5)
    assert begun[1] - begun[0] < 1.5


def test_of_a_run_that_was_killed_it_says_so(looked: Path) -> None:
    """Who keeps it current outlives the run. It said for ever that the run trains."""
    index, directory = looked / "report" / "index.html", RunDirectory(looked)

    def killed(*of: object) -> None:
        directory.remove_heartbeat()

    with pytest.MonkeyPatch.context() as changed, directory.locked():
        changed.setattr("ganstudy.live.give_way", lambda: None)
        changed.setattr("ganstudy.live.publish", lambda *of, **how: killed())
        keep_current(looked, 7.0)
        assert RELOADS in index.read_text(), "somebody is at the run"
    directory.write_heartbeat({"doing": "training"})
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr("ganstudy.live.give_way", lambda: None)
        changed.setattr("ganstudy.live.publish", lambda *of, **how: killed())
        keep_current(looked, 7.0)
    assert_says_that_it_stopped(index)


def test_of_a_run_that_was_stopped_it_says_so(looked: Path) -> None:
    """By Ctrl-C, say: no report is built then, and the last look stayed, and reloaded itself."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr("ganstudy.live.subprocess.Popen", Started)
        with pytest.raises(KeyboardInterrupt), alongside(looked, 7.0):
            raise KeyboardInterrupt
    assert_says_that_it_stopped(looked / "report" / "index.html")


def assert_says_that_it_stopped(index: Path) -> None:
    page = index.read_text()
    assert RELOADS not in page
    assert "<strong>The run has stopped.</strong> At " in page
    assert "reloads itself" not in page
    assert "<code>ganstudy run</code> continues it" in page


@pytest.mark.slow
@needs_browser
def test_an_old_page_reloads_no_more(looked: Path) -> None:
    """Where the whole machine went, nobody is left to say it."""
    index = looked / "report" / "index.html"
    script = """
      const live = document.querySelector(".live");
      const found = [live.textContent];
      live.dataset.built -= 3 * 3600;
      eval(document.querySelector("script.reload").text);
      document.title = JSON.stringify([...found, live.textContent]);
    """
    before, shown = json.loads(title(opened(with_script(index, script))))
    assert "The run is training." in before
    assert "The run was training." in shown
    assert "By the clock of this device that was 3 hours ago." in shown
    assert "Unless the clock is wrong, no page has come since" in shown


@pytest.mark.parametrize("said", [{"doing": "gathering"}, None])
def test_who_gathers_has_the_last_word(
    run: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, str] | None
) -> None:
    """A page that was begun while packs trained is thrown away if none train any more."""
    if said:
        RunDirectory(run).write_heartbeat(said)
    begun: list[Path] = []

    def build(dataset: object, provenance: object, made: Path, look: object) -> None:
        (made / "index.html").touch()
        begun.append(made)

    monkeypatch.setattr("ganstudy.live.build", build)
    assert not publish(run, 7.0)
    assert begun
    assert not (run / "report").exists()


def test_of_a_run_at_rest_it_says_so(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, after a while that it has announced."""
    monkeypatch.setattr("ganstudy.live.PATIENCE", 0.0)
    monkeypatch.setattr("ganstudy.live.give_way", lambda: None)
    said = CliRunner().invoke(main, ["report", str(run), "--live"])
    assert said.exit_code == 2
    waiting, ended = said.output.splitlines()
    assert "nobody trains this run yet; waiting for that, 0 s at most" in waiting
    assert f"nobody trains this run; `ganstudy report {run}` is enough" in ended


def test_the_page_may_run_what_the_run_does(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plug-ins, and modules that features are of: without them there was no page."""
    monkeypatch.setattr("ganstudy.live.subprocess.Popen", Started)
    with alongside(run, 7.0):
        pass
    assert Started.command[3:] == ["report", str(run), "--live", "--every", "7.0", "--plugins"]


def test_only_pages_of_the_dead_are_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of another page beside it vanished as it was built; what was left of a kill stayed, and
    for ever that of another machine, or of a version that did not say whose it is."""
    mine, theirs, left = (tmp_path / name for name in live_folders("abc_1"))
    elsewhere = tmp_path / live_folders("abcdef_1")[1]
    old, own = tmp_path / ".live-abcdef_2", tmp_path / ".live-notes"
    monkeypatch.setattr("ganstudy.live.subprocess.Popen", Started)
    for folder in (mine, theirs, left, old, own):
        (folder / "figures").mkdir(parents=True)
    for folder in (elsewhere, old, own):
        folder.mkdir(exist_ok=True)
        os.utime(folder, (time.time() - 2 * 86400,) * 2)
    with alongside(tmp_path, 7.0):
        pass
    assert {*tmp_path.iterdir()} == {mine, theirs, own}


def live_folders(end: str) -> tuple[str, str, str]:
    """Where this process builds a page, one of another machine, and one that has ended here."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    here = socket.gethostname()
    return (
        f".live-{os.getpid()}-{here}-{end}",
        f".live-{ended.pid}-not.{here}-{end}",
        f".live-{ended.pid}-{here}-{end}",
    )


def test_ctrl_c_does_not_reach_the_page(run: Path) -> None:
    """A terminal sends it to a group: the page ended, and the run told a fault of it."""
    # What other tests have started may still be there, such as a tracker of shared memory.
    before = psutil.Process().children()
    with alongside(run, 7.0):
        (page,) = (own for own in psutil.Process().children() if own not in before)
        assert os.getpgid(page.pid) == page.pid


@pytest.mark.slow
def test_a_page_is_there_before_the_end(tmp_path: Path) -> None:
    """With `run --live`, which Ctrl-C ends as any other run; nothing is left beside the run."""
    study = write_study(tmp_path, STUDY.replace("steps: 6", "steps: 100000"))
    out = tmp_path / "run"
    index = out / "report" / "index.html"
    command = [sys.executable, "-m", "ganstudy", "run", str(study), "--out", str(out)]
    limits = ["--workers", "1", "engine.pack=2", "trial.record.every=50000"]
    with subprocess.Popen([*command, "--live", "--every", "1", *limits]) as process:
        try:
            assert until(lambda: index.exists() and RELOADS in index.read_text(), 600.0)
            process.terminate()
            assert process.wait(600) == 130
        finally:
            process.kill()
    assert_says_that_it_stopped(index)
    assert not list(out.glob(".live-*"))


def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether something comes to hold."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True
