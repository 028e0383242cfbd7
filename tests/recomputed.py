"""The sentences of a report, and whether their numbers are in what their calls return."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr


def sentences(page: str) -> Iterator[tuple[str, str]]:
    """Each sentence of a page's answer, and the call that it shows."""
    said = r'<(?:li|div class="lead")>(.*?)<details class="call">.*?<code>(.*?)</code>'
    for text, call in re.findall(said, page, re.DOTALL):
        yield text, html.unescape(call)


def unexplained(
    said: str, value: xr.Dataset | xr.DataArray | pd.Series[Any], names: Iterable[str]
) -> list[str]:
    """Numbers of a sentence that are neither in what a call returned nor sums of its counts."""
    if isinstance(value, pd.Series):
        value = xr.DataArray.from_series(value)
    whole = value.to_dataset(name="value") if isinstance(value, xr.DataArray) else value
    known: list[float] = list(map(float, whole.sizes.values()))
    for variable in whole.variables.values():
        if variable.dtype.kind in "biuf":
            known += np.ravel(variable.values).astype(np.float64).tolist()
        if variable.dtype.kind in "biu":
            sums = (variable.values.sum(axis=axis) for axis in (None, *range(variable.ndim)))
            known += np.concatenate([np.ravel(own) for own in sums]).tolist()
    for attrs in (whole.attrs, *(variable.attrs for variable in whole.variables.values())):
        for entry in attrs.values():
            known += [x for x in np.ravel(entry).tolist() if isinstance(x, int | float)]
    text = re.sub(r"<[^>]+>", "", said).replace("\N{MINUS SIGN}", "-")
    bounds = ("95% interval", "5% level", "&lt;0.1%", "&gt;99.9%")
    for name in (*sorted(names, key=len, reverse=True), *bounds):
        text = text.replace(name, "")
    stated = re.findall(r"(-?\d[\d,]*(?:\.(\d+))?)(%?)", text)
    ways = [[n + p for n, d, p in stated if not _is(n, d, p, known, by)] for by in (1, -1)]
    return min(ways, key=len)


def _is(number: str, decimals: str, percent: str, known: list[float], ahead: int) -> bool:
    """Whether a number is one of those known; of what is behind, signs are turned."""
    value = float(number.replace(",", ""))
    near = np.multiply(known, ahead * (100 if percent else 1))
    slack = 0.501 * 10 ** -len(decimals)
    return bool((np.abs((near if value < 0 else np.abs(near)) - value) <= slack).any())
