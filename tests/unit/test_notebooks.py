"""The notebooks: both files of a pair say the same, without outputs, and every cell runs.

What reads notebooks takes seconds to import, for which no collection waits.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from inline import trained_inline
from tiny import STUDY, write_study
from unrendered import unrendered

from ganstudy.atlas import FILE
from ganstudy.pipeline import run
from ganstudy.study import load

if TYPE_CHECKING:
    import xarray as xr
    from jupyter_client.manager import KernelManager

FOLDER = Path(__file__).parents[2] / "analysis"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
ATLAS = pytest.mark.skipif(not FILE.is_file(), reason="the atlas has not been trained")
FIRST = "first_look"
"""The notebook that runs whenever tests do; the others where slow ones do."""
RUN = [
    pytest.param(name, marks=[ATLAS] * (name == "atlas") + [pytest.mark.slow] * (name != FIRST))
    for name in NAMES
]


def cells(notebook: Any) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def test_each_notebook_has_a_text_form() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == NAMES
    assert {
        "first_look",
        "mode_coverage",
        "stability",
        "paper_figure",
        "own_metric",
        "atlas",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_agree_and_hold_no_outputs(name: str) -> None:
    import jupytext
    import nbformat

    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    text = jupytext.read(FOLDER / f"{name}.py")
    assert cells(notebook) == cells(text), f"run jupytext --sync analysis/{name}.py"
    assert notebook.metadata.kernelspec == text.metadata.kernelspec
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelManager]:
    """One kernel for all notebooks, one after the other: imports cost seconds."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(FOLDER))
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_every_cell_runs(name: str, kernel: KernelManager, tiny_run: Path) -> None:
    _execute(name, kernel, tiny_run)


OTHERS = {
    "one_arm": "",
    "no_settings": "search: {grid: {divergence: [minimax, hinge]}}",
    "two_targets": "search: {grid: {divergence: [minimax, hinge], target.modes: [3, 4]}}",
    "searched": "search: {grid: {divergence: [minimax, hinge]}, bayes: {space: {generator.lr:"
    " {low: 1e-4, high: 1e-2}}, trials: 3, sampler: random, objective: {maximize: modes_covered}}}",
}
"""Layouts of studies whose runs a reader may name as well."""


@pytest.mark.slow
@pytest.mark.parametrize("layout", OTHERS)
def test_every_cell_runs_whatever_the_layout(
    layout: str, kernel: KernelManager, tmp_path: Path
) -> None:
    """Without axes, settings or a single target, and of searches, cells ended in tracebacks."""
    text = f"{STUDY[: STUDY.index('search:')]}{OTHERS[layout]}\nseeds: 2\n"
    with trained_inline(), unrendered():
        run(load(write_study(tmp_path, text, "other.yaml")), tmp_path / "run", workers=1)
    for name in (name for name in NAMES if name != "atlas"):
        _execute(name, kernel, tmp_path / "run")


@pytest.mark.parametrize("name", ["mode_coverage", "own_metric"])
@pytest.mark.parametrize(
    ("layout", "told"), [("table_study", "file has no(ne| modes)"), ("theory", "samples")]
)
def test_what_needs_modes_says_so(
    name: str,
    layout: str,
    told: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a table, or a computation, where it was a `KeyError`."""
    ds = request.getfixturevalue(layout).drop_vars("modes_covered", errors="ignore")
    monkeypatch.setenv("GANSTUDY_RUN", "run")
    monkeypatch.setattr("ganstudy.open_run", lambda _: ds)
    with pytest.raises(ValueError, match=told):
        runpy.run_path(str(FOLDER / f"{name}.py"))


def test_what_needs_a_critic_says_so(theory: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a computation it was a `KeyError`, after cells of results."""
    monkeypatch.setenv("GANSTUDY_RUN", "run")
    monkeypatch.setattr("ganstudy.open_run", lambda _: theory)
    with pytest.raises(ValueError, match="trains no critic"):
        runpy.run_path(str(FOLDER / "stability.py"))


def _execute(name: str, kernel: KernelManager, path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    named = f"import os; os.environ['GANSTUDY_RUN'] = {str(path)!r}"
    for first in (named, "%reset -f"):
        notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
    client = NotebookClient(notebook, km=kernel, timeout=120)
    try:
        client.execute()
    finally:
        client.kc.stop_channels()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "atlas"])
def test_each_says_at_its_top_which_run_it_needs(name: str) -> None:
    """In the first cell of text; the first of code makes it where it is missing."""
    import jupytext

    text, code = jupytext.read(FOLDER / f"{name}.py").cells[:2]
    assert "Needs a run" in text.source
    assert "GANSTUDY_RUN" in text.source
    assert 'shipped.made("quick", "../runs")' in code.source
    # Seen from the folder of the kernel, it is where runs of the checkout are.
    for path in re.findall(r"`([./\w]*runs/\w+)`", text.source):
        assert (FOLDER / path).resolve().parent == FOLDER.parent / "runs", path


def test_the_tutorial_names_a_run_as_the_kernel_sees_it() -> None:
    text = (FOLDER.parent / "docs" / "tutorial.md").read_text(encoding="utf-8")
    named = re.search(r"`GANSTUDY_RUN`[^`]*`analysis/`: `([./\w]+)`", text)
    assert named
    assert (FOLDER / named[1]).resolve().parent == FOLDER.parent / "runs"
