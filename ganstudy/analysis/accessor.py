"""`ds.gan`: the statistics as verbs of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import isfunction
from typing import Any

import xarray as xr

from ganstudy import analysis


def _verb(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def of_dataset(self: Gan, *args: Any, **options: Any) -> Any:
        return function(self._ds, *args, **options)

    return of_dataset


@xr.register_dataset_accessor("gan")  # type: ignore[no-untyped-call]  # xarray has not typed it
class Gan:
    """Each function of `ganstudy.analysis` that takes a dataset is a verb, with this one."""

    def __init__(self, ds: xr.Dataset) -> None:
        self._ds = ds

    def __repr__(self) -> str:
        verbs = {n: v for n, v in vars(type(self)).items() if n[0] != "_"}
        lines = [f"  {n:24}{v.__doc__.splitlines()[0]}" for n, v in verbs.items()]
        return "\n".join(["ds.gan: statistics of this dataset", *lines])


for _name in analysis.__all__:
    _function = getattr(analysis, _name)
    # `open_runs` takes paths, and some take an array.
    if isfunction(_function) and next(iter(_function.__annotations__.values())) == "xr.Dataset":
        setattr(Gan, _name, _verb(_function))
