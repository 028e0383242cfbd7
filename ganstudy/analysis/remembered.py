"""What several sentences and figures of one page ask is found once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from functools import wraps
from inspect import signature
from typing import Any, TypeVar, cast
from weakref import finalize

import xarray as xr

__all__ = ["remembered", "remembering"]

FindT = TypeVar("FindT", bound=Callable[..., Any])

_Found = dict[int, dict[tuple[object, ...], Any]]

_found: ContextVar[_Found | None] = ContextVar("_found", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """While datasets stay as they are: what is `remembered` of one is found once.

    Within another one, what that has found is known.
    """
    known = _found.get()
    token = _found.set({} if known is None else known)
    try:
        yield
    finally:
        _found.reset(token)


def remembered(find: FindT) -> FindT:
    """While `remembering`, of equal arguments a copy of what the function has found of them.

    A default is the same whether it is left out or said.
    """
    of_call = signature(find)

    @wraps(find)
    def found(ds: xr.Dataset, *args: Any, **kwargs: Any) -> Any:
        known = _found.get()
        if known is None:
            return find(ds, *args, **kwargs)
        call = of_call.bind(None, *args, **kwargs)
        call.apply_defaults()
        asked = (find, *call.arguments.items())
        if not _hashable(asked):
            return find(ds, *args, **kwargs)
        if id(ds) not in known:
            known[id(ds)] = {}
            finalize(ds, known.pop, id(ds), None)  # or another one would come to have its id
        of_ds = known[id(ds)]
        if asked not in of_ds:
            of_ds[asked] = find(ds, *args, **kwargs)
        return copy(of_ds[asked])

    return cast("FindT", found)


def _hashable(asked: tuple[object, ...]) -> bool:
    try:
        hash(asked)
    except TypeError:
        return False
    return True
