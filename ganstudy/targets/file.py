"""`file`: data of the user's own."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from ganstudy.plural import plural
from ganstudy.targets._own_data import OwnData
from ganstudy.targets._problems import DataError, some
from ganstudy.targets._rows import Rows, RowsTarget, Units, split, untrained
from ganstudy.targets._table import FORMATS, Asked, Table, read_table
from ganstudy.targets._text_table import Dialect

Column = str | int

_SHOWN = 20
"""Columns, and labels, that an account lists: more than a screen of them helps nobody."""


def _unset(value: object) -> bool:
    """Settings that came after studies had been run: where one is not set, ids do not know it."""
    return value in (None, 0, "refuse")


class File(OwnData, RowsTarget):
    """The rows of a file, each column with mean 0 and standard deviation 1 over the training rows.

    Data    p is the empirical law of the training rows. Which rows are held out follows from
            their number alone. A relative path starts at the working directory. The SHA-256 of the
            file's content is part of the trial's settings: other data, other trials. How text is
            written is recognised, or refused where it can be read in two ways; `ganstudy check`
            prints what was read. A nameless column that counts the rows is left out.
    Errors  a file that is missing, changed or of another format; rows of different length; columns
            that are missing, no numbers, not finite, count the rows, are constant over the training
            rows, or become so in single precision; missing values, unless they are dropped; fewer
            than three rows; a label of which all rows are held out.
    Source  the user; formats are NumPy's .npz and .npy, text (.csv, .tsv, .txt), and .parquet.
    """

    formats: ClassVar[tuple[str, ...]] = FORMATS
    path: str = Field(min_length=1, description="an .npz, .npy, .csv, .tsv, .txt or .parquet file")
    key: str | None = Field(
        None, description="name of an .npz file's array; not needed if it has one"
    )
    columns: Annotated[tuple[Column, ...], Field(strict=False, min_length=1)] | None = Field(
        None, description="names or, without a header, numbers from 0; null: all but label"
    )
    label: Column | None = Field(
        None, description="column of labels; of an .npz file also the name of another array"
    )
    held_out_share: float = Field(0.2, gt=0, lt=1, description="share of the rows held out")
    separator: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        exclude_if=_unset,
        description="between cells of a text; null: recognised",
    )
    decimal: Literal[".", ","] | None = Field(
        None, exclude_if=_unset, description="decimal mark of a text; null: recognised"
    )
    encoding: str | None = Field(
        None, exclude_if=_unset, description="of a text, such as latin-1; null: UTF-8"
    )
    header: bool | None = Field(
        None,
        exclude_if=lambda x: x is None,
        description="of a text: is there one; null: recognised",
    )
    skip: int = Field(0, ge=0, exclude_if=_unset, description="lines above the table in a text")
    missing: Literal["refuse", "drop"] = Field(
        "refuse", exclude_if=_unset, description="what becomes of rows with missing values"
    )
    sha256: str | None = Field(
        None, validate_default=True, description="of the file's content; null: taken from the file"
    )

    @model_validator(mode="after")
    def _readable(self) -> File:
        self.rows()
        return self

    def rows(self) -> Rows:
        """The data, read once in a process.

        Errors  `DataError` if the file has changed since the study was read.
        """
        if self.gone:
            return self.outline.empty()
        return _rows(self.path, str(self.sha256), self._asked(), self.held_out_share)

    def account(self) -> list[str]:
        """What was read, for the user to see: rows, columns with some values, labels with how many
        rows have each, what was dropped.
        """
        table = _table(self.path, str(self.sha256), self._asked())
        counts = [] if table.labels is None else np.bincount(table.labels).tolist()
        labels = [f"{name} ({n:,})" for name, n in zip(table.classes, counts, strict=True)]
        labelled = f", {plural(len(labels), 'label')}" if labels else ""
        shape = f"{plural(len(table.values), 'row')} of {plural(len(table.names), 'column')}"
        return [
            f"{self.path}: {shape}{labelled}",
            *(_shown(table, place) for place in range(min(len(table.names), _SHOWN))),
            *([f"  and {len(table.names) - _SHOWN} more"] if len(table.names) > _SHOWN else []),
            *([f"  labels: {some(labels, _SHOWN)}"] if labels else []),
            *(f"  left out: {sentence}" for sentence in table.dropped),
            *(f"  {sentence}" for sentence in self.rows().told_copies("rows")),
        ]

    def _asked(self) -> Asked:
        dialect = Dialect(self.separator, self.decimal, self.encoding, self.header, self.skip)
        return Asked(self.key, self.columns, self.label, self.missing, dialect)


def _table(path: str, sha256: str, asked: Asked) -> Table:
    table = read_table(path, sha256, asked)
    if len(table.values) < 3:
        raise DataError(f"{path}: {len(table.values)} rows; a target needs three at least")
    return table


@lru_cache(maxsize=8)
def _rows(path: str, sha256: str, asked: Asked, held_out_share: float) -> Rows:
    table = _table(path, sha256, asked)
    train, held_out = split(len(table.values), held_out_share)
    # By a power of two, which changes no bit of the result, so that no square can overflow.
    power = np.frexp(np.abs(table.values[train]).max(axis=0))[1]
    with np.errstate(over="ignore"):
        scaled = np.ldexp(table.values, -power)
    mean, std = scaled[train].mean(axis=0), scaled[train].std(axis=0)
    if not std.all():
        flat = [repr(table.names[place]) for place in np.flatnonzero(std == 0)]
        what = f"column {flat[0]} is" if len(flat) == 1 else f"columns {', '.join(flat)} are"
        advice = "leave out with `columns` what is so"
        raise DataError(f"{path}: {what} constant over the training rows; {advice}")
    with np.errstate(over="ignore"):
        values = ((scaled - mean) / std).astype(np.float32)
    for place, name in enumerate(table.names):
        kept, known = (len(np.unique(x[:, place])) for x in (values, table.values))
        if 2 * kept < known or not np.isfinite(values[:, place]).all():
            low, high = table.values[:, place].min(), table.values[:, place].max()
            message = f"of {known} values of column {name!r}, {kept} can be told apart once scaled"
            advice = f"they reach from {low:g} to {high:g}: is one of them a code?"
            raise DataError(f"{path}: {message}; {advice}")
    labels, unseen = (
        None if table.labels is None else table.labels[part] for part in (train, held_out)
    )
    lacking = ""
    if labels is not None:
        lacking = untrained(path, "rows with label", table.classes, labels)
    names = tuple(map(str, table.names))
    features = Units(names, np.ldexp(mean, power), np.ldexp(std, power))
    return Rows(values[train], values[held_out], labels, features, unseen, table.classes, lacking)


def _shown(table: Table, place: int) -> str:
    """A column in a line."""
    column = table.values[:, place]
    first = ", ".join(f"{value:g}" for value in column[:4])
    ends = f"from {column.min():g} to {column.max():g}"
    return f"  {table.names[place]}: {table.kinds[place]} {ends}; {first}, ..."
