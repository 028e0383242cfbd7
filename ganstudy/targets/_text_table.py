"""A table as text: where its cells end, what its numbers look like, and whether it has a header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganstudy.targets._problems import DataError

if TYPE_CHECKING:
    import pandas as pd

    Cells = Sequence[str]

__all__ = ["MISSING", "Dialect", "read_text_table"]

MISSING = frozenset(
    ("", "?", "-", ".", "na", "n/a", "#n/a", "nan", "null", "none", "missing", "<na>")
)
"""Cells that stand for a value that nobody knows, in lower case."""

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}

_SAMPLE = 1000
"""Lines from which the form of a table is recognised; all of them are then held to it."""

_END = "end"
"""A row behind the last one, which an open quote would take in."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,]\d{3})+")


@dataclass(frozen=True)
class Dialect:
    """How a table is written; None is recognised, or refused where it can be read in two ways."""

    separator: str | None = None
    decimal: Literal[".", ","] | None = None
    encoding: str | None = None
    header: bool | None = None
    skip: int = 0


def read_text_table(
    path: Path, asked: Dialect, label: str | int | None
) -> tuple[pd.DataFrame, pd.Series[Any] | None]:
    """The table in a text file, and the cells of the label's column as they are written.

    Columns without a header are numbered from 0.

    Errors  `DataError` that says what to write into the study, with the line of the file.
    """
    import pandas as pd

    text = _decoded(path, asked.encoding)
    lines = text.split("\n")[asked.skip :]
    sample = [line for line in lines[:_SAMPLE] if line.strip()]
    if not sample:
        raise DataError(f"{path}: no rows")
    separator = asked.separator or _separator(sample)
    _refuse_ragged(path, lines, separator, asked.skip)
    rows = [cells for _, cells in _cells("\n".join(sample), separator)]
    decimal = asked.decimal or _decimal(path, rows[1:] or rows)
    header = _has_header(path, rows, decimal) if asked.header is None else asked.header
    if header and len(rows) == 1:
        raise DataError(f"{path}: no rows below its header")
    names: list[Any] = [cell.strip() for cell in rows[0]] if header else list(range(len(rows[0])))
    repeated = sorted({str(name) for name in names if name != "" and names.count(name) > 1})
    if repeated:
        message = f"several columns are named {', '.join(map(repr, repeated))}"
        raise DataError(f"{path}: {message}; rename them, or skip the header (`skip`, `header`)")
    # By pandas' own `skiprows` a quote within a cell opens one, and takes rows along.
    below = lines[next(_cells("\n".join(lines), separator))[0] if header else 0 :]
    frame = _frame(below, separator, decimal)
    frame.columns = pd.Index(names)
    if label not in names:
        return frame, None
    # As numbers, 007 and 7 were one label.
    own = _frame(below, separator, decimal, usecols=[names.index(label)], dtype=str)
    return frame, own.iloc[:, 0].str.strip()


def _frame(lines: Sequence[str], separator: str, decimal: str, **columns: Any) -> pd.DataFrame:
    import pandas as pd

    frame: pd.DataFrame = pd.read_csv(
        io.StringIO("\n".join(lines)),
        sep=r"\s+" if separator == " " else separator,
        decimal=decimal,
        header=None,
        index_col=False,
        skipinitialspace=True,
        keep_default_na=False,
        na_values=sorted({*MISSING, *map(str.upper, MISSING), "NaN", "None", "Null", "Missing"}),
        low_memory=False,
        **columns,
    )
    return frame


