"""Conditional generators label by label."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ganstudy.analysis import label_scores
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.layout import shown_of, thinned

_Row = tuple[str, str, NDArray[np.float64]]
"""An arm, a setting, and the share of each label."""

MOST_LABELS = 60
"""With more labels than this a cell would be thinner than a line."""

MOST_LINES = 48
"""Rows of the map; of more arms, and then of more settings of each, an even choice is shown."""

LINE = 0.28
"""Height of a row in inches: two lines of its name."""

NAMED = 36
"""Characters of each of these lines, which leave the map most of the width."""


def draw(findings: Findings) -> Drawing:
    """A heat map: share of right samples of each label, by arm and setting, mean over seeds."""
    rows, names, left_out = _rows(findings)
    height = 1.0 + LINE * len(rows) + 0.07 * max(map(len, names), default=0)
    figure = Figure(figsize=(10.4, height), layout="constrained")
    _heat(figure.subplots(), rows, names)
    caption = Markup(
        "Share of the final samples generated under a label that are of high quality and of the "
        "mode which the label names; mean over {}. {}{}"
    ).format(
        findings.units,
        "Of a diverged trial they are those before its divergence. "
        if findings.with_status("diverged")
        else "",
        left_out,
    )
    alt = (
        "Heat map of the share of right samples by label, lowest to highest label: "
        f"{prose.spans(*zip(*((_name(*own), share) for *own, share in rows), strict=True))}."
    )
    return Drawing("labels", figure, alt, caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """A row for each arm and setting, a column for each label, and a bar of the colours."""
    rows, names, _ = _rows(findings)
    _heat(axes, rows, names)


def missing(findings: Findings) -> str:
    """Why there are no rows; empty where there are some."""
    reason = f"no trial is conditional, or there are more than {MOST_LABELS} labels"
    return "" if _rows(findings)[0] else reason


def _rows(findings: Findings) -> tuple[list[_Row], list[str], str]:
    """The rows, none for a study without conditional trials; the names of labels, none where they
    have numbers alone; and what there is no room for.
    """
    scores = label_scores(findings.ds)
    if scores is None or scores.sizes["label"] > MOST_LABELS:
        return [], [], ""
    names = scores["label_name"].values if "label_name" in scores.coords else ()
    values = findings.flat(scores["accuracy"].mean("seed").transpose(..., "label"))
    known = np.isfinite(values).any(axis=2)
    arms, settings = (np.flatnonzero(known.any(axis=other)) for other in (1, 0))
    down = arms[thinned(len(arms), MOST_LINES)]
    across = settings[thinned(len(settings), max(MOST_LINES // max(len(down), 1), 1))]
    rows = [
        (findings.arms[i], findings.setting_label(findings.settings[j]), values[i, j])
        for i in down
        for j in across
        if known[i, j]
    ]
    left_out = shown_of((len(down), len(arms), "arm"), (len(across), len(settings), "setting"))
    return rows, [style.short_name(str(name), 14) for name in names], left_out


def _name(arm: str, setting: str) -> str:
    return " · ".join(filter(None, [arm, setting]))


def _fitting(arm: str, setting: str) -> str:
    """An arm and its setting, below each other where a line is too short for both."""
    if len(name := _name(arm, setting)) <= NAMED:
        return name
    return "\n".join(style.short_name(own, NAMED) for own in (arm, setting) if own)


def _heat(axes: Axes, rows: list[_Row], names: list[str]) -> None:
    image = axes.imshow(
        np.stack([share for *_, share in rows]), vmin=0, vmax=1, aspect="auto", cmap="YlGnBu"
    )
    axes.set_yticks(range(len(rows)), [_fitting(*own) for *own, _ in rows])
    if names:
        axes.set_xticks(range(len(names)), names, rotation=90)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("label")
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.colorbar(image, ax=axes, label="samples true to their label")
