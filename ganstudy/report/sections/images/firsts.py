"""The first trial of each arm and setting, its target, and how its images are put on paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ganstudy.report import style
from ganstudy.report.findings import Findings
from ganstudy.report.layout import how_it_ended
from ganstudy.report.sheets import pictures, sheet
from ganstudy.targets import Target, target_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.report.sheets import Pixels
    from ganstudy.targets import Image

MOST_TALL = 3.0
"""Height over width of images, beyond which a figure grows no higher."""

MOST_SCALE = 4
"""By how much small images are magnified."""


@dataclass(frozen=True)
class First:
    """The trial of the first seed at an arm and a setting, by their indices."""

    arm: int
    setting: int
    place: dict[str, int]
    status: str
    diverged_at: float
    target: Target | None

    @property
    def image(self) -> Image | None:
        """The shape of its samples, where they are images."""
        return None if self.target is None else self.target.image

    @property
    def why_empty(self) -> str:
        """Why it has no images to show; empty where it has."""
        if self.status == "complete":
            return "" if self.image is not None else "no images"
        return how_it_ended(self.status, self.diverged_at)


def firsts(findings: Findings) -> list[list[First]]:
    """Those of all settings of each arm."""
    ds = findings.ds.isel(seed=0)
    status = findings.flat(ds["status"])
    config = findings.flat(xr.broadcast(ds["target_settings"], ds["status"])[0])
    diverged_at = findings.flat(ds["diverged_at"])
    sizes = [ds.sizes[axis] for axis in findings.axes]
    found = []
    for arm in range(len(findings.arms)):
        row = []
        for setting in range(len(findings.settings)):
            places = np.unravel_index(setting, sizes) if sizes else ()
            along = zip(findings.axes, map(int, places), strict=True)
            text = str(config[arm, setting])
            row.append(
                First(
                    arm,
                    setting,
                    {findings.arm: arm, **dict(along), "seed": 0},
                    str(status[arm, setting]),
                    float(diverged_at[arm, setting]),
                    target_of(text) if text else None,
                )
            )
        found.append(row)
    return found


def shown(row: Sequence[First]) -> First | None:
    """The first of an arm's trials that has images; None if none has."""
    return next((own for own in row if not own.why_empty), None)


def with_images(findings: Findings) -> list[First]:
    """`shown` of each arm that has one."""
    return [own for row in firsts(findings) if (own := shown(row)) is not None]


def missing(findings: Findings, name: str = "samples") -> str:
    """Why there is nothing to draw of what trials keep by a name; empty where there is."""
    if name not in findings.ds or not findings.targets:
        return f"the trials keep no {name}, or have no target"
    if not any(target_of(text).image is not None for text in findings.targets):
        return "samples are no images"
    return "" if with_images(findings) else "no trial of the first seed is complete"


def of_all(findings: Findings, shown: int) -> str:
    """` 6 of 9 arms.`, the end of a caption of so many; empty where all are shown."""
    arms = len(findings.arms)
    return f" {shown} of {arms} arms." if shown < arms else ""


def samples_of(findings: Findings, first: First, count: int) -> NDArray[np.float32]:
    """The first samples of a trial, `(count, dimension)`."""
    assert first.target is not None
    own = findings.ds["samples"].isel(first.place).isel(sample=slice(0, count))
    values = own.transpose("sample", "feature").values[:, : first.target.dimension]
    # Trials that store fewer samples than others are padded with NaN.
    return np.asarray(values[np.isfinite(values).any(axis=1)], np.float32)


def real(target: Target, count: int) -> NDArray[np.float32]:
    """Images of p; of data those that no step has seen, each once, and no more than there are."""
    return target.unseen(np.random.default_rng(0), count)


def seen_in_training(targets: Iterable[Target]) -> str:
    """How many of their held-out images are no others than training images; empty for none."""
    count = sum(target.copied_rows for target in targets)
    also = "is also a training image" if count == 1 else "are also training images"
    return f"{count:,} of all that are held out {also}" if count else ""


def fitted(images: Pixels, most: int) -> tuple[Pixels, int]:
    """Images of at most so many pixels a side, and by how much they were made smaller."""
    from PIL import Image as Pillow

    height, width = images.shape[1:3]
    factor = math.ceil(max(height, width) / most)
    if factor == 1:
        return images, 1
    size = max(width // factor, 1), max(height // factor, 1)
    smaller = [Pillow.fromarray(own).resize(size, Pillow.Resampling.BOX) for own in images]
    return np.stack([np.asarray(own) for own in smaller]), factor


def proportion(images: Iterable[Image | None]) -> float:
    """Height over width of the tallest of images, as far as a figure follows it."""
    shapes = [own.height / own.width for own in images if own is not None]
    return min(max(shapes, default=1.0), MOST_TALL)


def side_within(pixels: int, images: int) -> int:
    """Pixels a side with which so many square images have so many pixels together."""
    return max(8, int(math.sqrt(pixels / max(images, 1))))


def panel(axes: Axes, rows: NDArray[np.floating], image: Image, columns: int, most: int) -> int:
    """Images of rows in a panel, line by line, of at most so many pixels a side; by how much they
    were made smaller.
    """
    images, factor = fitted(pictures(rows, image), most)
    # Or the line between small images would be as wide as that between panels.
    scale = max(1, min(MOST_SCALE, most // max(images.shape[1:3])))
    axes.imshow(sheet(images, columns, scale), interpolation="none")
    bare(axes)
    return factor


def bare(axes: Axes) -> None:
    """No ticks and no frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def say(axes: Axes, text: str) -> None:
    """Words in place of images."""
    bare(axes)
    words = axes.text(0.5, 0.5, text, fontsize=7, color=style.MUTED, linespacing=1.3)
    words.set(ha="center", va="center", transform=axes.transAxes)
