"""The keys of a study file, and what is wrong with one that does not keep to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError

from ganstudy import kinds
from ganstudy.family import Settings
from ganstudy.study.configuration import plain_message
from ganstudy.study.document import Document, Problem, StudyError, nearest
from ganstudy.study.search_keys import (
    BayesFile,
    ChoiceFile,
    ConstraintFile,
    ObjectiveFile,
    PrunerFile,
    RangeFile,
    SearchFile,
)

__all__ = ["EngineFile", "StudyFile", "read_study_file"]

_LISTED = re.compile(r", | or ")


class EngineFile(Settings):
    """The key `engine:` of a study file: how trials are trained, not what they are."""

    pack: int | None = Field(None, ge=1, description="most trials in a pack; default: chosen")
    program: Literal["auto", "eager", "compiled"] = Field(
        "auto", description="the step as written or compiled; auto: whichever ends sooner"
    )
    time_limit: float | None = Field(
        None, gt=0, description="seconds that a trial may take; a pack of n has n times as long"
    )
    memory_limit: float | None = Field(
        None, gt=0, description="gigabytes that a worker may allocate for a pack and itself"
    )


class StudyFile(Settings):
    """The keys of a study file."""

    plugins: list[str] = Field(
        default=[], description="files of your own members, relative to the study file"
    )
    question: str = Field(min_length=1, description="what the study asks, in words")
    compare: str | None = Field(None, description="axis whose values are compared; default: first")
    score: str | None = Field(None, description="metric that ranks the arms; default: first")
    trial: dict[str, Any] = Field(default={}, description="settings that all trials share")
    search: SearchFile = Field(SearchFile(), description="what differs between trials")
    seeds: int | list[int] = Field(5, description="number of seeds, or a list of them")
    engine: EngineFile = Field(EngineFile(), description="how trials are trained")


def read_study_file(document: Document) -> StudyFile:
    """The keys of a document, each of its type.

    Errors  `StudyError` with every key that is unknown, missing or of another type.
    """
    try:
        return StudyFile.model_validate(document.values)
    except ValidationError as error:
        raise StudyError(_file_problem(document, entry) for entry in error.errors()) from None


def _file_problem(document: Document, entry: Any) -> Problem:
    # Pydantic names the branch of a union in its location; a key of the file never has such a form.
    path = tuple(p for p in entry["loc"] if not str(p).startswith(("list[", "dict[")))
    path = path if entry["loc"][:1] != ("seeds",) else ("seeds",)
    if entry["type"] == "extra_forbidden":
        choices = list(_model_at(entry["loc"]).model_fields)
        trial_keys = kinds.family["adversarial"].model_fields
        hint = nearest(path[-1], choices)
        if path[-1] in trial_keys and len(path) == 1:
            hint = f"; did you mean 'trial.{path[-1]}'?"
        return document.problem(path, f"no such key{hint}")
    if entry["type"] == "missing":
        message = "this key is required"
        if path[:3] == ("search", "bayes", "space"):
            message += " in a range; a list of values is written [a, b]"
        return document.problem(path, message)
    if entry["type"] == "literal_error":
        choices = [choice.strip("' ") for choice in _LISTED.split(entry["ctx"]["expected"])]
        message = f"unknown name {entry['input']!r}{nearest(entry['input'], choices)}"
        return document.problem(path, message)
    if path == ("seeds",):
        return document.problem(path, "a number of seeds, or a list of whole numbers")
    if path[:2] == ("search", "grid") and len(path) >= 3:
        message = "an axis is a list of values, or a mapping from labels to bundles of settings"
        return document.problem(path[:3], message)
    return document.problem(path, plain_message(entry))


def _model_at(location: Sequence[Any]) -> type[Settings]:
    """The model whose keys stand at a place of the file."""
    models: dict[tuple[Any, ...], type[Settings]] = {
        ("search",): SearchFile,
        ("engine",): EngineFile,
        ("search", "bayes"): BayesFile,
        ("search", "bayes", "objective"): ObjectiveFile,
        ("search", "bayes", "pruner"): PrunerFile,
    }
    if tuple(location[:3]) == ("search", "bayes", "constraints"):
        return ConstraintFile
    if "dict[range]" in location or "dict[choice]" in location:
        return RangeFile if "dict[range]" in location else ChoiceFile
    return models.get(tuple(location[:-1]), StudyFile)
