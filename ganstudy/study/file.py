"""The keys of a study file, and what is wrong with one that does not keep to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_origin

from pydantic import Discriminator, Field, Tag, ValidationError, create_model, model_validator

from ganstudy import kinds, plugins
from ganstudy.nearest import closest
from ganstudy.settings import Settings, shortened
from ganstudy.study.configuration import unread_problems
from ganstudy.study.document import Document, Problem, StudyError, nearest
from ganstudy.study.search_keys import SearchKeys
from ganstudy.study.until_settled import SettledSeeds
from ganstudy.study.wording import mistakes, plain_message
from ganstudy.study.yaml_text import in_flow

__all__ = [
    *("EngineFile", "SearchFile", "StudyFile", "certain_problems", "read_study_file"),
    "study_file",
]

_LISTED = re.compile(r", | or ")

_APART = frozenset(("question", "answer", "seeds", "engine"))
"""Keys of which no mistake elsewhere is a consequence."""


class EngineFile(Settings):
    """The key `engine:` of a study file: how trials are trained, not what they are."""

    pack: int | None = Field(None, ge=1, description="most trials in a pack; default: chosen")
    program: Literal["auto", "eager", "compiled", "portable"] = Field(
        "auto",
        description="the step as written or compiled; auto: whichever ends sooner, on a GPU as "
        "written; portable: as written, with the same bits on other x86-64 processors, for one "
        "build of torch and NumPy",
    )
    time_limit: float | None = Field(
        None,
        gt=0,
        description="seconds that a trial may take, from its first step, alone",
    )
    memory_limit: float | None = Field(
        None, gt=0, description="GiB that a worker may allocate for a pack and itself"
    )


class SearchFile(Settings):
    """The key `search:` of a study file, but for the keys of single searches."""

    grid: dict[str, list[Any] | dict[str, dict[str, Any]]] = Field(
        default={}, description="axes: a key path with a list of values, or labelled bundles"
    )
    exclude: list[dict[str, Any]] = Field(
        default=[], description="grid points to leave out: axis and value pairs that all match"
    )

    @property
    def asked(self) -> tuple[str, SearchKeys]:
        """Name of the search that is asked for, and its keys; `grid` if there are axes alone."""
        return next(self._asked(), ("grid", SearchKeys()))

    def _asked(self) -> Iterator[tuple[str, SearchKeys]]:
        for name, value in self:
            if isinstance(value, SearchKeys):
                yield name, value

    @model_validator(mode="after")
    def _one_search(self) -> Self:
        names = [name for name, _ in self._asked()]
        if len(names) > 1:
            raise ValueError(f"a study has one search, and this one names {' and '.join(names)}")
        return self


def _seeds_form(value: Any) -> str:
    """How seeds are written."""
    return "dict[until]" if isinstance(value, Mapping | SettledSeeds) else "list[seeds]"


SeedsFile = Annotated[
    Annotated[SettledSeeds, Tag("dict[until]")] | Annotated[int | list[int], Tag("list[seeds]")],
    Discriminator(_seeds_form),
]


class StudyFile(Settings):
    """The keys of a study file."""

    unbounded: ClassVar[frozenset[str]] = frozenset(("seeds",))

    extends: str | None = Field(
        None,
        description="file of settings that studies share, beside the study or below; mappings are "
        "merged key by key, and all else here takes the place of what it says",
    )
    plugins: list[str] = Field(
        default=[], description="files of your own members, relative to the study file"
    )
    question: str = Field(min_length=1, description="what the study asks, in words")
    compare: str | None = Field(
        None, description="axis whose values are compared, the arms; default: the first"
    )
    score: str | None = Field(
        None,
        description="metric that ranks the arms; default: the first that is recorded, or that a "
        "search is after",
    )
    answer: Literal["ranking", "effects", "claims", "budget"] | None = Field(
        None,
        description="what the report answers first: which arm is best, which axis decides, whether "
        "claims hold, or what a budget of tuning finds; default: claims for the kinds that check "
        "some, budget for a search of parameters, effects for three axes or more without "
        "`compare`, else ranking",
    )
    trial: dict[str, Any] = Field(default={}, description="settings that all trials share")
    search: SearchFile = Field(SearchFile(), description="what differs between trials")
    seeds: SeedsFile = Field(
        5, description="number of seeds, a list of them, or how they are added until it is settled"
    )
    engine: EngineFile = Field(EngineFile(), description="how trials are trained")


def study_file() -> type[StudyFile]:
    """The study file with a key below `search:` for every search that has some."""
    return _with_searches(tuple(plugins.family("search")))


@cache
def _with_searches(members: tuple[Any, ...]) -> type[StudyFile]:
    keys: dict[str, Any] = {}
    for member in members:
        if member.keys.model_fields:
            about = (member.__doc__ or "").partition("\n")[0]
            # Written without keys it is a mistake, and no study of its grid alone.
            keys[member.name] = (member.keys, Field(None, description=about))
    search = create_model("SearchFile", __base__=SearchFile, __doc__=SearchFile.__doc__, **keys)
    described = Field(search(), description=StudyFile.model_fields["search"].description)
    own: type[StudyFile] = create_model(
        "StudyFile", __base__=StudyFile, __doc__=StudyFile.__doc__, search=(search, described)
    )
    return own


def read_study_file(document: Document, problems: list[Problem]) -> StudyFile:
    """The keys of a document, each of its type.

    What is wrong is added to `problems`; if mistakes elsewhere do not follow from it, all else is
    read as if it were left open.

    Errors  `StudyError` if they might, with all of `problems` and those of the shared settings that
            are mistakes in any study.
    """
    model = study_file()
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        entries = list(mistakes(error))
    named = {entry["loc"][:-1] for entry in entries if _is_name(model, entry)}
    entries = [e for e in entries if e["type"] != "missing" or e["loc"][:-1] not in named]
    problems += [_file_problem(document, model, entry) for entry in entries]
    wrong = {entry["loc"][0] for entry in entries}
    if not all(map(_apart, wrong)):
        trial = document.values.get("trial", {})
        shared = unread_problems(document, trial) if "trial" not in wrong else ()
        raise StudyError([*problems, *shared])
    sound = {key: value for key, value in document.values.items() if key not in wrong}
    return model.model_validate({"question": "?", **sound})


def certain_problems(document: Document, *, whole: bool) -> Iterator[Problem]:
    """Mistakes that no plug-in could mend, nor a shared file unless the document is `whole`: values
    of the wrong type, and unknown keys of the top level.
    """
    model, wrong = study_file(), set[Any]()
    try:
        model.model_validate(document.values)
    except ValidationError as error:
        for entry in mistakes(error):
            kind, above = entry["type"], len(entry["loc"]) == 1
            sure = kind not in ("missing", "value_error", "family_name", "extra_forbidden")
            sure = sure and (whole or "${" not in str(entry["input"]))
            if sure or (above and (kind == "extra_forbidden" or (whole and kind == "missing"))):
                yield _file_problem(document, model, entry)
            wrong.add(entry["loc"][0])
    if whole and "trial" not in wrong:
        yield from unread_problems(document, document.values.get("trial", {}), named=False)


def _apart(key: object) -> bool:
    """Whether a key of the file stands apart from the others, as it is written or was meant."""
    meant = closest(key, StudyFile.model_fields)
    return not _misplaced(key) and (not meant or not _APART.isdisjoint(meant))


def _misplaced(key: object) -> str:
    """Where a key of the file belongs that resembles one below another; empty for all others."""
    trial = {f"trial.{name}": name for name in ("kind", *kinds.family["adversarial"].model_fields)}
    places = trial | {f"search.{name}": name for name in SearchFile.model_fields}
    known = closest(key, StudyFile.model_fields)
    meant = [str(key)] if known else closest(key, places.values())
    return next((path for path, name in places.items() if [name] == meant), "")


def _file_problem(document: Document, model: type[StudyFile], entry: Any) -> Problem:
    # Pydantic names the branch of a union in its location; a key of the file never has such a form.
    path = tuple(p for p in entry["loc"] if not str(p).startswith(("list[", "dict[")))
    path = path[:-1] if path[-1:] in (("int",), ("float",)) else path
    path = path if entry["loc"][:2] != ("seeds", "list[seeds]") else ("seeds",)
    if entry["type"] == "extra_forbidden":
        hint = nearest(path[-1], _model_at(model, entry["loc"]).model_fields)
        if _is_name(model, entry):
            hint = f"; write {in_flow({'name': path[-1]})}, and its keys beside it"
        if len(path) == 1 and (below := _misplaced(path[-1])):
            # On the command line it is longer: all of `critic.steps` is new, and told at `critic`.
            rest = document.overridden.get(path, "").partition("=")[0].partition(".")[2]
            hint = f"; did you mean '{below}{'.' * bool(rest)}{rest}'?"
        return document.problem(path, f"no such key{hint}")
    if entry["type"] == "missing":
        message = "this key is required"
        if "dict[range]" in entry["loc"]:
            message += " in a range; a list of values is written [a, b]"
        return document.problem(path, message)
    if entry["type"] == "literal_error":
        choices = [choice.strip("' ") for choice in _LISTED.split(entry["ctx"]["expected"])]
        message = f"unknown name {entry['input']!r}{nearest(entry['input'], choices)}"
        return document.problem(path, message)
    if path == ("seeds",):
        got = shortened(document.values.get("seeds"))
        message = f"a number of seeds, or a list of whole numbers (got {got})"
        return document.problem(path, message)
    if path[:2] == ("search", "grid") and len(path) >= 3:
        message = "an axis is a list of values, or a mapping from labels to bundles of settings"
        written = document.values["search"]["grid"][path[2]]
        if isinstance(written, Mapping) and {"low", "high"} <= written.keys():
            message += "; a range stands in a space: search.bayes.space"
        return document.problem(path[:3], message)
    field = _model_at(model, entry["loc"]).model_fields.get(str(path[-1]))
    return document.problem(path, plain_message(entry, field))


def _is_name(model: type[StudyFile], entry: Any) -> bool:
    """Whether an unknown key is one of the names that its mapping could have."""
    field = _model_at(model, entry["loc"]).model_fields.get("name")
    unknown = entry["type"] == "extra_forbidden"
    return unknown and field is not None and entry["loc"][-1] in get_args(field.annotation)


def _model_at(model: type[Settings], location: Sequence[Any]) -> type[Settings]:
    """The model whose keys stand at a place of the file: the last one on the way there."""
    found, annotation = model, model
    for item in location[:-1]:
        annotation = _below(annotation, item)
        found = next(_models(annotation), found)
    return found


def _below(annotation: Any, item: Any) -> Any:
    """What a type holds under a key, an index or the tag of one of its forms; None if nothing."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        field = annotation.model_fields.get(item)
        return field and field.annotation
    inner = get_args(annotation)
    if get_origin(annotation) in (dict, list):
        return inner[-1]
    if get_origin(annotation) is Annotated:
        tagged = any(isinstance(mark, Tag) and mark.tag == item for mark in inner[1:])
        return inner[0] if tagged else _below(inner[0], item)
    return next((own for own in (_below(choice, item) for choice in inner) if own), None)


def _models(annotation: Any) -> Iterator[type[Settings]]:
    """The models that a value of a type can be."""
    for choice in (annotation, *get_args(annotation)):
        if isinstance(choice, type) and issubclass(choice, Settings):
            yield choice
