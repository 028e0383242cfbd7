"""What the page of findings counts is what its table holds."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from ganstudy import shipped

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "findings.md"
README = ROOT / "README.md"
TABLE = "| study | lead | 256 bits | Zen 5 | Zen 4 |\n|---|---|---|---|---|\n"
NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
)
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
    """Thirteen clear leads, and what became of those that leaned or were open."""
    text = PAGE.read_text(encoding="utf-8")
    prose, table = text.split(TABLE)
    grades = _grades(table.split("| `settled`")[0].strip())
    said = " ".join(prose.split("## Trained three times")[1].split())
    assert "*clear* with 256 bits is clear with 512, thirteen leads of thirteen" in said
    assert [own for own in grades if own[0] == "clear"] == 13 * [("clear", "clear", "clear")]
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
    assert was_open == [2 * ("leaning to the other",)]
    assert "The one *open* lead reverses, and leans" in said
    assert len(grades) == 13 + len(leant) + len(was_open)


def test_the_readme_counts_clear_leads_as_the_table_has_them() -> None:
    """Those that are clear at least once, and those that are each time."""
    rows = PAGE.read_text(encoding="utf-8").split(TABLE)[1].split("| `settled`")[0].strip()
    once = [own for own in _grades(rows) if "clear" in own]
    always = [own for own in once if set(own) == {"clear"}]
    said = re.search(
        r"Of the (\w+) leads in \[the table of all studies\]\(\S+#trained-three-times\) that are "
        r"clear at least once, (\w+) are clear each time\.",
        " ".join(README.read_text(encoding="utf-8").split()),
    )
    assert said
    assert [NUMBERS.index(word) for word in said.groups()] == [len(once), len(always)]


def test_each_study_has_a_finding_or_is_said_to_have_none() -> None:
    """Here, or on the page that this one names for it; the README names those without, too."""
    text = PAGE.read_text(encoding="utf-8")
    without = re.search(r"Not reported are ([^;]+);", text)
    assert without
    lacking = set(re.findall(r"`(\w+)`", without[1]))
    reported = set(re.findall(r"^\[`(\w+)`\]\(\.\./studies", text, re.MULTILINE))
    assert not lacking & reported
    for page in re.findall(r"\]\(([\w./]+\.md)", text[without.end() : without.end() + 300]):
        beside = (PAGE.parent / page).read_text(encoding="utf-8")
        reported |= set(re.findall(r"\((?:[\w./]*/)?(\w+)\.yaml\)", beside))
    assert set(shipped.files()) - reported == lacking
    excepted = README.read_text(encoding="utf-8").partition("has the answers")[2].partition(".")[0]
    assert lacking == {"quick", *re.findall(r"`(\w+)`", excepted)}
