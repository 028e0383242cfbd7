"""Reading a table of numbers from a file, with its mistakes in words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Columns = tuple[str | int, ...]

__all__ = ["FORMATS", "Table", "TableError", "fingerprint", "read_table"]

FORMATS = (".npz", ".npy", ".csv", ".parquet")


class TableError(ValueError):
    """A file that cannot serve as data; says which file, and what about it."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of finite numbers `(rows, columns)`, their names, and the rows' labels 0, 1, ..."""

    values: NDArray[np.float64]
    names: Columns
    labels: NDArray[np.int64] | None


def fingerprint(path: str) -> str:
    """SHA-256 of a file's content, read again only when the file has been written."""
    status = Path(path).stat()
    return _fingerprint(str(Path(path).absolute()), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _fingerprint(path: str, modified: int, size: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_table(
    path: str, sha256: str, key: str | None, columns: Columns | None, label: str | int | None
) -> Table:
    """The table in a file with this content.

    Errors  `TableError`.
    """
    if fingerprint(path) != sha256:
        raise TableError(f"{path} has changed since the study was read")
    if key is not None and Path(path).suffix != ".npz":
        raise TableError(f"{path}: key {key!r} names an array of an .npz file, which this is not")
    try:
        known, of_label = _read(Path(path), key, label)
    except TableError:
        raise
    except ImportError:
        raise TableError(f"{path}: needs pyarrow; pip install ganstudy[parquet]") from None
    except Exception as error:  # each format's reader has errors of its own
        raise TableError(f"{path}: cannot be read: {error}") from None
    names = columns if columns is not None else tuple(n for n in known if n != label)
    if not names:
        raise TableError(f"{path}: no columns but the label")
    if of_label is None and label is not None:
        of_label = _column(path, known, label)
    chosen = [_numbers(path, name, _column(path, known, name)) for name in names]
    codes = None
    if of_label is not None:
        if len(of_label) != len(chosen[0]):
            raise TableError(f"{path}: {len(of_label)} labels for {len(chosen[0])} rows")
        codes = np.unique(of_label, return_inverse=True)[1].astype(np.int64)
    return Table(np.stack(chosen, axis=-1), names, codes)


def _read(path: Path, key: str | None, label: Any) -> tuple[dict[Any, Any], Any]:
    """Columns by name, and the labels where they are an array of their own."""
    if path.suffix in (".csv", ".parquet"):
        import pandas as pd

        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        return {name: frame[name].to_numpy() for name in frame.columns}, None
    of_label = None
    with np.load(path, allow_pickle=False) if path.suffix == ".npz" else _Single(path) as arrays:
        names = [n for n in arrays if n != label]
        if key is None and len(names) != 1:
            raise TableError(f"{path}: key is needed, one of {', '.join(names)}")
        if key is not None and key not in arrays:
            raise TableError(f"{path}: no array {key!r}; it has {', '.join(arrays)}")
        array = np.asarray(arrays[key if key is not None else names[0]])
        if isinstance(label, str):
            of_label = np.asarray(_column(str(path), arrays, label)).ravel()
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise TableError(f"{path}: an array of {array.ndim} dimensions; rows and columns are two")
    return dict(enumerate(array.T)), of_label


class _Single(dict[str, Any]):
    """The array of an .npy file, in the form of an .npz file of one array."""

    def __init__(self, path: Path) -> None:
        super().__init__({path.stem: np.load(path, allow_pickle=False)})

    def __enter__(self) -> _Single:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _column(path: str, known: Any, name: str | int) -> Any:
    if name not in known:
        shown = ", ".join(map(str, list(known)[:20]))
        raise TableError(f"{path}: no column {name!r}; it has {shown}")
    return known[name]


def _numbers(path: str, name: str | int, column: Any) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(column, np.float64)
    except (TypeError, ValueError):
        raise TableError(f"{path}: column {name!r} is not of numbers") from None
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        raise TableError(
            f"{path}: column {name!r} has {len(bad)} values that are missing or not finite, the "
            f"first in row {bad[0]} (from 0)"
        )
    return numbers
