"""The press: whoever prints a figure, its files are the same, and none is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from waiting import wait_until

from ganstudy.report import Press
from ganstudy.report.drawing import Drawing
from ganstudy.report.style import figure_style


def _drawing(name: str, formatter: Callable[..., str] | None = None) -> Drawing:
    figure = Figure(figsize=(3, 2), layout="constrained")
    axes = figure.subplots()
    axes.plot(np.random.default_rng(0).normal(size=50))
    axes.set_title("Ein $ und \N{GREEK SMALL LETTER ALPHA}")
    if formatter is not None:
        axes.xaxis.set_major_formatter(FuncFormatter(formatter))
    return Drawing(name, figure, "A line.", Markup("A line."))


@pytest.fixture
def by_itself(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the drawings that this process has printed."""
    names: list[str] = []
    save = Drawing.save

    def kept(drawing: Drawing, folder: Path) -> None:
        names.append(drawing.name)
        save(drawing, folder)

    monkeypatch.setattr(Drawing, "save", kept)
    monkeypatch.setattr("ganstudy.report.press.cores", lambda: 2)
    return names


def _files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.slow
def test_what_the_other_process_prints_has_the_same_bytes(
    tmp_path: Path, by_itself: list[str]
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    with figure_style():
        Press().give(_drawing("a"), here)()
        with Press() as press:
            press.give(_drawing("a"), there)
            # Whoever waits for the second one has the first one from there.
            waiting = press.give(_drawing("b"), there)
            wait_until((there / "a.svg").exists)
            waiting()
    assert by_itself[0] == "a"
    assert set(by_itself[1:]) <= {"b"}
    assert {name: _files(there)[name] for name in ("a.png", "a.svg")} == _files(here)
    assert {"b.png", "b.svg"} <= _files(there).keys()


@pytest.mark.slow
def test_what_is_printed_by_an_artist_is_no_answer(tmp_path: Path, by_itself: list[str]) -> None:
    """A plug-in may print, and what it said was taken for that of its figure and of later ones."""
    with figure_style(), Press() as press:
        printed = press.give(_drawing("a", partial(print, flush=True)), tmp_path)
        wait_until((tmp_path / "a.svg").exists)
        printed()
    assert not by_itself


@pytest.mark.slow
def test_what_it_cannot_print_is_printed_here(tmp_path: Path, by_itself: list[str]) -> None:
    """A function without a name of its own; into a folder that is not there nobody prints."""
    with figure_style(), Press() as press:
        press.give(_drawing("a", lambda value, _: f"{value:.1f}"), tmp_path)()
        wrong = press.give(_drawing("b"), tmp_path / "nowhere")
        with pytest.raises(FileNotFoundError, match="nowhere"):
            wrong()
    assert by_itself == ["a", "b"]
    assert _files(tmp_path).keys() == {"a.png", "a.svg"}


@pytest.mark.parametrize("trouble", ["it dies", "it cannot start", "one core"])
def test_without_another_process_nothing_is_lost(
    trouble: str, tmp_path: Path, by_itself: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble == "it dies":
        monkeypatch.setattr(sys, "executable", "true")
    elif trouble == "it cannot start":
        monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    else:
        monkeypatch.setattr("ganstudy.report.press.cores", lambda: 1)
        monkeypatch.setattr(subprocess, "Popen", None)
    with figure_style(), Press() as press:
        printed = [press.give(_drawing(name), tmp_path) for name in "abc"]
        for own in printed:
            own()
    assert by_itself == ["a", "b", "c"]
    assert len(_files(tmp_path)) == 6


def test_it_is_gone_with_its_context(tmp_path: Path, by_itself: list[str]) -> None:
    """Whatever ends it, and whatever is still to be printed."""
    before, children = psutil.Process().children(), []

    def interrupted() -> None:
        with figure_style(), Press() as press:
            children.extend(own for own in psutil.Process().children() if own not in before)
            press.give(_drawing("a"), tmp_path)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(children) == 1
    assert not children[0].is_running()
