"""finished.json: of what, and by which code, a finished run's dataset and page were made.

While none of that changes they are current, and nobody has to make them again. Of files that are
there it tells names, sizes and when they were written; who opens the dataset checks its contents.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ganstudy.store import resolved
from ganstudy.whole_file import Damaged, digest, digest_of_json, sealed, unsealed, write_whole

if TYPE_CHECKING:
    from ganstudy.search import Search
    from ganstudy.store.run_directory import RunDirectory
    from ganstudy.study import Study
    from ganstudy.trial import ProgramName

__all__ = [
    *("NAME", "Finished", "code", "found", "joined_page_is_current", "note", "note_joined_page"),
]

NAME = "finished.json"

_OF_A_RUN = (
    *("study.yaml", "resolved.yaml", "environment.json", "verification.json", "search.db"),
    *("records", "generators", "results.zarr", "report"),
)

_CODE = (".py", ".j2", ".css", ".js")


class Finished(NamedTuple):
    """Numbers of trials by status, the program that trained them, and how many lack a metric."""

    status: dict[str, int]
    program: ProgramName
    unmeasured: int


def note(run: RunDirectory, search: Search, unmeasured: int) -> None:
    """Say that the dataset and page of a run have just been made, if there is nothing to train.

    unmeasured  how many of its trials lack a metric

    Errors  `OSError`.
    """
    program = run.program()
    if program is None or search.outlook(1) or not (run.report / "index.html").is_file():
        return
    _write(
        run.path,
        _OF_A_RUN,
        _ingredients(run.path, search.study),
        {"status": dict(+search.counts()), "program": program, "unmeasured": unmeasured},
    )


def found(run: RunDirectory, study: Study) -> Finished | None:
    """How the run of a study has ended; None unless all of it is current."""
    said = _read(run.path, _OF_A_RUN, _ingredients(run.path, study))
    if said is None:
        return None
    program = cast("ProgramName", said["program"])
    return Finished(said["status"], program, said["unmeasured"])


def note_joined_page(folder: Path, runs: Sequence[Path]) -> None:
    """Say that the page over the runs in a folder has just been made.

    Errors  `OSError`.
    """
    _write(folder, ("report",), _of_runs(folder, runs), {})


def joined_page_is_current(folder: Path, runs: Sequence[Path]) -> bool:
    """Whether nothing has changed since the page over these runs was made."""
    return _read(folder, ("report",), _of_runs(folder, runs)) is not None


def _ingredients(path: Path, study: Study) -> list[Any]:
    """What a page says that is in no file of its run."""
    return [
        path.as_posix(),  # by which the page says how it is opened
        resolved.text_of(study, study.document.text),
        [digest(content) for content in study.plugins.values()],
        code(),
    ]


def _of_runs(folder: Path, runs: Sequence[Path]) -> list[Any]:
    """The same of a page over runs, which are themselves as they were."""
    states = [list(_files(run, _OF_A_RUN)) for run in runs]
    return [folder.as_posix(), [run.as_posix() for run in runs], states, code()]


def _write(
    folder: Path, names: Iterable[str], made_of: Sequence[Any], said: Mapping[str, Any]
) -> None:
    state = digest_of_json([*made_of, *_files(folder, names)])
    write_whole(folder / NAME, sealed({**said, "state": state}, indent=2), durable=False)


def _read(folder: Path, names: Iterable[str], made_of: Sequence[Any]) -> dict[str, Any] | None:
    """What was said with this state; None if it is another one now."""
    try:
        said = unsealed((folder / NAME).read_bytes())
        now = digest_of_json([*made_of, *_files(folder, names)])
    except (OSError, Damaged):
        return None
    return said if said.get("state") == now else None


def _files(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    for name in names:
        path = folder / name
        for own in sorted([path, *path.rglob("*")]):
            if own.is_file():
                about = own.stat()
                yield own.relative_to(folder).as_posix(), about.st_size, about.st_mtime_ns


@cache
def code() -> list[str]:
    """This package to the last letter, and the versions of what it needs."""
    package = Path(__file__).parents[1]
    files = sorted(own for own in package.rglob("*") if own.suffix in _CODE)
    own = {path.relative_to(package).as_posix(): digest(path.read_bytes()) for path in files}
    needed = [words for words in metadata.requires("ganstudy") or [] if "extra ==" not in words]
    names = [re.split(r"[^\w.-]", words, maxsplit=1)[0] for words in needed]
    versions = [f"{name} {metadata.version(name)}" for name in names]
    return [platform.python_version(), *versions, digest_of_json(own)]
