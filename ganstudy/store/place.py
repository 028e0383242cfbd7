"""Where a run may be: a folder is made for it, or recognised as one, and never assumed to be."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from ganstudy.cause import of_plugin, one_line
from ganstudy.nearest import closest
from ganstudy.plural import plural
from ganstudy.whole_file import PARTIAL

__all__ = [
    "FILES",
    "FOLDERS",
    "RunError",
    "Unlike",
    "aside",
    "check_joined",
    "check_kinds",
    "check_new",
    "check_room",
    "check_text",
    "check_writable",
    "is_run",
    "may_make_files",
    "naming_plugins",
    "runs_at",
    "why_none",
]

FOLDERS = ("records", "generators", "checkpoints", "damaged", "results.zarr", "report")
FILES = (
    *("study.yaml", "resolved.yaml", "environment.json", "heartbeat.json", "search.db"),
    *("finished.json", "data.json"),
)

_BEGUN = {".lock", "records", "checkpoints", "heartbeat.json", "resolved.yaml", "data.json"}
"""What a run has that was killed before it had written what it was asked; study.yaml is last."""

_RECORDS = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}\.nc")

_ASIDE = ".aside-"
"""Between the name that a run had which has been set aside, and a number."""

_SHOWN = 3


class RunError(Exception):
    """A run directory that cannot be used as asked."""


@contextmanager
def naming_plugins() -> Iterator[None]:
    """What the code of a plug-in raises is a `RunError` that tells its file and line."""
    try:
        yield
    except Exception as error:
        _, told = of_plugin(error)
        if not told:
            raise
        raise RunError(told) from error


class Unlike(RunError):
    """Runs that cannot be one dataset, since they differ where they must not."""


def is_run(path: Path) -> bool:
    """Whether a folder is a run: it says what was asked and what it meant, or it has records."""
    if all((path / name).exists() for name in ("study.yaml", "resolved.yaml")):
        return True
    records = path / "records"
    return records.is_dir() and any(map(_RECORDS.fullmatch, _names(records)))


def runs_at(path: Path) -> list[Path]:
    """A run itself; of a folder that is none the runs in it, by name; else the path as it is.

    Runs that have been set aside by `--fresh` are not among them.
    """
    if is_run(path) or not path.is_dir():
        return [path]
    inside = {child.name: child for child in _runs_in(path)}
    kept = [own for own in inside.values() if own.name.rpartition(_ASIDE)[0] not in inside]
    return sorted(kept) or [path]


def aside(path: Path) -> Path:
    """Where a run is set aside: beside its place, by a name that no study has."""
    names = (path.with_name(f"{path.name}{_ASIDE}{number}") for number in count(1))
    return next(own for own in names if not os.path.lexists(own))


def _runs_in(folder: Path) -> list[Path]:
    return (
        [own for own in folder.iterdir() if own.is_dir() and is_run(own)] if folder.is_dir() else []
    )


def why_none(path: Path) -> str:
    """Why there is no run at a path, and which was meant; of a folder of runs, which they are."""
    if not path.is_dir():
        what = "it is a file" if path.exists() else "there is no such folder"
        near = {own.name: own for folder in (Path("runs"), path.parent) for own in _runs_in(folder)}
        meant = closest(path.name, near) or closest(path.stem, near)
        return f"{what}; did you mean {near[meant[0]]}?" if meant else what
    inside = runs_at(path)
    if inside == [path]:
        jobs = sorted(own for own in path.iterdir() if _runs_in(own))
        if not jobs:
            return "it has no records"
        return f"it holds folders of runs; name one, such as {jobs[0]}"
    return f"a folder of {plural(len(inside), 'run')}; name one, such as {inside[0]}"


def check_text(path: Path) -> None:
    """Refuse a path that no page can tell, as a name that was written in another encoding.

    Errors  `RunError`.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        encoding = sys.getfilesystemencoding()
        message = f"is no text in {encoding}, the encoding of file names here; rename it"
        raise RunError(f"{one_line(str(path))}: {message}") from None


def check_room(path: Path) -> None:
    """Refuse a place in which a run would mix with what is not its own.

    Errors  `RunError` unless the folder is a run, is empty, has what a run that has only just
            begun leaves there, or can be made.
    """
    check_text(path)
    if not os.path.lexists(path):
        above = _there(path)
        if not above.is_dir():
            raise RunError(f"{path}: cannot hold a run: {above} is a file")
        return
    if not path.is_dir():
        what = "a link that leads nowhere" if path.is_symlink() else "a file"
        raise RunError(f"{path}: cannot hold a run: it is {what}; choose another --out")
    if not is_run(path) and not _only_begun(path):
        others = sorted(set(_names(path)) - _BEGUN) or ["records"]
        shown = ", ".join(others[:_SHOWN]) + ", ..." * (len(others) > _SHOWN)
        message = f"is no run, and holds somebody else's files ({shown})"
        raise RunError(f"{path}: {message}; choose a new or an empty folder with --out")
    check_kinds(path)


def check_writable(path: Path) -> None:
    """Refuse a place in which this user can make no file.

    Errors  `RunError`.
    """
    there = _there(path)
    if not may_make_files(there):
        raise RunError(f"{path}: cannot hold a run: nothing can be written in {there}")


def may_make_files(folder: Path) -> bool:
    """Whether this user can, as far as one can tell without making one."""
    own = os.access in os.supports_effective_ids
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=own)


def _there(path: Path) -> Path:
    """A path, or the nearest one above it at which there is something."""
    path = path.absolute()
    return next(own for own in (path, *path.parents) if os.path.lexists(own))


def check_new(path: Path, name: str) -> None:
    """Refuse a folder that holds more than the one entry that would be replaced there.

    Errors  `RunError`.
    """
    check_text(path)
    if is_run(path):
        raise RunError(f"{path}: is a run, whose {name} would be lost; choose another --out")
    if os.path.lexists(path) and not (path.is_dir() and set(_names(path)) <= {name}):
        raise RunError(f"{path}: holds something else; choose a new folder with --out")


def check_joined(folder: Path) -> None:
    """Refuse to write the page over the runs of a folder where one of them lies.

    Errors  `RunError`.
    """
    if os.path.lexists(folder / "report") and (
        not (folder / "report").is_dir() or is_run(folder / "report")
    ):
        raise RunError(f"{folder / 'report'}: is there already, and is no page; move it away")


def check_kinds(path: Path) -> None:
    """Refuse a run with a file where a folder should be, or the reverse.

    Errors  `RunError` that names it.
    """
    for name in FOLDERS:
        if os.path.lexists(path / name) and not (path / name).is_dir():
            raise RunError(f"{path / name}: is a file, where a run has a folder; move it away")
    for name in FILES:
        if (path / name).is_dir():
            raise RunError(f"{path / name}: is a folder, where a run has a file; move it away")


def _only_begun(path: Path) -> bool:
    records = path / "records"
    return set(_names(path)) <= _BEGUN and not (records.is_dir() and _names(records))


def _names(path: Path) -> list[str]:
    """The names in a folder, without those of files that were not written to their end."""
    return [p.name for p in path.iterdir() if not p.name.endswith(PARTIAL)]
