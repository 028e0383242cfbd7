"""Values of all trials in one array for each variable, in memory or, where bulky, on disk."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ganstudy.variable import absent

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from ganstudy.trial import Record

    Array = NDArray[Any]
    Places = Mapping[str, Sequence[tuple[int, ...]]]
    Empty = Callable[[Sequence[int], np.dtype[Any]], Array]
    Gathered = dict[str, tuple[tuple[str, ...], Array]]

__all__ = ["are_few", "chunks", "coordinates", "gathered", "on_disk", "shared"]

BLOCK = 2**20
"""Numbers that are written at once."""

CHUNK = 2**22
"""Bytes of a chunk of what is read trial by trial."""

FEW = 2**25
"""Bytes of records that are read at once, and held in memory."""


def are_few(folder: Path) -> bool:
    """Whether all records fit into memory at once, bulky ones included."""
    size = 0
    for file in folder.glob("*"):
        with suppress(OSError):  # somebody removes it meanwhile
            size += file.stat().st_size
    return size <= FEW


def coordinates(records: Iterable[Record]) -> dict[str, Array]:
    """All values that each coordinate takes in any record, in order."""
    found: dict[str, list[Array]] = {}
    for record in records:
        for name, values in record.values.items():
            if record.variables[name].is_coordinate:
                found.setdefault(name, []).append(values)
    return {name: np.unique(np.concatenate(own)) for name, own in found.items()}


def gathered(
    records: Iterable[Record],
    places: Places,
    shape: Sequence[int],
    along: Mapping[str, Array],
    empty: Empty = absent,
    known: Gathered | None = None,
) -> Gathered:
    """Dimensions, behind those of trials, and values of each variable that records have.

    Values stand where the coordinates `along` say, and at the start of every other dimension, whose
    length is that of the longest record.

    places  indices, in an array of this `shape`, of each trial id; other trials are left out
    empty   makes an array in which there is nothing yet
    known   what was gathered so far, which goes on: a variable may be bulky in some records alone
    """
    found: Gathered = dict(known or {})
    for record in records:
        for name, values in record.values.items() if record.id in places else ():
            dims = record.variables[name].dims
            if record.variables[name].is_coordinate:
                continue
            at = tuple(
                np.searchsorted(along[dim], record.values[dim]) if dim in along else slice(size)
                for dim, size in zip(dims, values.shape, strict=True)
            )
            needed = [
                len(along[dim]) if dim in along else size
                for dim, size in zip(dims, values.shape, strict=True)
            ]
            whole = _roomy(found[name][1] if name in found else None, shape, needed, values, empty)
            found[name] = dims, whole
            for index in places[record.id]:
                own = whole[index] if dims else whole
                own[at if dims else index] = values
    return found


def _roomy(
    known: Array | None, shape: Sequence[int], needed: Sequence[int], values: Array, empty: Empty
) -> Array:
    """The array so far, made or made larger where it lacks room, or digits."""
    if known is None:
        return empty((*shape, *needed), values.dtype)
    size = np.maximum(known.shape[len(shape) :], needed).tolist()
    dtype = np.result_type(known.dtype, values.dtype)
    if (known.shape, known.dtype) == ((*shape, *size), dtype):
        return known
    larger = empty((*shape, *size), dtype)
    larger[tuple(map(slice, known.shape))] = known
    return larger


def on_disk(near: Path) -> Empty:
    """Makes arrays as mapped files that nobody else sees, in a folder of a disk with room; where
    nothing may be written there, in the machine's temporary one.

    Those of ten thousand trials are larger than all other results.
    """
    return partial(_mapped, near)


def _mapped(near: Path, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """Written, so that a full disk is an error and not a lost process."""
    count = int(np.prod(shape))
    block = absent((min(count, BLOCK),), dtype)
    with _unseen(near) as file:
        for start in range(0, count, BLOCK):
            file.write(block[: count - start].data)
        file.flush()
        return np.memmap(file, dtype, mode="r+", shape=tuple(shape))


def _unseen(near: Path) -> IO[bytes]:
    try:
        return TemporaryFile(dir=near)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return TemporaryFile()


def shared(values: Array, axes: int) -> Array | None:
    """What is the same for all trials that have it, without the axes of trials; else None."""
    flat = values.reshape(-1, *values.shape[axes:])
    having = flat[~np.isnan(flat).all(axis=tuple(range(1, flat.ndim)))]
    if len(having) and all(np.array_equal(one, having[0], equal_nan=True) for one in having):
        return np.array(having[0])
    return None


def chunks(dataset: xr.Dataset, trials: Sequence[str]) -> dict[str, dict[str, tuple[int, ...]]]:
    """How zarr is to cut what is large, as `to_zarr` takes it: no chunk is of two trials, so that
    one trial is read without its neighbours.

    trials  the dimensions of trials
    """
    found = {}
    for name, variable in dataset.data_vars.items():
        rest = [variable.sizes[dim] for dim in variable.dims if dim not in trials]
        size = math.prod(rest) * variable.dtype.itemsize
        if variable.dtype.kind == "f" and rest and size >= CHUNK // 4:
            first = max(1, min(rest[0], rest[0] * CHUNK // size))
            ones = (1,) * (variable.ndim - len(rest))
            found[str(name)] = {"chunks": (*ones, first, *rest[1:])}
    return found
