"""`python -m ganstudy.atlas RUNS`: the atlas' file and its page, from the finished runs.

Without RUNS, the page alone, from the file. The texts between the marks of docs/atlas.md are
replaced, and docs/atlas.png; all else of the page is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from ganstudy.analysis.remembered import remembering
from ganstudy.atlas import FILE, open_atlas
from ganstudy.atlas.packed import pack_runs
from ganstudy.report import across
from ganstudy.report.prose import Sentence

PAGE = Path(__file__).parents[2] / "docs" / "atlas.md"
OPENED = """\
```python
import ganstudy
from ganstudy import analysis

ds = ganstudy.open_atlas()
```

![The place of every arm on every target](atlas.png)
"""
BEGIN, END = "<!-- from the dataset: begin -->", "<!-- from the dataset: end -->"


def main(paths: Sequence[str]) -> None:
    """Write the file, if there are runs, and the page."""
    if paths:
        pack_runs([Path(path) for path in paths], FILE)
    ds = open_atlas()
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), ds), encoding="utf-8")
    picture(ds, PAGE.parent)
    print(f"{FILE}: {FILE.stat().st_size:,} bytes; {PAGE}")


def written(page: str, ds: xr.Dataset) -> str:
    """A page with what a dataset says between its marks.

    Errors  `ValueError` for a page without the marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{claims(ds)}\n{END}{after}"


def claims(ds: xr.Dataset) -> str:
    """Every sentence below its question, with the call of its numbers."""
    lines = ["", *OPENED.splitlines()]
    with remembering():
        found = across.sentences(ds)
    for question, said in found.items():
        lines += ["", f"## {question}", ""]
        for sentence in said:
            lines += [f"- {plain(sentence)}", "", f"      {sentence.call}", ""]
    return "\n".join(lines)


def plain(sentence: Sentence) -> str:
    """A sentence as Markdown has it."""
    text = re.sub(r"</?strong>", "**", str(sentence.text))
    return sentence.text.__class__(text).unescape().replace("_", r"\_")


def picture(ds: xr.Dataset, folder: Path) -> None:
    """atlas.png: the place of every arm on every target."""
    from ganstudy.report.findings import Findings
    from ganstudy.report.sections.studies import draw_places
    from ganstudy.report.style import figure_style

    with figure_style():
        drawn = draw_places(Findings.of(ds))
        drawn.figure.savefig(folder / "atlas.png", dpi=160)


if __name__ == "__main__":
    main(sys.argv[1:])
