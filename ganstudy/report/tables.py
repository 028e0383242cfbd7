"""The tables of the page: arms at all settings, their ranks, stability and game; provenance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from typing import Any

import numpy as np
import xarray as xr

from ganstudy.analysis import (
    RecordedMetric,
    metric_names,
    over_seeds,
    setting_scores,
    share_over_seeds,
)
from ganstudy.analysis.equilibrium import AT_THE_END
from ganstudy.report import prose
from ganstudy.report.findings import Findings
from ganstudy.report.prose import Show, decimals_of
from ganstudy.statuses import INCOMPLETE


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


def score_table(findings: Findings) -> ScoreTable:
    """Means over seeds of all metrics, the headline metric with its interval, and counts."""
    cells = findings.cells
    others = [name for name in metric_names(findings.ds) if name != findings.metric.name]
    facts = [RecordedMetric.of(findings.ds, name) for name in others]
    means = [findings.flat(setting_scores(findings.ds, name)["mean"]) for name in others]
    decimals = [decimals_of(findings.ds, fact) for fact in facts]
    mean, low, high = (findings.flat(cells[name]) for name in ("mean", "low", "high"))
    # Only a search prunes, and it shows the best points.
    told = [own for own in INCOMPLETE if own != "pruned" or findings.with_status(own)]
    counted = {"seeds": f"{findings.units} scored"} | {name: name for name in told}
    counts = [findings.flat(cells[name]) for name in counted]
    seconds = findings.flat(findings.ds["seconds"].sum("seed", min_count=1))
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
                *_with_interval(findings, *(end[at].item() for end in (mean, low, high))),
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
                findings.colours[arm],
                setting == 0 and len(places) == mean.size,
                findings.settings[setting],
                texts,
            )
        )
    headings = [
        findings.metric.long_name,
        "95% interval",
        *(fact.long_name for fact in facts),
        *counted.values(),
        "seconds",
    ]
    return ScoreTable(findings.axes, *known_columns(headings, rows), mean.size)


@dataclass(frozen=True)
class ArmTable:
    """Headings and rows, an arm a row."""

    headings: list[str]
    rows: list[Row]


def ranking_table(findings: Findings) -> ArmTable:
    """The arms from best to worst: averages, paired differences from the best, best settings."""
    headings = ["average", "95% interval", "difference from the best"]
    if findings.graded:
        headings += ["95% interval, all pairs", f"{findings.units} won", "adjusted p", "grade"]
    if findings.choice:
        headings += ["at best setting", "95% interval", "optimistic", ", ".join(findings.chosen)]
    rows = []
    for place, arm in enumerate(findings.ranked_arms):
        index = findings.arms.index(arm)
        at = {str(name): values.values[place] for name, values in findings.ranked.items()}
        names = ("difference", "difference_low", "difference_high")
        difference, limits = (
            _with_interval(findings, *(at[name] for name in names)) if place else ["", ""]
        )
        texts = [*_with_interval(findings, at["mean"], at["low"], at["high"]), difference]
        if findings.graded:
            texts += [
                limits,
                prose.percent(at["won"]) if place else "",
                prose.p_value(at["p"]) if place else "",
                str(at["grade"]),
            ]
        if findings.choice:
            best = findings.best.isel({findings.arm: index})
            scored = math.isfinite(best["mean"])
            texts += [
                *_with_interval(findings, *(best[k].item() for k in ("held_out", "low", "high"))),
                findings.show(best["mean"].item()),
                findings.best_at(index) if scored else "",
            ]
        rows.append(Row(arm, findings.colours[index], False, (), texts))
    return ArmTable(*known_columns(headings, rows))


def known_columns(headings: Sequence[str], rows: Sequence[Row]) -> tuple[list[str], list[Row]]:
    """Headings and rows without the columns in which nothing is known of any row."""
    columns = zip(*(row.cells for row in rows), strict=True)
    kept = [not {*column} <= {prose.MISSING, ""} for column in columns]
    cut = [replace(row, cells=list(compress(row.cells, kept))) for row in rows]
    return list(compress(headings, kept)), cut


def stability_table(findings: Findings) -> ArmTable:
    """How steadily the score of arms grows and stays: means over seeds with intervals."""
    stable = findings.stability
    columns = {
        "trials run": _counts(stable["trials"]),
        "diverged": _shares(findings, stable["trial_diverged"]),
        "collapsed": _shares(findings, stable["trial_collapsed"]),
        "diverged at M-step, median": _steps(stable["diverged_at"]),
        # Means of counts and of zeros have no interval that holds and says anything.
        "drops per trial": [prose.number(x, 1) for x in stable["drops"].values.tolist()],
        "drawdown": [findings.show(value) for value in stable["drawdown"].values],
        "largest drawdown": [findings.show(value) for value in stable["largest_drawdown"].values],
        "as good as p": _shares(findings, stable["trial_perfect"]),
        "so first at M-step, median": _steps(stable["steps_to_perfect"]),
        "and stayed so": _shares(findings, stable["trial_kept"]),
    }
    return _by_arm(findings, columns)


def equilibrium_table(findings: Findings) -> ArmTable | None:
    """How the game behaves: cycles of the losses, the critic's distance from 1/2, gradients."""
    found = findings.equilibrium
    columns: dict[str, list[str]] = {}
    for loss, name in (("critic_loss", "critic's loss"), ("generator_loss", "generator's loss")):
        if f"{loss}_cycles" in found:
            columns[f"{name}: trials with a cycle"] = [
                # One trial in twenty has one by chance.
                "by chance" if share > 0 and math.isnan(period) else prose.percent(share)
                for share, period in zip(
                    found[f"{loss}_cycles"].values, found[f"{loss}_period"].values, strict=True
                )
            ]
            columns[f"{name}: strength"] = _means(
                findings,
                found[f"trial_{loss}_strength"],
                partial(prose.numbers, decimals=2),
                (0.0, 1.0),
            )
            columns[f"{name}: period, M-steps"] = _steps(found[f"{loss}_period"])
    if "trial_critic_gap" in found:
        columns["critic: |D \N{MINUS SIGN} 1/2|"] = _means(
            findings, found["trial_critic_gap"], partial(prose.numbers, decimals=3), (0.0, 0.5)
        )
    for name in AT_THE_END:
        if name in found:
            heading = str(findings.ds[name].attrs["long_name"])
            columns[f"{heading}, median"] = prose.column(found[name].values.tolist())
    table = _by_arm(findings, columns)
    return table if table.headings else None


