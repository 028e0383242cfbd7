"""Protocols of the literature: their tables of differences say what the studies do."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import ValidationError
from ruamel.yaml import YAML

from ganstudy.kinds.adversarial import Adversarial
from ganstudy.study import load

FOLDER = Path(__file__).parents[2] / "studies" / "protocols"
STUDIES = sorted(FOLDER.glob("*.yaml"))
COMPARED = {
    *("target", "training_set", "divergence", "constraint", "updates", "steps", "batch"),
    *("generator.latent", "critic.steps", "record.samples", "record.metrics"),
    *(
        f"{player}.{key}"
        for player in ("generator", "critic")
        for key in ("width", "depth", "activation", "initialisation", "optimizer", "lr")
    ),
}
"""What every protocol is compared in, set or not."""


@dataclass(frozen=True)
class Row:
    """One row of a table: its cells as inline tokens.

    keys  the settings that it is of; none for what no setting says
    """

    keys: tuple[str, ...]
    theirs: Token
    ours: Token
    why: str

    @property
    def same(self) -> bool:
        """Whether theirs is ours, to the letter."""
        return self.theirs.content == self.ours.content


def _spans(cell: Token) -> tuple[str, ...]:
    return tuple(token.content for token in cell.children or () if token.type == "code_inline")


def _tables() -> dict[str, list[Row]]:
    """The rows of each study's table, by the study's name."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    tables: dict[str, list[Row]] = {}
    cells: list[Token] = []
    name = ""
    tokens = MarkdownIt().enable("table").parse(text)
    for before, token in itertools.pairwise(tokens):
        if token.type == "inline" and before.type == "heading_open":
            found = re.search(r"\((\w+)\.yaml\)", token.content)
            name = found[1] if found else ""
        if token.type == "inline" and before.type == "td_open":
            cells.append(token)
        if token.type == "tr_close" and cells:
            if name:
                key, theirs, ours, why = cells
                tables.setdefault(name, []).append(Row(_spans(key), theirs, ours, why.content))
            cells = []
    return tables


TABLES = _tables()


def _set_keys(settings: Any, prefix: str = "") -> Iterator[str]:
    """Keys of a `trial:` block, those of players and of the record one by one."""
    for key, value in settings.items():
        if key in ("generator", "critic", "record"):
            yield from _set_keys(value, f"{key}.")
        else:
            yield f"{prefix}{key}"


def _covered(key: str, keys: set[str]) -> bool:
    """Whether a key path, or one above it, is among the keys."""
    parts = key.split(".")
    return any(".".join(parts[: n + 1]) in keys for n in range(len(parts)))


def _with(configuration: Adversarial, key: str, value: Any) -> Adversarial | None:
    """The configuration with another value; None if there is no such configuration."""
    settings: Any = configuration.model_dump()
    settings.pop("name")
    *above, last = key.split(".")
    place = settings
    for part in above:
        place = place[part]
    place[last] = value
    try:
        return Adversarial.model_validate(settings)
    except ValidationError:
        return None


def _configurations(path: Path) -> list[Adversarial]:
    points = load(path).points.values()
    return [point for point in points if isinstance(point, Adversarial)]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_table_says_what_the_study_does(path: Path) -> None:
    """Each value that stands under *ours* is that of some trials, and every trial has one."""
    configurations = _configurations(path)
    assert configurations
    for row in TABLES[path.stem]:
        values = [YAML(typ="safe").load(span) for span in _spans(row.ours)]
        for key in row.keys:
            found = [[_with(own, key, value) == own for value in values] for own in configurations]
            assert all(sum(fits) == 1 for fits in found), f"{key} is not {row.ours.content}"
            used = [any(fits) for fits in zip(*found, strict=True)]
            assert all(used), f"{key}: {row.ours.content} names what no trial has"


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_table_leaves_nothing_out(path: Path) -> None:
    """All that a study sets, and all that protocols are compared in, once."""
    study = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    keys = [key for row in TABLES[path.stem] for key in row.keys]
    assert len(keys) == len(set(keys))
    needed = set(_set_keys(study["trial"])) - {"record.every"}
    for axis in load(path).axes:
        needed |= {key for settings in axis.settings for key in settings}
    left_out = {key for key in needed | COMPARED if not _covered(key, set(keys))}
    assert left_out == set()


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_difference_has_its_reason(path: Path) -> None:
    """And there is none where there is no difference to give one for."""
    for row in TABLES[path.stem]:
        assert row.theirs.content
        assert row.ours.content
        if not row.same:
            assert row.why, f"{row.keys or row.theirs.content}: why is ours another?"


def test_every_table_is_of_a_study() -> None:
    """The last test that would notice a study that is gone, or has another name."""
    assert TABLES.keys() == {path.stem for path in STUDIES}


def test_a_table_that_is_stale_is_noticed() -> None:
    """A value that no trial has, one of a member's parameters among them."""
    configuration = _configurations(FOLDER / "bourgan_grid.yaml")[0]
    assert _with(configuration, "critic.depth", 3) != configuration
    assert _with(configuration, "critic.activation", {"name": "leaky_relu"}) != configuration
    assert _with(configuration, "training_set", 1250) != configuration
    assert _with(configuration, "batch", "128") is None
