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
    """Numbers of a sentence that are neither in what a call returned nor sums of such."""
    if isinstance(value, pd.Series):
        value = xr.DataArray.from_series(value)
    whole = value.to_dataset(name="value") if isinstance(value, xr.DataArray) else value
    known: list[float] = list(map(float, whole.sizes.values()))
    for variable in whole.variables.values():
        if variable.dtype.kind in "biuf":
            numbers = variable.values.astype(np.float64)
            over = [np.nansum(numbers, axis=axis) for axis in (None, *range(numbers.ndim))]
            known += np.concatenate([np.ravel(own) for own in (numbers, *over)]).tolist()
    for attrs in (whole.attrs, *(variable.attrs for variable in whole.variables.values())):
        for entry in attrs.values():
            known += [x for x in np.ravel(entry).tolist() if isinstance(x, int | float)]
    text = re.sub(r"<[^>]+>", "", said).replace("\N{MINUS SIGN}", "-")
    bounds = ("95% interval", "5% level", "&lt;0.1%", "&gt;99.9%")
    for name in (*sorted(names, key=len, reverse=True), *bounds):
        text = text.replace(name, "")
    left = []
    for number, decimals, percent in re.findall(r"(\d[\d,]*(?:\.(\d+))?)(%?)", text):
        unit = 100 if percent else 1
        slack = 0.501 * 10 ** -len(decimals)
        stated = float(number.replace(",", ""))
        if not (np.abs(unit * np.abs(known) - stated) <= slack).any():
            left.append(number + percent)
    return left
