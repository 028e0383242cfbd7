"""The text of a study file, or why there is none: what is there in its place."""

from __future__ import annotations

import io
from pathlib import Path
from shlex import quote

from ganstudy.study import shipped_files
from ganstudy.study.problem import Problem, StudyError, closest, nearest
from ganstudy.study.yaml_text import CHARACTERS

__all__ = ["missing", "study_text"]


def study_text(path: Path) -> str:
    """What is written in a file, as far as a study could be.

    Errors  `StudyError` for a file that is not there, cannot be read or is no text.
    """
    try:
        # One character more than a study has, so that a file of gigabytes is not read.
        with path.open(encoding="utf-8") as file:
            return file.read(CHARACTERS + 1)
    except FileNotFoundError:
        message = _shipped(path) or missing(path)
        raise StudyError([Problem(str(path), "", message)]) from None
    except UnicodeDecodeError:
        raise StudyError([_no_text(path)]) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise StudyError([Problem(str(path), "", f"cannot be read: {why}")]) from None


def _no_text(path: Path) -> Problem:
    """The first byte of a file that UTF-8 does not have there, and its line."""
    with path.open("rb") as file:
        # A character has four bytes at most, and a reader is a buffer ahead.
        whole = file.read(4 * CHARACTERS + io.DEFAULT_BUFFER_SIZE)
    try:
        whole.decode()
    except UnicodeDecodeError as error:
        line, byte = whole.count(b"\n", 0, error.start) + 1, whole[error.start]
        message = f"byte 0x{byte:02x} is not UTF-8, in which a study is written; save it as UTF-8"
        return Problem(f"{path}:{line}", "", message)
    return Problem(str(path), "", "cannot be read: it has changed meanwhile")


def missing(path: Path, but: str = "") -> str:
    """Why a file is not there, with the nearest beside it, `but` for one."""
    if path.is_symlink():
        return "a link that leads nowhere"
    return f"no such file{nearest(path.name, {*_beside(path)} - {but})}"


def _beside(path: Path) -> list[str]:
    folder = path.parent
    return [p.name for p in folder.glob("*.y*ml") if p.exists()] if folder.is_dir() else []


def _shipped(path: Path) -> str:
    """That a study which is not there comes with the package; empty if one beside it is meant."""
    together = shipped_files.folders()
    within = [part for part in path.parts if part in together]
    meant = within or closest(path.stem, [*shipped_files.files(), *together])
    if not meant or closest(path.name, _beside(path)):
        return ""
    name, file = meant[0], meant[0] + ".yaml" * (meant[0] not in together)
    begun = f"`ganstudy new {quote(file)} --from {quote(name)}` begins one of your own"
    return f"no such file; {name} comes with the package: {begun}"
