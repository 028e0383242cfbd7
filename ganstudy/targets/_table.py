"""Reading a table of numbers from a file, with its mistakes in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ganstudy.plural import plural
from ganstudy.targets._files import check_content
from ganstudy.targets._problems import DataError, some, unreadable
from ganstudy.targets._text_table import Dialect, read_text_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Columns = tuple[str | int, ...]

__all__ = ["FORMATS", "Asked", "Table", "read_table"]

ARRAYS = (".npz", ".npy")
TEXTS = (".csv", ".tsv", ".txt")
FORMATS = (*ARRAYS, *TEXTS, ".parquet")

_SHOWN = 20
"""Columns that a message lists: more than a screen of them helps nobody."""


@dataclass(frozen=True)
class Asked:
    """What a study says of a file: which array and columns, and how it is written."""

    key: str | None = None
    columns: Columns | None = None
    label: str | int | None = None
    missing: Literal["refuse", "drop"] = "refuse"
    dialect: Dialect = field(default_factory=Dialect)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of finite numbers `(rows, columns)`, their names, and the rows' labels 0, 1, ...

    classes  what the labels are in the file, in their order
    kinds    what each column holds: whole numbers, numbers, or true and false
    dropped  what was left out, a sentence each
    """

    values: NDArray[np.float64]
    names: Columns
    labels: NDArray[np.int64] | None
    classes: tuple[str, ...]
    kinds: tuple[str, ...]
    dropped: tuple[str, ...]


def read_table(path: str, sha256: str, asked: Asked) -> Table:
    """The table in a file with this content.

    Errors  `DataError`.
    """
    check_content(path, sha256)
    suffix = Path(path).suffix.lower()
    if asked.key is not None and suffix != ".npz":
        raise DataError(
            f"{path}: key {asked.key!r} names an array of an .npz file, which this is not"
        )
    if asked.dialect != Dialect() and suffix not in TEXTS:
        raise DataError(f"{path}: separator, decimal, encoding, header and skip are those of text")
    try:
        known, of_label = _read(Path(path).expanduser(), suffix, asked)
    except DataError:
        raise
    except ImportError:
        raise DataError(f"{path}: needs pyarrow; pip install ganstudy[parquet]") from None
    except Exception as error:  # each format's reader has errors of its own
        raise unreadable(path, error) from None
    names, dropped = _chosen(path, known, asked)
    if of_label is None and asked.label is not None:
        of_label = _column(path, known, asked.label)
    series = {name: _series(path, name, _column(path, known, name)) for name in names}
    _refuse_words(path, series)
    columns = [_numbers(own) for own in series.values()]
    values = np.stack([column for column, _ in columns], axis=-1)
    kept = _kept(path, names, values, of_label, asked)
    if not kept.all():
        dropped.append(f"{plural(int(np.count_nonzero(~kept)), 'row')} with missing values")
    codes = _codes_of_texts if suffix in TEXTS else _codes
    labels, classes = (None, ()) if of_label is None else codes(np.asarray(of_label)[kept])
    return Table(
        values[kept],
        names,
        labels,
        classes,
        tuple(kind for _, kind in columns),
        tuple(dropped),
    )


def _read(path: Path, suffix: str, asked: Asked) -> tuple[Mapping[Any, Any], Any]:
    """Columns by name, and the labels where they are an array of their own."""
    if suffix not in ARRAYS:
        import pandas as pd

        if suffix in TEXTS:
            frame, written = read_text_table(path, asked.dialect, asked.label)
        else:
            frame, written = pd.read_parquet(path), None
        return {name: frame[name] for name in frame.columns}, written
    of_label = None
    # Opened here: NumPy leaves a file open that it cannot read.
    with (
        path.open("rb") as file,
        np.load(file, allow_pickle=False) if suffix == ".npz" else _Single(path) as arrays,
    ):
        names = [n for n in arrays if n != asked.label]
        if not names and asked.key not in arrays:
            raise DataError(f"{path}: has no array" + " but the label" * bool(arrays))
        if asked.key is None and len(names) != 1:
            raise DataError(f"{path}: key is needed, one of {', '.join(names)}")
        if asked.key is not None and asked.key not in arrays:
            raise DataError(f"{path}: no array {asked.key!r}; it has {', '.join(arrays)}")
        array = np.asarray(arrays[asked.key if asked.key is not None else names[0]])
        if isinstance(asked.label, str) and array.dtype.names is None:
            of_label = np.asarray(_column(str(path), arrays, asked.label)).ravel()
    if array.dtype.names is not None:
        return {name: array[name].ravel() for name in array.dtype.names}, None
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise DataError(f"{path}: an array of {array.ndim} dimensions; rows and columns are two")
    if of_label is not None and len(of_label) != len(array):
        raise DataError(f"{path}: {len(of_label)} labels for {len(array)} rows")
    return dict(enumerate(array.T)), of_label


