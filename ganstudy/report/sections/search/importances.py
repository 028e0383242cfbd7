"""Which parameters of a search decide, and that chance does not explain it."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganstudy.analysis.budget_curve import learned
from ganstudy.report import prose, style
from ganstudy.report.differences import MOST_LISTED
from ganstudy.report.drawing import Drawing
from ganstudy.report.searched import Searched
from ganstudy.report.sections.search.figures import Array

LEVEL = 0.05
"""Shares as large as chance gives in more studies than this are not shown as findings."""

CALL = "analysis.importances(searched)"
"""The expression that returns the numbers of the sentence."""


def exceeds(searched: Searched) -> bool:
    """Whether any share is larger than chance explains."""
    return bool((searched.importances["p"] <= LEVEL).any())


def sentence(searched: Searched) -> Markup | None:
    """Which parameters decide more than chance explains; None where none could be computed."""
    found = searched.importances
    if not np.isfinite(found["share"]).any():
        return None
    shares, p = (searched.by_group(found[name]) for name in ("share", "p"))
    chance = float(found["by_chance"])
    names = searched.parameters
    one = len(searched.groups) == 1
    named = [
        (share, f"{names[j]} {share:.0%}" + ("" if one else f" ({searched.groups[i]})"))
        for i in range(len(shares))
        for j, share in enumerate(shares[i])
        if p[i, j] <= LEVEL
    ]
    if not named:
        return Markup(
            "No parameter decides more than chance explains: the largest importance is {:.0%}, and "
            "with the scores dealt out at random the largest reaches {:.0%} in one case of twenty."
        ).format(float(np.nanmax(shares)), chance)
    texts = [text for _, text in sorted(named, reverse=True)]
    listed = prose.listing(prose.first_of(texts, MOST_LISTED, "in the figure below"))
    return Markup(
        "What decides whether a point is among the best quarter, beyond what chance explains: {}. "
        "With the scores dealt out at random the largest importance reaches {:.0%} in one case of "
        "twenty; what is smaller is not shown to matter."
    ).format(listed, chance)


def draw(searched: Searched) -> Drawing:
    """Bars of the parameters' importances, by arm."""
    rows, parameters, shares, _ = _importances(searched)
    figure = Figure(
        figsize=(10.4, 1.0 + len(parameters) * max(0.3, 0.16 * len(rows))), layout="constrained"
    )
    draw_on(figure.subplots(), searched)
    style.arm_legend(figure, searched.arm_names, "colours", settings=searched.settings)
    caption = Markup(
        "Shares by PED-ANOVA: how far the best quarter of an arm's points is from all of them, a "
        "parameter at a time. They sum to one whether or not there is anything to find. Dashed: "
        "what the largest of them all exceeds in one case of twenty with scores dealt out at "
        "random; pale bars are no larger than that."
    )
    if lost := [name for row, name in enumerate(searched.groups) if row not in rows]:
        caption += Markup(" {}: too few points, or ties.").format(prose.names(lost))
    if learned(searched.ds):
        caption += Markup(
            " A sampler that learns has put its points where scores were good: where nothing "
            "matters TPE has a strong bar in 8% of searches, and not in 5%."
        )
    caption += searched.alike
    alt = "Importance of parameters: " + "; ".join(
        f"{searched.groups[row]} "
        + ", ".join(f"{name} {share:.2f}" for name, share in zip(parameters, own, strict=True))
        for row, own in zip(rows, shares, strict=True)
    )
    return Drawing("importances", figure, f"{alt}.", caption)


def draw_on(axes: Axes, searched: Searched) -> None:
    """A bar for each parameter and arm, the most important parameter on top."""
    rows, parameters, shares, p = _importances(searched)
    height = 0.8 / len(rows)
    for place, (row, own, chance) in enumerate(zip(rows, shares, p, strict=True)):
        at = np.arange(len(parameters)) - 0.4 + height * (place + 0.5)
        bars = axes.barh(
            *(at, own),
            height=0.86 * height,
            color=searched.colours[row],
            hatch=searched.hatches[row],
            edgecolor="white",
            linewidth=0,
        )
        for bar, value in zip(bars, chance, strict=True):
            bar.set_alpha(1.0 if value <= LEVEL else 0.25)
    axes.axvline(
        float(searched.importances["by_chance"]), color=style.MUTED, linewidth=1, linestyle="--"
    )
    axes.set_yticks(range(len(parameters)), parameters)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("importance")
    axes.set_xlim(0, 1)
    axes.grid(axis="x")


def _importances(searched: Searched) -> tuple[list[int], list[str], Array, Array]:
    """Arms that have importances, parameters with the most important first, shares and p."""
    shares, p = (searched.by_group(searched.importances[name]) for name in ("share", "p"))
    rows = [row for row in range(len(shares)) if np.isfinite(shares[row]).all()]
    order = np.argsort(-shares[rows].mean(axis=0), kind="stable")
    names = [searched.parameters[index] for index in order]
    return rows, names, shares[rows][:, order], p[rows][:, order]
