"""Every example of the README and of docs/: Python runs, studies load, commands parse and run."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from PIL import Image
from ruamel.yaml import YAML
from tiny import STUDY
from unrendered import unrendered

import ganstudy
from ganstudy import analysis, metrics, plugins, targets
from ganstudy.cli import main
from ganstudy.store.job_directory import Foreseen, JobDirectory
from ganstudy.study import load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OWN = ("objective", "constraints", "pruner", "repeats", "fresh")
WITHIN = dict.fromkeys(OWN, ("search", "bayes"))
"""Where the keys of an excerpt belong, if not at the top of a study."""


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each block of code; indented ones have no language."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            yield token.info, token.content


EXAMPLES = [
    pytest.param(page, id=page.stem)
    for page in PAGES
    if any(kind in ("python", "yaml") or "ganstudy " in text for kind, text in blocks(page))
]


@pytest.fixture
def folder(tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory as a reader has it: the studies, and finished runs of the names used."""
    mpl.use("agg")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    (tmp_path / "study.yaml").write_text(STUDY.replace("steps: 6", "steps: 1000"))
    (tmp_path / "data").mkdir()
    header = "area,perimeter,texture,type\n"
    rows = "".join(f"{k},{k * k % 7},{k % 5},{'ab'[k % 2]}\n" for k in range(40))
    (tmp_path / "data" / "cells.csv").write_text(header + rows)
    for number in range(12):
        folder = tmp_path / "data" / "faces" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
    for name in ("study", "mode_collapse", "equilibrium", "a", "b"):
        shutil.copytree(tiny_run, tmp_path / "runs" / name)
    _share(tmp_path)
    directory = JobDirectory(tmp_path / "runs" / "mine")
    with directory.held():
        directory.write({"study": Foreseen(8, 1.0)}, "study")
        shutil.copytree(tiny_run, tmp_path / "runs" / "mine" / "study")
    for plugin in (ROOT / "docs" / "plugins").glob("*.py"):
        shutil.copy(plugin, tmp_path)
    with unrendered():
        yield tmp_path
    plugins.forget()
    plt.close("all")


def _share(place: Path) -> None:
    """What studies share, beside a study and in the folder `mine` of one."""
    (place / "mine").mkdir()
    for folder in (place, place / "mine"):
        (folder / "_shared.yaml").write_text(STUDY)
    (place / "mine" / "ring.yaml").write_text("extends: _shared.yaml\nseeds: 1\n")


@pytest.mark.parametrize("page", EXAMPLES)
def test_every_example_works(page: Path, folder: Path) -> None:
    ds = ganstudy.open_run("runs/study")
    target = targets.family["ring"](modes=4)
    known: dict[str, Any] = {"ds": ds, "analysis": analysis, "metrics": metrics, "target": target}
    for kind, text in blocks(page):
        if kind == "python":
            exec(compile(text, f"{page.name}: {text.splitlines()[0]}", "exec"), known)
        elif kind == "yaml":
            check_study(text, folder)
        elif not kind:
            for line in text.splitlines():
                if line.startswith("ganstudy "):
                    check_command(line)


def check_study(text: str, folder: Path) -> None:
    """A whole study is loaded as it is, and is the `study.yaml` from there on; an excerpt within
    the small one."""
    given = YAML(typ="safe").load(text)
    path = folder / "study.yaml"
    if "question" in given:
        path.write_text(text)
    else:
        whole = YAML(typ="safe").load(path.read_text())
        for key, value in given.items():
            place = whole
            for outer in WITHIN.get(key, ()):
                place = place[outer]
            place[key] = value
        path = folder / "excerpt.yaml"
        YAML().dump(whole, path)
        if "search" in given:
            (folder / "study.yaml").write_text(path.read_text())
    load(path)


def check_command(line: str) -> None:
    """It succeeds; `run` as a dry run, since a test has no minutes."""
    words = shlex.split(line, comments=True)[1:]
    dry = ["--dry-run"] if words[0] == "run" else []
    result = CliRunner().invoke(main, [*words, *dry])
    assert result.exit_code == 0, f"{line}: {result.output}"


def test_examples_are_found() -> None:
    """Else all of the above could pass without looking at anything."""
    kinds = [kind for page in PAGES for kind, _ in blocks(page)]
    assert kinds.count("python") >= 8
    assert kinds.count("yaml") >= 5
    tutorial = [text for kind, text in blocks(ROOT / "docs" / "tutorial.md") if not kind]
    verbs = re.findall(r"^ganstudy (\w+)", "".join(tutorial), re.MULTILINE)
    assert set(verbs) == {"list", "check", "plan", "run", "status"}


def test_every_page_is_in_the_contents() -> None:
    """A page that nobody reaches is an error when the docs are built."""
    contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").split()
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}
    assert pages - set(contents) <= {"search"}, "searching.md includes search.md"