class _Single(dict[str, Any]):
    """The array of an .npy file, in the form of an .npz file of one array."""

    def __init__(self, path: Path) -> None:
        super().__init__({path.stem: np.load(path, allow_pickle=False)})

    def __enter__(self) -> _Single:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _chosen(path: str, known: Mapping[Any, Any], asked: Asked) -> tuple[Columns, list[str]]:
    """The columns to read, and what was left out; a column that counts the rows is no feature."""
    if asked.columns is not None:
        repeated = sorted({str(n) for n in asked.columns if asked.columns.count(n) > 1})
        if repeated:
            raise DataError(f"{path}: columns repeats {', '.join(repeated)}")
        left = [name for name in known if name not in (*asked.columns, asked.label)]
        return asked.columns, [f"columns {', '.join(map(str, left))}"] if left else []
    names, dropped = [], []
    for place, (name, column) in enumerate(known.items()):
        values = np.asarray(column)
        unnamed = isinstance(name, str) and (not name.strip() or name.startswith("Unnamed: "))
        if name == asked.label:
            continue
        if unnamed and not np.isin(values.astype(str), ("", "nan", "None"), invert=True).any():
            dropped.append(f"column {place}, which has no name and no values")
        elif unnamed and _counts_rows(values):
            dropped.append(f"column {place}, which has no name and counts the rows")
        elif _counts_rows(values):
            message = f"column {name!r} counts the rows; is it a feature?"
            raise DataError(f"{path}: {message} Write `columns` to say which are")
        elif unnamed:
            raise DataError(
                f"{path}: column {place} has no name; write `header: false`, or name it"
            )
        else:
            names.append(name)
    if not names:
        raise DataError(f"{path}: no columns but the label")
    return tuple(names), dropped


def _counts_rows(values: NDArray[Any]) -> bool:
    """Whether a column is 0, 1, 2, ... or 1, 2, 3, ... down the table."""
    if values.dtype.kind not in "iuf" or len(values) < 3:
        return False
    return bool(values[0] in (0, 1) and np.array_equal(values, values[0] + np.arange(len(values))))


def _column(path: str, known: Any, name: str | int) -> Any:
    if name not in known:
        names = list(map(str, known))
        close = [f"; did you mean {own!r}?" for own in get_close_matches(str(name), names, n=1)]
        hint = close[0] if close else f"; it has {some(names, _SHOWN)}"
        raise DataError(f"{path}: no column {name!r}{hint}")
    return known[name]


def _series(path: str, name: str | int, column: Any) -> pd.Series[Any]:
    """A column; one that is empty is refused."""
    import pandas as pd

    series = pd.Series(column)
    if series.isna().all() and len(series):
        raise DataError(f"{path}: column {name!r} has no values")
    return series


def _refuse_words(path: str, series: Mapping[str | int, pd.Series[Any]]) -> None:
    """All columns at once that are not of numbers, each with a value that is none."""
    import pandas as pd

    found: list[tuple[str, str]] = []
    for name, own in series.items():
        if not pd.api.types.is_numeric_dtype(own) or pd.api.types.is_complex_dtype(own):
            text = own.dropna().astype(str)
            wrong = text[pd.to_numeric(text, errors="coerce").isna()]
            first = (wrong if len(wrong) else text).iloc[0]
            found.append((repr(name), repr(str(first)[:40])))
    if not found:
        return
    if len(found) == 1:
        ((column, value),) = found
        message = f"column {column} is not of numbers (it has {value})"
        advice = "leave it out with `columns`, or make it the `label`"
    else:
        columns = [f"{column} ({value})" for column, value in found]
        message = f"columns {some(columns, _SHOWN)} are not of numbers"
        advice = "leave them out with `columns`, or make one the `label`"
    raise DataError(f"{path}: {message}; {advice}")


def _numbers(series: pd.Series[Any]) -> tuple[NDArray[np.float64], str]:
    """A column as numbers, NaN where one is missing, and what it holds."""
    import pandas as pd

    numbers = series.to_numpy(np.float64, na_value=np.nan)
    known = numbers[np.isfinite(numbers)]
    if pd.api.types.is_bool_dtype(series):
        return numbers, "true or false"
    return numbers, "whole numbers" if np.array_equal(known, np.round(known)) else "numbers"


def _kept(
    path: str, names: Columns, values: NDArray[np.float64], of_label: Any, asked: Asked
) -> NDArray[np.bool_]:
    """The rows without gaps; all of them, unless the study says that others may be dropped."""
    import pandas as pd

    if of_label is not None and len(of_label) != len(values):
        raise DataError(f"{path}: {len(of_label)} labels for {len(values)} rows")
    gaps: dict[Any, NDArray[np.bool_]] = {
        name: np.isnan(values[:, i]) for i, name in enumerate(names)
    }
    if of_label is not None:
        gaps[asked.label] = np.asarray(pd.isna(np.asarray(of_label)))
    for place, name in enumerate(names):
        if infinite := np.flatnonzero(np.isinf(values[:, place])).tolist():
            values_are = "value that is" if len(infinite) == 1 else "values that are"
            message = f"has {len(infinite)} {values_are} not finite, the first in row"
            raise DataError(f"{path}: column {name!r} {message} {infinite[0]} (from 0)")
    for name, missing in gaps.items():
        if missing.any() and asked.missing == "refuse":
            count = np.count_nonzero(missing)
            values_are = "value that is" if count == 1 else "values that are"
            message = f"has {count} {values_are} missing, the first in row {missing.argmax()}"
            advice = "`missing: drop` leaves such rows out"
            raise DataError(f"{path}: column {name!r} {message} (from 0); {advice}")
    return np.asarray(~np.any(list(gaps.values()), axis=0))


def _codes(of_label: NDArray[Any]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels as 0, 1, ... in their own order, numbers by size, others by their text; and what each
    stands for.
    """
    if of_label.dtype.kind not in "biuf":
        of_label = of_label.astype(str)
    known, codes = np.unique(of_label, return_inverse=True)
    return np.asarray(codes, np.int64), tuple(map(str, known))


def _codes_of_texts(of_label: NDArray[Any]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Likewise of cells that are texts, where all of them are numbers by these."""
    codes, known = _codes(of_label)
    try:
        sizes = [float(own) for own in known]
    except ValueError:
        return codes, known
    order = np.lexsort((known, sizes))
    return np.argsort(order)[codes], tuple(known[place] for place in order)
