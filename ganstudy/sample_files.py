"""Samples of a generator as a file: arrays, a sheet of images, or points in the plane."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.report.sheets import pictures, png, sheet
from ganstudy.store import RunError
from ganstudy.whole_file import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.generators import Sampled

__all__ = ["check_name", "default_name", "write"]

SUFFIXES = (".npz", ".png")

SHOWN = 48
"""Pixels a side below which an image on a sheet is magnified."""


def default_name(sampled: Sampled) -> str:
    """A picture where samples can be looked at, and else arrays."""
    looked_at = sampled.image is not None or sampled.samples.shape[1] == 2
    return f"{sampled.trial}{'.png' if looked_at else '.npz'}"


def check_name(path: Path) -> None:
    """Refuse a file that is none of samples by its name, before any is drawn.

    Errors  `RunError`.
    """
    if path.suffix not in SUFFIXES:
        raise RunError(f"{path}: samples are written as {' or '.join(SUFFIXES)}")


def write(sampled: Sampled, path: Path) -> None:
    """Write samples as the suffix of a path says; the file appears whole or not at all.

    Errors  `RunError` for another suffix, and for a picture of what has none.
    """
    check_name(path)
    content = _arrays(sampled) if path.suffix == ".npz" else _picture(sampled, path)
    write_whole(path, content)


def _arrays(sampled: Sampled) -> bytes:
    """`samples`, `latent`, and `labels` if there are any."""
    arrays: dict[str, NDArray[Any]] = {"samples": sampled.samples, "latent": sampled.latent}
    if sampled.labels is not None:
        arrays["labels"] = sampled.labels
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _picture(sampled: Sampled, path: Path) -> bytes:
    if (image := sampled.image) is not None:
        columns = math.ceil(math.sqrt(len(sampled.samples)))
        scale = math.ceil(SHOWN / max(image.height, image.width))
        rows = sampled.samples.reshape(len(sampled.samples), -1)
        return png(sheet(pictures(rows, image), columns, scale))
    if sampled.samples.shape[1] != 2:
        features = sampled.samples.shape[1]
        raise RunError(f"{path}: rows of {features} numbers are no picture; write them as .npz")
    return _scatter(sampled)


def _scatter(sampled: Sampled) -> bytes:
    """Points in the plane over the target."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from ganstudy.report.contours import backdrop, draw_behind, draw_discs
    from ganstudy.report.drawing import DPI
    from ganstudy.report.style import arm_colours, figure_style

    behind = backdrop(sampled.target)
    middle = np.asarray(behind.centre)[:, None]
    window = middle + behind.half_width * np.array([[-1.0, 1.0]])
    with figure_style():
        figure = Figure(figsize=(4, 4), dpi=DPI, layout="constrained")
        axes = figure.add_subplot()
        draw_behind(axes, behind, window)
        draw_discs(axes, sampled.samples.astype(np.float64), arm_colours(1)[0], size=2.5)
        buffer = io.BytesIO()
        # Matplotlib has not typed it.
        FigureCanvasAgg(figure).print_png(buffer)  # type: ignore[no-untyped-call]
    return buffer.getvalue()
