"""Modules that lie where one stands: no process of a run takes one for what it imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tiny import STUDY, write_study

SMALL = STUDY.replace("[minimax, wasserstein]", "[minimax]").replace("[1, 2]", "[1]")
NAMES = ("numpy", "matplotlib", "joblib", "torch", "random", "queue", "ganstudy")


@pytest.mark.slow
def test_a_module_beside_a_study_is_not_run(tmp_path: Path) -> None:
    """By no worker, by no tracker, by no press, and not by the process of a live page.

    A live run starts all that another one starts.
    """
    for name in NAMES:
        mark = tmp_path / "ran"
        (tmp_path / f"{name}.py").write_text(f"open({str(mark)!r}, 'a').write('{name} ')\n")
    study = write_study(tmp_path, SMALL + "engine: {program: eager}\n")
    # As the script `ganstudy` does, whose own folder is not the one in which somebody stands.
    command = [sys.executable, "-P", "-m", "ganstudy", "run", study.name, "--workers", "1"]
    done = subprocess.run(
        [*command, "--live", "--every", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()
    page = (tmp_path / "runs" / "tiny" / "report" / "index.html").read_text(encoding="utf-8")
    assert "Which divergence keeps all modes?" in page
    assert "minimax" in page


@pytest.mark.slow
def test_a_package_that_is_not_installed_runs_where_it_lies(tmp_path: Path) -> None:
    """By `python -m ganstudy` in its checkout; all that it starts finds it, too."""
    python = Path(sys.base_prefix) / "bin" / "python3"
    if sys.prefix == sys.base_prefix or not python.exists():
        pytest.skip("needs a virtual environment and the interpreter that it was made with")
    # As folders and not as sites: what an editable installation adds to those is not added.
    installed = [path for path in sys.path if path.endswith("-packages")]
    study = write_study(tmp_path, SMALL)
    command = [str(python), "-m", "ganstudy", "run", str(study), "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [*command, "--workers", "1", "--live", "--every", "1"],
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": ":".join(installed), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "No module" not in done.stderr
    assert (tmp_path / "run" / "report" / "index.html").is_file()
