"""Records on disk: one netCDF file for each pack, whole or not at all, with a checksum in its name.

The name is `<trials>-<content>.nc`: a digest of the ids, and a digest of every byte of the file. A
file that was cut short, edited or damaged by its disk no longer bears its own name.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import h5py
import numpy as np

from ganstudy.film import FILM, VIEWS
from ganstudy.trial import SCHEMA, Record
from ganstudy.whole_file import Damaged, write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.trial import ProgramName, Status

    _Variables = dict[str, tuple[tuple[str, ...], NDArray[Any]]]

__all__ = ["Entry", "OtherSchema", "index", "read", "write"]

_SCALARS = (
    *("id", "seed", "settings", "status", "program", "arithmetic"),
    *("diverged_at", "seconds", "cause", "finished"),
)
_TEXTS = ("id", "status", "cause", "program", "arithmetic")
_OTHERS = {*_SCALARS, "samples", "labels", "step", *FILM}
"""Names that no curve may have."""

# The numbers of films are rounded to what a picture shows, and compress to half their size.
_COMPRESSED = {"compression": "gzip", "compression_opts": 4, "shuffle": True}

_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.{:10d}"
"""What netCDF wants a dimension to be called that has no values of its own."""


UNKNOWN = "unknown"
"""The arithmetic of records that were made before it was kept."""


class OtherSchema(Exception):
    """A file of records whose ids mean something else than those of today."""


class Entry(NamedTuple):
    """What is read of a record without its numbers."""

    status: Status
    seed: int
    seconds: float
    cause: str
    program: ProgramName
    arithmetic: str


def write(records: Sequence[Record], folder: Path) -> Path:
    """Write the records of one pack; the file appears under its name only when it is whole.

    Errors  `OSError`, such as for a full disk; nothing is left behind then.
    """
    trials = hashlib.sha256("".join(sorted(r.id for r in records)).encode()).hexdigest()[:16]
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        _fill(file, _variables(records))
    content = buffer.getvalue()
    path = folder / f"{trials}-{_digest(content)}.nc"
    write_whole(path, content)
    return path


def index(path: Path) -> dict[str, Entry]:
    """Trial id to entry, for every record of a file.

    Errors  `Damaged`; `OtherSchema` that says which.
    """
    with h5py.File(_content(path)) as file:
        if (found := int(np.ravel(file.attrs["schema"])[0])) != SCHEMA:
            raise OtherSchema(found)
        texts = {name: _scalar(file, name).tolist() for name in _TEXTS}
        seed, seconds = (file[name][:].tolist() for name in ("seed", "seconds"))
    ids, status, cause, program, arithmetic = texts.values()
    entries = map(Entry, status, seed, seconds, cause, program, arithmetic)
    return dict(zip(ids, entries, strict=True))


def read(path: Path, samples: bool = True, films: bool = True) -> Iterator[Record]:
    """The records of one file, with their samples and films or without.

    Errors  `Damaged`.
    """
    left_out = {*(() if samples else ("samples", "labels")), *(() if films else FILM)}
    with h5py.File(_content(path)) as file:
        scalars = {name: _scalar(file, name) for name in _SCALARS}
        # In the order of the file: that of a set would be another one in every process.
        kept = [name for name in file if name not in left_out and name not in _SCALARS]
        arrays = {name: file[name][:] for name in kept}
    curves = {
        name: values for name, values in arrays.items() if name not in _OTHERS and values.ndim == 2
    }
    clouds, labels = arrays.get("samples"), arrays.get("labels")
    reels = {name: arrays[name] for name in FILM if name in arrays}
    for row in range(len(scalars["id"])):
        yield Record(
            id=str(scalars["id"][row]),
            seed=int(scalars["seed"][row]),
            settings=str(scalars["settings"][row]),
            status=cast("Status", str(scalars["status"][row])),
            program=cast("ProgramName", str(scalars["program"][row])),
            diverged_at=float(scalars["diverged_at"][row]),
            seconds=float(scalars["seconds"][row]),
            steps=arrays["step"],
            curves={name: values[row] for name, values in curves.items()},
            samples=None if clouds is None else clouds[row],
            labels=None if labels is None else labels[row],
            film=_film(reels, row),
            cause=str(scalars["cause"][row]),
            finished=float(scalars["finished"][row]),
            arithmetic=str(scalars["arithmetic"][row]),
        )


def _scalar(file: h5py.File, name: str) -> NDArray[Any]:
    """A value for each trial; files of before it was kept do not tell the arithmetic."""
    if name == "arithmetic" and name not in file:
        return np.full(len(file["id"]), UNKNOWN, object)
    text = h5py.check_string_dtype(file[name].dtype) is not None
    return np.asarray(file[name].asstr()[:] if text else file[name][:])


def _film(arrays: Mapping[str, NDArray[np.floating]], row: int) -> dict[str, NDArray[np.floating]]:
    """The film of one record; none where a trial has none."""
    if "frame_step" not in arrays or np.isnan(arrays["frame_step"][row]).all():
        return {}
    return {name: values[row] for name, values in arrays.items()}


def _content(path: Path) -> io.BytesIO:
    """All bytes of a file, if they are those that were written."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Damaged(f"cannot be read: {error}") from None
    _, _, expected = path.stem.partition("-")
    if _digest(content) != expected:
        raise Damaged("its checksum is not the one in its name")
    return io.BytesIO(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _fill(file: h5py.File, variables: _Variables) -> None:
    """Lay down variables as netCDF has them.

    By hand: xarray's own way takes a quarter of a second for twenty variables, which for packs of
    short trials is longer than their training.
    """
    file.attrs["schema"] = SCHEMA
    for name, (dims, values) in variables.items():
        data = values.astype(object) if values.dtype.kind == "U" else values
        dtype = h5py.string_dtype() if values.dtype.kind == "U" else None
        options = _COMPRESSED if name in VIEWS else {}
        variable = file.create_dataset(name, data=data, dtype=dtype, **options)
        if dims == (name,):
            variable.make_scale(name)
    for name, (dims, values) in variables.items():
        for axis, (dim, size) in enumerate(zip(dims, values.shape, strict=True)):
            if dim not in file:
                file.create_dataset(dim, (size,), np.float32).make_scale(_NO_VARIABLE.format(size))
            if dims != (name,):
                file[name].dims[axis].attach_scale(file[dim])


def _variables(records: Sequence[Record]) -> _Variables:
    """Dimensions and values of everything that is kept of some records."""
    steps = records[0].steps
    variables: _Variables = {"step": (("step",), steps)}
    for name in _SCALARS:
        variables[name] = (("trial",), np.array([getattr(record, name) for record in records]))
    for name in dict.fromkeys(name for record in records for name in record.curves):
        absent = np.full(len(steps), np.nan, np.float32)
        rows = [record.curves.get(name, absent) for record in records]
        variables[name] = (("trial", "step"), np.stack(rows))
    samples = [record.samples for record in records if record.samples is not None]
    if samples:
        variables["samples"] = (("trial", "sample", "feature"), np.stack(samples))
    labels = [record.labels for record in records if record.labels is not None]
    if labels:
        variables["labels"] = (("trial", "sample"), np.stack(labels))
    filmed = [record.film for record in records if record.film]
    for name in FILM:
        like = next((film[name] for film in filmed if name in film), None)
        if like is not None:
            absent = np.full_like(like, np.nan)
            reel = np.stack([record.film.get(name, absent) for record in records])
            variables[name] = (("trial", *FILM[name]), reel)
    return variables
