"""The docs are built as `make docs` builds them, and warn of nothing."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ganstudy
from ganstudy import plugins

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_docs_are_built_without_a_warning(tmp_path: Path) -> None:
    """By Sphinx, every page and the reference of the API."""
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_parser")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning"]
    command += ["docs", str(tmp_path)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    for page in (ROOT / "docs").glob("*.md"):
        assert page.stem == "search" or (tmp_path / f"{page.stem}.html").is_file()


def test_the_reference_has_what_it_promises() -> None:
    """What a notebook uses, but for modules, and what a member of any family begins from."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^\.\. auto(?:class|function|module):: ganstudy\.(\S+)$", text, re.M))
    bases = {own.base for own in plugins.families().values()}
    functions = {getattr(ganstudy, name) for name in ganstudy.__all__}
    functions = {own for own in functions if inspect.isfunction(own)} | {
        plugins.load,
        plugins.forget,
    }
    assert len(bases) == len(plugins.FAMILIES)
    # `analysis` is shown as a whole.
    lacking = {own.__name__ for own in bases | functions if "analysis" not in own.__module__}
    assert lacking - {name.rpartition(".")[2] for name in shown} == set()


def test_every_example_has_its_command_and_its_link() -> None:
    """`make examples` leaves a page where the docs look for it."""
    text = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    made = re.findall(r"^    ganstudy run .* --out build/docs/(\S+)$", text, re.MULTILINE)
    linked = re.findall(r'href="(\S+)/report/index\.html"', text)
    assert len(made) == 5
    assert made == linked
    assert "sphinx --quiet --fail-on-warning docs build/docs" in (ROOT / "Makefile").read_text()
