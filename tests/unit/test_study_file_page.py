"""docs/study_file.md has every key of a study file, with its meaning and its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ganstudy.study import json_schema, load

PAGE = Path(__file__).parents[2] / "docs" / "study_file.md"
SCHEMA = json_schema()
PARTS = SCHEMA["$defs"]
GENERATOR, CRITIC = PARTS["Generator"]["properties"], PARTS["Critic"]["properties"]


def _but_for(properties: Any, others: Any) -> dict[str, Any]:
    """Those keys that are not, or not the same, among others."""
    return {"properties": {k: own for k, own in properties.items() if others.get(k) != own}}


SECTIONS = {
    "The top level": SCHEMA,
    "`trial`": PARTS["Adversarial"],
    "Both players": _but_for(GENERATOR, _but_for(GENERATOR, CRITIC)["properties"]),
    "The generator": _but_for(GENERATOR, CRITIC),
    "The critic": _but_for(CRITIC, GENERATOR),
    "The training set": PARTS["TrainingSet"],
    "The record": PARTS["Recording"],
    "`search`": PARTS["SearchFile"],
    "`search.bayes`": PARTS["BayesKeys"],
    "`seeds`": PARTS["SettledSeeds"],
    "`engine`": PARTS["EngineFile"],
}
"""Headings of the page, and the part of the schema that is below each."""


def test_its_tables_are_the_schema() -> None:
    """A key that is added has a row; the lines here can be pasted into the page."""
    said: dict[str, list[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|"):
            said.setdefault(heading, []).append(line)
    for heading, part in SECTIONS.items():
        rows = list(_table(part))
        assert said.pop(heading) == rows, "\n".join([f"{PAGE.name}, below {heading}:", *rows])
    assert not said, "a table of no part of the schema"


def test_its_study_says_most_of_what_can_be_said(tmp_path: Path) -> None:
    """And names no key of the top level that there is not: the whole of it is loaded."""
    text = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "study.yaml").write_text(text)
    study = load(tmp_path / "study.yaml")
    assert SCHEMA["properties"].keys() - YAML(typ="safe").load(text).keys() == {
        "extends",
        "plugins",
    }
    assert (study.compare, study.seeds) == ("divergence", tuple(range(10)))
    assert study.points[(0, 0, 0)].critic.lr == study.points[(0, 0, 0)].generator.lr == 0.002
    assert len(study.points) == 2 * (2 * 2 - 1)


def _table(part: Any) -> Iterator[str]:
    """The rows of a part of the schema."""
    yield from ("| key | what it is | default |", "|---|---|---|")
    for key, about in part["properties"].items():
        if "const" in about:  # the name of a kind, of which the page speaks in words
            continue
        meaning, _, default = about["description"].partition("; default: ")
        if choices := _choices(about):
            meaning += f" ({', '.join(f'`{own}`' for own in choices)})"
        if key in part.get("required", ()):
            default = "required"
        yield f"| `{key}` | {meaning} | {default or _written(about)} |"


def _choices(about: Any) -> list[str]:
    """The words that a key may have, unless they are members of a family, which `list` lists."""
    own = next((form for form in about.get("anyOf", [about]) if form.get("type") == "string"), {})
    found: list[str] = own.get("enum", [])
    # A description that explains each has them as `word: what it does`.
    return [] if all(re.search(rf"\b{word}:", about["description"]) for word in found) else found


def _written(about: Any) -> str:
    """A default as a study has it; that of a mapping is what its own keys have."""
    default = about.get("default", about)  # `trial` is whatever its kind has
    if default is None or default in ([], {}):
        return "none"
    if isinstance(default, dict):
        return "as below"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`[{', '.join(default)}]`" if isinstance(default, list) else f"`{default}`"
