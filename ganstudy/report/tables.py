"""The tables of the page: all arms at all settings, and provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganstudy.analysis import Metric, metric_names, setting_scores
from ganstudy.report import prose
from ganstudy.report.findings import Findings, decimals_of

STABILITY = (
    "trials",
    "diverged",
    "share_dropped",
    "drops",
    "drawdown",
    "largest_drawdown",
)


@dataclass(frozen=True)
class Row:
    """One arm at one setting; `cells` are text, in the order of the table's headings."""

    arm: str
    colour: str
    first: bool
    setting: tuple[str, ...]
    cells: list[str]


MOST_ROWS = 200
"""Rows of the table of all arms; ten thousand would make the page slow to open."""


@dataclass(frozen=True)
class ScoreTable:
    """Headings and rows of the table of all arms; of a longer one the best rows."""

    axes: list[str]
    headings: list[str]
    rows: list[Row]
    all_rows: int


def score_table(findings: Findings, colours: Sequence[str]) -> ScoreTable:
    """Means over seeds of all metrics, the headline metric with its interval, and counts."""
    cells = findings.cells
    others = [name for name in metric_names(findings.ds) if name != findings.metric.name]
    facts = [Metric.of(findings.ds, name) for name in others]
    means = [findings.flat(setting_scores(findings.ds, name)["mean"]) for name in others]
    decimals = [decimals_of(findings.ds, fact) for fact in facts]
    mean, low, high = (findings.flat(cells[name]) for name in ("mean", "low", "high"))
    counts = [findings.flat(cells[name]) for name in ("seeds", "diverged", "failed", "missing")]
    seconds = findings.flat(findings.ds["seconds"].sum("seed"))
    excluded = findings.excluded_points
    rows = []
    places = list(np.ndindex(mean.shape))
    if len(places) > MOST_ROWS:
        order = np.argsort(-findings.metric.sign * mean.ravel(), kind="stable")[:MOST_ROWS]
        places = [places[index] for index in order]
    for arm, setting in places:
        at = (arm, setting)
        if excluded[at]:
            texts = ["not planned", *[""] * (len(others) + len(counts) + 2)]
        else:
            texts = [
                findings.show(mean[at].item()),
                _interval(findings, low[at].item(), high[at].item()),
                *(
                    prose.number(values[at].item(), places)
                    for values, places in zip(means, decimals, strict=True)
                ),
                *(str(int(count[at].item())) for count in counts),
                prose.number(seconds[at].item(), 1),
            ]
        rows.append(
            Row(
                findings.arms[arm],
                colours[arm],
                setting == 0 and len(places) == mean.size,
                findings.settings[setting],
                texts,
            )
        )
    headings = [
        findings.metric.long_name,
        "95% interval",
        *(fact.long_name for fact in facts),
        "seeds scored",
        "diverged",
        "failed",
        "missing",
        "seconds",
    ]
    return ScoreTable(findings.axes, headings, rows, mean.size)


def ranking_rows(findings: Findings, colours: Sequence[str]) -> list[Row]:
    """The arms from best to worst: averages, paired differences from the best, best settings."""
    rows = []
    for place, arm in enumerate(findings.ranked_arms):
        index = findings.arms.index(arm)
        at = {str(name): values.values[place] for name, values in findings.ranked.items()}
        best = findings.best.isel({findings.arm: index})
        where = ", ".join(prose.label(best[axis].item()) for axis in findings.axes)
        texts = [
            findings.show(at["mean"]),
            _interval(findings, at["low"], at["high"]),
            findings.show(at["difference"]) if place else "",
            _interval(findings, at["difference_low"], at["difference_high"]) if place else "",
            _p_value(at["p"]) if place else "",
        ]
        if len(findings.settings) > 1:
            scored = math.isfinite(best["mean"])
            texts += [
                findings.show(best["mean"].item()),
                findings.show(best["held_out"].item()),
                where if scored else "",
            ]
        rows.append(Row(arm, colours[index], False, (), texts))
    return rows


def stability_rows(findings: Findings, colours: Sequence[str]) -> list[Row]:
    """Divergences, drops and drawdown, an arm a row."""
    stable = findings.stability
    rows = []
    for index, (arm, colour) in enumerate(zip(findings.arms, colours, strict=True)):
        at = {name: float(stable[name].values[index]) for name in STABILITY}
        trials, diverged = int(at["trials"]), int(at["diverged"])
        texts = [
            str(trials),
            f"{diverged} ({diverged / trials:.0%})" if trials else prose.MISSING,
            f"{at['share_dropped']:.0%}" if math.isfinite(at["share_dropped"]) else prose.MISSING,
            prose.number(at["drops"], 1),
            findings.show(at["drawdown"]),
            findings.show(at["largest_drawdown"]),
        ]
        rows.append(Row(arm, colour, False, (), texts))
    return rows


def provenance_rows(provenance: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Key and value of every entry; nested ones become `outer inner` and `outer 1 inner`."""
    rows: list[tuple[str, str]] = []
    for key, value in provenance.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            rows += provenance_rows(value, prefix=f"{name} ")
        elif isinstance(value, list | tuple) and any(isinstance(x, Mapping) for x in value):
            for number, item in enumerate(value, start=1):
                rows += provenance_rows(item, prefix=f"{name.removesuffix('s')} {number} ")
        elif isinstance(value, list | tuple):
            rows.append((name, ", ".join(str(item) for item in value)))
        else:
            rows.append((name, str(value)))
    return rows


def _p_value(p: float) -> str:
    if math.isnan(p):
        return prose.MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _interval(findings: Findings, low: float, high: float) -> str:
    if not math.isfinite(low):
        return prose.MISSING
    return f"{findings.show(low)} to {findings.show(high)}"
