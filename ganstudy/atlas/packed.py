"""Joined studies as one small netCDF file, and back as they were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ganstudy.analysis import open_runs
from ganstudy.store import RunDirectory

__all__ = ["LARGEST", "opened", "pack", "pack_runs"]

LARGEST = 15_000_000
"""Bytes: it comes with the package."""

LICENCE = "MIT"

_SESSION = ("started", "python", "platform", "cores", "packages", "program", "workers", "devices")
"""What of a session is kept: with what trials were made, and not where."""


def pack_runs(paths: Sequence[Path], file: Path) -> xr.Dataset:
    """Join finished runs along `study`, keep what made them, and write all as one file.

    Errors  `RunError` for runs that cannot be joined; `ValueError` for a file that is too large.
    """
    joined = open_runs(*paths, along="study")
    made = {}
    for name, path in zip(joined["study"].values.tolist(), joined.attrs["runs"], strict=True):
        known = RunDirectory(Path(path)).provenance()
        sessions = [
            {key: session[key] for key in _SESSION if key in session}
            for session in known.pop("sessions", [])
        ]
        made[name] = {**known, "sessions": sessions}
    short = [f"runs/{Path(path).parent.name}/{Path(path).name}" for path in joined.attrs["runs"]]
    joined = joined.assign_attrs(runs=short, made=json.dumps(made), licence=LICENCE)
    pack(joined, file)
    return opened(file)


def pack(joined: xr.Dataset, file: Path) -> None:
    """Write a dataset with every number as it is, compressed.

    Errors  `ValueError` for more than `LARGEST` bytes; nothing is written then.
    """
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in joined.variables.items():
        if not variable.dims:
            continue
        encoding[str(name)] = {"zlib": True, "complevel": 9, "shuffle": True}
        if variable.dtype.kind in "UO":
            # As letters: texts of any length are not compressed.
            encoding[str(name)] = {"zlib": True, "complevel": 9, "dtype": "S1"}
    partial = file.with_suffix(".partial")
    try:
        joined.to_netcdf(partial, engine="h5netcdf", encoding=encoding)
        if (size := partial.stat().st_size) > LARGEST:
            raise ValueError(f"{file}: {size:,} bytes are more than {LARGEST:,}")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def opened(file: Path) -> xr.Dataset:
    """What was packed, in memory."""
    with xr.open_dataset(file, engine="h5netcdf", decode_timedelta=False) as kept:
        ds = kept.load().drop_encoding()
    for variable in ds.variables.values():
        variable.attrs = {key: _plain(key, own) for key, own in variable.attrs.items()}
    texts = {name: own for name, own in ds.variables.items() if own.dtype.kind == "O"}
    ds = ds.assign({name: own.astype(str) for name, own in texts.items() if name in ds.data_vars})
    ds = ds.assign_coords({n: own.astype(str) for n, own in texts.items() if n in ds.coords})
    return ds.assign_attrs({key: _plain(str(key), own) for key, own in ds.attrs.items()})


def _plain(key: str, value: Any) -> Any:
    """An attribute as it was: netCDF knows arrays only, and of one entry none."""
    if key in _LISTS:
        return np.atleast_1d(value).tolist()
    if key == "bounds":
        return tuple(np.asarray(value).tolist())
    return value.item() if isinstance(value, np.generic) else value


_LISTS = ("axes", "given", "objectives", "parameters", "runs", "constraints", "choices")
