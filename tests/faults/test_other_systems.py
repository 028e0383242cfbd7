"""Windows and macOS, as far as Linux can tell: what they lack, and what they take for a name.

Nobody has run the package there; docs/systems.md says what is promised.
"""

from __future__ import annotations

import ast
import errno
import os
import signal
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

import mypy
import psutil
import pytest
from processes import STUDY, amid, gone, in_flight, start
from scripted import Scripted
from tiny import Listed, write_study
from waiting import wait_until

from ganstudy import whole_file
from ganstudy.engine import packing
from ganstudy.schedule import questions
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.loop import Limits, train_packs
from ganstudy.store import RunDirectory, run_directory
from ganstudy.system import cores, in_order
from ganstudy.trial import Trial

ROOT = Path(__file__).parents[2]

LACKING = '''\
"""Run as Python starts, in every process: what Windows does not have is gone."""
import faulthandler, os, signal, sys
import locket, psutil  # here they need some of it

for module, names in {{
    signal: "SIGHUP SIGUSR1 SIGUSR2 SIGALRM SIGCHLD pthread_sigmask pthread_kill "
            "SIG_BLOCK SIG_UNBLOCK SIG_SETMASK pause sigwait alarm",
    faulthandler: "register unregister",
    os: "killpg getsid setsid getpgid setpgid getuid geteuid getgid sched_getaffinity fork "
        "getloadavg mkfifo setpriority getpriority PRIO_PROCESS PRIO_PGRP PRIO_USER",
}}.items():
    for name in names.split():
        delattr(module, name)
for name in "resource pwd grp {more}".split():
    sys.modules[name] = None
'''

IMPORTS = """\
import importlib, pkgutil, warnings
warnings.simplefilter("ignore")  # filelock's, on the locks of Linux
import ganstudy
names = [own.name for own in pkgutil.walk_packages(ganstudy.__path__, "ganstudy.")]
names = [name for name in names if not name.endswith(("gpu_kernels", "__main__"))]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def lacking(folder: Path, more: str = "") -> str:
    """A folder that, once on the path of a Python, takes from it what Windows lacks."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(LACKING.format(more=more), encoding="utf-8")
    return str(folder)


