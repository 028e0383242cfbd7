"""What reads files of the user's own, which may be gone when a run is read."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationInfo, field_validator

from ganstudy.family import Member
from ganstudy.targets._base import Target
from ganstudy.targets._files import existing, fingerprint, unchanged
from ganstudy.targets._outline import FileOutline, Outline, forget, gone, pinning, put
from ganstudy.targets._rows import RowsTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OwnData", "OwnFile", "reading_again"]


class OwnFile(Member, ABC):
    """A member with a `path` and a `sha256`, of which a run keeps an outline; see `FileOutline`.

    formats  as in `existing`
    """

    formats: ClassVar[tuple[str, ...]]

    @field_validator("path", check_fields=False)
    @classmethod
    def _is_there(cls, path: str) -> str:
        return existing(path, cls.formats)

    @field_validator("sha256", check_fields=False)
    @classmethod
    def _same_content(cls, sha256: str | None, info: ValidationInfo) -> str | None:
        return unchanged(info.data["path"], sha256) if "path" in info.data else sha256

    @property
    def read(self) -> Member:
        """The member that the outline is of, where it is another one."""
        return self

    @property
    def gone(self) -> str:
        """Why what lies at the path has no content any more; empty where it has."""
        found = gone(self.read.settings)
        return "" if found is None else found.why

    @property
    def place(self) -> tuple[str, str]:
        """Path and SHA-256."""
        own: Any = self.read
        return str(own.path), str(own.sha256)

    @property
    def outline(self) -> FileOutline:
        """What is known of it without its content."""
        path, sha256 = self.place
        return FileOutline(settings=self.read.settings, path=path, sha256=sha256)

    def __getstate__(self) -> dict[Any, Any]:
        """With what is known of files that are gone, which another process does not know."""
        return {**super().__getstate__(), "gone": gone(self.read.settings)}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """The same here."""
        if (found := state.pop("gone", None)) is not None:
            put(*found)
        super().__setstate__(state)


class OwnData(OwnFile, Target, ABC):
    """A target of which a run keeps an outline; see `Outline`."""

    @property
    def read(self) -> RowsTarget:
        """The target whose rows are those of the files."""
        assert isinstance(self, RowsTarget)
        return self

    @property
    def source(self) -> str:
        """The path as it is written."""
        return self.place[0]

    @property
    def outline(self) -> Outline:
        """What is known of the files without their values."""
        if (found := gone(self.read.settings)) is not None:
            assert isinstance(found.outline, Outline)
            return found.outline
        return _outline(self)


@cache
def _outline(target: OwnData) -> Outline:
    own = target.read
    return Outline.of(own.settings, target.place, own.rows(), own.image, own.label_names)


@contextmanager
def reading_again(outlines: Sequence[FileOutline]) -> Iterator[None]:
    """While the study of a run is read: its files are those that it had, there or not."""
    for own in outlines:
        forget(own.path, own.sha256)
    for own, why in [(own, _trouble(own)) for own in outlines]:
        if why:
            put(own, why)
    with pinning(outlines):
        yield


def _trouble(outline: FileOutline) -> str:
    """Why what lies at a path is not what it was; empty where it is."""
    path = outline.path
    try:
        if fingerprint(path) == outline.sha256:
            return _misread(outline) if isinstance(outline, Outline) else ""
    except FileNotFoundError:
        return f"{path} is no longer there ({Path(path).expanduser().absolute()})"
    except (OSError, RuntimeError) as error:  # no such home
        return f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
    return f"{path} has changed since the trials saw it"


def _misread(outline: Outline) -> str:
    """Why data that are there say something else than they did; empty where they do not."""
    from ganstudy import targets

    try:
        target = targets.target_of(outline.settings)
        now = target.outline if isinstance(target, OwnData) else None
    except (KeyError, ValueError) as error:
        return f"{outline.path} cannot be read as it was: {str(error).splitlines()[-1].strip()}"
    if now is not None and now.is_like(outline):
        return ""
    return f"{outline.path} is read otherwise by this version of ganstudy"
