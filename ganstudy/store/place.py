"""Where a run may be: a folder is made for it, or recognised as one, and never assumed to be."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO

from ganstudy.cause import of_plugin, one_line
from ganstudy.engine import checkpoints
from ganstudy.nearest import closest
from ganstudy.plural import plural
from ganstudy.store import page_files, resolved
from ganstudy.whole_file import Damaged, is_partial, read_now, unsealed

__all__ = [
    "FILES",
    "FOLDERS",
    "RunError",
    "Unlike",
    "aside",
    *("check_joined", "check_kinds", "check_new", "check_room", "check_text", "check_writable"),
    "is_ours",
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

_FIRST_LINE = 1 << 24
"""How much of a checkpoint is read for its first line; somebody else's file may never end it."""

_log = logging.getLogger("ganstudy")

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
    """Whether a folder is a run, by its records, or by the seal of what it meant or where it ran.

    Errors  `OSError` where that cannot be read.
    """
    told = all((path / name).exists() for name in ("study.yaml", "resolved.yaml"))
    records, ran = path / "records", path / "environment.json"
    if _may_list(records) and records.is_dir() and any(map(_RECORDS.fullmatch, _names(records))):
        return True
    return told and (
        is_ours(path / "resolved.yaml", _meaning)
        or (ran.is_file() and ran.stat().st_size > 0 and is_ours(ran))
    )


def runs_at(path: Path, *, telling: bool = False) -> list[Path]:
    """A run itself; of a folder that is none the runs in it, by name; else the path as it is.

    Runs that have been set aside by `--fresh` are not among them.

    telling  whether to warn of folders that cannot be read, and so are not among them either
    """
    if is_run(path) or not path.is_dir():
        return [path]
    inside = {child.name: child for child in _runs_in(path, telling)}
    kept = [own for own in inside.values() if own.name.rpartition(_ASIDE)[0] not in inside]
    return sorted(kept) or [path]


def aside(path: Path) -> Path:
    """Where a run is set aside: beside its place, by a name that no study has."""
    names = (path.with_name(f"{path.name}{_ASIDE}{number}") for number in count(1))
    return next(own for own in names if not os.path.lexists(own))


def _runs_in(folder: Path, telling: bool = False) -> list[Path]:
    found: list[Path] = []
    for own in folder.iterdir() if folder.is_dir() else ():
        try:
            if own.is_dir() and is_run(own):
                found.append(own)
        except PermissionError:
            if telling:
                _log.warning("%s: cannot be read, and is left out", own)
    return found


def why_none(path: Path) -> str:
    """Why there is no run at a path, and which was meant; of a folder of runs, which they are."""
    if not path.is_dir():
        what = "it is a file" if path.exists() else "there is no such folder"
        beside = filter(_may_list, (Path("runs"), path.parent))
        near = {own.name: own for folder in beside for own in _runs_in(folder)}
        meant = closest(path.name, near) or closest(path.stem, near)
        return f"{what}; did you mean {near[meant[0]]}?" if meant else what
    inside = runs_at(path)
    if inside == [path]:
        jobs = sorted(own for own in path.iterdir() if _may_list(own) and _runs_in(own))
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
    others = [] if is_run(path) else _others(path)
    if others:
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


def _may_list(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _there(path: Path) -> Path:
    """A path, or the nearest one above it at which there is something."""
    path = path.absolute()
    return next(own for own in (path, *path.parents) if os.path.lexists(own))


def check_new(path: Path, name: str) -> None:
    """Refuse a folder that holds more than the page that would be replaced there.

    name  of the folder of the page

    Errors  `RunError`.
    """
    check_text(path)
    if is_run(path):
        raise RunError(f"{path}: is a run, whose {name} would be lost; choose another --out")
    if os.path.lexists(path) and not (path.is_dir() and set(_names(path)) <= {name}):
        raise RunError(f"{path}: holds something else; choose a new folder with --out")
    if not page_files.is_free(path / name):
        raise RunError(f"{path / name}: is no page; choose a new folder with --out")


def check_joined(folder: Path) -> None:
    """Refuse to write the page over the runs of a folder where something else lies.

    Errors  `RunError`.
    """
    report, ended = folder / "report", folder / "finished.json"
    if is_run(report) or not page_files.is_free(report):
        raise RunError(f"{report}: is there already, and is no page; move it away")
    # Beside a page it is what such a page has left, whole or not.
    if not report.exists() and not is_ours(ended):
        raise RunError(f"{ended}: is there already, and tells of no page; move it away")


def check_kinds(path: Path) -> None:
    """Refuse a run with a file where a folder should be, or the reverse.

    Errors  `RunError` that names it.
    """
    for name in FOLDERS:
        if os.path.lexists(path / name) and not (path / name).is_dir():
            lost = (path / name).is_symlink() and not (path / name).exists()
            what = "a link that leads nowhere" if lost else "a file"
            raise RunError(f"{path / name}: is {what}, where a run has a folder; move it away")
    for name in FILES:
        if (path / name).is_dir():
            raise RunError(f"{path / name}: is a folder, where a run has a file; move it away")


def _others(path: Path) -> list[str]:
    """The names in a folder of what a run that has only just begun has not written."""
    return sorted(name for name in _names(path) if not _is_begun(path / name))


def is_ours(
    path: Path,
    unseal: Callable[[bytes], object] = unsealed,
    read: Callable[[BinaryIO], bytes] = lambda file: file.read(),
) -> bool:
    """Whether nothing is at a path, or a file that was written here, as its seal says; or an empty
    one, as a power cut leaves, of which nothing can be lost.

    Errors  `OSError` where it cannot be read.
    """
    if not os.path.lexists(path):
        return True
    try:
        if content := read_now(path, read):
            unseal(content)
    except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError, Damaged):
        return False
    return True


def _meaning(text: bytes) -> resolved.Resolved:
    return resolved.read(text.decode())


def _is_begun(path: Path) -> bool:
    """Whether a run has this that was killed before it had written what it was asked: study.yaml is
    last.
    """
    name, inside = path.name, _names(path) if path.is_dir() else []
    if name == "records":
        return not inside
    if name == "checkpoints":
        return all(map(_is_checkpoint, (path / own for own in inside)))
    if name == "resolved.yaml":
        return is_ours(path, _meaning)
    return name == ".lock" or (name in ("heartbeat.json", "data.json") and is_ours(path))


def _is_checkpoint(path: Path) -> bool:
    own = checkpoints.NAME.fullmatch(path.name)
    return bool(own) and is_ours(path, read=lambda file: file.readline(_FIRST_LINE))


def _names(path: Path) -> list[str]:
    """The names in a folder, without those of files that were not written to their end."""
    return [p.name for p in path.iterdir() if not is_partial(p)]
