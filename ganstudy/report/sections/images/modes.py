"""The covered modes as a map: which ones, where their number alone is on the curves."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import fill

import numpy as np
import xarray as xr
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.metrics import family as metric_family
from ganstudy.metrics.modes_covered import ModesCovered
from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.layout import thinned
from ganstudy.report.sections.images.firsts import missing, of_all
from ganstudy.settings import as_recorded
from ganstudy.targets import Target, target_of

METRIC = "modes_covered"
MOST_ARMS, MOST_TRIALS = 8, 24
"""Rows of the map, and trials of an arm whose samples are looked at."""

FEW = 40
"""Modes without factors that stand in one line."""


@dataclass(frozen=True, eq=False)
class Map:
    """How often an arm's trials cover each mode.

    share     `(modes,)`, of the complete trials on the first of its targets
    trials    how many of these were looked at
    factors   what the number of a mode is made of
    names     what the user calls the modes, empty where they have numbers alone
    targets   how many there are of complete trials
    diverged  how many trials on the first of them did
    """

    arm: int
    share: NDArray[np.float64]
    trials: int
    factors: tuple[tuple[str, int], ...]
    names: tuple[str, ...] = ()
    targets: int = 1
    diverged: int = 0


def why_missing(findings: Findings) -> str:
    """Why no map can be drawn."""
    if reason := missing(findings):
        return reason
    if METRIC not in findings.ds or "settings" not in findings.ds[METRIC].attrs:
        return f"{METRIC} is not recorded"
    return "" if any(_mapped(findings)) else "no complete trial is of images with modes"


def maps(findings: Findings) -> list[Map]:
    """Those of arms that have complete trials on images with modes."""
    ds = findings.ds
    with as_recorded():
        metric = metric_family.from_config(json.loads(ds[METRIC].attrs["settings"]))
    assert isinstance(metric, ModesCovered)
    every = [own for own in _mapped(findings) if own]
    found = []
    for arm, target, places, *counts in (every[at] for at in thinned(len(every), MOST_ARMS)):
        chosen = [places[index] for index in thinned(len(places), MOST_TRIALS)]
        covered = [metric.covered(_samples(ds, place), target) for place in chosen]
        share = np.mean(covered, axis=0)
        factors = target.mode_factors or (("mode", len(share)),)
        share = np.asarray(share, np.float64)
        found.append(Map(arm, share, len(chosen), factors, target.mode_names, *counts))
    return found


def _mapped(
    findings: Findings,
) -> Iterator[tuple[int, Target, list[dict[str, int]], int, int] | None]:
    """Of each arm its number, the first of its targets if that is of images with modes, the
    complete trials on it, how many targets there are, and how many trials diverged on the first."""
    ds, dims = findings.ds, (findings.arm, *findings.axes, "seed")
    status = ds["status"].transpose(*dims).values
    configs = xr.broadcast(ds["target_settings"], ds["status"])[0].transpose(*dims).values
    for arm in range(len(findings.arms)):
        places = [(arm, *place) for place in np.argwhere(status[arm] == "complete").tolist()]
        first = str(configs[places[0]]) if places else ""
        target = target_of(first) if places else None
        if target is None or target.image is None or target.gone or target.known_modes() is None:
            yield None
            continue
        alike = [place for place in places if str(configs[place]) == first]
        on_it = [dict(zip(dims, place, strict=True)) for place in alike]
        diverged = int(((status[arm] == "diverged") & (configs[arm] == first)).sum())
        yield arm, target, on_it, len({str(configs[place]) for place in places}), diverged


def _samples(ds: xr.Dataset, place: dict[str, int]) -> NDArray[np.float32]:
    values = ds["samples"].isel(place).transpose("sample", "feature").values
    values = values[:, np.isfinite(values).any(axis=0)]
    return np.asarray(values[np.isfinite(values).any(axis=1)], np.float32)


def draw(findings: Findings) -> Drawing:
    """A row for each arm."""
    found = maps(findings)
    height = sum(_height(own) + 0.3 for own in found)
    named = max(map(len, _ticks(found[-1])), default=0)
    figure = Figure(figsize=(9.6, height + 0.3 + 0.07 * named), layout="constrained")
    panels = figure.subplots(
        len(found), 1, squeeze=False, height_ratios=[_height(own) + 0.1 for own in found]
    )
    for axes, own in zip(panels[:, 0], found, strict=True):
        draw_map(axes, own, findings.colours[own.arm])
        # Across: a line of a few modes is lower than a name is long.
        label = axes.set_ylabel(fill(findings.arms[own.arm], 18), fontsize=8.5, color=style.INK)
        label.set(rotation=0, ha="right", va="center")
    if named:
        _name(panels[-1, 0], found[-1])
    counts = "; ".join(
        f"{findings.arms[own.arm]} {own.share.sum():.0f} of {len(own.share):,} modes in the mean "
        f"of {prose.plural(own.trials, 'trial')}{_on_first(own)}, "
        f"{int((own.share > 0).sum()):,} in any"
        for own in found
    )
    caption = Markup(
        "Full colour: modes that all complete trials of an arm cover{}{}; grey: modes that none "
        "does.{}{} {}{}"
    ).format(
        findings.where,
        next(filter(None, map(_on_first, found)), ""),
        _without(findings, found),
        f" Of an arm {MOST_TRIALS} trials at most are looked at, evenly chosen."
        * (max(own.trials for own in found) == MOST_TRIALS),
        "A column for each class." if named else _axes(found[0].factors),
        of_all(findings, len(found)),
    )
    return Drawing("mode_map", figure, f"Covered modes: {counts}.", caption)


def _without(findings: Findings, found: list[Map]) -> Markup:
    """The trials that diverged, of which no mode is on the map."""
    counts = [
        f"{own.diverged} of {prose.quoted(findings.arms[own.arm])}" for own in found if own.diverged
    ]
    if not counts:
        return Markup("")
    return Markup(" Diverged trials are left out: {}.").format(prose.listing(counts))


def _on_first(own: Map) -> str:
    """That a map is of one target, where an arm has trials on several."""
    return f" on the first of its {own.targets} targets" if own.targets > 1 else ""


def draw_on(axes: Axes, findings: Findings) -> None:
    """The map of the first arm."""
    first = maps(findings)[0]
    draw_map(axes, first, findings.colours[first.arm])


def _ticks(own: Map) -> list[str]:
    """What stands below the columns of a map of one line, where its modes have names."""
    return [style.short_name(name, 14) for name in own.names] if len(own.names) <= FEW else []


def _name(axes: Axes, own: Map) -> None:
    axes.set_xticks(range(len(own.names)), _ticks(own), rotation=90)


def _axes(factors: tuple[tuple[str, int], ...]) -> str:
    """What panels, lines and columns are."""
    names = [name for name, _ in factors]
    roles = ("one panel for each", "a line for each", "a column for each")[-len(names) :]
    if len(names) > 3:
        return "Modes are numbered line by line."
    said = ", ".join(f"{role} {name}" for role, name in zip(roles, names, strict=True))
    return prose.capital(said) + ", counted from 0."


def _cube(own: Map) -> NDArray[np.float64]:
    """The shares as `(panels, lines, columns)`, NaN where there is no mode."""
    sizes = [size for _, size in own.factors]
    if len(sizes) > 3:
        sizes = [len(own.share)]
    if len(sizes) == 1 and sizes[0] > FEW:
        across = math.ceil(math.sqrt(4 * sizes[0]))
        down = math.ceil(sizes[0] / across)
        filled = np.full(down * across, np.nan)
        filled[: sizes[0]] = own.share
        return filled.reshape(1, down, across)
    return own.share.reshape(*[1] * (3 - len(sizes)), *sizes)


def _height(own: Map) -> float:
    """Inches of its panel, with square cells."""
    panels, lines, columns = _cube(own).shape
    cell = min(8.4 / (panels * (columns + 1)), 0.28)
    return float(max(cell * lines, 0.25))


def draw_map(axes: Axes, own: Map, colour: str) -> None:
    """Panels side by side, with an empty column between."""
    cube = _cube(own)
    gap = np.full((cube.shape[1], 1), np.nan)
    beside = np.concatenate([part for panel in cube for part in (panel, gap)][:-1], axis=1)
    shades = LinearSegmentedColormap.from_list("share", ["#eef0f3", colour])
    axes.imshow(beside, cmap=shades, vmin=0, vmax=1, interpolation="none", aspect="equal")
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=7)
    if len(cube) > 1:
        middles = np.arange(len(cube)) * (cube.shape[2] + 1) + (cube.shape[2] - 1) / 2
        name = own.factors[0][0]
        labels = [f"{name} 0", *map(str, range(1, len(cube)))]
        axes.set_xticks(middles, labels)
    else:
        axes.set_xticks([])
