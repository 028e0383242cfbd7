"""Numbers and lists as English prose."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from markupsafe import Markup
from numpy.typing import ArrayLike

from ganstudy.analysis import RecordedMetric
from ganstudy.plural import plural as plural
from ganstudy.plural import several as several

STRONG = Markup("<strong>{}</strong>")

MISSING = "\N{EN DASH}"
"""Stands for a number that does not exist."""

EXACT = 1e15
"""From here on not every digit before the point is known."""

ROUNDING = 1e-9
"""What is less than so many units of the last decimal is left by rounding, and is none."""


RELATIONS = {"clear": "clearly ahead of", "leaning": "leaning ahead of", "open": "open against"}
"""How the best arm stands to others, by the grade of the difference, the surest first."""


class Sentence(NamedTuple):
    """What is said, and the expression in `ds` and `analysis` that its numbers come from."""

    text: Markup
    call: str


def least_sure(grades: Iterable[str]) -> str:
    """Of several grades; empty where nothing was graded."""
    known = set(grades)
    return next((grade for grade in reversed(RELATIONS) if grade in known), "")


def number(value: float, decimals: int = 2) -> str:
    """A number with fixed decimals and a true minus sign; a dash for NaN.

    One with more digits than a double has is told with three, and a power of ten. One below a unit
    of the last decimal keeps its first two digits: 0.05 is neither 0.1 nor nothing.
    """
    if math.isnan(value):
        return MISSING
    text = f"{value:.{decimals}f}" if abs(value) < EXACT else f"{value:.3g}"
    if abs(value) < (1 - ROUNDING) / 10**decimals:
        small = abs(value) > ROUNDING / 10**decimals
        text = f"{value:.2g}" if small else f"{0.0:.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def numbers(values: Sequence[float], decimals: int = 2) -> list[str]:
    """Numbers of one sentence or interval, decimals below decimals: `0.127`, `-0.044`.

    More than `decimals` where one of them is below a unit, which keeps two digits as in `number`;
    no more than two beyond those of the largest.
    """
    known = [abs(x) for x in values if math.isfinite(x) and abs(x) > ROUNDING / 10**decimals]
    if not known or max(known) >= EXACT:
        return [number(value, decimals) for value in values]
    most, least = (
        max(decimals, 1 - math.floor(math.log10(end) + ROUNDING))
        if end < 10**-decimals
        else decimals
        for end in (max(known), min(known))
    )
    decimals = min(least, most + 2)
    # NumPy rounds its own otherwise, and one number would be told in two ways.
    fixed = [f"{round(float(value), decimals) + 0.0:.{decimals}f}" for value in values]
    return [
        text.replace("-", "\N{MINUS SIGN}") if math.isfinite(value) else number(value)
        for value, text in zip(values, fixed, strict=True)
    ]


Show = Callable[[Sequence[float]], list[str]]
"""How numbers that stand together are told, as `numbers` does."""


def each(show: Callable[[float], str]) -> Show:
    """Each number as it is told alone, such as a percentage that is nearly none or all."""
    return lambda values: list(map(show, values))


def with_limits(show: Show, value: float, low: float, high: float) -> str:
    """`1.7 (0.4 to 3.0)`: a value with its interval, where that is known and seen to be one."""
    if not low < high:
        return show([value])[0]
    shown, *ends = show([value, low, high])
    return shown if {*ends} == {shown} else f"{shown} ({ends[0]} to {ends[1]})"


def apart(value: float, step: float) -> str:
    """A number with three significant digits, and with more where others are a step away."""
    return number(value, max(decimals_for(abs(value)), decimals_for(step) - 1))


def percent(share: float) -> str:
    """`38%`, of a share; a dash for NaN.

    What is not quite none, or not quite all, says so: `0.3%`, `<0.1%`, `99.7%`, `>99.9%`.
    """
    if math.isnan(share):
        return MISSING
    value = 100 * float(share)  # NumPy rounds its own otherwise
    if ROUNDING < value < 0.1:
        return "<0.1%"
    if ROUNDING < 100 - value < 0.1:
        return ">99.9%"
    close = any(ROUNDING < abs(value - end) <= 0.5 for end in (0, 100))
    places = 1 if close else 0
    return number(round(value, places), places) + "%"


def short(value: float) -> str:
    """A number with up to three significant digits and no trailing zeros; 1,000 in full.

    A dash for NaN.
    """
    if math.isnan(value):
        return MISSING
    value += 0.0  # no minus before zero
    in_full = 1000 <= round(abs(value), 0) < 1e6  # as 999.7 is
    text = f"{value:,.0f}" if in_full else f"{value:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def column(values: Sequence[object], decimals: int | Sequence[int] | None = None) -> list[str]:
    """The cells of a column, decimals below decimals: as many as give its middle number three
    significant digits, and none where all are whole.

    Text stays as it is; a dash for None.

    decimals  other ones: of all cells, or of each where units differ from row to row
    """
    if decimals is None:
        numbers = [abs(x) for x in values if isinstance(x, float) and x and math.isfinite(x)]
        whole = all(x.is_integer() for x in numbers)
        decimals = 0 if whole else decimals_for(float(np.median(numbers)))
    places = [decimals] * len(values) if isinstance(decimals, int) else decimals
    return list(map(_cell, values, places))


def _cell(value: object, decimals: int) -> str:
    if not isinstance(value, float):
        return MISSING if value is None else str(value)
    if 1000 <= round(abs(value), 0) < EXACT and decimals == 0:
        return f"{value:,.0f}".replace("-", "\N{MINUS SIGN}")
    return number(value, decimals)


def spans(names: Iterable[str], rows: Iterable[ArrayLike]) -> str:
    """`a 0.1 to 3; b 2 to ∞`: the lowest and the highest number of each row; a dash for none."""
    parts = []
    for name, row in zip(names, rows, strict=True):
        known = np.asarray(row, np.float64)
        known = known[~np.isnan(known)]
        ends = dict.fromkeys(short(end) for end in (known.min(), known.max())) if known.size else {}
        told = " to ".join(ends).replace("inf", "\N{INFINITY}")
        parts.append(f"{quoted(name)} {told or MISSING}")
    return "; ".join(parts)


def scientific(value: float) -> str:
    """Two significant digits, with a power of ten where the number is very small or large."""
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "\N{INFINITY}"
    return f"{value + 0.0:.2g}".replace("-", "\N{MINUS SIGN}")


def p_value(p: float) -> str:
    """Three decimals; a dash for a test that was not made."""
    if math.isnan(p):
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def unbroken(text: str) -> str:
    """Text in which no line ends within `2.1 to 3.4`, `4 of 10` or `< 0.001`."""
    return re.sub(
        r"(?<=[\d%∞]) (?:to|of) (?=[\d∞<>\N{MINUS SIGN}])|(?<=[<>]) (?=\d)",
        lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"),
        text,
    )


def breakable(name: str) -> Markup:
    """A name in which a line may end after an underscore, so that no column is as wide as it."""
    return Markup(str(Markup.escape(name)).replace("_", "_<wbr>"))


def formula(text: str) -> Markup:
    """Text with its subscripts set low: `p_R` as p with a small R."""
    return Markup(re.sub(r"(?<=[\w∇])_(\w)(?!\w)", r"<sub>\1</sub>", str(Markup.escape(text))))


def listing(items: Iterable[str], last: str = "and") -> Markup:
    """`a`, `a and b`, `a, b and c`, each item escaped unless it is markup."""
    parts = [Markup.escape(item) for item in items]
    if len(parts) < 2:
        return Markup("").join(parts)
    return Markup("{} {} {}").format(Markup(", ").join(parts[:-1]), last, parts[-1])


def quoted(name: str) -> str:
    """A name in a sentence, in quotes where it reads as part of it: `a, b`, `run: a`, `none`."""
    return f"“{name}”" if name.lower() in _WORDS or set(",:;") & set(name) else name


_WORDS = {
    *("all", "any", "both", "each", "every", "neither", "no", "none", "nothing", "other", "others"),
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
}
"""Ahead of none is ahead of nobody."""


def first_of(items: Sequence[str], most: int, rest: str) -> list[str]:
    """Up to `most` items, and of more how many there are: `a`, `b`, `3 more in the table below`.

    rest  where these are
    """
    more = len(items) - most
    return [*items[:most], *([f"{more} more {rest}".rstrip()] if more > 0 else [])]


def names(those: Iterable[str]) -> Markup:
    """Names as a list, as each is written within a sentence."""
    return listing(map(quoted, those))


def capital(sentence: str) -> str:
    """The sentence with a capital first letter; markup stays markup."""
    return sentence[:1].upper() + sentence[1:]


def decimals_for(scale: float) -> int:
    """Decimals that give three significant digits to numbers of the size of `scale`."""
    if not math.isfinite(scale) or scale <= 0:
        return 2
    return min(max(2 - math.floor(math.log10(scale)), 0), 6)


def decimals_of(ds: xr.Dataset, metric: RecordedMetric) -> int:
    """Decimals that suit a metric: by its range, or by its middle value if unbounded.

    The largest is no measure of those that are told: one trial that goes astray may be a thousand
    times the others.
    """
    if metric.bounded:
        return decimals_for(metric.bounds[1] - metric.bounds[0])
    values = np.abs(ds[metric.name].values)
    finite = values[np.isfinite(values) & (values > 0)]
    return decimals_for(float(np.median(finite)) if finite.size else 1.0)


def written(value: object) -> str:
    """A value as a study file has it."""
    return value if isinstance(value, str) else json.dumps(value)
