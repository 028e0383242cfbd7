"""Settings: frozen values with types and bounds, of which all that a study file sets is made."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, ClassVar

from annotated_types import Le, Lt
from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

__all__ = ["Settings", "shortened"]

LARGEST = 1_000_000
"""Largest whole number of a setting that states no bound of its own."""

TINIEST, GREATEST = 2.0**-126, (2 - 2.0**-23) * 2.0**127
"""Range of normal numbers in single precision."""


class Settings(BaseModel):
    """Frozen, typed settings: unknown keys and values of another type are errors.

    Whole numbers are bounded, by `LARGEST` where a field states nothing else: most are sizes, and a
    slip of the keyboard there is an hour or a machine lost. Others have to be numbers in single
    precision, by which trials are computed: what is infinite or zero there is not what is written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    unbounded: ClassVar[frozenset[str]] = frozenset()
    """Fields that are bounded elsewhere, with more to say, or not at all."""

    @field_validator("*")
    @classmethod
    def _bounded(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name in cls.unbounded:
            return value
        if type(value) is int and abs(value) > LARGEST:
            about = cls.model_fields[str(info.field_name)].metadata
            if not any(isinstance(marker, Le | Lt) for marker in about):
                raise ValueError(f"should be at most {LARGEST:,} (got {shortened(value)})")
        for number in _fractions(value):
            if not TINIEST <= abs(number) <= GREATEST:
                of = f"between {TINIEST:.1e} and {GREATEST:.1e} in size, as in single precision"
                raise ValueError(f"should be {of} (got {number:g})")
        return value


def _fractions(value: Any) -> Iterator[float]:
    """The floats of a value, at any depth, but zero."""
    if isinstance(value, float) and value:
        yield value
    elif isinstance(value, tuple):
        yield from itertools.chain.from_iterable(map(_fractions, value))


def shortened(value: Any) -> str:
    """A value as it is written, cut to fit a line."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**15:
        return f"about 1e{len(str(abs(value))) - 1}"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
