"""The folder in which a machine keeps what took long to find out."""

from __future__ import annotations

import getpass
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch._inductor.runtime import cache_dir_utils

from ganstudy import machine_cache
from ganstudy.system import WINDOWS

ON_POSIX = pytest.mark.skipif(WINDOWS, reason="each user has a temporary folder there")


@pytest.mark.parametrize("user", ["ada", r"group\ada", None])
def test_it_is_where_torch_has_its_own(
    user: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for a user without a name, as in a container that is run by number: runs ended there."""

    def named() -> str:
        if user is None:
            raise KeyError("uid not found")
        return user

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(getpass, "getuser", named)
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    assert machine_cache.folder() == Path(cache_dir_utils.default_cache_dir())


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The usual place, which is not there yet, on a machine whose users have their own umask."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    # Set and removed again, so that what is set meanwhile goes when the test ends.
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    before = os.umask(0)
    yield tmp_path / "torchinductor_ada"
    os.umask(before)


@ON_POSIX
@pytest.mark.parametrize("how", ["theirs", "their link", "open to all"])
def test_libraries_of_others_are_not_run(
    usual: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """Whoever was first to make the folder had a library in it run by us, of the right digest."""
    if how == "their link":
        usual.symlink_to(usual.parent / "nowhere")
    else:
        usual.mkdir(0o777 if how == "open to all" else 0o755)
        (usual / "planted.so").touch()
    if how == "theirs":
        own = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    with caplog.at_level(logging.WARNING, "ganstudy"):
        found = machine_cache.folder()
        assert machine_cache.folder() == found
    assert not any(found.iterdir())
    assert found.stat().st_mode & 0o777 == 0o700
    assert cache_dir_utils.cache_dir() == str(found)  # torch's own, too
    (said,) = caplog.messages
    assert said.startswith(f"{usual} is not used: others can write to it")


@ON_POSIX
def test_what_is_ours_stays(usual: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Made for ourselves whatever the umask, and as torch makes it; a place that is asked for is
    whose it may be."""
    assert machine_cache.folder() == usual
    assert not usual.exists()  # for a question alone
    assert machine_cache.folder(made=True) == usual
    assert usual.stat().st_mode & 0o777 == 0o700
    usual.chmod(0o755)
    assert cache_dir_utils.cache_dir() == str(usual)  # it sets the variable
    assert machine_cache.folder() == usual
    elsewhere = usual.with_name("ganstudy-cache-1")  # as a job has it from where it was sent
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(elsewhere)
    assert machine_cache.folder(made=True) == elsewhere
    assert elsewhere.stat().st_mode & 0o777 == 0o700
    shared = usual.with_name("shared")
    shared.mkdir(0o777)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(shared)
    assert machine_cache.folder() == shared
    assert not caplog.messages


@ON_POSIX
def test_the_empty_place_goes_with_its_process(usual: Path) -> None:
    usual.mkdir(0o777)
    code = "from ganstudy.machine_cache import folder; print(folder())"
    told = {"TMPDIR": str(usual.parent), "LOGNAME": "ada", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).parent == usual.parent
    assert [*usual.parent.iterdir()] == [usual]


@ON_POSIX
def test_a_place_that_jobs_are_sent_is_no_more_trusted(usual: Path) -> None:
    """A name that was seen where they were sent from could be made first where they run."""
    planted = usual.with_name("ganstudy-cache-1")
    planted.mkdir(0o777)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(planted)
    assert machine_cache.folder() != planted
