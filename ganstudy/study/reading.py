"""From a study file to a study, or to everything that is wrong with it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter

from ganstudy import features, kinds, plugins
from ganstudy.cause import of_plugin, one_line
from ganstudy.film import FILM, IMAGE_FILM, PLACES
from ganstudy.study import checks
from ganstudy.study.axis_schema import with_axes
from ganstudy.study.configuration import unread_problems
from ganstudy.study.conflicts import conflicts
from ganstudy.study.corner import Corner
from ganstudy.study.document import (
    Document,
    Problem,
    StudyError,
    UnsharedError,
    nearest,
    read_document,
)
from ganstudy.study.extent import extent_problems
from ganstudy.study.file import StudyFile, certain_problems, read_study_file, study_file
from ganstudy.study.names import name_problem
from ganstudy.study.refusals import Refused, told
from ganstudy.study.space import AnyParameter, extremes, labelled
from ganstudy.study.study import Axis, Study
from ganstudy.study.until_settled import SettledSeeds
from ganstudy.targets import there
from ganstudy.variable import OF_A_DATASET, OF_ANALYSES, names_of

__all__ = ["json_schema", "load", "reserved"]

_log = logging.getLogger("ganstudy")


def reserved() -> set[str]:
    """Names of every dataset that an axis or a parameter cannot take."""
    searches: Iterable[Any] = plugins.family("search")
    added = [variable for search in searches for variable in search.adds]
    return names_of((*OF_A_DATASET, *FILM, *IMAGE_FILM, *PLACES, *added)) | OF_ANALYSES


@there()
def load(
    path: Path | str,
    overrides: Sequence[str] = (),
    name: str | None = None,
    *,
    run_plugins: bool = True,
    kept: bool = False,
) -> Study:
    """Read and validate a study file; its name is the file's stem unless another is given, what
    cannot be printed by its code.

    Without `run_plugins`, no code is run, and a study that names plug-ins is refused. Its data have
    to be there, but for a run's that is read; see `store.known_data`.

    kept  whether it is a run's own: what its search has drawn is recorded, and is not tried out; of
          two labels that have the same trials nothing is said

    Errors  `StudyError` with every problem of the file and of each point of the grid.
    """
    path = Path(path)
    try:
        document = read_document(path, overrides)
    except UnsharedError as error:
        plugged = _plugin_problems(error.own, run_plugins, kept)
        told = certain_problems(error.own, whole=False)
        raise StudyError([*error.problems, *plugged, *told]) from None
    # First, since a plug-in may say what else the file can hold.
    if problems := list(_plugin_problems(document, run_plugins, kept)):
        raise StudyError([*problems, *certain_problems(document, whole=True)])
    with _plugins_named(document):
        return _read(document, name or one_line(path.stem), kept)


def _read(document: Document, name: str, kept: bool) -> Study:
    problems: list[Problem] = []
    file = read_study_file(document, problems)
    if too_large := list(extent_problems(document, file)):
        raise StudyError([*problems, *too_large, *unread_problems(document, file.trial)])
    axes = tuple(_axes(document, file, problems))
    seeds = _seeds(document, file, problems)
    space = _space(document, file, axes, problems)
    study = Study(name, document, file, axes, seeds, points={}, space=space)
    names = [axis.name for axis in axes]
    if file.compare is not None and file.compare not in names:
        message = f"{file.compare!r} is not an axis of the search{nearest(file.compare, names)}"
        problems.append(document.problem(("compare",), message))
    problems += checks.exclude_problems(document, file, axes)
    clashes = list(conflicts(study, {} if kept else study.keys.sets))
    problems += clashes
    problems += checks.hidden(study)
    unread = list(unread_problems(document, file.trial))
    corners = _corners(study, problems)
    points: dict[tuple[int, ...], kinds.Kind] = {}
    for corner in corners:
        points.setdefault(corner.index, corner.configuration)
    searched = replace(study, points=points)
    # What follows from a value of the wrong kind is not told beside it.
    follows = tuple(f"{problem.key}." for problem in unread)
    problems[:] = [*unread, *(own for own in problems if not own.key.startswith(follows))]
    problems += checks.contest_problems(study, points)
    # Of settings that undo each other no labels can be told apart, nor points.
    if not (kept or clashes):
        problems += checks.twin_problems(study, corners)
    if corners:
        every = [own.configuration for own in corners]
        problems += checks.name_problems(study, every, reserved())
        problems += checks.answer_problems(study, every[0])
        problems += checks.program_problems(study, every)
        # What a run has kept was checked as it was trained, by the checks of that day.
        if not kept or file.score is not None:
            problems += checks.score_problems(searched, corners)
        if not kept:
            problems += checks.schedule_problems(study, corners)
        tried = bool(space) and not (kept or problems)
        drawn = list(checks.drawn(searched, problems)) if tried else []
        seen = corners[:1] if kept else corners
        apart = () if clashes else space
        problems += study.keys.problems(document, seeds, apart, seen, drawn)
    if problems:
        raise StudyError(problems)
    return replace(searched, plugins=_contents(study))


def json_schema(files: Sequence[Path] = ()) -> dict[str, Any]:
    """JSON Schema of study files, for editors that complete and check YAML.

    files  plug-ins, which are run: a name that no member has is a mistake

    Errors  `PluginError` for one that cannot be loaded.
    """
    for path in files:
        plugins.load(path)
    schema = study_file().model_json_schema()
    configuration = Annotated[kinds.Kind, kinds.family.field("adversarial", key="kind")]
    trial = TypeAdapter(configuration).json_schema()
    schema["$defs"] |= trial.pop("$defs")
    # The trial is a mapping; the short form, a kind's bare name, is not taken there.
    schema["properties"]["trial"] = {
        "anyOf": [x for x in trial["anyOf"] if "enum" not in x],
        "description": StudyFile.model_fields["trial"].description,
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return with_axes(schema)


# --- reading the file's parts -------------------------------------------------------------------


def _plugin_problems(document: Document, run_plugins: bool, kept: bool) -> Iterator[Problem]:
    """Load the plug-ins, which are code; a run has copies of them beside its study.

    Files elsewhere than beside the study or below are refused, whoever asks.
    """
    features.trust(run_plugins)
    folder, names = document.path.parent, document.values.get("plugins", [])
    for index, name in enumerate(names if isinstance(names, list) else []):
        if not isinstance(name, str):  # told with the other keys
            continue
        try:
            path = (folder / name).resolve()
            if kept and not path.is_file():
                path = (folder / Path(name).name).resolve()
            beside = path.is_relative_to(folder.resolve()) and ".." not in Path(name).parts
            if not beside or Path(name).is_absolute():
                message = f"{name}: a plug-in lies beside its study, or in a folder below"
                yield document.problem(("plugins", index), message)
            elif why := plugins.no_python_file(path):
                there = (*folder.glob("*.py"), *folder.glob("*/*.py"))
                files = (own.relative_to(folder).as_posix() for own in there)
                message = f"{name}: {why}{nearest(name, files)}"
                yield document.problem(("plugins", index), message)
            elif not run_plugins:
                message = f"{name} is code, and only read here; where it is trusted, add --plugins"
                yield document.problem(("plugins", index), message)
            else:
                _log.warning("running the plug-in %s", path)
                plugins.load(path)
        except (plugins.PluginError, OSError, ValueError) as error:
            yield document.problem(("plugins", index), str(error))


@contextmanager
def _plugins_named(document: Document) -> Iterator[None]:
    """What the code of a plug-in raises is a mistake where the study names its file."""
    try:
        yield
    except Exception as error:
        file, told = of_plugin(error)
        if not file:
            raise
        named = [Path(str(name)).name for name in document.values.get("plugins", [])]
        index = named.index(Path(file).name) if Path(file).name in named else 0
        raise StudyError([document.problem(("plugins", index), told)]) from error


def _contents(study: Study) -> dict[str, bytes]:
    """What the files of a study's plug-ins hold, by their names."""
    files = map(Path, study.file.plugins)
    return {own.name: plugins.text(own.stem) for own in files}


