"""How images came about: the same latent noise at several M-steps."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
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
    say,
    side_within,
    with_images,
)

PIXELS = 300_000
"""Most pixels of the whole figure."""

MOST_ARMS, MOST_FRAMES, ACROSS = 6, 6, 4
"""Rows, columns, and images in a line of a frame."""

Film = tuple[list[int], NDArray[np.float32]]
"""Steps, and the images of each: `(steps, pictures, dimension)`."""


def why_missing(findings: Findings) -> str:
    """Why there is no film of images."""
    if "frame_images" not in findings.ds:
        return "no trial has a film of images: see `record.frames`"
    if why := missing(findings, "frame_images"):
        return why
    there_is = any(True for _ in _filmed(findings))
    return "" if there_is else "no trial that could be shown has a film of images"


def draw(findings: Findings) -> Drawing:
    """A row for each arm, a frame for each of some steps."""
    found = list(_filmed(findings))
    chosen, films = zip(*(found[place] for place in thinned(len(found), MOST_ARMS)), strict=True)
    frames = max(len(steps) for steps, _ in films)
    count = max(images.shape[1] for _, images in films)
    lines = -(-count // min(ACROSS, count))
    width = min(10.0 / frames, 1.9)
    height = len(chosen) * width * proportion(own.image for own in chosen)
    figure = Figure(
        figsize=(0.3 + width * frames, 0.3 + height * lines / min(ACROSS, count)),
        layout=ConstrainedLayoutEngine(w_pad=0.05, h_pad=0.05, wspace=0, hspace=0),
    )
    panels = figure.subplots(len(chosen), frames, squeeze=False)
    most, factor = side_within(PIXELS, panels.size * count), 1
    above: list[int] = []
    for line, first, (steps, images) in zip(panels, chosen, films, strict=True):
        label = fill(findings.arms[first.arm], max(14, round(11 * width)))
        line[0].set_ylabel(label, fontsize=8.5, color=style.INK)
        for frame, axes in enumerate(line):
            if frame >= len(steps):
                say(axes, "")
                continue
            assert first.image is not None
            factor = max(factor, panel(axes, images[frame], first.image, ACROSS, most))
            if steps != above:
                title = f"M-step {steps[frame]:,}"
                axes.set_title(title, fontsize=7, loc="center", color=style.MUTED)
        above = steps
    trials = "; ".join(
        f"{findings.arms[first.arm]} at M-steps {prose.listing(f'{step:,}' for step in steps)}"
        for first, (steps, _) in zip(chosen, films, strict=True)
    )
    caption = Markup(
        "Images of the same latent noise as training goes on: of each arm the first trial with "
        "images, none chosen by its looks.{}{}"
    ).format(
        f" Drawn at 1/{factor} of their size." if factor > 1 else "",
        of_all(findings, len(chosen)),
    )
    return Drawing("image_film", figure, f"Images of fixed latent noise: {trials}.", caption)


def draw_on(axes: Axes, findings: Findings) -> None:
    """The last frame of the first arm that has one."""
    first, (_, images) = next(_filmed(findings))
    assert first.image is not None
    panel(axes, images[-1], first.image, ACROSS, side_within(PIXELS, images.shape[1]))


def _filmed(findings: Findings) -> Iterator[tuple[First, Film]]:
    """The first trial of each arm with images and its film, where it has one; each is read once."""
    films = ((first, _film(findings, first)) for first in with_images(findings))
    return ((first, film) for first, film in films if film[0])


def _film(findings: Findings, first: First) -> Film:
    """Some steps, the first and the last filmed among them, and the images of each."""
    assert first.target is not None
    one = findings.ds[["frame_step", "frame_images"]].isel(first.place, missing_dims="ignore")
    steps = one["frame_step"].values
    images = one["frame_images"].transpose("frame", "picture", "feature").values
    images = images[..., : first.target.dimension]
    # A session that began a trial may have asked for no film, or for one of other frames.
    frames = np.flatnonzero(np.isfinite(steps) & np.isfinite(images).any(axis=(1, 2)))
    frames = frames[thinned(len(frames), MOST_FRAMES)]
    images = images[frames]
    kept = np.isfinite(images).all(axis=(0, 2))
    return steps[frames].astype(np.int64).tolist(), np.asarray(images[:, kept], np.float32)