def python(code: str, place: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that lacks what Windows lacks."""
    path = os.pathsep.join([place, str(ROOT)])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_every_module_is_imported_without_what_windows_lacks(tmp_path: Path) -> None:
    said = python(IMPORTS, lacking(tmp_path / "lacking", "fcntl termios tty pty"))
    assert said.returncode == 0, said.stderr
    assert int(said.stdout) > 400


def _differing(stubs: Path) -> set[str]:
    """Modules of the standard library that do not have the same names on every system."""

    def differs(body: Sequence[ast.stmt]) -> bool:
        conditions = [own for own in body if isinstance(own, ast.If)]
        return any(
            "platform" in ast.unparse(own.test) or differs(own.body) or differs(own.orelse)
            for own in conditions
        )

    paths = [path for path in stubs.rglob("*.pyi") if "platform" in path.read_text("utf-8")]
    differing = [path for path in paths if differs(ast.parse(path.read_text("utf-8")).body)]
    return {path.relative_to(stubs).parts[0].removesuffix(".pyi") for path in differing}


def _importing(modules: set[str]) -> list[str]:
    """Files of the package that import one of these, or take names from one."""
    found = []
    for path in sorted((ROOT / "ganstudy").rglob("*.py")):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {own.name.partition(".")[0] for own in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
        if imported & modules:
            found.append(path.relative_to(ROOT).as_posix())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_no_name_of_the_standard_library_is_missing(platform: str, tmp_path: Path) -> None:
    """As typeshed knows it, in files that import modules of which systems have different names;
    but for names that the guard of another name covers, which the run below shows."""
    files = _importing(_differing(Path(mypy.__file__).with_name("typeshed") / "stdlib"))
    assert "ganstudy/live.py" in files
    command = [sys.executable, "-m", "mypy", "--platform", platform, "--follow-imports=skip"]
    # Where one process is enough, none that is slow to start can be missed.
    command += ["--no-site-packages", "--num-workers", "0", "--cache-dir", str(tmp_path), *files]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert "checked" in said.splitlines()[-1]
    found = {
        (line.partition(":")[0], line.split('"')[1])
        for line in said.splitlines()
        if "Module has no attribute" in line
    }
    guarded = {
        *(("ganstudy/schedule/interruption.py", name) for name in ("SIG_BLOCK", "SIG_SETMASK")),
        *(("ganstudy/schedule/questions.py", name) for name in ("SIG_UNBLOCK", "register")),
        *(("ganstudy/live.py", name) for name in ("getpriority", "PRIO_PROCESS")),
    }
    assert found == (guarded if platform == "win32" else set())


@pytest.mark.slow
def test_a_run_stops_politely_without_what_windows_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C reaches the parent alone, which asks its workers through their pipes."""
    monkeypatch.syspath_prepend(lacking(tmp_path / "lacking"))
    text = STUDY.replace("steps: 100", "steps: 100000").replace("every: 25", "every: 25000")
    out = tmp_path / "run"
    run = start(
        write_study(
            tmp_path, text.replace("{program: eager,", "{program: eager, memory_limit: 8,")
        ),
        out,
        workers=1,
        every=1000.0,
    )
    wait_until(lambda: amid(out) or run.poll() is not None)
    assert not in_flight(out)
    run.send_signal(signal.SIGINT)
    text, _ = run.communicate(timeout=900)
    assert run.returncode == 130, text
    assert gone(run)
    assert "Traceback" not in text
    assert in_flight(out)


@pytest.mark.slow
def test_a_hanging_worker_says_where_it_is_without_signals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "by_signal", lambda: False)
    bad = Trial(Scripted(folder=str(tmp_path), seconds=600.0), 0)
    with LocalExecutor(1) as executor:
        parts = train_packs(Listed([(bad,)]), executor, limits=Limits(seconds=1.0))
        (record,) = (record for part in parts for record in part)
    assert "TimeLimit: more than 1 s" in record.cause
    assert "scripted.py" in record.cause


TAKES = """\
import time
from ganstudy.schedule import memory
memory.limit(1.0)
kept = b"x" * (2**30 + 2**29)
time.sleep(60.0)
"""


@pytest.mark.slow
def test_memory_is_looked_after_where_no_kernel_bounds_it(tmp_path: Path) -> None:
    said = python(TAKES, lacking(tmp_path / "lacking"))
    assert said.returncode == 97, said.stderr


def test_a_worker_without_signals_ends_with_its_parent() -> None:
    """On Windows the number of a parent stays what it was when that parent is gone."""
    code = (
        "import os, time; from ganstudy.schedule import worker\n"
        "worker.sys.platform = 'elsewhere'; os.getppid = lambda: {gone}\n"
        "worker.die_with({gone}); time.sleep(60.0)"
    )
    with subprocess.Popen([sys.executable, "-c", ""]) as parent:
        parent.wait()
    said = python(code.format(gone=parent.pid), str(ROOT))
    assert said.returncode == 1, said.stderr
    assert said.stderr == ""


