"""Ctrl-C, SIGTERM and SIGKILL: what is kept, how it ends, and that nobody is left behind."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
import pytest
from click.testing import CliRunner
from inline import trained_inline
from processes import (
    DRIVER,
    STUDY,
    amid,
    check_same_records,
    dwelling,
    gone,
    in_flight,
    kill,
    packs_under_way,
    said_up_to,
    start,
    started,
    workers,
)
from scripted import Scripted, attempts
from tiny import Listed, write_study
from unrendered import pageless
from waiting import wait_until

from ganstudy import open_run, pipeline
from ganstudy.cli import main
from ganstudy.display import display
from ganstudy.engine.checkpoints import Stopped
from ganstudy.engine.flight import Flight
from ganstudy.progress import Progress
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.interruption import Interruption
from ganstudy.schedule.loop import Running, train_packs
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory
from ganstudy.study import load
from ganstudy.terminal import say
from ganstudy.trial import Record, Trial

LONG = STUDY.replace("steps: 100", "steps: 100000").replace("every: 25", "every: 25000")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "workers"), [(signal.SIGINT, 2), (signal.SIGTERM, 1)])
def test_once_keeps_packs_in_flight(tmp_path: Path, number: signal.Signals, workers: int) -> None:
    """To the whole group, as a terminal sends it: exit 130, checkpoints, no process left."""
    out = tmp_path / "run"
    run = start(write_study(tmp_path, LONG), out, workers=workers, every=1000.0)
    wait_until(lambda: amid(out) == workers)
    assert not in_flight(out)
    os.killpg(run.pid, number)
    text, _ = run.communicate(timeout=900)
    assert run.returncode == 130, text
    assert gone(run)
    # SIGTERM reaches workers, too, who may have stopped before there is anything to say.
    assert "again to stop at once" in text or number is signal.SIGTERM
    assert "Traceback" not in text
    assert not (out / "heartbeat.json").exists()
    assert in_flight(out) == workers
    assert _goes_on_at(out) > min(_steps(out)) > 1


def _steps(out: Path) -> list[int]:
    """The step of each checkpoint."""
    lines = [path.read_bytes().partition(b"\n")[0] for path in (out / "checkpoints").iterdir()]
    return [int(json.loads(line)["step"]) for line in lines]


def _goes_on_at(out: Path) -> int:
    """The first step of a run that is continued here, and interrupted by it."""
    steps = []

    def interrupted(flight: Flight, step: int, *kept: Any) -> None:
        steps.append(step)
        signal.raise_signal(signal.SIGINT)
        raise Stopped

    with trained_inline(), mock.patch.object(Flight, "offer", interrupted):
        result = CliRunner().invoke(main, ["run", str(out / "study.yaml"), "--out", str(out)])
    assert result.exit_code == 130, result.output
    return steps[0]


@pytest.mark.slow
def test_a_closed_terminal_is_an_interruption(tmp_path: Path) -> None:
    """Exit 130, checkpoints, no heartbeat and no folder left; nobody is there to be told."""
    out, temporary = tmp_path / "run", tmp_path / "temporary"
    temporary.mkdir()
    ours, theirs = os.openpty()
    command = [sys.executable, str(DRIVER), "1000", "run", str(write_study(tmp_path, LONG))]
    run = subprocess.Popen(
        [*command, "--out", str(out), "--workers", "1"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        text=True,
        start_new_session=True,
        # These tests may run under nohup themselves.
        preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(DRIVER.parent), *sys.path]),
            "TERMINAL": "yes",
            "TMPDIR": str(temporary),
        },
    )
    started.append(run)
    os.close(theirs)
    # A terminal is read, or who writes to it waits.
    reader = threading.Thread(target=_read_all, args=(ours,), daemon=True)
    reader.start()
    wait_until(lambda: amid(out))
    assert not in_flight(out)
    os.kill(run.pid, signal.SIGHUP)
    assert run.wait(timeout=900) == 130
    assert gone(run)
    assert in_flight(out)
    assert not (out / "heartbeat.json").exists()
    assert list(temporary.glob("ganstudy-*")) == []
    os.close(ours)


def _read_all(terminal: int) -> None:
    with suppress(OSError):
        while os.read(terminal, 4096):
            pass


def test_what_was_ignored_stays_ignored() -> None:
    """As nohup has it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_that_is_gone_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    """What is said to nobody is no reason to stop."""

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

        def isatty(self) -> bool:
            return terminal

    monkeypatch.setattr("sys.stderr", Gone())
    with display(quiet=False) as observe:
        observe(Progress(4, "eager", "as the study asks"))
    say("to nobody")


