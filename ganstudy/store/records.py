"""Records on disk: one netCDF file for each pack, written at once or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import xarray as xr

from ganstudy.trial import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.trial import ProgramName

__all__ = ["index", "program", "read", "write"]

_SCALARS = (
    *("id", "seed", "settings", "status", "program"),
    *("diverged_at", "seconds", "cause", "finished"),
)


def write(records: Sequence[Record], folder: Path) -> Path:
    """Write the records of one pack; the file appears under its name only when it is whole."""
    name = hashlib.sha256("".join(sorted(r.id for r in records)).encode()).hexdigest()[:16]
    path = folder / f"{name}.nc"
    temporary = folder / f".{name}.partial"
    _to_dataset(records).to_netcdf(temporary, engine="h5netcdf")
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return path


def index(path: Path) -> dict[str, str]:
    """Trial id to status, reading nothing else of the file."""
    with h5py.File(path) as file:
        ids, status = file["id"].asstr()[:], file["status"].asstr()[:]
    return dict(zip(ids.tolist(), status.tolist(), strict=True))


def program(path: Path) -> ProgramName:
    """The program that trained a pack."""
    with h5py.File(path) as file:
        return "compiled" if file["program"].asstr()[0] == "compiled" else "eager"


def read(path: Path) -> Iterator[Record]:
    """The records of one file."""
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        dataset.load()
    curves = {
        str(name): values.to_numpy()
        for name, values in dataset.data_vars.items()
        if values.dims == ("trial", "step")
    }
    scalars = {name: dataset[name].to_numpy() for name in _SCALARS}
    samples = dataset["samples"].to_numpy() if "samples" in dataset else None
    for row in range(dataset.sizes["trial"]):
        yield Record(
            id=str(scalars["id"][row]),
            seed=int(scalars["seed"][row]),
            settings=str(scalars["settings"][row]),
            status=str(scalars["status"][row]),  # type: ignore[arg-type]  # written from a Record
            program=str(scalars["program"][row]),  # type: ignore[arg-type]
            diverged_at=float(scalars["diverged_at"][row]),
            seconds=float(scalars["seconds"][row]),
            steps=dataset["step"].to_numpy(),
            curves={name: values[row] for name, values in curves.items()},
            samples=None if samples is None else samples[row],
            cause=str(scalars["cause"][row]),
            finished=float(scalars["finished"][row]),
        )


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
    return xr.Dataset(variables, coords={"step": steps})
