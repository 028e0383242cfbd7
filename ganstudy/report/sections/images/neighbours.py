"""Is it memory? Samples beside their nearest training images, and held-out images beside theirs."""

from __future__ import annotations

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
    side_within,
    with_images,
)
from ganstudy.targets import Target

PIXELS = 200_000
"""Most pixels of all images together."""

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
    """Held-out images of the first arm's target, then the first samples of each arm."""
    judged = _judged(findings)
    assert judged[0].target is not None
    drawn = [(None, judged[0].target, real(judged[0].target, count))]
    for first in judged:
        assert first.target is not None
        # mypy takes the list's type from its first entry, which is of no arm.
        drawn.append((first.arm, first.target, samples_of(findings, first, count)))  # type: ignore[arg-type]
    found = []
    for arm, target, images in drawn:
        nearest = target.nearest_training(images)
        assert nearest is not None
        found.append(Beside(arm, target, images, nearest))
    return found


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
    caption = Markup(
        "Upper lines: {} held out, and the first that the first trial of each arm made. Lower "
        "lines: the training image nearest to each, by Euclidean distance over pixels.{}{}"
    ).format(
        prose.plural(len(found[0].images), "image"),
        f" Drawn at 1/{factor} of their size." if factor > 1 else "",
        of_all(findings, len(found) - 1),
    )
    names = prose.listing(_named(findings, own) for own in found)
    alt = f"Images and the nearest training image below each: {names.unescape()}."
    return Drawing("nearest_images", figure, alt, caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """Those of the first arm."""
    _pairs(axes, beside(findings, PAIRS)[1], side_within(PIXELS, 2 * PAIRS))


def draw_distances(findings: Findings) -> Drawing:
    """How far images are from the training images, a curve for each arm and one held out."""
    found = beside(findings)
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.add_subplot()
    _curves(axes, findings, found)
    drawn = _drawn(found)
    style.arm_legend(figure, findings.arms, only=drawn)
    held = found[0].distances
    medians = prose.listing(
        f"{_named(findings, own)} {np.median(own.distances):.2f}" for own in found
    )
    nearer = prose.listing(
        f"{findings.arms[own.arm]} {_nearer(own.distances, held):.0%}"
        for own in found
        if own.arm is not None
    )
    caption = Markup(
        "Share of {} images of the first trial of each arm that lie within a distance of their "
        "nearest training image. Grey: held-out images, which cannot be memory; a sample is nearer "
        "than a held-out image in {} of pairs, where half is even. A generator that repeats "
        "training images lies far left. So may one whose images are blurred, or of frequent kinds "
        "alone, and a copy moved by a pixel is far: distances over pixels find plain copies and "
        "rule out no other memory. Training images are the target's; a trial with a "
        "training set of its own has seen some of them.{}"
    ).format(len(found[1].images), nearer, of_all(findings, len(drawn)))
    alt = f"Distances to the nearest training image, medians: {medians.unescape()}."
    return Drawing("memory", figure, alt, caption)


def draw_distances_on(axes: Axes, findings: Findings) -> None:
    """The same curves."""
    found = beside(findings)
    _curves(axes, findings, found)
    style.arm_legend(axes, findings.arms, only=_drawn(found))


def _drawn(found: list[Beside]) -> list[int]:
    """The arms among them."""
    return [own.arm for own in found if own.arm is not None]


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
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1)
    axes.set_xlabel("distance to the nearest training image")
    axes.set_ylabel("share of images within")


def _named(findings: Findings, own: Beside) -> str:
    return "held out" if own.arm is None else findings.arms[own.arm]


def _pairs(axes: Axes, own: Beside, most: int) -> int:
    """Images, and below each its neighbour; by how much they were made smaller."""
    image = own.target.image
    assert image is not None
    both = np.concatenate([own.images[:PAIRS], own.nearest[:PAIRS]])
    return panel(axes, both, image, len(both) // 2, most)
