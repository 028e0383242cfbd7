"""Data of the user's own, column by column: marginals in their units, and correlations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from ganstudy.report import prose, style
from ganstudy.report.data_tables import DataTable
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Chart, Section
from ganstudy.targets import RowsTarget, target_of

Array = NDArray[np.float64]

MOST_COLUMNS, MOST_MATRICES = 24, 8
"""Panels of each figure; of more columns or arms the first are drawn, and the caption says so."""

WRITTEN = 12
"""Columns up to which a matrix of correlations has their names on both sides."""


def missing(findings: Findings) -> str:
    """Why there are no columns; empty where there are some."""
    ds = findings.ds
    if "samples" not in ds or "feature_scale" not in ds:
        return "the target's features have no names of their own"
    target = target_of(str(ds["target_settings"].item()))
    return target.gone if isinstance(target, RowsTarget) else "the target is not made of rows"


class Columns:
    """The columns of the data, and of what each arm has generated.

    Both are standardised, as the generator sees them, so that no square overflows.

    real       training rows, `(rows, columns)`
    generated  final samples of each arm, all its complete trials, `(trials, samples, columns)`
    mean       of each column of the training rows, in its own units
    scale      and its standard deviation
    """

    def __init__(self, findings: Findings) -> None:
        ds = findings.ds
        target = target_of(str(ds["target_settings"].item()))
        assert isinstance(target, RowsTarget)
        self.mean, self.scale = ds["feature_mean"].values, ds["feature_scale"].values
        self.names = [str(name) for name in ds["feature"].values]
        self.arms = findings.arms
        self.lines = findings.lines
        self.real: Array = target.values(target.rows().train).astype(np.float64)
        dims = (findings.arm, *findings.axes, "seed")
        samples = ds["samples"].transpose(*dims, "sample", "feature").values.astype(float)
        complete = (ds["status"] == "complete").transpose(*dims).values
        pairs = zip(samples, complete, strict=True)
        self.generated: list[Array] = [own[done] for own, done in pairs]

    def pooled(self, arm: int, column: int) -> Array:
        """A column of all samples of an arm."""
        values = self.generated[arm][:, :, column].ravel()
        return np.asarray(values[np.isfinite(values)])

    def in_units(self, values: Array, column: int) -> Array:
        """Values of a column as the file has them."""
        with np.errstate(over="ignore"):
            return np.asarray(values * self.scale[column] + self.mean[column])

    def correlations(self, arm: int | None) -> Array:
        """Those of the data, or the mean over an arm's trials of each trial's own."""
        if arm is None:
            return _correlations(self.real)
        own = [_correlations(t[np.isfinite(t).all(axis=1)]) for t in self.generated[arm]]
        known = np.reshape(own, (-1, len(self.names), len(self.names)))
        # A trial whose column is constant has no correlation there.
        with np.errstate(invalid="ignore"):
            return np.asarray(np.nansum(known, axis=0) / np.isfinite(known).sum(axis=0))

    def distance(self, arm: int, column: int) -> float:
        """Kolmogorov and Smirnov's: the largest difference of two distribution functions."""
        from scipy.stats import ks_2samp

        values = self.pooled(arm, column)
        return float(ks_2samp(self.real[:, column], values).statistic) if len(values) else math.nan


