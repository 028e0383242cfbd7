"""The plug-ins of the how-to: the page has the files as they are, and each keeps every promise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganstudy import plugins
from ganstudy.cli import main

FOLDER = Path(__file__).parents[2] / "docs" / "plugins"
PAGE = FOLDER.with_suffix(".md").read_text(encoding="utf-8")
FILES = sorted(FOLDER.glob("*.py"))


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What a test has loaded is forgotten after it."""
    yield
    plugins.forget()


def test_the_page_has_the_files_as_they_are() -> None:
    """All of them, and nothing else."""
    shown = re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert sorted(shown) == sorted(path.read_text(encoding="utf-8") for path in FILES)
    assert len(FILES) == 10


@pytest.mark.slow
@pytest.mark.usefixtures("suites_imported")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_keeps_every_promise(path: Path) -> None:
    """By `check --plugin`, which says under which name it goes, and that it is the file's."""
    done = CliRunner().invoke(main, ["check", "--plugin", str(path)])
    assert done.exit_code == 0, done.output
    kept, count = re.findall(r"it keeps (\d+) of (\d+) promises", done.stdout)[0]
    assert kept == count
    assert f"{path.stem}, a member of " in done.stdout
    assert "because that is the file's name" in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("suites_imported")
def test_the_metric_of_the_notebook_is_a_plugin_as_it_stands(tmp_path: Path) -> None:
    """As it says of itself; its docstring had neither bias nor cost nor source."""
    notebook = (FOLDER.parents[1] / "analysis" / "own_metric.py").read_text(encoding="utf-8")
    body = notebook[notebook.index("class LeastServed") : notebook.index("ds = ds.gan.measured(")]
    imports = "import numpy as np\n\nfrom ganstudy.metrics import Metric, Reading\n"
    assert all(line in notebook for line in imports.split("\n"))
    path = tmp_path / "least_served.py"
    path.write_text(f'"""A metric of the user\'s own."""\n\n{imports}\n\n{body}')
    done = CliRunner().invoke(main, ["check", "--plugin", str(path)])
    assert done.exit_code == 0, done.output
    kept, count = re.findall(r"it keeps (\d+) of (\d+) promises", done.stdout)[0]
    assert kept == count
