"""The tensors that stand in a dataclass and in what it holds, and the leaves of containers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

from ganstudy.engine.stacked import StackedMember

__all__ = ["filled", "leaves", "likeness", "tensors", "with_tensors"]


_SEQUENCES = (tuple, list)


def leaves(value: object) -> list[Any]:
    """What stands in tuples, lists and dictionaries, in their order.

    As `torch.utils._pytree` has it, in less time: a step is called thousands of times.
    """
    found: list[Any] = []
    _look(value, found)
    return found


def _look(value: object, found: list[Any]) -> None:
    if isinstance(value, _SEQUENCES):
        for part in value:
            _look(part, found)
    elif isinstance(value, dict):
        for part in value.values():
            _look(part, found)
    else:
        found.append(value)


def filled(like: Any, others: Iterator[Any]) -> Any:
    """The same containers with other leaves."""
    if isinstance(like, _SEQUENCES):
        parts = [filled(part, others) for part in like]
        return type(like)(*parts) if hasattr(like, "_fields") else type(like)(parts)
    if isinstance(like, dict):
        return {name: filled(part, others) for name, part in like.items()}
    return next(others)


def tensors(value: object) -> list[Tensor]:
    """All tensors in a dataclass and what it holds, in the order of `with_tensors`."""
    found: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    _mapped(value, keep)
    return found


def with_tensors(value: Any, others: Iterator[Tensor]) -> Any:
    """The same with other tensors."""
    return _mapped(value, lambda _: next(others))


def likeness(value: object) -> object:
    """What is equal for two values that are alike in all but the numbers in their tensors."""
    return _mapped(value, lambda tensor: (tensor.dtype, tensor.shape, tensor.device), plain=True)


def _mapped(value: Any, function: Callable[[Tensor], Any], plain: bool = False) -> Any:
    """A copy with the function of each tensor in its place.

    plain  whether containers become tuples that are equal where types and contents are
    """

    def own(part: Any) -> Any:
        return _mapped(part, function, plain)

    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, StackedMember):
        if plain:
            return type(value), {name: own(part) for name, part in vars(value).items()}
        return value.mapped(own)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: own(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return (type(value), parts) if plain else dataclasses.replace(value, **parts)
    if isinstance(value, dict):
        return {name: own(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        items = [own(part) for part in value]
        if plain:
            return type(value), items
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value
