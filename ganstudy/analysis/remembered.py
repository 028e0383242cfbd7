"""What several sentences and figures of one page ask is found once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar, cast

import xarray as xr

__all__ = ["remembered", "remembering"]

FindT = TypeVar("FindT", bound=Callable[..., xr.Dataset])

_Found = dict[tuple[object, ...], tuple[xr.Dataset, xr.Dataset]]

_found: ContextVar[_Found | None] = ContextVar("_found", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """While datasets stay as they are: what is `remembered` of one is found once."""
    token = _found.set({})
    try:
        yield
    finally:
        _found.reset(token)


def remembered(find: FindT) -> FindT:
    """While `remembering`, of equal arguments a copy of what the function has found of them."""

    @wraps(find)
    def found(ds: xr.Dataset, *args: Any, **kwargs: Any) -> xr.Dataset:
        known = _found.get()
        if known is None:
            return find(ds, *args, **kwargs)
        asked = (find, id(ds), args, *sorted(kwargs.items()))
        if asked not in known:
            # With the dataset itself, or another one might come to have its id.
            known[asked] = ds, find(ds, *args, **kwargs)
        return known[asked][1].copy()

    return cast("FindT", found)
