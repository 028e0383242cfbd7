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

_Row = tuple[str, NDArray[np.float64]]

MOST_LABELS = 60
"""With more labels than this a cell would be thinner than a line."""


def draw(findings: Findings) -> Drawing:
    """A heat map: share of right samples of each label, by arm and setting, mean over seeds."""
    rows, names = _rows(findings)
    height = 1.0 + 0.28 * len(rows) + 0.07 * max(map(len, names), default=0)
    figure = Figure(figsize=(10.4, height), layout="constrained")
    _heat(figure.subplots(), rows, names)
    caption = Markup(
        "Share of the final samples generated under a label that are of high quality and of the "
        "mode which the label names; mean over {}."
    ).format(findings.units)
    alt = (
        "Heat map of the share of right samples by label, lowest to highest label: "
        f"{prose.spans(*zip(*rows, strict=True))}."
    )
    return Drawing("labels", figure, alt, caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """A row for each arm and setting, a column for each label, and a bar of the colours."""
    _heat(axes, *_rows(findings))


def missing(findings: Findings) -> str:
    """Why there are no rows; empty where there are some."""
    reason = f"no trial is conditional, or there are more than {MOST_LABELS} labels"
    return "" if _rows(findings)[0] else reason


def _rows(findings: Findings) -> tuple[list[_Row], list[str]]:
    """Name and shares of each row, none for a study without conditional trials; and the names of
    labels, none where they have numbers alone.
    """
    scores = label_scores(findings.ds)
    if scores is None or scores.sizes["label"] > MOST_LABELS:
        return [], []
    names = scores["label_name"].values if "label_name" in scores.coords else ()
    values = findings.flat(scores["accuracy"].mean("seed").transpose(..., "label"))
    rows = [
        (f"{arm} · {setting}" if setting else str(arm), values[i, j])
        for i, arm in enumerate(findings.arms)
        for j, setting in enumerate(map(findings.setting_label, findings.settings))
        if np.isfinite(values[i, j]).any()
    ]
    return rows, [style.short_name(str(name), 14) for name in names]


def _heat(axes: Axes, rows: list[_Row], names: list[str]) -> None:
    image = axes.imshow(
        np.stack([row for _, row in rows]), vmin=0, vmax=1, aspect="auto", cmap="YlGnBu"
    )
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    if names:
        axes.set_xticks(range(len(names)), names, rotation=90)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("label")
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.colorbar(image, ax=axes, label="samples true to their label")