def _decoded(path: Path, encoding: str | None) -> str:
    """The text of a file, its line ends as `\\n`."""
    content = path.read_bytes()
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise DataError(
                f"{path}: no such encoding: {encoding!r}; utf-8, latin-1, ..."
            ) from None
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    name = encoding or ("utf-16" if marked else "utf-8")
    try:
        text = content.decode(name)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"line {line} is not {encoding or 'UTF-8'} (byte {content[error.start]:#04x})"
        advice = "" if encoding else "; write `encoding: latin-1`, or what it is"
        raise DataError(f"{path}: {what}{advice}") from None
    if "\0" in text:
        raise DataError(f"{path}: holds NUL characters; is it text, and of which encoding?")
    # The mark of the byte order, which codecs drop only where it is part of their name.
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _cells(text: str, separator: str, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, with the line on which it ends, from 1; blank lines are no rows.

    Errors  `csv.Error` for a cell beyond csv's limit; if strict, for text behind a quoted one.
    """
    if separator == " ":  # any number of them, tabs among them, and around a row none counts
        text = "\n".join(line.strip() for line in text.replace("\t", " ").split("\n"))
    reader = csv.reader(
        io.StringIO(text), delimiter=separator, skipinitialspace=True, strict=strict
    )
    for cells in reader:
        if any(cell.strip() for cell in cells) or len(cells) > 1:
            yield reader.line_num, cells


def _separator(sample: Sequence[str]) -> str:
    """The separator that gives rows of equal length, of more numbers, of more cells."""

    def merit(separator: str) -> tuple[float, ...]:
        try:
            rows = [cells for _, cells in _cells("\n".join(sample), separator)]
        except csv.Error:
            return (0.0, 0.0, 0.0)
        length, common = Counter(map(len, rows)).most_common(1)[0]
        if length == 1:
            return (0.0, 0.0, 0.0)
        cells = [cell for row in rows[1:] or rows for cell in row]
        numbers = max(_share_of_numbers(cells, decimal) for decimal in ".,")
        return (float(common == len(rows)), round(numbers, 1), common / len(rows))

    # Of equal ones the first: a space is likelier to stand within a cell than a comma.
    return max(SEPARATORS, key=merit)


def _share_of_numbers(cells: Cells, decimal: str) -> float:
    known = [cell for cell in map(str.strip, cells) if cell.lower() not in MISSING]
    return sum(_is_number(cell, decimal) for cell in known) / len(known) if known else 0.0


def _is_number(cell: str, decimal: str) -> bool:
    other = "," if decimal == "." else "."
    text = cell.strip()
    return other not in text and _NUMBER.fullmatch(text.replace(decimal, ".")) is not None


def _decimal(path: Path, rows: Sequence[Cells]) -> Literal[".", ","]:
    """The decimal mark of the numbers, which thousands look like at times."""
    cells = [cell.strip() for row in rows for cell in row]
    by_comma = [c for c in cells if "," in c and _is_number(c, ",")]
    by_point = [c for c in cells if "." in c and _is_number(c, ".")]
    if not by_comma:
        return "."
    if by_point:
        what = f"has numbers with a comma ({by_comma[0]}) and with a point ({by_point[0]})"
        raise DataError(f"{path}: {what}; write `decimal` to say which are numbers")
    if all(_GROUPED.fullmatch(cell) for cell in by_comma):
        what = f"{by_comma[0]} may be a fraction or thousands"
        raise DataError(f"{path}: {what}; write `decimal: ','`, or take the commas out")
    return ","


def _has_header(path: Path, rows: Sequence[Cells], decimal: str) -> bool:
    """Whether the first row names the columns: text above numbers, and no number there itself."""
    first, below = rows[0], rows[1:]
    known = [cell for cell in map(str.strip, first) if cell.lower() not in MISSING]
    numbers = sum(_is_number(cell, decimal) for cell in known)
    if known and numbers == len(known):
        if not _counts_columns(first, below):
            return False
        message = f"its first row counts from {known[0]}; is it a header?"
        raise DataError(f"{path}: {message} Write `header: true` or `header: false`")
    if not numbers:
        return True
    named = [
        cell
        for index, cell in enumerate(first)
        if cell.strip().lower() not in MISSING
        and not _is_number(cell, decimal)
        and _share_of_numbers([row[index] for row in below if index < len(row)], decimal) > 0.5
    ]
    if named:
        message = f"its first row has numbers and {named[0]!r}; is it a header?"
        advice = "Write `header: true`, `header: false`, or `skip: 1` if the table begins below it"
        raise DataError(f"{path}: {message} {advice}")
    return False


def _counts_columns(first: Cells, below: Sequence[Cells]) -> bool:
    """Whether a row is 0, 1, 2, ... or 2021, 2022, ... as headers are, and hardly ever data.

    Fewer than four such numbers may be data, unless what stands below has fractions.
    """
    known = [place for place, cell in enumerate(first) if cell.strip().lower() not in MISSING]
    whole = all(re.fullmatch(r"\d+", first[place].strip()) for place in known)
    if not whole or any(int(first[a]) - int(first[b]) != a - b for a, b in pairwise(known)):
        return False
    if len(known) > 3:
        return True
    columns = [[row[place].strip() for row in below if place < len(row)] for place in known]
    fractions = [sum(map(str.isdecimal, own)) < len(own) / 2 for own in columns]
    return all(fractions) and (len(known) > 1 or int(first[known[0]]) == 0)


def _refuse_ragged(path: Path, lines: Sequence[str], separator: str, skipped: int) -> None:
    """Rows of different length: what lies beyond the shorter ones would be anybody's guess."""
    lengths = _lengths(path, lines, separator, skipped)
    common = Counter(length for _, length in lengths).most_common(1)[0][0]
    other = next((pair for pair in lengths if pair[1] != common), None)
    if other is None:
        return
    line, length = other
    message = f"line {line + skipped} has {length} cells, where most rows have {common}"
    by = f" (separator: {SEPARATORS.get(separator, separator)!s})"
    first = line == lengths[0][0]
    line_before = line + skipped
    advice = f"; if the table begins below it, write `skip: {line_before}`" if first else ""
    raise DataError(f"{path}: {message}{by}{advice}")


def _check_lines_of(cells: Cells, lines: Sequence[str], separator: str) -> None:
    """That a row over several lines is one.

    Errors  `csv.Error` where text stands behind a cell, or a line within one is a row of numbers.
    """
    # Blanks behind a cell are its own, or nobody's.
    text = re.sub(rf'" +(?={re.escape(separator)}|$)', '"', "\n".join(lines), flags=re.MULTILINE)
    list(_cells(text, separator, strict=True))
    for line in "\n".join(cells).split("\n"):
        parts = [part.strip() for part in line.split(separator)]
        if len(parts) == len(cells) and all(
            p.lower() in MISSING or _is_number(p, ".") for p in parts
        ):
            raise csv.Error(f"a cell of it holds {line.strip()!r}, which looks like a row")


def _lengths(
    path: Path, lines: Sequence[str], separator: str, skipped: int
) -> list[tuple[int, int]]:
    """The line on which each row ends, from 1, and its cells.

    Errors  `DataError` for a row without end, as of a quote that is left open, and for one that
            ends where the next such quote stands, with the rows between in one cell.
    """
    found = [(0, 0)]
    try:
        for ends, cells in _cells("\n".join([*lines, _END]), separator):
            if any("\n" in cell for cell in cells) and not cells[-1].endswith(f"\n{_END}"):
                _check_lines_of(cells, lines[found[-1][0] : ends], separator)
            found.append((ends, len(cells)))
        what = "a quote in it is left open"
        if cells == [_END]:
            return found[1:-1]
        found.pop()
    except csv.Error as error:
        what = f"{error}; is a quote left open?"
    before = found[-1][0]
    begins = next(n for n, line in enumerate(lines[before:], before + 1) if line.strip())
    where = f"the row that begins on line {begins + skipped}"
    raise DataError(f"{path}: {where} cannot be read: {what}")
