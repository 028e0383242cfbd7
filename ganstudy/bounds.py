"""Settings with other values, such as floats near the ends of what their fields admit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from ganstudy.settings import Settings, takes_fractions

__all__ = ["SettingsT", "at_ends", "changed", "floats"]

SettingsT = TypeVar("SettingsT", bound=Settings)


def floats(settings: Settings) -> dict[str, float]:
    """The floats by their names, also those whose default is written as a whole number."""
    fields = type(settings).model_fields
    return {
        name: float(value)
        for name, value in settings
        if isinstance(value, float)
        or (type(value) is int and takes_fractions(fields[name].annotation))
    }


def changed(settings: SettingsT, **others: Any) -> SettingsT:
    """The settings with others of their values.

    Errors  `ValidationError` for those that do not go together.
    """
    return type(settings).model_validate({**dict(settings), **others})


def at_ends(settings: SettingsT, name: str) -> Iterator[SettingsT]:
    """The settings with one of their floats near both ends of what its field admits.

    That is at a bound that is admitted itself, and nine tenths of the way to one that is not; where
    there is none, ten times as far from the other one. A field that states no bounds ends at zero.
    What the class refuses is left out.
    """
    for end in _ends(floats(settings)[name], type(settings).model_fields[name]):
        with suppress(ValidationError):  # where the class admits less than its fields
            yield changed(settings, **{name: end})


def _ends(value: float, field: FieldInfo) -> Iterator[float]:
    """Values that a field admits on either side of one; fewer where that is a bound itself."""
    stated = {
        key: float(bound)
        for marker in field.metadata
        for key in ("gt", "ge", "lt", "le")
        if (bound := getattr(marker, key, None)) is not None
    }
    low, high = stated.get("ge", stated.get("gt")), stated.get("le", stated.get("lt"))
    if low is None and high is None:
        low = 0.0
    for bound, admitted, side in ((low, "ge" in stated, -1.0), (high, "le" in stated, 1.0)):
        if bound is not None:
            end = bound if admitted else bound + 0.1 * (value - bound)
        else:
            other = high if low is None else low
            assert other is not None
            end = other + (10 * (value - other) or side)
        if end != value:
            yield end
