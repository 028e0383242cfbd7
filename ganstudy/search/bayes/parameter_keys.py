"""A parameter of a space as a study file writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from ganstudy.settings import Settings

__all__ = ["ChoiceFile", "ParameterFile", "RangeFile"]

When = dict[str, Any]


class RangeFile(Settings):
    """A parameter between two bounds, both included."""

    low: int | float = Field(
        ge=-(10**18), le=10**18, description="least value; whole numbers if both bounds are"
    )
    high: int | float = Field(ge=-(10**18), le=10**18, description="largest value")
    log: bool = Field(False, description="search the logarithm")
    step: int | float | None = Field(None, gt=0, description="distance between values")
    when: When = Field({}, description="take part only where these parameters have these values")


class ChoiceFile(Settings):
    """A parameter that takes one of several values, with a condition."""

    values: list[Any] | dict[str, dict[str, Any]] = Field(
        description="a list of values, or labelled bundles"
    )
    when: When = Field({}, description="take part only where these parameters have these values")


def _form(value: Any) -> str | None:
    """Which form of a parameter is written; None is for pydantic to refuse."""
    if isinstance(value, list):
        return "list[values]"
    if isinstance(value, Mapping):
        if "values" in value:
            return "dict[choice]"
        bundles = value and all(isinstance(item, Mapping) for item in value.values())
        return "dict[bundles]" if bundles and "when" not in value else "dict[range]"
    return None


ParameterFile = Annotated[
    Annotated[RangeFile, Tag("dict[range]")]
    | Annotated[ChoiceFile, Tag("dict[choice]")]
    | Annotated[list[Any], Tag("list[values]")]
    | Annotated[dict[str, dict[str, Any]], Tag("dict[bundles]")],
    Discriminator(
        _form,
        custom_error_type="parameter_form",
        custom_error_message="a list of values, labelled bundles, or a mapping of low and high",
    ),
]
