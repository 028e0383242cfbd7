"""`file`: data of the user's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from ganstudy.targets._rows import Rows, RowsTarget, split
from ganstudy.targets._table import FORMATS, TableError, fingerprint, read_table

Column = str | int


class File(RowsTarget):
    """The rows of a file, each column with mean 0 and standard deviation 1 over the training rows.

    Data    p is the empirical law of the training rows. Which rows are held out follows from
            their number alone. A relative path starts at the working directory. The SHA-256 of the
            file's content is part of the trial's settings: other data, other trials.
    Errors  a file that is missing, changed or of another format; columns that are missing, no
            numbers, not finite, or constant over the training rows; fewer than three rows.
    Source  the user; formats are NumPy's .npz and .npy, and .csv and .parquet with a header.
    """

    path: str = Field(min_length=1, description="an .npz, .npy, .csv or .parquet file")
    key: str | None = Field(
        None, description="name of an .npz file's array; not needed if it has one"
    )
    columns: Annotated[tuple[Column, ...], Field(strict=False, min_length=1)] | None = Field(
        None, description="names or, in arrays, numbers from 0 of the columns; null: all but label"
    )
    label: Column | None = Field(
        None, description="column of labels; of an .npz file also the name of another array"
    )
    held_out_share: float = Field(0.2, gt=0, lt=1, description="share of the rows held out")
    sha256: str | None = Field(
        None, validate_default=True, description="of the file's content; null: taken from the file"
    )

    @field_validator("path")
    @classmethod
    def _is_there(cls, path: str) -> str:
        if Path(path).suffix not in FORMATS:
            raise ValueError(f"{path}: not one of {', '.join(FORMATS)}")
        if not Path(path).is_file():
            raise ValueError(f"no such file: {Path(path).absolute()}{_neighbours(Path(path))}")
        return path

    @field_validator("sha256")
    @classmethod
    def _same_content(cls, sha256: str | None, info: ValidationInfo) -> str | None:
        if "path" not in info.data:
            return sha256
        found = fingerprint(info.data["path"])
        if sha256 is not None and sha256 != found:
            raise ValueError(f"{info.data['path']} has changed: its SHA-256 is {found}")
        return found

    @model_validator(mode="after")
    def _readable(self) -> File:
        self.rows()
        return self

    @property
    def source(self) -> str:
        """The path as it is written."""
        return self.path

    def rows(self) -> Rows:
        """The data, read once in a process.

        Errors  `TableError` if the file has changed since the study was read.
        """
        file = (self.path, str(self.sha256))
        return _rows(file, self.key, self.columns, self.label, self.held_out_share)


@lru_cache(maxsize=8)
def _rows(
    file: tuple[str, str],
    key: str | None,
    columns: tuple[Column, ...] | None,
    label: Column | None,
    held_out_share: float,
) -> Rows:
    path, sha256 = file
    table = read_table(path, sha256, key, columns, label)
    count = len(table.values)
    if count < 3:
        raise TableError(f"{path}: {count} rows; a target needs three at least")
    train, held_out = split(count, held_out_share)
    mean, std = table.values[train].mean(axis=0), table.values[train].std(axis=0)
    for name, spread in zip(table.names, std, strict=True):
        if spread == 0:
            raise TableError(f"{path}: column {name!r} is constant over the training rows")
    values = ((table.values - mean) / std).astype(np.float32)
    labels = None if table.labels is None else table.labels[train]
    return Rows(values[train], values[held_out], labels)


def _neighbours(path: Path) -> str:
    from difflib import get_close_matches

    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    close: list[Any] = get_close_matches(path.name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
