"""Whether the question is settled: the evidence on each pair of arms, seed by seed."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.end_labels import end_labels
from ganstudy.report.findings import Findings
from ganstudy.report.prose import Sentence
from ganstudy.report.sections._base import Chart, Section

CALL = "analysis.settlement(ds)"
"""The expression that returns the numbers of the sentences."""

MOST_NAMED = 28
"""Characters of a name beside its line: as many as there is room for to the right of all lines."""

LEAD_CALL = "analysis.settlement(ds).assign(mean=analysis.arm_scores(ds)['mean'])"
"""The same for the sentence at the top."""


def lead(findings: Findings) -> Markup:
    """Settled or open, after how many seeds, and who leads."""
    found = _found(findings)
    most = int(found.attrs["most"])
    if not found.attrs["looked"]:
        return Markup("No look has been taken yet: the first is after {} of every arm.").format(
            prose.plural(int(found.attrs["start"]), "seed")
        )
    leader = findings.arms[_leader(findings, found)]
    better, equal, left = _by_relation(findings, found)
    parts = [
        *([Markup("told apart from {}").format(prose.names(better))] if better else []),
        *([Markup("does as well as {}").format(_within(found, equal))] if equal else []),
        *([Markup("open against {}").format(prose.names(left))] if left else []),
    ]
    state = "settled" if found.attrs["settled"] else "open"
    mean = findings.ranked["mean"].sel(
        {findings.arm: findings.ds[findings.arm][_leader(findings, found)]}
    )
    lower = "" if findings.metric.higher_is_better else " (lower is better)"
    text = Markup("<strong>{}</strong> after {} of at most {:,}: {} leads in {}{} with {}, {}.")
    return text.format(
        prose.capital(state),
        prose.plural(int(found.attrs["looked"]), "seed"),
        most,
        prose.STRONG.format(leader),
        findings.metric.long_name,
        lower,
        findings.show(mean.item()),
        prose.listing(parts),
    )


def sentences(findings: Findings) -> list[Sentence]:
    """What was trained, what is open, and what the errors are."""
    found = _found(findings)
    if not found.attrs["looked"]:
        return []
    seeds = [
        f"{prose.quoted(arm)} {int(own)}"
        for arm, own in zip(findings.arms, found["seeds"].values, strict=True)
    ]
    added = bool((found["seeds"] > found.attrs["start"]).any())
    what = "Seeds were added to arms that were not told apart from the leader"
    said = [Markup("{}: {}.").format(what if added else "Seeds of each arm", prose.listing(seeds))]
    # The leader leads over the seeds of all; an arm that has more may be ahead of it over these.
    leader = _leader(findings, found)
    others = [other for other in range(len(findings.arms)) if other != leader]
    for side, ahead in (("Behind", False), ("Ahead of", True)):
        own = [j for j in others if (_behind(findings, found, j) < 0) is ahead]
        if own:
            said.append(
                Markup("{} {}, paired within seeds: {}.").format(
                    side,
                    prose.quoted(findings.arms[leader]),
                    Markup("; ").join(_pair(findings, found, j) for j in own),
                )
            )
    return [Sentence(text, CALL) for text in said]


def _behind(findings: Findings, found: xr.Dataset, other: int) -> float:
    """How far an arm is behind the leader over the seeds of both; NaN where that is infinite."""
    leader = _leader(findings, found)
    return findings.metric.sign * float(found["difference"].values[leader, other])


def _pair(findings: Findings, found: xr.Dataset, other: int) -> Markup:
    """How an arm stands to the leader."""
    own = found.isel({findings.arm: _leader(findings, found), "other": other})
    difference = abs(own["difference"].item())
    evidence = own["evidence"].values
    evidence = evidence[np.isfinite(evidence)]
    needed = found["needed"].values[: len(evidence)]
    name = prose.quoted(findings.arms[other])
    text = Markup("{} by {}").format(name, findings.show(difference))
    if not math.isfinite(difference):
        text = Markup("{} in {:.0%} of seeds").format(name, own["wins"].item())
    if own["better"].item() > 0:
        return Markup("{}, told apart").format(text)
    if own["equal"].item():
        return Markup("{}, no more than {:g} apart").format(text, found.attrs["equal_within"])
    if found.attrs["method"] == "e_process":
        return Markup("{}, open (evidence up to {} of {})").format(
            text, prose.short(float(evidence.max())), prose.short(float(needed[-1]))
        )
    return Markup("{}, open (|z| {:.2f})").format(text, float(evidence[-1]))


def draw(findings: Findings) -> Drawing:
    """The evidence of each pair against seeds, with what is needed."""
    # Each pair of the leader has a name at the end of its line.
    figure = Figure(figsize=(10.4, max(4.2, 0.8 + 0.15 * len(findings.arms))), layout="constrained")
    draw_on(figure.subplots(), findings)
    found = _found(findings)
    if found.attrs["method"] == "e_process":
        caption = Markup(
            "Evidence that two arms are not exchangeable, after each seed that both have; dashed: "
            "what a pair that is open needs, by Holm's correction over all pairs. Were two arms "
            "exchangeable it would ever reach a height E with a chance of at most 1/E, however "
            "long one looks. "
        )
    else:
        caption = Markup(
            "Size of the paired t statistic as a normal quantile, after each seed that both have; "
            "dashes: what a pair that is open needs at each look, by Holm's correction. "
        )
    caption += Markup(
        "Strong lines: pairs of the leader, {}, each with the name of the other arm. Dots: told "
        "apart; squares: found to do equally well."
    ).format(prose.quoted(findings.arms[_leader(findings, found)]))
    ends = [
        f"{_name(findings, i, j)} {prose.short(value)}"
        for i, j in _pairs(findings)
        if math.isfinite(value := _last(found, i, j))
    ]
    alt = f"Evidence on each pair after its last seed: {'; '.join(ends)}."
    return Drawing("evidence", figure, alt, caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """One panel: a line for each pair, in the colour of the arm that is not the leader."""
    found = _found(findings)
    leader = _leader(findings, found)
    values = found["evidence"].values
    ends: list[tuple[float, float, str, str]] = []
    for i, j in _pairs(findings):
        path = values[i, j][np.isfinite(values[i, j])]
        seeds = np.arange(1, len(path) + 1)
        strong = leader in (i, j)
        colour = findings.colours[j if i == leader else i] if strong else style.MUTED
        axes.plot(
            seeds,
            path,
            color=colour,
            linewidth=1.8 if strong else 0.9,
            alpha=1.0 if strong else 0.5,
        )
        if not len(path):
            continue
        marker = "o" if found["better"].values[i, j] else "s" if found["equal"].values[i, j] else ""
        if marker:
            axes.plot(seeds[-1:], path[-1:], marker=marker, markersize=5, color=colour)
        if strong:
            other = style.short_name(findings.arms[j if i == leader else i], MOST_NAMED)
            ends.append((float(seeds[-1]), float(path[-1]), other, colour))
    needed = found["needed"].values
    at = np.flatnonzero(np.isfinite(needed))
    if found.attrs["method"] == "e_process":
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(_evidence))
        axes.plot(at + 1, needed[at], color=style.INK, linewidth=1, linestyle="--")
        axes.set_ylabel("evidence")
    else:
        axes.plot(at + 1, needed[at], color=style.INK, marker="_", markersize=9, linestyle="none")
        axes.set_ylabel("|z|")
    axes.set_xlabel("seeds of both arms")
    axes.set_xlim(0.5, 1.25 * max(found.attrs["looked"], 2))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y")
    end_labels(axes, ends)


def _evidence(value: float, position: int | None) -> str:
    """At a tick."""
    return prose.short(value)


def _found(findings: Findings) -> xr.Dataset:
    assert findings.settlement is not None
    return findings.settlement


def _leader(findings: Findings, found: xr.Dataset) -> int:
    labels = [str(value) for value in found[findings.arm].values.tolist()]
    return labels.index(str(found.attrs["leader"]))


def _by_relation(findings: Findings, found: xr.Dataset) -> tuple[list[str], list[str], list[str]]:
    """Arms that the leader is told apart from, does as well as, and is open against."""
    leader = _leader(findings, found)
    better: list[str] = []
    equal: list[str] = []
    left: list[str] = []
    for other, arm in enumerate(findings.arms):
        if other != leader:
            won = found["better"].values[leader, other] > 0
            same = found["equal"].values[leader, other]
            (better if won else equal if same else left).append(arm)
    return better, equal, left


def _within(found: xr.Dataset, arms: list[str]) -> Markup:
    return Markup("{} to within {:g}").format(prose.names(arms), found.attrs["equal_within"])


def _pairs(findings: Findings) -> list[tuple[int, int]]:
    arms = range(len(findings.arms))
    return [(i, j) for i in arms for j in arms if i < j]


def _name(findings: Findings, first: int, second: int) -> str:
    return f"{findings.arms[first]} \N{EN DASH} {findings.arms[second]}"


def _last(found: xr.Dataset, first: int, second: int) -> float:
    own = found["evidence"].values[first, second]
    own = own[np.isfinite(own)]
    return float(own[-1]) if len(own) else math.nan


def _fixed(findings: Findings) -> str:
    if findings.settlement is None:
        return "the seeds of this study are fixed"
    return "" if findings.settlement.attrs["looked"] else "no look has been taken yet"


class Settled(Section):
    """Whether the question is settled, and the evidence on each pair of arms seed by seed."""

    place = 35
    label = "Evidence"
    heading = "Is the question settled?"
    charts = (
        Chart(
            "evidence",
            """The evidence on each pair of arms against seeds (`analysis.settlement`).

            For a study whose seeds are added until its question is settled.
            """,
            draw,
            draw_on,
            missing=_fixed,
            single=True,
        ),
    )

    def sentences(self) -> list[Sentence]:
        """What was trained, and how each arm stands to the leader."""
        return sentences(self.findings)
