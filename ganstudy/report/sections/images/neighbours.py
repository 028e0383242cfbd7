"""Is it memory? Samples beside their nearest training images, and held-out images beside theirs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.layout import thinned
from ganstudy.report.sections.images.firsts import (
    First,
    missing,
    of_all,
    panel,
    proportion,
    real,
    samples_of,
    seen_in_training,
    side_within,
    with_images,
)
from ganstudy.targets import Target

PIXELS = 200_000
"""Most pixels of all images together."""

DISTANCE = "distance to the nearest training image"

MOST_ARMS, PAIRS, JUDGED = 6, 16, 200
"""Rows; images beside their neighbours in each; and images whose distances are measured."""


@dataclass(frozen=True, eq=False)
class Beside:
    """Images of one law, the training image nearest to each, and the distances.

    arm  None for held-out images
    """

    arm: int | None
    target: Target
    images: NDArray[np.float32]
    nearest: NDArray[np.float32]

    @property
    def distances(self) -> NDArray[np.float64]:
        """Euclidean, over all pixels on [-1, 1]."""
        return np.asarray(np.linalg.norm(self.images.astype(np.float64) - self.nearest, axis=1))


def why_missing(findings: Findings) -> str:
    """Why nothing can be memory."""
    return missing(findings) or (
        "" if _judged(findings) else "there are no training images, or no trial is complete"
    )


def _judged(findings: Findings) -> list[First]:
    """The first trial of each arm with images, where p is the law of given ones."""
    found = with_images(findings)
    kept = [own for own in found if own.target and own.target.holds_out and not own.target.gone]
    return [kept[place] for place in thinned(len(kept), MOST_ARMS)]


def beside(findings: Findings, count: int = JUDGED) -> list[Beside]:
    """Of each target held-out images, then the first samples of each arm on it."""
    judged, found = _judged(findings), []
    for target in dict.fromkeys(first.target for first in judged):
        assert target is not None
        found.append(_beside(None, target, real(target, count)))
        found += [
            _beside(first.arm, target, samples_of(findings, first, count))
            for first in judged
            if first.target == target
        ]
    return found


def _beside(arm: int | None, target: Target, images: NDArray[np.float32]) -> Beside:
    nearest = target.nearest_training(images)
    assert nearest is not None
    return Beside(arm, target, images, nearest)


def _by_target(found: list[Beside]) -> list[list[Beside]]:
    """Held-out images and those of the arms on the same target, for each."""
    targets = dict.fromkeys(own.target for own in found)
    return [[own for own in found if own.target == target] for target in targets]


def draw(findings: Findings) -> Drawing:
    """Two lines of images for each arm, and for held-out ones."""
    found = beside(findings, PAIRS)
    high = 0.16 + 1.12 * proportion(own.target.image for own in found)
    figure = Figure(figsize=(9.6, high * len(found)), layout="constrained")
    panels = figure.subplots(len(found), 1, squeeze=False)
    most = side_within(PIXELS, 2 * PAIRS * len(found))
    factor = max(_pairs(axes, own, most) for axes, own in zip(panels[:, 0], found, strict=True))
    for axes, own in zip(panels[:, 0], found, strict=True):
        axes.set_ylabel(_named(findings, own), fontsize=8.5, color=style.INK)
    each = " of each target, above the arms on it" if len(_by_target(found)) > 1 else ""
    caption = Markup(
        "Upper lines: {} held out{}, and the first that the first trial of each arm made. Lower "
        "lines: the training image nearest to each, by Euclidean distance over pixels.{}{}"
    ).format(
        prose.plural(len(found[0].images), "image"),
        each,
        f" Drawn at 1/{factor} of their size." if factor > 1 else "",
        of_all(findings, len(_drawn(found))),
    )
    names = prose.listing(_named(findings, own) for own in found)
    alt = f"Images and the nearest training image below each: {names.unescape()}."
    return Drawing("nearest_images", figure, alt, caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """Those of the first arm."""
    _pairs(axes, beside(findings, PAIRS)[1], side_within(PIXELS, 2 * PAIRS))


def draw_distances(findings: Findings) -> Drawing:
    """How far images are from the training images, a curve for each arm and one held out; a panel
    for each target."""
    found = beside(findings)
    targets, drawn = _by_target(found), _drawn(found)
    columns = min(len(targets), 3)
    rows = math.ceil(len(targets) / columns)
    figure = Figure(figsize=(min(6.4 * columns, 10.4), 3.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for own, axes in zip(targets, panels.flat, strict=False):
        _curves(axes, findings, own)
        axes.set_title(own[0].target.name if len(targets) > 1 else "")
    style.bottom_row(panels, len(targets), DISTANCE)
    style.arm_legend(figure, findings.arms, only=drawn)
    medians = prose.listing(
        f"{_named(findings, own)} {np.median(own.distances):.2f}" for own in found
    )
    nearer = prose.listing(
        f"{findings.arms[own.arm]} {_nearer(own.distances, held.distances):.0%}"
        for held, *made in targets
        for own in made
        if own.arm is not None
    )
    counts = [len(own.images) for own in found if own.arm is not None]
    seen = seen_in_training(own.target for own in found if own.arm is None)
    memory = f"though {seen}" if seen else "which cannot be memory"
    caption = Markup(
        "Share of {} images of the first trial of each arm that lie within a distance of their "
        "nearest training image{}. Grey: held-out images, {}; a sample is "
        "nearer than a held-out image in {} of pairs, where half is even. A generator that repeats "
        "training images lies far left. So may one whose images are blurred, or of frequent kinds "
        "alone, and a copy moved by a pixel is far: distances over pixels find plain copies and "
        "rule out no other memory. Training images are the target's; a trial with a "
        "training set of its own has seen some of them.{}"
    ).format(
        " to ".join(dict.fromkeys(str(end(counts)) for end in (min, max))),
        ", a panel for each target" if len(targets) > 1 else "",
        memory,
        nearer,
        of_all(findings, len(drawn)),
    )
    alt = f"Distances to the nearest training image, medians: {medians.unescape()}."
    return Drawing("memory", figure, alt, caption)


def draw_distances_on(axes: Axes, findings: Findings) -> None:
    """The curves of the first arm's target."""
    found = _by_target(beside(findings))[0]
    _curves(axes, findings, found)
    axes.set_xlabel(DISTANCE)
    style.arm_legend(axes, findings.arms, only=_drawn(found))


