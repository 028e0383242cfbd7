"""Compilers that are missing, fail or write rubbish: no trial is to blame.

Of caches that are cut short `unit/engine/test_ahead.py` tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny import STUDY, write_study

from ganstudy.cli import main
from ganstudy.engine import packing
from ganstudy.engine.pace import Pace
from ganstudy.engine.packing import why_no_compiler
from ganstudy.store import RunDirectory

SMALL = (
    STUDY.replace("[1, 2]", "[1]").replace("seeds: 2", "seeds: 1").replace("depth: 1", "depth: 0")
)

FAILS = "#!/bin/sh\necho 'cc1plus: out of luck' >&2\nexit 1\n"
WRITES_RUBBISH = """#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in -o) echo rubbish > "$2"; exit 0;; esac
  shift
done
"""
FAILS_LATER = """#!/bin/sh
case "$*" in *answer.so*) exec g++ "$@";; esac
echo 'cc1plus: out of luck' >&2
exit 1
"""
"""Good enough for a look, and not for a step."""


@pytest.fixture(autouse=True)
def _short(no_page: None) -> Iterator[None]:
    """No page, and no memory of the compiler of another test."""
    why_no_compiler.cache_clear()
    yield
    why_no_compiler.cache_clear()


def _compiler(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "compiler"
    path.write_text(script)
    path.chmod(0o755)
    monkeypatch.setenv("CXX", str(path))


def _run(study: Path, out: Path, *more: str) -> Result:
    result = CliRunner().invoke(
        main, ["run", str(study), *more, "--out", str(out), "--workers", "1", "--json"]
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (FAILS, "cc1plus: out of luck"),
        (WRITES_RUBBISH, "cannot be used"),
        ("", "there is no C++ compiler"),
    ],
)
def test_a_compiler_that_is_of_no_use_is_found_out_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    """A study that asks for it is refused; `auto` does without it (`test_packing.py`)."""
    if script:
        _compiler(tmp_path, script, monkeypatch)
    else:
        monkeypatch.setenv("CXX", str(tmp_path / "none"))
    assert said in why_no_compiler()
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    result = _run(study, out, "engine.program=compiled")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "engine.program" in result.stderr
    assert RunDirectory(out).recorded() == {}
    # Nor is an earlier run moved away for one that cannot begin, alone or in a folder.
    (tmp_path / "runs" / study.stem).mkdir(parents=True)
    for of, place in ((study, out), (study.parent, tmp_path / "runs")):
        result = _run(of, place, "--fresh", "engine.program=compiled")
        assert result.exit_code == 2
        assert said in result.stderr
        assert "; nothing is set aside" in result.stderr
    assert not list(tmp_path.rglob("*aside*"))


def test_the_compiler_of_this_machine_is_of_use() -> None:
    """Or there is none, and the tests of compiled steps are of no use either."""
    assert why_no_compiler() == ""


@pytest.mark.slow
def test_a_compiler_that_fails_later_costs_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried once more in an empty cache. A run that asks for it says why it ends; with `auto`
    one falls back to the step as written, and says so.
    """
    _compiler(tmp_path, FAILS_LATER, monkeypatch)
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    study, out = write_study(tmp_path, SMALL), tmp_path / "run"
    asked = _run(study, out, "engine.program=compiled")
    assert asked.exit_code == 2
    assert caplog.text.count("compiling into an empty cache") == 1
    assert "compiled steps cannot be made" in asked.stderr
    assert RunDirectory(out).recorded() == {}
    monkeypatch.setattr(packing, "GUESS", Pace(graph=0.0, start=0.0))
    result = _run(study, out)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["status"] == {"complete": 2}
    assert {record.program for record in RunDirectory(out).read()} == {"eager"}
    assert "the steps as written" in caplog.text
