"""Pages name a test for each promise; there is such a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
PAGE = DOCS / "faults.md"


def _named(page: Path) -> list[tuple[str, str]]:
    """File and test of each name on the page; an ellipsis stands for the file named before."""
    found, file = [], ""
    for text in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")):
        if match := re.fullmatch(r"(\S+\.py|…)(?:::(test_\w+))?", text):
            file = file if match[1] == "…" else match[1]
            found.append((file, match[2] or ""))
    return found


@pytest.mark.parametrize(("page", "fewest"), [("faults", 20), ("systems", 10)])
def test_the_tests_that_a_page_names_are_there(page: str, fewest: int) -> None:
    """In the folder of this file, unless another one is named."""
    named = _named(DOCS / f"{page}.md")
    assert len(named) > fewest
    for file, test in named:
        path = TESTS / file if "/" in file else Path(__file__).with_name(file)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert not test or test in functions, f"{file}::{test}"


def test_every_row_of_promises_names_one() -> None:
    """A promise that nobody holds to account is a hope."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.endswith("| test |"):
            assert re.search(r"`\S+\.py", line), line
