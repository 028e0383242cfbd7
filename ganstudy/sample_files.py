"""Samples of a generator as a file: arrays, a sheet of images, or points in the plane."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from errno import EACCES, EISDIR, ENOENT
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy import generators
from ganstudy.report.sheets import pictures, png, sheet
from ganstudy.store import RunError
from ganstudy.store.place import may_make_files
from ganstudy.whole_file import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.generators import Sampled

__all__ = ["written"]

SUFFIXES = (".npz", ".png")

SHOWN = 48
"""Pixels a side below which an image on a sheet is magnified."""


def written(
    run: Path,
    to: Path | None,
    onnx: Path | None,
    *,
    averaged: bool,
    run_plugins: bool,
    **asked: Any,
) -> Iterator[str]:
    """Draw samples of a run's generator as `generators.sample` does, and write them; the generator,
    too, where `onnx` names its file. Each file in a line once it is there; none is written before
    its line is asked for.

    Errors  as `generators.sample` and `write_onnx`; `RunError` for a file that is none of samples,
            or no picture of them; `OSError`, as writing would, before either is written.
    """
    if to is not None:
        _check_name(to)
    how: dict[str, Any] = {"averaged": averaged, "run_plugins": run_plugins}
    found = generators.sample(run, **asked, **how)
    path = to or Path(_default_name(found))
    # Whatever can be refused is, before either file is written.
    content = _content(found, path)
    _check_places(path, *([onnx] if onnx else []))
    if onnx is not None:
        yield f"{onnx}: {generators.write_onnx(run, onnx, found.trial, **how)}"
    write_whole(path, content)
    yield f"{path}: {found.words}"


def _default_name(sampled: Sampled) -> str:
    """A picture where samples can be looked at, and else arrays."""
    looked_at = sampled.image is not None or sampled.samples.shape[1] == 2
    return f"{sampled.trial}{'.png' if looked_at else '.npz'}"


def _check_name(path: Path) -> None:
    """Refuse a file that is none of samples by its name, before any is drawn.

    Errors  `RunError`.
    """
    if path.suffix not in SUFFIXES:
        raise RunError(f"{path}: samples are written as {' or '.join(SUFFIXES)}")


def _content(sampled: Sampled, path: Path) -> bytes:
    """The file of samples that the suffix of a path says.

    Errors  `RunError` for another suffix, and for a picture of what has none.
    """
    _check_name(path)
    return _arrays(sampled) if path.suffix == ".npz" else _picture(sampled, path)


def _check_places(*paths: Path) -> None:
    """Refuse files that cannot be written, before any of them is.

    Errors  `OSError`, as writing would.
    """
    for path in paths:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
        if not path.parent.is_dir():
            raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(path))
        if not may_make_files(path.parent):
            raise PermissionError(EACCES, os.strerror(EACCES), str(path))


def _arrays(sampled: Sampled) -> bytes:
    """`samples`, `latent`, `labels` if there are any, and their legend."""
    arrays: dict[str, NDArray[Any]] = {"samples": sampled.samples, "latent": sampled.latent}
    arrays |= sampled.legend
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
        FigureCanvasAgg(figure).print_png(buffer)  # type: ignore[no-untyped-call]  # Matplotlib has not typed it
    return buffer.getvalue()
