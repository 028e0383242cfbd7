"""How large a study is, before anything of it is expanded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ganstudy.study.document import Document, Problem
from ganstudy.study.until_settled import SettledSeeds

if TYPE_CHECKING:
    from ganstudy.study.file import StudyFile

__all__ = ["POINTS", "SEEDS", "TRIALS", "extent_problems"]

POINTS = 10_000
"""Points of a grid that are checked one by one."""

SEEDS = 10_000
TRIALS = 100_000


def extent_problems(document: Document, file: StudyFile) -> Iterator[Problem]:
    """A study that is too large to be meant; its grid and seeds have not been laid out yet."""
    lengths = {name: max(len(values), 1) for name, values in file.search.grid.items()}
    points = math.prod(lengths.values())
    written = file.seeds.max if isinstance(file.seeds, SettledSeeds) else file.seeds
    seeds = written if isinstance(written, int) else len(written)
    if seeds > SEEDS:
        message = f"{seeds:,} seeds; at most {SEEDS:,} are taken"
        one = isinstance(file.seeds, int)
        advice = (
            f"; if it is a seed and no number of seeds, write `seeds: [{seeds}]`" if one else ""
        )
        yield document.problem(("seeds",), message + advice)
    elif points > POINTS:
        axes = " x ".join(map(str, lengths.values()))
        message = f"the grid has {axes} = {points:,} points; at most {POINTS:,} are taken"
        yield document.problem(("search", "grid"), f"{message}: leave values out, or search.bayes")
    elif (trials := points * max(seeds, 1) * file.search.asked[1].points) > TRIALS:
        message = f"{trials:,} trials; at most {TRIALS:,} are taken"
        yield document.problem(("seeds",) if seeds > 1 else ("search",), message)
