"""The key `search:` of a study file: a grid, a search by results, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from ganstudy.family import Settings

__all__ = [
    *("BayesFile", "ChoiceFile", "ConstraintFile", "ObjectiveFile"),
    *("PrunerFile", "RangeFile", "SearchFile"),
]

When = dict[str, Any]


class RangeFile(Settings):
    """A parameter between two bounds, both included."""

    low: int | float = Field(description="least value; whole numbers if both bounds are")
    high: int | float = Field(description="largest value")
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


class ObjectiveFile(Settings):
    """What the search is after: metrics to maximise, to minimise, or both."""

    maximize: str | list[str] = Field([], description="metric, or several")
    minimize: str | list[str] = Field([], description="metric, or several")

    @property
    def metrics(self) -> dict[str, Literal["maximize", "minimize"]]:
        """Direction by metric, in the order written."""
        listed = {"maximize": self.maximize, "minimize": self.minimize}
        return {
            name: "maximize" if key == "maximize" else "minimize"
            for key, names in listed.items()
            for name in ([names] if isinstance(names, str) else names)
        }


class PrunerFile(Settings):
    """Which points are trained to the end: all are trained a little, the best of them further."""

    name: Literal["successive_halving", "hyperband"] = Field(description="how points are pruned")
    factor: int = Field(3, ge=2, description="one in so many points goes on; steps grow as much")
    first: int = Field(ge=1, description="M-steps after which points are first compared")


class ConstraintFile(Settings):
    """What a metric of a point must keep to."""

    minimum: float | None = Field(None, description="least value that is accepted")
    maximum: float | None = Field(None, description="largest value that is accepted")


class BayesFile(Settings):
    """The key `search.bayes:` of a study file."""

    space: dict[str, ParameterFile] = Field(description="parameters by key path or label")
    trials: int = Field(ge=1, description="points, each with all seeds; for each arm")
    sampler: Literal["tpe", "gp", "cmaes", "qmc", "random"] = Field(
        "tpe", description="how points are proposed"
    )
    objective: ObjectiveFile = Field(description="metrics to maximise or minimise")
    constraints: dict[str, ConstraintFile] = Field(
        {}, description="metrics and the values that a point must keep to; others are never best"
    )
    statistic: Literal["mean", "median", "min", "max"] = Field(
        "mean", description="what the search is told of the seeds of a point"
    )
    startup: int = Field(10, ge=1, description="points at random before the sampler takes over")
    together: int = Field(4, ge=1, description="points of an arm that are in training at a time")
    pruner: PrunerFile | None = Field(None, description="train poor points less; default: none do")
    seed: int = Field(0, ge=0, description="seed of the sampler; another one is another search")


class SearchFile(Settings):
    """The key `search:` of a study file."""

    grid: dict[str, list[Any] | dict[str, dict[str, Any]]] = Field(
        default={}, description="axes: a key path with a list of values, or labelled bundles"
    )
    bayes: BayesFile | None = Field(
        None, description="a search by results; with a grid, one such search for each of its points"
    )
    exclude: list[dict[str, Any]] = Field(
        default=[], description="grid points to leave out: axis and value pairs that all match"
    )
