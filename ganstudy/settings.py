"""Settings: frozen values with types and bounds, of which all that a study file sets is made."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self, get_args

from annotated_types import Le, Lt
from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

__all__ = ["Settings", "as_recorded", "shortened", "takes_fractions", "tolerated"]

LARGEST = 1_000_000
"""Largest whole number of a setting that states no bound of its own."""

TINIEST, GREATEST = 2.0**-126, (2 - 2.0**-23) * 2.0**127
"""Range of normal numbers in single precision."""

_BOUNDS = frozenset(("greater_than", "greater_than_equal", "less_than", "less_than_equal"))

_passed: ContextVar[dict[str, None] | None] = ContextVar("_passed", default=None)


@contextmanager
def as_recorded() -> Iterator[dict[str, None]]:
    """While settings are read that trials were trained with: numbers are as they were then.

    Gives what would be refused of settings that are new, in the order in which it was read.
    """
    passed: dict[str, None] = {}
    token = _passed.set(passed)
    try:
        yield passed
    finally:
        _passed.reset(token)


def tolerated(what: str, why: str) -> bool:
    """Whether something that is refused is read as it was recorded; if so, it is told."""
    if (passed := _passed.get()) is None:
        return False
    passed[f"{what}: {why}"] = None
    return True


class Settings(BaseModel):
    """Frozen, typed settings: unknown keys and values of another type are errors.

    Whole numbers are bounded, by `LARGEST` where a field states nothing else: most are sizes, and a
    slip of the keyboard there is an hour or a machine lost. Others have to be numbers in single
    precision, by which trials are computed: what is infinite or zero there is not what is written.

    What a check of a number refuses, be it of the field or of the class, is read `as_recorded`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    unbounded: ClassVar[frozenset[str]] = frozenset()
    """Fields that are bounded elsewhere, with more to say, or not at all."""

    def __iter__(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]  # no generator
        """Its fields, and nothing that it has worked out of them and kept."""
        return ((name, getattr(self, name)) for name in type(self).model_fields)

    @model_validator(mode="wrap")
    @classmethod
    def _recorded(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            passed = _passed.get()
            if passed is None or not isinstance(values, Mapping):
                raise
            refused = {
                str(entry["loc"][0]): entry["msg"].removeprefix("Value error, ")
                for entry in error.errors()
                if _is_of_number(entry, values)
            }
            if not refused:
                raise
            # Checks of several fields come after this one, and see the numbers themselves.
            try:
                sound = handler({key: value for key, value in values.items() if key not in refused})
            except ValidationError:  # of others; or there has to be such a number
                raise error from None
        own = {}
        for name, why in refused.items():
            # One that is written as a whole number is a fraction where the field has fractions.
            fraction = takes_fractions(cls.model_fields[name].annotation)
            own[name] = float(values[name]) if fraction else values[name]
            cls._refuse(name, why)
        return sound.model_copy(update=own)

    @field_validator("*")
    @classmethod
    def _bounded(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name in cls.unbounded:
            return value
        name = str(info.field_name)
        if type(value) is int and abs(value) > LARGEST:
            about = cls.model_fields[name].metadata
            if not any(isinstance(marker, Le | Lt) for marker in about):
                cls._refuse(name, f"should be at most {LARGEST:,} (got {shortened(value)})")
        for number in _fractions(value):
            if not TINIEST <= abs(number) <= GREATEST:
                of = f"between {TINIEST:.1e} and {GREATEST:.1e} in size, as in single precision"
                cls._refuse(name, f"should be {of} (got {number:g})")
        return value

    @classmethod
    def _refuse(cls, field: str, why: str) -> None:
        """Tell what is wrong with a number, and refuse it unless it is as it was recorded."""
        if not tolerated(f"{getattr(cls, 'name', '') or cls.__name__}: {field}", why):
            raise ValueError(why)


def _is_of_number(error: Any, values: Mapping[str, Any]) -> bool:
    """Whether an error of pydantic is of a field's number, of the type that it should have."""
    number = bool(error["loc"]) and type(values.get(error["loc"][0])) in (int, float)
    return number and (error["type"] in _BOUNDS or error["type"] == "value_error")


def takes_fractions(annotation: Any) -> bool:
    """Whether a number of this type is a fraction, even if it is written as a whole number."""
    kinds = list(_parts(annotation))
    return float in kinds and int not in kinds


def _parts(annotation: Any) -> Iterator[Any]:
    """A type and those that it is made of."""
    yield annotation
    for own in get_args(annotation):
        yield from _parts(own)


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