def _drawn(found: list[Beside]) -> list[int]:
    """The arms among them, in order."""
    return sorted(own.arm for own in found if own.arm is not None)


def _nearer(made: NDArray[np.float64], held: NDArray[np.float64]) -> float:
    """Share of pairs in which the first is nearer, ties counted half: Mann and Whitney's U."""
    below = (made[:, None] < held).mean() + (made[:, None] == held).mean() / 2
    return float(below)


def _curves(axes: Axes, findings: Findings, found: list[Beside]) -> None:
    for own in found:
        ordered = np.sort(own.distances)
        share = np.arange(1, len(ordered) + 1) / len(ordered)
        look = {"color": style.MUTED} if own.arm is None else findings.lines[own.arm]
        axes.step(ordered, share, where="post", **look)
    # The curve of plain copies stands upright at zero, where an axis would hide it.
    right = axes.get_xlim()[1]
    axes.set_xlim(-0.01 * right, right)
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of images within")


def _named(findings: Findings, own: Beside) -> str:
    return "held out" if own.arm is None else findings.arms[own.arm]


def _pairs(axes: Axes, own: Beside, most: int) -> int:
    """Images, and below each its neighbour; by how much they were made smaller."""
    image = own.target.image
    assert image is not None
    both = np.concatenate([own.images[:PAIRS], own.nearest[:PAIRS]])
    return panel(axes, both, image, len(both) // 2, most)