def test_nothing_is_compiled_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has tried; `auto` then trains by the steps as written, and `compiled` is refused."""
    monkeypatch.setattr(packing, "WINDOWS", True)
    assert "Windows" in packing.why_no_compiler.__wrapped__()


def test_signs_that_standard_output_lacks_stop_nothing() -> None:
    """Windows gives a file or a pipe the code page of its country."""
    said = subprocess.run(
        [sys.executable, "-m", "ganstudy", "list", "metrics"],
        env={**os.environ, "PYTHONIOENCODING": "cp1253", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "Peyr\\xe9" in said.stdout.decode("cp1253")


def no_names(names: Iterable[str]) -> list[str]:
    """Relative paths that Windows cannot hold, or not beside each other."""
    names = list(names)
    twice = Counter(name.lower() for name in names)
    found = [name for name in names if twice[name.lower()] > 1]
    for name in names:
        path = PureWindowsPath(name)
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            reserved = any(PureWindowsPath(part).is_reserved() for part in path.parts)
        bad = set(name) & set('\\:*?"<>|') or any(part[-1] in ". " for part in path.parts)
        if reserved or bad or path.is_absolute() or path.as_posix() != name:
            found.append(name)
    return found


def test_names_that_windows_cannot_hold_are_found() -> None:
    bad = ["con/a", "a/aux.py", "a:b", "x.", "what?", "A/b", "a/B", "a\\b"]
    assert sorted(set(no_names([*bad, "a/c.py", ".lock"]))) == sorted(bad)


def test_every_file_of_the_repository_has_a_name_on_windows() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no checkout")
    names = listed.stdout.splitlines()
    assert len(names) > 500
    assert no_names(names) == []
    assert max(map(len, names)) < 160, "Windows has 260 characters, with the folder it lies in"


def test_files_have_one_order_on_every_system() -> None:
    """The order of a folder's images is that of its rows, and decides what is held out."""
    names = ["b/A.png", "B/a.png", "a-b.png", "a/b.png", "a/B.png", "a/b/c.png", "Z.png", "z.png"]
    orders = {
        kind: [path.as_posix() for path in in_order(kind(name) for name in names)]
        for kind in (PurePosixPath, PureWindowsPath)
    }
    assert orders[PureWindowsPath] == orders[PurePosixPath]
    assert orders[PurePosixPath] == [p.as_posix() for p in sorted(map(PurePosixPath, names))]


@pytest.mark.parametrize(
    ("files", "most"),
    [
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64),
        ({}, 64),
        # Of `systemd-run -p CPUQuota=300%`, in a slice that has less; and on an older system.
        ({"own": "0::/a/b.service\n", "a/b.service/cpu.max": "300000 100000\n"}, 3),
        ({"own": "0::/a/b\n", "a/b/cpu.max": "max 100000\n", "a/cpu.max": "200000 100000\n"}, 2),
        ({"own": "0::/../../of-the-host\n", "cpu.max": "100000 100000\n"}, 1),
        (
            {
                "own": "4:memory:/m\n3:cpu,cpuacct:/c\n0::/\n",
                **{"cpu/m/cpu.cfs_quota_us": "100000\n", "cpu/m/cpu.cfs_period_us": "100000\n"},
                **{"cpu/c/cpu.cfs_quota_us": "500000\n", "cpu/c/cpu.cfs_period_us": "100000\n"},
            },
            5,
        ),
    ],
)
def test_cores_are_those_that_a_container_was_given(
    files: dict[str, str], most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one core of 64, as `docker run --cpus 1` gives it, 64 workers were started. Only the
    group of a container is that of all groups there.
    """
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64), raising=False)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cores(tmp_path, tmp_path / "own") == most


def test_a_whole_file_is_written_where_no_folder_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""

    def refused(path: Path, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(whole_file, "WINDOWS", True)
    monkeypatch.setattr(os, "open", refused)
    whole_file.write_whole(tmp_path / "whole", b"content")
    assert (tmp_path / "whole").read_bytes() == b"content"


def test_a_run_is_set_aside_where_no_folder_moves_while_its_lock_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where an open file holds its folder."""
    rename = Path.rename

    def held(path: Path, target: Path) -> Path:
        if any(file.path.startswith(str(path)) for file in psutil.Process().open_files()):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return rename(path, target)

    (tmp_path / "run" / "records").mkdir(parents=True)
    monkeypatch.setattr(run_directory, "WINDOWS", True)
    monkeypatch.setattr(Path, "rename", held)
    assert RunDirectory(tmp_path / "run").set_aside() == tmp_path / "run.aside-1"
    assert (tmp_path / "run.aside-1" / "records").is_dir()