def _correlations(rows: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.corrcoef(rows, rowvar=False).reshape(rows.shape[1], rows.shape[1])


def draw_marginals(findings: Findings) -> Drawing:
    """A panel for each column: the data in grey, a line for each arm."""
    columns = Columns(findings)
    count = min(len(columns.names), MOST_COLUMNS)
    across = min(4, count)
    down = math.ceil(count / across)
    figure = Figure(figsize=(2.6 * across, 0.3 + 1.9 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel in panels[count:]:
        panel.set_visible(False)
    for column, panel in enumerate(panels[:count]):
        _marginal(panel, columns, column)
    style.arm_legend(figure, findings.arms)
    shown = "" if count == len(columns.names) else f" The first {count} of {len(columns.names)}."
    caption = Markup(
        "Each column in the units of the data. Grey: the training rows; lines: final samples of "
        "all complete trials of an arm. Both are shares of a bin, and what lies outside is in the "
        "outermost bins.{}"
    ).format(shown)
    far = [
        f"{name} {prose.short(max(columns.distance(arm, k) for arm in range(len(findings.arms))))}"
        for k, name in enumerate(columns.names[:count])
    ]
    alt = (
        "Marginals by column, the data beside each arm. Largest difference of distribution "
        f"functions over the arms: {', '.join(far)}."
    )
    return Drawing("marginals", figure, alt, caption)


def draw_marginal_on(axes: Axes, findings: Findings) -> None:
    """The panel of the first column."""
    _marginal(axes, Columns(findings), 0)


def _marginal(panel: Axes, columns: Columns, column: int) -> None:
    real = columns.in_units(columns.real[:, column], column)
    low, high = np.quantile(real, [0.002, 0.998])
    reach = 0.15 * ((high - low) or 1.0)
    values = np.unique(real)
    edges = np.linspace(low - reach, high + reach, 31)
    if len(values) <= 12 and len(values) > 1:  # whole numbers and codes: a bin each
        middle = (values[1:] + values[:-1]) / 2
        edges = np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])
    panel.stairs(_shares(real, edges), edges, fill=True, color="#c4c9d0")
    for arm, look in enumerate(columns.lines):
        own = columns.in_units(columns.pooled(arm, column), column)
        if len(own):
            panel.stairs(_shares(own, edges), edges, linewidth=1.2, **look)
    panel.set_title(columns.names[column], fontsize=8.5, loc="center", color=style.INK)
    panel.set_yticks([])
    panel.tick_params(labelsize=7)


def _shares(values: Array, edges: Array) -> Array:
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return np.asarray(counts / max(len(values), 1))


def _lone(findings: Findings) -> str:
    reason = "one column alone is correlated with none"
    return missing(findings) or (reason if findings.ds.sizes["feature"] < 2 else "")


def draw_correlations(findings: Findings) -> Drawing:
    """A matrix of the data, and one of each arm."""
    columns = Columns(findings)
    arms = list(range(min(len(columns.arms), MOST_MATRICES - 1)))
    across = min(4, 1 + len(arms))
    down = math.ceil((1 + len(arms)) / across)
    figure = Figure(figsize=(0.8 + 2.4 * across, 0.4 + 2.5 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel in panels[1 + len(arms) :]:
        panel.set_visible(False)
    for panel, arm in zip(panels, (None, *arms), strict=False):
        image = _matrix(panel, columns, arm)
    figure.colorbar(image, ax=panels.tolist(), label="correlation", shrink=0.8, aspect=25)
    more = "" if len(arms) == len(columns.arms) else f" The first {len(arms)} arms."
    caption = Markup(
        "Correlations of the columns: of the training rows, and of what each arm generates, each "
        "trial's own averaged over its complete trials.{}"
    ).format(more)
    off = ~np.eye(len(columns.names), dtype=bool)
    real = columns.correlations(None)
    gaps = [float(np.abs(columns.correlations(arm) - real)[off].mean()) for arm in arms]
    alt = "Matrices of correlations. Mean absolute difference from the data: " + ", ".join(
        f"{columns.arms[arm]} {prose.short(gap)}" for arm, gap in zip(arms, gaps, strict=True)
    )
    return Drawing("correlations", figure, f"{alt}.", caption)


def draw_correlation_on(axes: Axes, findings: Findings) -> None:
    """The matrix of the first arm."""
    _matrix(axes, Columns(findings), 0)


def _matrix(panel: Axes, columns: Columns, arm: int | None) -> AxesImage:
    image = panel.imshow(columns.correlations(arm), cmap="RdBu_r", vmin=-1, vmax=1)
    title = "the data" if arm is None else style.short_name(columns.arms[arm], 26)
    panel.set_title(title, fontsize=8.5, loc="center", color=style.INK)
    size = len(columns.names)
    names = [style.short_name(name, 12) for name in columns.names] if size <= WRITTEN else []
    panel.set_xticks(range(len(names)), names, rotation=90, fontsize=6.5)
    panel.set_yticks(range(len(names)), names, fontsize=6.5)
    panel.tick_params(length=0)
    return image


class ColumnsSection(Section):
    """Whether each column of the data, and how they go together, is what generators make."""

    place = 105
    label = "Columns"
    heading = "Column by column"
    charts = (
        Chart(
            "marginals",
            """Marginals of the data's columns in their own units, beside those of each arm.""",
            draw_marginals,
            draw_marginal_on,
            missing=missing,
            legend="lines",
        ),
        Chart(
            "correlations",
            """Correlations of the data's columns, beside those of what each arm generates.""",
            draw_correlations,
            draw_correlation_on,
            missing=_lone,
        ),
    )

    @cached_property
    def columns(self) -> Columns:
        """The data and the samples."""
        return Columns(self.findings)

    def tables(self) -> Mapping[str, tuple[DataTable, str]]:
        """Each column's distance, by arm."""
        headings = ["column", "mean", "deviation", *self.findings.arms]
        caption = (
            "Mean and standard deviation of the training rows, in units of the data, and "
            "Kolmogorov and Smirnov's distance of each arm's samples from them: 0 is the same."
        )
        units = [prose.decimals_for(float(scale)) for scale in self.columns.scale]
        decimals = [None, units, units, *[2] * len(self.findings.arms)]
        table = DataTable(headings, decimals, list(self._rows()))
        return {"columns": (table, caption)}

    def _rows(self) -> Iterator[list[object]]:
        columns = self.columns
        for k, name in enumerate(columns.names):
            far = [columns.distance(arm, k) for arm in range(len(columns.arms))]
            yield [
                name,
                float(columns.mean[k]),
                float(columns.scale[k]),
                *(value if math.isfinite(value) else None for value in far),
            ]