@pytest.mark.slow
def test_twice_stops_at_once(tmp_path: Path) -> None:
    """A worker that hangs is not waited for the second time; exit 130, no process left."""
    out = tmp_path / "run"
    run = start(write_study(tmp_path, LONG), out, workers=1)
    wait_until(lambda: in_flight(out))
    for worker in workers(run):
        worker.suspend()
    os.killpg(run.pid, signal.SIGINT)
    # Of two signals that it has not noticed there would be one.
    said_up_to(run, "again to stop at once")
    time.sleep(1.0)
    assert run.poll() is None
    os.killpg(run.pid, signal.SIGINT)
    text, _ = run.communicate(timeout=900)
    assert run.returncode == 130, text
    assert gone(run)


@pytest.mark.slow
def test_no_orphans_after_the_death_of_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers end with a parent that had no time to tell them, and leave nothing of its own."""
    (temporary := tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    out = tmp_path / "run"
    run = start(write_study(tmp_path, LONG), out, workers=1)
    wait_until(lambda: in_flight(out))
    assert len(workers(run)) == 1
    os.kill(run.pid, signal.SIGKILL)
    assert run.stdout is not None
    run.stdout.close()
    run.wait()
    assert gone(run)
    assert list(temporary.rglob("ganstudy-*")) == []
    (session,) = RunDirectory(out).read_environment()["sessions"]
    assert (session["trials"], session["workers"]) == (0, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_that_python_drops_comes_again(number: signal.Signals) -> None:
    """As it drops all that is raised in a destructor, or in what ends an import."""

    class Ending:
        def __del__(self) -> None:
            signal.raise_signal(number)

    def wait() -> None:
        with Interruption():
            Ending()
            time.sleep(60)

    hook, began = sys.unraisablehook, time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        wait()
    assert time.monotonic() - began < 30
    assert sys.unraisablehook is hook


def test_it_comes_again_after_what_dropped_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the main thread was still in Python's hook when it came: it was lost."""
    begin = threading.Timer.start

    def slowly(timer: threading.Timer) -> None:
        begin(timer)
        time.sleep(0.3)

    monkeypatch.setattr(threading.Timer, "start", slowly)
    test_an_interruption_that_python_drops_comes_again(signal.SIGINT)


def test_an_interruption_is_what_it_is_whatever_a_library_makes_of_it() -> None:
    """As one does that builds what it checks by, in another language."""

    def build() -> None:
        with Interruption():
            try:
                signal.raise_signal(signal.SIGTERM)
            except KeyboardInterrupt as error:
                raise ValueError("cannot be built") from error

    with pytest.raises(KeyboardInterrupt):
        build()


def test_before_a_verb_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it still loads; its own exit code and no word of click's."""

    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ganstudy.cli.family_of", interrupted)
    result = CliRunner().invoke(main, ["list", "kinds"])
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")


SMALL = (
    STUDY.replace("steps: 100", "steps: 25")
    .replace("[4, 5]", "[4]")
    .replace("seeds: 3", "seeds: 1")
)


