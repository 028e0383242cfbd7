"""Records on disk: one netCDF file for each pack, whole or not at all, with a checksum in its name.

The name is `<trials>-<content>.nc`: a digest of the ids, and a digest of every byte of the file. A
file that was cut short, edited or damaged by its disk no longer bears its own name.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import h5py
import numpy as np

from ganstudy.trial import SCHEMA, Record
from ganstudy.variable import Variable, absent
from ganstudy.whole_file import digest_of_json, name_digest, read_named, write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.trial import ProgramName, Status

    _Arrays = Sequence[tuple[Variable, NDArray[Any]]]

__all__ = ["Entry", "OtherSchema", "Part", "index", "read", "write"]

_ELSEWHERE = ("values", "variables", "generator")
_SCALARS = tuple(own.name for own in fields(Record) if own.name not in _ELSEWHERE)
_TEXTS = ("id", "status", "cause", "program", "arithmetic", "generator_digest")

# Those of films are rounded to what a picture shows, and compress to half their size.
_COMPRESSED = {"compression": "gzip", "compression_opts": 4, "shuffle": True}

_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.{:10d}"
"""What netCDF wants a dimension to be called that has no values of its own."""


Part = Literal["all", "curves", "light", "bulky"]
"""What is read of records: all, what lies along `step` alone, what is not bulky, or what is."""

UNKNOWN = "unknown"
"""The arithmetic of records that were made before it was kept."""

_BEFORE = {"arithmetic": UNKNOWN, "generator_digest": ""}
"""What records say that were made before these were kept."""


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
    generator_digest: str

    @classmethod
    def of(cls, record: Record) -> Entry:
        """That of a record."""
        return cls(*(getattr(record, name) for name in cls._fields))

    @property
    def digest(self) -> str:
        """By which a record is known again: one of another training has other `seconds`."""
        return digest_of_json(self)

    @property
    def unmeasured(self) -> bool:
        """Whether it is of a trial that ran, and of which some metric could not be measured."""
        return self.status != "failed" and bool(self.cause)

    @property
    def says(self) -> tuple[bool, bool, bool]:
        """How much the record has: results, all metrics, and a generator."""
        return self.status != "failed", not self.cause, bool(self.generator_digest)


def write(records: Sequence[Record], folder: Path) -> Path:
    """Write the records of one pack; the file appears under its name only when it is whole.

    Errors  `OSError`, such as for a full disk; nothing is left behind then.
    """
    trials = name_digest("".join(sorted(r.id for r in records)).encode())
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        _fill(file, [*_arrays(records)])
    content = buffer.getvalue()
    path = folder / f"{trials}-{name_digest(content)}.nc"
    write_whole(path, content)
    return path


def index(path: Path) -> dict[str, Entry]:
    """Trial id to entry, for every record of a file.

    Errors  `Damaged`; `OtherSchema` that says which.
    """
    with h5py.File(io.BytesIO(read_named(path))) as file:
        if (found := int(np.ravel(file.attrs["schema"])[0])) != SCHEMA:
            raise OtherSchema(found)
        texts = {name: _scalar(file, name).tolist() for name in _TEXTS}
        seed, seconds = (file[name][:].tolist() for name in ("seed", "seconds"))
    ids, status, cause, program, arithmetic, generator = texts.values()
    entries = map(Entry, status, seed, seconds, cause, program, arithmetic, generator)
    return dict(zip(ids, entries, strict=True))


def read(path: Path, part: Part = "all") -> Iterator[Record]:
    """The records of one file, with all variables or some.

    Errors  `Damaged`.
    """
    with h5py.File(io.BytesIO(read_named(path))) as file:
        scalars = {name: _scalar(file, name) for name in _SCALARS}
        # In the order of the file: that of a set would be another one in every process.
        variables = {
            name: variable
            for name, dataset in file.items()
            if (variable := _variable(name, dataset)) is not None and _is_of(variable, part)
        }
        found = {name: _values(file[name]) for name in variables}
        # Texts of labels, which are short; those of causes are as long as the longest of a pack.
        arrays = {n: own.astype(str) if own.dtype == object else own for n, own in found.items()}
    for row in range(len(scalars["id"])):
        yield Record(
            id=str(scalars["id"][row]),
            seed=int(scalars["seed"][row]),
            settings=str(scalars["settings"][row]),
            status=cast("Status", str(scalars["status"][row])),
            program=cast("ProgramName", str(scalars["program"][row])),
            diverged_at=float(scalars["diverged_at"][row]),
            seconds=float(scalars["seconds"][row]),
            values={
                name: values if variables[name].is_coordinate else values[row]
                for name, values in arrays.items()
            },
            variables=variables,
            cause=str(scalars["cause"][row]),
            finished=float(scalars["finished"][row]),
            arithmetic=str(scalars["arithmetic"][row]),
            generator_digest=str(scalars["generator_digest"][row]),
        )


def _scalar(file: h5py.File, name: str) -> NDArray[Any]:
    """A value for each trial."""
    if name in _BEFORE and name not in file:
        return np.full(len(file["id"]), _BEFORE[name], object)
    return _values(file[name])


def _values(dataset: h5py.Dataset) -> NDArray[Any]:
    text = h5py.check_string_dtype(dataset.dtype) is not None
    return np.asarray(dataset.asstr()[:] if text else dataset[:])


def _is_of(variable: Variable, part: Part) -> bool:
    if part in ("light", "bulky"):
        return variable.is_coordinate or variable.bulky == (part == "bulky")
    return part == "all" or variable.dims == ("step",)


def _variable(name: str, dataset: h5py.Dataset) -> Variable | None:
    """What a part of a file holds of each trial; None for dimensions, and what all records have."""
    if name in _SCALARS:
        return None
    if dataset.is_scale:
        named = dataset.attrs["NAME"].startswith(_NO_VARIABLE[:20].encode())
        return None if named else Variable(name, dims=(name,))
    dims = tuple(dim[0].name.lstrip("/") for dim in dataset.dims)
    return Variable(name, dims=dims[1:], bulky=dataset.compression is not None)


def _fill(file: h5py.File, arrays: _Arrays) -> None:
    """Lay down variables as netCDF has them.

    By hand: xarray's own way takes a quarter of a second for twenty variables, which for packs of
    short trials is longer than their training.
    """
    file.attrs["schema"] = SCHEMA
    for variable, values in arrays:
        text = values.dtype.kind == "U"
        dataset = file.create_dataset(
            variable.name,
            data=values.astype(object) if text else values,
            dtype=h5py.string_dtype() if text else None,
            **(_COMPRESSED if variable.bulky else {}),
        )
        if variable.is_coordinate:
            dataset.make_scale(variable.name)
    for variable, values in arrays:
        for axis, (dim, size) in enumerate(zip(variable.dims, values.shape, strict=True)):
            if dim not in file:
                file.create_dataset(dim, (size,), np.float32).make_scale(_NO_VARIABLE.format(size))
            if not variable.is_coordinate:
                file[variable.name].dims[axis].attach_scale(file[dim])


def _arrays(records: Sequence[Record]) -> Iterator[tuple[Variable, NDArray[Any]]]:
    """Everything that is kept of some records, along `trial` first; coordinates once for all."""
    for name in _SCALARS:
        values = np.array([getattr(record, name) for record in records])
        yield Variable(name, dims=("trial",)), values
    kept = {name: record.variables[name] for record in records for name in record.values}
    for name, variable in kept.items():
        like = next(record.values[name] for record in records if name in record.values)
        if variable.is_coordinate:
            yield variable, like
            continue
        missing = absent(like.shape, like.dtype)
        rows = [record.values.get(name, missing) for record in records]
        yield replace(variable, dims=("trial", *variable.dims)), np.stack(rows)
