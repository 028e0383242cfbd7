"""Shares, values and lists of arms, as sentences on several targets have them."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr
from markupsafe import Markup

from ganstudy.analysis import (
    RecordedMetric,
    is_search,
)
from ganstudy.report import prose
from ganstudy.report.prose import decimals_of

MOST_NAMED = 4
"""Arms that a sentence lists."""


def one(ds: xr.Dataset) -> str:
    """What is drawn anew: a `search`, or a `seed` of a grid."""
    return "search" if "repeat" in ds.dims or is_search(ds) else "seed"


def unit(ds: xr.Dataset) -> str:
    """`over 8 searches, `, the unit of an interval."""
    count = ds.sizes.get("repeat", ds.sizes["seed"])
    return f"over {prose.plural(count, one(ds))}, "


def share(
    row: xr.Dataset,
    key: str,
    low: str = "low",
    high: str = "high",
    unit: str = "",
    inner: bool = False,
) -> str:
    """`78% (95% interval over 8 searches, 70% to 85%)`, or without words the next time.

    inner  within brackets already: `78%, 70% to 85%`
    """
    # Of what explains nothing an estimate is as often below zero as above.
    value, ends = max(float(row[key]), 0.0), [float(row[end]) for end in (low, high)]
    shown = prose.percent(value)
    if not ends[0] < ends[1]:
        return shown
    words = f"95% interval {unit}" if unit else ""
    limits = f"{words}{prose.percent(ends[0])} to {prose.percent(ends[1])}"
    return f"{shown}, {limits}" if inner else f"{shown} ({limits})"


def value(one: xr.Dataset, fact: RecordedMetric, row: xr.Dataset) -> str:
    """`7.2 (6.8 to 7.6)`: a mean with its limits, with the decimals of the metric."""
    decimals = decimals_of(one, fact)
    shown = prose.numbers([float(row[key]) for key in ("mean", "low", "high")], decimals)
    return f"{shown[0]} ({shown[1]} to {shown[2]})" if shown[1] != prose.MISSING else shown[0]


def stands(arms: Sequence[str], grades: Sequence[str]) -> Markup:
    """How the first arm stands to others, by grade, and to which it could not be compared, as the
    end of a sentence; empty where nothing is graded."""
    text = Markup("")
    for grade, relation in prose.RELATIONS.items():
        own = [arm for arm, its in zip(arms, grades, strict=True) if its == grade]
        if own:
            text += Markup("; {} {}").format(relation, named(own, len(arms)))
    untested = [arm for arm, its in zip(arms, grades, strict=True) if not its]
    if text and untested:
        text += Markup("; {} could not be compared").format(named(untested, len(arms)))
    return text


def few(arms: Sequence[str]) -> Markup:
    """Some arms by name, or how many they are."""
    return prose.names(arms) if len(arms) <= MOST_NAMED else Markup(f"{len(arms)} arms")


def named(arms: Sequence[str], of: int) -> str | Markup:
    """Some of so many others, or how many they are."""
    if len(arms) == of > MOST_NAMED:
        return "all others"
    if len(arms) > MOST_NAMED:
        return f"{len(arms)} of {of} others"
    return prose.names(arms)
