"""What the page of findings counts is what its table holds."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
GRADE = re.compile(r"\b(clear|leaning to the other|leaning|open)\b")


def _grades(rows: str) -> list[tuple[str, str, str]]:
    """The grades of each lead: with 256 bits, on Zen 5 and on Zen 4."""
    found = []
    for row in rows.splitlines():
        narrow, zen_5, zen_4 = row.strip("| ").split(" | ")[-3:]
        graded = [GRADE.search(cell) for cell in (narrow, zen_5, zen_4.replace("the same", zen_5))]
        assert all(graded), row
        found.append(tuple(one[0] for one in graded if one))
    return found  # type: ignore[return-value]  # three of them, as has been asserted


def test_grades_are_counted_as_the_table_has_them() -> None:
    """Fifteen clear leads, and what became of those that leaned or were open."""
    text = PAGE.read_text(encoding="utf-8")
    prose, table = text.split(
        "| study | lead | 256 bits | Zen 5 | Zen 4 |\n|---|---|---|---|---|\n"
    )
    grades = _grades(table.split("| `settled`")[0].strip())
    said = " ".join(prose.split("## Trained three times")[1].split())
    assert "*clear* with 256 bits is clear with 512, fifteen leads of fifteen" in said
    assert [own for own in grades if own[0] == "clear"] == 15 * [("clear", "clear", "clear")]
    leant = [own for own in grades if own[0] == "leaning"]
    lean, clear, left = (
        [Counter(own[at] for own in leant)[what] for at in (1, 2)]
        for what in ("leaning", "clear", "open")
    )
    assert (
        f"Of {NUMBERS[len(leant)]} that *lean*, {NUMBERS[lean[0]]} lean on Zen 5,"
        f" {NUMBERS[clear[0]]} is clear and {NUMBERS[left[0]]} is open; on Zen 4"
        f" {NUMBERS[lean[1]]} lean and {NUMBERS[clear[1]]} is clear; all to the same side"
    ) in said
    assert not left[1]
    was_open = [own[1:] for own in grades if own[0] == "open"]
    assert sorted(was_open) == [2 * ("leaning to the other",), ("open", "open")]
    assert "Of two *open* ones one is open again, and one leans to the other side" in said
    assert len(grades) == 15 + len(leant) + len(was_open)
