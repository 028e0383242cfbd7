"""Arms beyond their means: profiles of all their trials, chances to be better, and ranks."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Literal

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ganstudy.analysis import (
    compare_by_resampling,
    interquartile_mean,
    performance_profile,
    rank_table,
)
from ganstudy.report import latex, prose, style
from ganstudy.report.data_tables import DataTable
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Chart, Section


def draw(findings: Findings) -> Drawing:
    """The share of each arm's trials that score at least a level, over all levels."""
    figure = Figure(figsize=(7.2, 3.3), layout="constrained")
    draw_on(figure.subplots(), findings)
    style.arm_legend(figure, findings.arms)
    caption = Markup(
        "Performance profiles: how many of an arm's trials are as good as a level, from easy on "
        "the left to hard on the right. An arm whose line is above another's everywhere did "
        "better at every level; lines that cross trade typical trials for the best ones."
    )
    alt = (
        f"Performance profiles by {findings.metric.long_name}. Half of an arm's trials are at "
        f"least as good as: {prose.spans(findings.arms, _reached_by_half(findings))}."
    )
    return Drawing("performance_profile", figure, alt, caption)


def _profile(findings: Findings) -> xr.DataArray:
    return performance_profile(findings.ds, settings=findings.settings_used)


def _reached_by_half(findings: Findings) -> list[float]:
    """The hardest level that half of the trials of each arm reach."""
    levels = [row["level"].values[row.values >= 0.5] for row in _profile(findings)]
    sign = findings.metric.sign
    return [sign * max(sign * own) if own.size else math.nan for own in levels]


def draw_on(axes: Axes, findings: Findings) -> None:
    """A line of each arm, falling from easy levels on the left to hard ones on the right."""
    profile = _profile(findings)
    levels = profile["level"].values
    # Between two scores that were seen the share is that of the harder one.
    until: Literal["pre", "post"] = "pre" if findings.metric.higher_is_better else "post"
    for shares, look in zip(profile.values, findings.lines, strict=True):
        axes.step(levels, shares, where=until, **look)
    if not findings.metric.higher_is_better:
        axes.invert_xaxis()
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(axis="y")
    better = "at least" if findings.metric.higher_is_better else "at most"
    axes.set_ylabel(f"trials that score {better} this")
    axes.set_xlabel(findings.metric.label)


def table(findings: Findings) -> DataTable:
    """Arms in the order of the ranking, compared with the best; tested where the page tests."""
    used = findings.settings_used
    middle = interquartile_mean(findings.ds, settings=used)
    pairs = compare_by_resampling(findings.ds, settings=used)
    ranks = rank_table(findings.ds, settings=used)
    order = [findings.arms.index(arm) for arm in findings.ranked_arms]
    best = order[0]
    rows = []
    for index in order:
        numbers = [
            float(middle[index]),
            float(ranks["rank"][index]),
            *(float(pairs[name][index, best]) for name in ("improvement", "low", "high", "p")),
        ]
        if index == best:
            numbers[2:] = [math.nan] * 4
        if not findings.graded:
            numbers[3:] = [math.nan] * 3
        cells = [value if np.isfinite(value) else None for value in numbers]
        rows.append([findings.arms[index], *cells])
    own = findings.decimals
    decimals = [None, own, 2, 2, own, own, 3]
    headings = [
        findings.arm,
        "interquartile mean",
        "mean rank",
        f"chance to beat {prose.quoted(findings.arms[best])}",
        "bootstrap difference, low",
        "high",
        "permutation p",
    ]
    while not any(row[-1] is not None for row in rows):
        headings, rows = headings[:-1], [row[:-1] for row in rows]
    return DataTable(headings, decimals[: len(headings)], rows)


def note(findings: Findings) -> Markup:
    """What the columns are, and what the ranks can decide."""
    text = Markup(
        "Interquartile mean: of the middle half of the trials. Chance to beat: share of trials, "
        "paired by {}, that are better, ties counting half."
    ).format(prose.listing([*(name[:-1] for name in findings.within), findings.unit]))
    if not findings.graded:
        return text
    ranks = rank_table(findings.ds, settings=findings.settings_used)
    critical, blocks = float(ranks["critical_difference"]), int(ranks["blocks"])
    found = compare_by_resampling(findings.ds, settings=findings.settings_used)
    best = findings.arms.index(findings.ranked_arms[0])
    if bool(found["low"][:, best].notnull().any()):  # those that the table has
        text += Markup(
            " Bootstrap: BCa interval over {0}, of a single pair, which is too narrow for few {0} "
            "and for skewed scores."
        ).format(findings.units)
    pairs = found["p"]
    if bool(pairs.notnull().any()):
        tests = int(pairs.notnull().sum()) // 2
        least = min(1.0, tests * 0.5 ** (findings.seeds - 1))
        text += Markup(
            " Permutation p: sign flips of {}, Holm over all pairs; with {} it cannot be below {}."
        ).format(findings.units, prose.plural(findings.seeds, findings.unit), prose.short(least))
    if math.isfinite(critical):
        text += Markup(
            " Mean ranks over {} differ if they are {} apart (Nemenyi, 5% level; Friedman p = {}, "
            "by Iman and Davenport, or the chance that equal arms agree as far as they can if that "
            "is more)."
        ).format(
            prose.plural(blocks, findings.unit),
            prose.short(critical),
            prose.short(float(ranks["p"])),
        )
    return text


class Distribution(Section):
    """Arms by the whole distribution of their trials, not by their means."""

    place = 60
    label = ""
    charts = (
        Chart(
            "performance_profile",
            """Share of each arm's trials that score at least a level.

            See `ds.gan.performance_profile`.
            """,
            draw,
            draw_on,
            metric=True,
            single=True,
            legend="lines",
        ),
    )

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """Where there are several arms, and scores that differ."""
        return len(findings.arms) > 1 and float(np.ptp(_profile(findings)["level"].values)) > 0

    @cached_property
    def table(self) -> DataTable:
        """The table of the page and of both files."""
        return table(self.findings)

    def files(self) -> dict[str, str]:
        """The table."""
        return {
            "distribution.csv": self.table.csv(),
            "distribution.tex": latex.distribution(self.findings, self.table, note(self.findings)),
        }

    def facts(self) -> dict[str, Any]:
        """The table, and what its columns are."""
        return {"table": self.table, "note": note(self.findings)}