def _space(
    document: Document, file: StudyFile, axes: Sequence[Axis], problems: list[Problem]
) -> tuple[AnyParameter, ...]:
    labels = {axis.name: axis.labels for axis in axes}
    space = file.search.asked[1].parameters(document, labels, problems)
    taken = [parameter for parameter in space if parameter.dimension in reserved()]
    for parameter in taken:
        message = "this name has a meaning of its own in the dataset; choose another"
        problems.append(document.problem(parameter.place, message))
    # What a broken parameter would set cannot be checked any further.
    return () if taken else space


def _axes(document: Document, file: StudyFile, problems: list[Problem]) -> Iterator[Axis]:
    meant = {name.lower() for name in reserved()}
    for name, values in file.search.grid.items():
        place = ("search", "grid", name)
        if not values:
            problems.append(document.problem(place, "an axis needs at least one value"))
            continue
        if why := name_problem(name):
            problems.append(document.problem(place, why))
        # Names become files of the dataset, and some file systems do not tell case apart.
        elif name.replace(".", "_").lower() in meant:
            message = "this name has a meaning of its own in the dataset; choose another"
            problems.append(document.problem(place, message))
        yield Axis(name, *labelled(document, place, name, values, problems))


def _seeds(document: Document, file: StudyFile, problems: list[Problem]) -> tuple[int, ...]:
    if isinstance(file.seeds, SettledSeeds):
        return tuple(range(file.seeds.max))
    seeds = list(range(file.seeds)) if isinstance(file.seeds, int) else file.seeds
    if not seeds or len(set(seeds)) < len(seeds) or not all(0 <= s < 2**63 for s in seeds):
        message = "a positive number of seeds, or a list of different seeds from 0 to 2^63 - 1"
        problems.append(document.problem(("seeds",), message))
    return tuple(seeds)


def _corners(study: Study, problems: list[Problem]) -> list[Corner]:
    """Points of the grid that are not excluded, each with every bound and value of the space."""
    accepted: list[Corner] = []
    refused: list[Refused] = []
    planned = 0
    for index in itertools.product(*(range(len(axis.labels)) for axis in study.axes)):
        labels, bundles = study.labels(index), study.bundles(index)
        if study.excludes(labels):
            continue
        planned += 1
        for values in extremes(study.space, labels):
            try:
                whole = study.resolve(index, values)
            except StudyError as error:
                refused.append(Refused(index, labels, values, error.problems))
                continue
            accepted.append(Corner(index, labels, bundles, values, whole, study.resolve))
    problems += told(study.document, study.space, refused, accepted)
    if not planned:
        message = "every point of the grid is excluded; nothing is left to run"
        problems.append(study.document.problem(("search", "exclude"), message))
    return accepted
