"""What the page of findings counts is what its table holds."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _grades(rows: str) -> Counter[tuple[str, str]]:
    """How many leads had which grade first, and have which again."""
    grade = re.compile(r"\b(clear|leaning to the other|leaning|open)\b")
    cells = [row.strip("| ").split("|")[-2:] for row in rows.splitlines() if row.count("|") == 5]
    found = [(grade.search(first), grade.search(again)) for first, again in cells]
    return Counter((one[0], other[0]) for one, other in found if one and other)


def test_grades_are_counted_as_the_table_has_them() -> None:
    """Fifteen clear leads, and what became of those that leaned or were open."""
    text = PAGE.read_text(encoding="utf-8")
    prose, table = text.split("| study | lead | first | again |")
    count = _grades(table.split("`settled`")[0])
    said = " ".join(prose.split("## Trained again, on another processor")[1].split())
    assert count["clear", "clear"] == 15
    assert "fifteen leads of fifteen" in said
    leant = [count["leaning", again] for again in ("leaning", "clear", "open")]
    was_open = [count["open", again] for again in ("open", "leaning to the other")]
    total, same, clear, left = (NUMBERS[number] for number in (sum(leant), *leant))
    assert (
        f"Of {total} that *leaned*, {same} lean again, {clear} is clear and {left} are open" in said
    )
    total, same, other = (NUMBERS[number] for number in (sum(was_open), *was_open))
    assert f"Of {total} *open* ones {same} are open again, and {other} leans to the other" in said
    assert sum(count.values()) == 15 + sum(leant) + sum(was_open)
