"""Every example of the README and of docs/: Python runs, studies load, commands parse and run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from inline import trained_inline
from markdown_it import MarkdownIt
from PIL import Image
from ruamel.yaml import YAML
from tiny import STUDY
from unrendered import undrawn

import ganstudy
from ganstudy import plugins
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


LONG = ("README", "generators", "search")
EXAMPLES = [
    pytest.param(page, id=page.stem, marks=[pytest.mark.slow] * (page.stem in LONG))
    for page in PAGES
    if any(kind in ("python", "yaml") or "ganstudy " in text for kind, text in blocks(page))
]


RUNS = ("runs/study", "runs/mode_collapse", "runs/equilibrium", "runs/a", "runs/b")
"""Runs that pages take for finished ones."""

JOB, FACES = "runs/mine", "data/faces"
"""And a job, and a folder of images."""


@pytest.fixture
def folder(
    page: Path, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A working directory as a reader of a page has it: the studies, and what the page names."""
    named = page.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    (tmp_path / "study.yaml").write_text(STUDY.replace("steps: 6", "steps: 1000"))
    (tmp_path / "data").mkdir()
    header = "area,perimeter,texture,type\n"
    rows = "".join(f"{k / 2},{k * k % 7},{k % 5},{'ab'[k % 2]}\n" for k in range(60))
    (tmp_path / "data" / "cells.csv").write_text(header + rows)
    if FACES in named:
        _draw_faces(tmp_path / FACES)
    for run in RUNS:
        if run in named:
            shutil.copytree(tiny_run, tmp_path / run)
    _share(tmp_path)
    if JOB in named:
        directory = JobDirectory(tmp_path / JOB)
        with directory.held():
            directory.write({"study": Foreseen(8, 1.0)}, "study")
            shutil.copytree(tiny_run, tmp_path / JOB / "study")
    for plugin in (ROOT / "docs" / "plugins").glob("*.py"):
        shutil.copy(plugin, tmp_path)
    with trained_inline(), undrawn():
        yield tmp_path
    plugins.forget()


def _draw_faces(place: Path) -> None:
    """Sixty images in two classes."""
    for number in range(60):
        folder = place / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")


def _share(place: Path) -> None:
    """What studies share, beside a study and in the folder `mine` of one."""
    (place / "mine").mkdir()
    for folder in (place, place / "mine"):
        (folder / "_shared.yaml").write_text(STUDY)
    (place / "mine" / "ring.yaml").write_text("extends: _shared.yaml\nseeds: 1\n")


@pytest.mark.parametrize("page", EXAMPLES)
def test_every_example_works(page: Path, folder: Path) -> None:
    known: dict[str, Any] = {}  # what a page uses it imports
    for kind, text in blocks(page):
        if kind == "python":
            exec(compile(text, f"{page.name}: {text.splitlines()[0]}", "exec"), known)
        elif kind == "yaml":
            check_study(text, folder)
        elif not kind:
            for line in text.splitlines():
                if line.startswith("ganstudy "):
                    check_command(line)


_ALONE = """
import sys
sys.modules["ganstudy"] = None  # importing it raises
import torch
module, latent = torch.load("generator.pt", weights_only=False), torch.load("latent.pt")
with torch.no_grad():
    torch.save((module(latent), module(latent[:1])), "alone.pt")
"""


@pytest.mark.slow
def test_from_a_folder_of_images_to_a_generator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The README's way to its end, of another size: checked, trained, drawn, sampled, and opened
    where nothing of ours can be imported, an image at a time, too.
    """
    monkeypatch.chdir(tmp_path)
    _draw_faces(tmp_path / "data" / "faces")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    heading = "## From a folder of images to a generator"
    (tmp_path / "way.md").write_text(text.partition(heading)[2].partition("\n## ")[0])
    small = ["trial.steps=4", "trial.generator.width=4", "trial.critic.width=4", "trial.batch=8"]
    small += ["trial.record.samples=64", "trial.record.every=2"]
    known: dict[str, Any] = {"ganstudy": ganstudy}
    said, verbs = "", []
    for kind, text in blocks(tmp_path / "way.md"):
        if kind == "yaml":
            (tmp_path / "study.yaml").write_text(text)
        elif kind == "python":
            exec(compile(text, "README.md", "exec"), known)
        for words in map(shlex.split, text.splitlines() if not kind else ()):
            verbs.append(words[1])
            given = words[1 : words.index("#")] + small * (words[1] == "run")
            with trained_inline():
                result = CliRunner().invoke(main, given)
            assert result.exit_code == 0, f"{given}: {result.output}"
            said += result.output
    assert verbs == ["check", "run", "sample"]
    assert "60 images of 3 x 32 x 32" in said
    page = (tmp_path / "runs" / "study" / "report" / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{name}.png"' in page for name in ("images", "image_film", "nearest_images"))
    (sheet,) = tmp_path.glob("*.png")
    with Image.open(sheet) as opened:
        assert opened.size[0] > 8 * 32
    images, latent = known["images"].detach(), known["latent"]
    assert images.shape == (16, 3, 32, 32)
    torch.save(latent, tmp_path / "latent.pt")
    subprocess.run([sys.executable, "-c", _ALONE], check=True, cwd=tmp_path, timeout=120)
    several, one = torch.load(tmp_path / "alone.pt")
    torch.testing.assert_close(several, images)
    torch.testing.assert_close(one, images[:1], rtol=1e-4, atol=1e-5)
    stored = ganstudy.sample("runs/study", count=16).samples
    np.testing.assert_allclose(images.numpy(), stored, rtol=1e-4, atol=1e-5)


def check_study(text: str, folder: Path) -> None:
    """A whole study has no mistake, can answer its question clearly, and is the `study.yaml` from
    there on; an excerpt is loaded within the small one."""
    given = YAML(typ="safe").load(text)
    path = folder / "study.yaml"
    if "question" in given:
        path.write_text(text)
        checked = CliRunner().invoke(main, ["check", str(path)])
        assert checked.exit_code == 0, checked.output
        assert "search" not in given or "no difference clear" not in checked.output
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
    """It succeeds; `run` as a dry run, since a test has no minutes.

    What is planned lies beside the runs of other studies that a page calls by the same name.
    """
    words = shlex.split(line, comments=True)[1:]
    dry = ["--dry-run"] if words[0] == "run" else []
    dry += ["--out", "runs/new"] if words[0] in ("plan", "run") else []
    result = CliRunner().invoke(main, [*words, *dry])
    assert result.exit_code == 0, f"{line}: {result.output}"


def test_examples_are_found() -> None:
    """Else all of the above could pass without looking at anything."""
    kinds = [kind for page in PAGES for kind, _ in blocks(page)]
    assert kinds.count("python") >= 8
    assert kinds.count("yaml") >= 5
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    assert [own for own in (*RUNS, JOB, FACES) if not any(own in text for text in texts)] == []
    tutorial = [text for kind, text in blocks(ROOT / "docs" / "tutorial.md") if not kind]
    verbs = re.findall(r"^ganstudy (\w+)", "".join(tutorial), re.MULTILINE)
    assert set(verbs) == {"list", "check", "plan", "run", "status"}


def test_every_page_is_in_the_contents() -> None:
    """A page that nobody reaches is an error when the docs are built."""
    contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").split()
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}
    assert pages - set(contents) <= {"search"}, "searching.md includes search.md"
