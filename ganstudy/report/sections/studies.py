"""Several targets: every arm's place on each, what budgets find, and how alike rankings are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.analysis import (
    RecordedMetric,
    along_studies,
    of_study,
    rank_agreement,
    rank_over_studies,
    rank_studies,
    wins_by_budget,
)
from ganstudy.report import prose, style
from ganstudy.report.across.ranking import budgets
from ganstudy.report.across.words import few
from ganstudy.report.data_tables import DataTable, number_or_none
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Chart, Section

MARKS = {"clear": "", "leaning": "~", "open": "=", "": "?"}
"""Beside a place: how sure the first one's lead over it is; nothing where it is clear."""
MOST_LINES = 8
"""Arms that the figure of budgets draws in colour."""
MOST_NAMED = 24
"""Characters of the name of a target in a figure."""


def draw_places(findings: Findings) -> Drawing:
    """Places of arms by target, the arm with most wins over all targets on top."""
    over = rank_over_studies(findings.gathered)
    figure = Figure(
        figsize=(3.6 + _wide(over, 0.85), 1.2 + 0.27 * over.sizes["arm"]), layout="constrained"
    )
    draw_places_on(figure.subplots(), findings)
    caption = Markup(
        "Place of every arm on every target, 1 the best, which equals share; arms are in the order "
        "of their wins over all targets, which the label has."
    )
    graded = (rank_studies(findings.gathered)["grade"] != "").any("arm")
    if graded.any():
        caption += Markup(
            " Beside a place{}, = where it is open whether the first of that target is better, and "
            "~ where it leans that way; nothing where it is clear."
        ).format("" if graded.all() else " on a target that is tested")
        if (_marks(findings, over) == MARKS[""]).any():
            caption += Markup(" ? stands where the two could not be compared.")
    shown = "; ".join(
        f"{prose.quoted(arm)} {', '.join(map(str, over['places'].isel(arm=i).values.tolist()))}"
        for i, arm in enumerate(over["arm"].values.tolist())
    )
    alt = f"Places on {', '.join(over['study'].values.tolist())}: {shown}."
    return Drawing("places", figure, alt, caption)


def _wide(found: xr.Dataset, least: float) -> float:
    """Inches of a column for each target, in which its name fits."""
    longest = max(min(len(str(name)), MOST_NAMED) for name in found["study"].values)
    return found.sizes["study"] * max(least, 0.068 * longest)


def draw_places_on(axes: Axes, findings: Findings) -> None:
    """The map alone."""
    over = rank_over_studies(findings.gathered)
    arms, names = over["arm"].values.tolist(), over["study"].values.tolist()
    places = over["places"].transpose("arm", "study").values
    marks = _marks(findings, over)
    image = axes.imshow(places, cmap="YlGnBu_r", vmin=-1, vmax=1.1 * len(arms), aspect="auto")
    for at in np.ndindex(*places.shape):
        text = f"{places[at]}{marks[at]}"
        colour = style.ink_on(image.to_rgba(places[at]))
        axes.text(at[1], at[0], text, ha="center", va="center", color=colour)
    axes.set_xticks(range(len(names)), [style.short_name(name, MOST_NAMED) for name in names])
    wins = [prose.percent(share) for share in over["wins"].values]
    axes.set_yticks(range(len(arms)), [f"{a}  {w}" for a, w in zip(arms, wins, strict=True)])
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)


def _marks(findings: Findings, over: xr.Dataset) -> NDArray[np.str_]:
    """What stands beside each place, `(arms, studies)`; nothing beside the first of a target, and
    on a target of which nothing is graded."""
    ranked = rank_studies(findings.gathered).sel(arm=over["arm"])
    grades = ranked["grade"].transpose("arm", "study").values
    plain = ranked["arm"].values[:, None] == ranked["best"].values
    plain |= (grades == "").all(axis=0)
    marks = [MARKS[own] for own in grades.ravel().tolist()]
    return np.where(plain, "", np.reshape(marks, grades.shape))


def draw_budgets(findings: Findings) -> Drawing:
    """Shares of comparisons won over all targets, by points of search."""
    figure = Figure(figsize=(8.2, 4.4), layout="constrained")
    draw_budgets_on(figure.subplots(), findings)
    known = budgets(findings.gathered)
    caption = Markup(
        "Share of comparisons with other arms, on the same target, that an arm wins when each "
        "search has so many points. In colour, at most {} arms that win most with {}."
    ).format(MOST_LINES, known[-1])
    found = wins_by_budget(findings.gathered, known[-1:]).isel(budget=0)
    best = found["arm"].values[found["equals_best"].values].tolist()
    win = "wins" if len(best) == 1 else "win"
    who = few(best).unescape()
    alt = f"Wins over all targets by points of search; with {known[-1]} {who} {win} most."
    return Drawing("budgets", figure, alt, caption)


