"""What the portable program costs: the same packs by each program, in turns."""

from __future__ import annotations

import functools
import statistics
from typing import Any, get_args

from benchmarks.duel import Team
from benchmarks.throughput import ONE_THREAD, SECONDS, OurPack
from ganstudy.schedule.executor import environment
from ganstudy.trial import ProgramName

ROUNDS = 5
WIDTHS = (32, 64, 128)


def measure(widths: tuple[int, ...] = WIDTHS) -> dict[str, Any]:
    rows = []
    for width in widths:
        teams = {
            name: Team(
                functools.partial(OurPack, width=width, program_name=name),
                {**ONE_THREAD, **environment(name)},
            )
            for name in get_args(ProgramName)
        }
        steps = {n: max(20, round(SECONDS * t.rate(20) / t.pack / 2)) for n, t in teams.items()}
        turns = [{n: team.rate(steps[n]) for n, team in teams.items()} for _ in range(ROUNDS)]
        for team in teams.values():
            team.stop()
        row: dict[str, Any] = {"width": width, "pack": teams["portable"].pack}
        for name in teams:
            row[name] = statistics.median(turn[name] for turn in turns)
        for name in ("eager", "compiled"):
            row[f"over_{name}"] = statistics.median(t["portable"] / t[name] for t in turns)
        rows.append(row)
    return {"rounds": ROUNDS, "rows": rows}