def _by_arm(findings: Findings, columns: Mapping[str, Sequence[str]]) -> ArmTable:
    cells = zip(*columns.values(), strict=True) if columns else [()] * len(findings.arms)
    rows = [
        Row(arm, colour, False, (), list(texts))
        for arm, colour, texts in zip(findings.arms, findings.colours, cells, strict=True)
    ]
    return ArmTable(*known_columns(list(columns), rows))


def _means(
    findings: Findings,
    values: xr.DataArray,
    show: Show,
    bounds: tuple[float, float],
) -> list[str]:
    """The mean of each arm with its interval over seeds, where these differ."""
    return _with_limits(findings, over_seeds(values, bounds=bounds), show)


def _shares(findings: Findings, values: xr.DataArray) -> list[str]:
    """`25% (11% to 45%)`: shares of trials, by how many independent ones they are worth."""
    return _with_limits(findings, share_over_seeds(values), prose.each(prose.percent))


def _with_limits(findings: Findings, found: xr.Dataset, show: Show) -> list[str]:
    """Of points that were chosen on the seeds that score them there are no intervals."""
    kept = found if findings.drawn else found.assign(low=found["mean"], high=found["mean"])
    limits = zip(*(kept[name].values for name in ("mean", "low", "high")), strict=True)
    return [prose.with_limits(show, *own) for own in limits]


def _counts(values: xr.DataArray) -> list[str]:
    return [str(int(value)) for value in values.values]


def _steps(values: xr.DataArray) -> list[str]:
    return [f"{x:,.0f}" if math.isfinite(x) else prose.MISSING for x in values.values]


def estimates(findings: Findings) -> list[tuple[str, str]]:
    """Each metric that has to be estimated, and how."""
    known = [(name, findings.ds[name].attrs) for name in metric_names(findings.ds)]
    return [(str(own["long_name"]), own["estimate"]) for _, own in known if own.get("estimate")]


def audits(findings: Findings) -> dict[str, str]:
    """By the name of each metric that was audited, how many sanity checks it passes."""
    known = [findings.ds[name].attrs for name in metric_names(findings.ds)]
    return {str(own["long_name"]): own["audit"] for own in known if own.get("audit")}


def provenance_rows(provenance: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Key and value of every entry: nested as `outer inner`, `outer 1 inner`; packages in one."""
    rows: list[tuple[str, str]] = []
    for key, value in provenance.items():
        name = f"{prefix}{key}".replace("_", " ")
        if key == "packages" and isinstance(value, Mapping):
            rows.append((name, ", ".join(f"{own} {version}" for own, version in value.items())))
        elif isinstance(value, Mapping):
            rows += provenance_rows(value, prefix=f"{name} ")
        elif isinstance(value, list | tuple) and any(isinstance(x, Mapping) for x in value):
            for number, item in enumerate(value, start=1):
                rows += provenance_rows(item, prefix=f"{name.removesuffix('s')} {number} ")
        elif isinstance(value, list | tuple):
            rows.append((name, ", ".join(str(item) for item in value)))
        else:
            rows.append((name, str(value)))
    return rows


def _with_interval(findings: Findings, value: float, low: float, high: float) -> list[str]:
    """A value, and its limits in a cell of their own."""
    if not (math.isfinite(low) and findings.drawn):
        return [findings.show(value), prose.MISSING]
    told, *ends = findings.together([value, low, high])
    return [told, " to ".join(ends)]