def draw_budgets_on(axes: Axes, findings: Findings) -> None:
    """The lines alone."""
    ds = findings.gathered
    known = budgets(ds)
    found = wins_by_budget(ds, known)
    last = found["wins"].sel(budget=known[-1])
    order = found["arm"].values[np.argsort(-last.values, kind="stable")].tolist()
    known_by = style.arm_lines(min(MOST_LINES, len(order)))
    for number, arm in reversed(list(enumerate(order))):
        wins = 100 * found["wins"].sel(arm=arm).values
        chosen = number < len(known_by)
        axes.plot(
            known,
            wins,
            marker="o" if chosen else "",
            markersize=4,
            label=arm if chosen else None,
            zorder=3 if chosen else 1,
            **(known_by[number] if chosen else {"color": style.RULE}),
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(known, [str(k) for k in known])
    axes.minorticks_off()
    axes.set_xlabel("points of each search")
    axes.set_ylabel("comparisons won (%)")
    axes.grid(axis="y")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1],
        labels[::-1],
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        handlelength=3,
    )


def draw_alike(findings: Findings) -> Drawing:
    """How often two searches order two arms alike, for all pairs of targets."""
    found = rank_agreement(findings.gathered)
    size = (3.0 + _wide(found, 0.8), 1.3 + 0.5 * found.sizes["study"])
    figure = Figure(figsize=size, layout="constrained")
    draw_alike_on(figure.subplots(), findings)
    names = found["study"].values.tolist()
    shown = ", ".join(
        f"{one} and {other} {prose.percent(float(found['same_way'].sel(study=one, other=other)))}"
        for i, one in enumerate(names)
        for other in names[i:]
    )
    caption = Markup(
        "Share of pairs of arms that one {0} on a target and another {0} on the other order alike"
        "{2}; 50% is chance. On the diagonal: two {1} of the same target."
    ).format(
        findings.unit,
        findings.units,
        f", with its 95% interval over {findings.units}" if found["low"].notnull().any() else "",
    )
    return Drawing("alike", figure, f"Pairs of arms ordered alike: {shown}.", caption)


def draw_alike_on(axes: Axes, findings: Findings) -> None:
    """The matrix alone."""
    found = rank_agreement(findings.gathered)
    names = [style.short_name(name, MOST_NAMED) for name in found["study"].values.tolist()]
    share = 100 * found["same_way"].values
    image = axes.imshow(share, cmap="RdBu", vmin=0, vmax=100, aspect="auto")
    for at in np.ndindex(*share.shape):
        low, high = (100 * found[end].values[at] for end in ("same_low", "same_high"))
        text = prose.MISSING if np.isnan(share[at]) else f"{share[at]:.0f}%"
        if np.isfinite(low):
            text += f"\n{low:.0f} to {high:.0f}"
        colour = style.MUTED
        if np.isfinite(share[at]):
            colour = style.ink_on(image.to_rgba(share[at]))
        axes.text(at[1], at[0], text, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _one_target(findings: Findings) -> str:
    return "" if along_studies(findings.gathered) else "the study is of one target"


def _no_budgets(findings: Findings) -> str:
    known = _one_target(findings)
    return known or ("" if len(budgets(findings.gathered)) > 1 else "the studies are no searches")


def _none_alike(findings: Findings) -> str:
    if known := _one_target(findings):
        return known
    alike = rank_agreement(findings.gathered)["same_way"]
    return "" if alike.notnull().any() else f"targets have one {findings.unit} each"


class Studies(Section):
    """Arms by targets, in figures and in tables."""

    place = 30
    label = "Targets"
    heading = "Every arm on every target"
    several = True
    charts = (
        Chart(
            "places",
            "The place of every arm on every target (`analysis.rank_studies`).",
            draw_places,
            draw_places_on,
            missing=_one_target,
            single=True,
        ),
        Chart(
            "budgets",
            "Comparisons that arms win, by points of search (`analysis.rank_over_studies`).",
            draw_budgets,
            draw_budgets_on,
            missing=_no_budgets,
            single=True,
        ),
        Chart(
            "alike",
            "How alike the rankings of targets are (`analysis.rank_agreement`).",
            draw_alike,
            draw_alike_on,
            missing=_none_alike,
            single=True,
        ),
    )

    def tables(self) -> Mapping[str, tuple[DataTable, str]]:
        """A row for each arm on each target."""
        ranked = rank_studies(self.findings.gathered)
        names = ("mean", "low", "high", "place", "behind", "quality", "diverged")
        rows = [
            [
                study,
                arm,
                *(number_or_none(float(ranked[name].values[s, a])) for name in names),
                str(ranked["grade"].values[s, a]),
            ]
            for s, study in enumerate(ranked["study"].values.tolist())
            for a, arm in enumerate(ranked["arm"].values.tolist())
        ]
        headings = ["study", "arm", *names, "grade"]
        measured = ", ".join(
            f"{study} by {metric}"
            for study, metric in zip(ranked["study"].values, ranked["metric"].values, strict=True)
        )
        caption = (
            f"Arms on targets, each by its own score ({measured}): mean with limits over "
            f"{self.findings.units}, place, what it is behind the first and the grade of that; "
            "the share of samples of high quality, and of trials that diverged."
        )
        # Targets may have scores of different metrics.
        alone = (of_study(self.findings.gathered, name) for name in ranked["study"].values.tolist())
        each = [prose.decimals_of(ds, RecordedMetric.of(ds)) for ds in alone]
        own = np.repeat(each, ranked.sizes["arm"]).tolist()
        table = DataTable(headings, [None, None, own, own, own, 0, own, 2, 2, None], rows)
        return {"targets": (table, caption)}
