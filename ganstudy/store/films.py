"""The films of a run in one array for each of their parts, on disk instead of in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ganstudy.film import FILM, VIEWS, grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.trial import Record

    Array = NDArray[np.floating]
    Places = Mapping[str, Sequence[tuple[int, ...]]]

__all__ = ["ATTRIBUTES", "films"]

ATTRIBUTES: dict[str, dict[str, Any]] = {
    "frame_step": {"long_name": "M-step of each frame"},
    "film_window": {"long_name": "the square about the target in which a trial is filmed"},
    "frame_samples": {"long_name": "samples of the generator from latent noise held fixed"},
    "critic_logits": {"long_name": "logits of the critic"},
    "generator_pull": {
        "long_name": "minus the gradient of the generator's loss in a sample's position"
    },
    "grid_x": {"long_name": "first coordinate of the logits"},
    "grid_y": {"long_name": "second coordinate of the logits"},
    "arrow_x": {"long_name": "first coordinate of the gradients"},
    "arrow_y": {"long_name": "second coordinate of the gradients"},
}

BLOCK = 2**20
"""Numbers that are written at once."""


def films(
    records: Iterable[Record], places: Places, dims: Sequence[str], shape: Sequence[int], near: Path
) -> xr.Dataset:
    """The films of all trials, NaN where there is none; empty if there is none at all.

    places  indices, along `dims` of this `shape`, of each trial id
    near    folder of a disk with room: the arrays are mapped files that nobody else sees, since
            those of ten thousand trials are larger than all other results
    """
    arrays: dict[str, Array] = {}
    for record in records:
        for name, values in record.film.items() if record.id in places else ():
            known = arrays.get(name)
            if known is None:
                known = arrays[name] = _empty((*shape, *values.shape), values.dtype, near)
            elif (np.asarray(values.shape) > known.shape[len(shape) :]).any():
                known = arrays[name] = _grown(known, values.shape, len(shape), near)
            for index in places[record.id]:
                known[index][tuple(map(slice, values.shape))] = values
    known_dims = {name: (tuple(dims), FILM[name]) for name in FILM if name in arrays}
    variables = {
        name: _without_needless_axes(arrays[name], *split)
        if name not in VIEWS
        else xr.Variable((*split[0], *split[1]), arrays[name])
        for name, split in known_dims.items()
    }
    return _with_coordinates(xr.Dataset(variables))


def _empty(shape: Sequence[int], dtype: np.dtype[Any], near: Path) -> Array:
    """NaN in a mapped file; written, so that a full disk is an error and not a lost process."""
    count = int(np.prod(shape))
    block = np.full(min(count, BLOCK), np.nan, dtype)
    with TemporaryFile(dir=near) as file:
        for start in range(0, count, BLOCK):
            file.write(block[: count - start].data)
        file.flush()
        return np.memmap(file, dtype, mode="r+", shape=tuple(shape))


def _grown(known: Array, shape: Sequence[int], axes: int, near: Path) -> Array:
    """The same films with room for a longer one, or one of more samples."""
    size = np.maximum(known.shape[axes:], shape).tolist()
    larger = _empty((*known.shape[:axes], *size), known.dtype, near)
    larger[tuple(map(slice, known.shape))] = known
    return larger


def _without_needless_axes(
    values: Array, axes: tuple[str, ...], own: tuple[str, ...]
) -> xr.Variable:
    """What is the same for all filmed trials is kept once."""
    flat = values.reshape(-1, *values.shape[len(axes) :])
    filmed = flat[~np.isnan(flat).all(axis=tuple(range(1, flat.ndim)))]
    if all(np.array_equal(one, filmed[0], equal_nan=True) for one in filmed):
        return xr.Variable(own, np.array(filmed[0]))
    return xr.Variable((*axes, *own), np.array(values))


def _with_coordinates(films: xr.Dataset) -> xr.Dataset:
    """The dataset with names of coordinates and, where all films share a window, their values."""
    if "film_window" not in films:
        return films
    films = films.assign_coords(coordinate=["x", "y"], edge=["low", "high"])
    window = films["film_window"]
    if window.ndim == 2:
        for part in ("grid", "arrow"):
            if f"{part}_x" in films.dims:
                points = films.sizes[f"{part}_x"]
                x, y = grid(window.to_numpy().astype(np.float64), points)
                films = films.assign_coords({f"{part}_x": x, f"{part}_y": y})
    return films