@pytest.mark.slow
def test_before_and_after_the_training(tmp_path: Path, no_page: None) -> None:
    """Nothing is there by half; exit 130 and a message, and the same command finishes the run."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    terminated, interrupted = signal.SIGTERM, signal.SIGINT
    moments = (("start", terminated), ("gather", terminated), ("report", interrupted))
    for where, number in moments:
        run = start(study, out, workers=1, every=1000.0, dwell=where)
        dwelling(run)
        said_by_run = RunDirectory(out).read_heartbeat()
        assert said_by_run
        assert said_by_run["doing"] == ("starting" if where == "start" else "gathering")
        os.killpg(run.pid, number)
        said, _ = run.communicate(timeout=900)
        assert run.returncode == 130, said
        assert said.splitlines()[-1] == "interrupted; run the same command to continue"
        assert "Traceback" not in said
        assert gone(run)
        assert (out / "results.zarr").exists() == (where == "report")
        assert not (out / "results.zarr.ganstudy-new").exists()
    with trained_inline():
        again = CliRunner().invoke(main, ["run", str(study), "--out", str(out)])
    assert again.exit_code == 0, again.output
    assert set(open_run(out)["status"].to_numpy().ravel().tolist()) == {"complete"}


KILLS = ("worker", "worker", "both", "worker", "parent")


@pytest.mark.slow
def test_kills_at_any_moment_leave_no_trace(tmp_path: Path, no_page: None) -> None:
    """Workers, the parent, or both, at random moments; the same bits, no trial twice or lost."""
    rng = random.Random(0)
    text = STUDY.replace("steps: 100", "steps: 200").replace("every: 25", "every: 50")
    study, out, calm = write_study(tmp_path, text), tmp_path / "run", tmp_path / "calm"
    seeds = "seeds=4"
    run = start(study, out, seeds, every=0.1)
    landed: dict[str, float] = {}
    kills = in_training = 0
    while kills < len(KILLS):
        # Every other one comes when it comes, be the victim still starting.
        if kills % 2:
            time.sleep(rng.uniform(0.0, 1.0))
        else:
            _wait_for_work(run, out)
            time.sleep(rng.uniform(0.0, 0.3))
        if run.poll() is not None:  # on a quick machine; a study that has grown goes on
            text = _ended(run)
            assert run.returncode == 0, text
            seeds = f"seeds={int(seeds[6:]) + 4}"
            run = start(study, out, seeds, every=0.1)
            continue
        busy = packs_under_way(out, 0.0) > 0
        victim = KILLS[kills % len(KILLS)]
        hit = victim == "parent" or _kill_a_worker(run, rng)
        if victim != "worker":
            hit = kill(psutil.Process(run.pid)) and hit
            _ended(run)
            assert gone(run)
            landed = _check_kept(out, landed)
            run = start(study, out, seeds, every=0.1)
        kills += hit
        in_training += hit and busy
    assert in_training >= 2
    text = _ended(run)
    assert run.returncode == 0, text
    _check_kept(out, landed)
    assert list((out / "checkpoints").iterdir()) == []
    # In wider packs, which are quicker: a trial's bits do not depend on its pack.
    with trained_inline():
        pipeline.run(load(study, [seeds, "engine.pack=16"]), calm, workers=1)
    ours, theirs = open_run(out), open_run(calm)
    for name in theirs.variables:
        if name != "seconds":
            assert ours[name].identical(theirs[name]), name
    check_same_records(out, calm)


def _wait_for_work(run: subprocess.Popen[str], out: Path) -> None:
    wait_until(lambda: run.poll() is not None or packs_under_way(out, 0.0))


def _kill_a_worker(run: subprocess.Popen[str], rng: random.Random) -> bool:
    """Whether there was one to kill before the run ended."""
    while run.poll() is None:
        victims = rng.sample(there := workers(run), min(1, len(there)))
        if any(kill(victim) for victim in victims):
            # It is not to be found running, and killed, again.
            psutil.wait_procs(victims, timeout=10.0)
            return True
        time.sleep(0.02)
    return False


def _ended(run: subprocess.Popen[str]) -> str:
    text, _ = run.communicate(timeout=900)
    return text


def _check_kept(out: Path, before: dict[str, float]) -> dict[str, float]:
    """The files of records and when they were written: none has gone or was written again."""
    now = {path.name: path.stat().st_mtime for path in (out / "records").glob("*.nc")}
    assert before.items() <= now.items()
    return now


# --- within this process -------------------------------------------------------------------------


@pytest.mark.slow
def test_a_pack_that_does_not_stop_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial that never looks ends with its worker once the time to stop is over."""
    monkeypatch.setattr("ganstudy.schedule.loop.DRAIN_SECONDS", 0.5)
    pack = (Trial(Scripted(folder=str(tmp_path), seconds=600.0), 0),)

    def interrupt(running: tuple[Running, ...]) -> None:
        if attempts(pack[0]) and not interruption.asked:
            os.kill(os.getpid(), signal.SIGINT)

    with LocalExecutor(1) as executor, Interruption() as interruption:
        loop = train_packs(Listed([pack]), executor, interruption=interruption, beat=interrupt)
        with pytest.raises(KeyboardInterrupt):
            assert not next(loop, None)  # had it been waited for, it would have a record
    assert interruption.asked


