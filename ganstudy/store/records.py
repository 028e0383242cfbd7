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
import xarray as xr

from ganstudy.film import FILM, VIEWS
from ganstudy.trial import SCHEMA, Record
from ganstudy.whole_file import write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.trial import ProgramName, Status

__all__ = ["Damaged", "Entry", "index", "read", "schema", "write"]

_SCALARS = (
    *("id", "seed", "settings", "status", "program"),
    *("diverged_at", "seconds", "cause", "finished"),
)
_TEXTS = ("id", "status", "cause", "program")
# The numbers of films are rounded to what a picture shows, and compress to half their size.
_COMPRESSED = {"zlib": True, "shuffle": True, "complevel": 4}


class Damaged(Exception):
    """A file of records that is not as it was written."""


class Entry(NamedTuple):
    """What is read of a record without its numbers."""

    status: Status
    seed: int
    seconds: float
    cause: str
    program: ProgramName


def write(records: Sequence[Record], folder: Path) -> Path:
    """Write the records of one pack; the file appears under its name only when it is whole.

    Errors  `OSError`, such as for a full disk; nothing is left behind then.
    """
    trials = hashlib.sha256("".join(sorted(r.id for r in records)).encode()).hexdigest()[:16]
    buffer = io.BytesIO()
    dataset = _to_dataset(records)
    encoding = {name: _COMPRESSED for name in VIEWS if name in dataset}
    dataset.to_netcdf(buffer, engine="h5netcdf", encoding=encoding)
    content = buffer.getvalue()
    path = folder / f"{trials}-{_digest(content)}.nc"
    write_whole(path, content)
    return path


def index(path: Path) -> dict[str, Entry]:
    """Trial id to entry, for every record of a file.

    Errors  `Damaged`.
    """
    with h5py.File(_content(path)) as file:
        texts = {name: file[name].asstr()[:].tolist() for name in _TEXTS}
        seed, seconds = (file[name][:].tolist() for name in ("seed", "seconds"))
    ids, status, cause, program = texts.values()
    return dict(zip(ids, map(Entry, status, seed, seconds, cause, program), strict=True))


def schema(path: Path) -> int:
    """Version of what the ids of a file mean."""
    with h5py.File(path) as file:
        return int(np.ravel(file.attrs["schema"])[0])


def read(path: Path, samples: bool = True, films: bool = True) -> Iterator[Record]:
    """The records of one file, with their samples and films or without.

    Errors  `Damaged`.
    """
    left_out = [*(() if samples else ("samples", "labels")), *(() if films else FILM)]
    content = _content(path)
    with xr.open_dataset(content, engine="h5netcdf", drop_variables=left_out) as dataset:
        dataset.load()
    curves = {
        str(name): values.to_numpy()
        for name, values in dataset.data_vars.items()
        if values.dims == ("trial", "step")
    }
    scalars = {name: dataset[name].to_numpy() for name in _SCALARS}
    clouds = dataset["samples"].to_numpy() if "samples" in dataset else None
    labels = dataset["labels"].to_numpy() if "labels" in dataset else None
    reels = {name: dataset[name].to_numpy() for name in FILM if name in dataset}
    for row in range(dataset.sizes["trial"]):
        yield Record(
            id=str(scalars["id"][row]),
            seed=int(scalars["seed"][row]),
            settings=str(scalars["settings"][row]),
            status=cast("Status", str(scalars["status"][row])),
            program=cast("ProgramName", str(scalars["program"][row])),
            diverged_at=float(scalars["diverged_at"][row]),
            seconds=float(scalars["seconds"][row]),
            steps=dataset["step"].to_numpy(),
            curves={name: values[row] for name, values in curves.items()},
            samples=None if clouds is None else clouds[row],
            labels=None if labels is None else labels[row],
            film=_film(reels, row),
            cause=str(scalars["cause"][row]),
            finished=float(scalars["finished"][row]),
        )


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
        raise Damaged(f"{path}: cannot be read: {error}") from None
    _, _, expected = path.stem.partition("-")
    if _digest(content) != expected:
        raise Damaged(f"{path}: its checksum is not the one in its name")
    return io.BytesIO(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _to_dataset(records: Sequence[Record]) -> xr.Dataset:
    variables: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {}
    for name in _SCALARS:
        variables[name] = (("trial",), np.array([getattr(record, name) for record in records]))
    steps = records[0].steps
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
    return xr.Dataset(variables, coords={"step": steps}, attrs={"schema": SCHEMA})