@pytest.mark.parametrize("verb", ["run", "report", "retry"])
def test_every_verb_minds_sigterm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """A run with nothing to train is interrupted while it gathers; so are the other verbs."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    with RunDirectory(out).locked():
        search = Grid(load(study))
        RunDirectory(out).write_study(search)
        for trial in search.trials.values():
            RunDirectory(out).write([Record.of_failure(trial, "eager", "made up")])

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("ganstudy.pipeline.gather", interrupted)
    monkeypatch.setattr("ganstudy.pipeline.open_executor", interrupted)
    before = signal.getsignal(signal.SIGTERM)
    options = ["--out", str(out)] if verb == "run" else []
    path = study if verb == "run" else out
    result = CliRunner().invoke(main, [verb, str(path), *options])
    assert result.exit_code == 130, result.output
    assert "interrupted; run the same command to continue" in result.stderr
    assert signal.getsignal(signal.SIGTERM) is before
    assert set(RunDirectory(out).recorded().values()) == {"failed"}


def test_nobody_minds_outside_the_loop() -> None:
    """Where nothing can be kept, the first signal ends what is done."""
    before = signal.getsignal(signal.SIGTERM)
    with Interruption() as interruption:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert not interruption.asked
    assert signal.getsignal(signal.SIGTERM) is before


MOMENTS = {
    "import": "sys.meta_path.insert(0, type('Asked', (), {'find_spec': ctrl_c})())",
    "beginning": "from ganstudy import terminal; terminal.collect_seldom = ctrl_c",
    "reading": "from ganstudy.cli import main; main.parse_args = ctrl_c",
    "end": "import atexit; atexit.register(ctrl_c)",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_at_any_moment_of_a_command(moment: str) -> None:
    """While it is imported or begins it ended in a traceback, or by the signal; at its end, too."""
    again = "import os, sys; own = (os.getpid(), 2); ctrl_c = lambda *_, k=os.kill, o=own: k(*o)"
    asked = "from ganstudy import __main__; sys.argv = ['ganstudy', '--version']"
    code = f"{again}; {asked}; {MOMENTS[moment]}; __main__.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        (0, "") if moment == "end" else (130, "interrupted\n")
    )


@pytest.mark.skipif(os.name != "posix", reason="a shell closes streams there")
def test_a_closed_stream_is_one_to_nowhere() -> None:
    """`>&-`, as some services start commands: workers could not be started, for want of it."""
    asked = "import sys; from ganstudy.__main__ import main; sys.argv = ['ganstudy', '--version']"
    told = "names = ('stdin', 'stdout', 'stderr'); files = [getattr(sys, n) for n in names]"
    ends = "sys.exit([f and f.fileno() for f in files] != [0, 1, 2])"
    code = f"{asked}\ntry: main()\nexcept SystemExit: {told}; {ends}"
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        command = f'"{sys.executable}" -c "$0" {closed}'
        done = subprocess.run(["sh", "-c", command, code], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), closed


@pytest.mark.parametrize(
    "command",
    ["--help", "list targets", "check tiny.yaml", "run tiny.yaml --workers 1", "status x"],
)
def test_a_reader_that_goes_away_ends_no_verb(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`| head -1` made the exit code 1, of a run whose trials are all complete too."""
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody, trained_inline(), pageless():
        monkeypatch.setattr(sys, "stdout", nobody)
        with pytest.raises(SystemExit) as ended:
            main(command.split())
    assert ended.value.code == (2 if command == "status x" else 0)
    assert (tmp_path / "runs/tiny/results.zarr").is_dir() == command.startswith("run")
