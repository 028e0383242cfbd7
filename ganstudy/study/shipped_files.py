"""Where the studies are that come with the package, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["files", "folder", "folders"]


def folder() -> Path:
    """Where they lie: within an installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "studies"
    return installed if installed.is_dir() else package.with_name("studies")


def files() -> Mapping[str, Path]:
    """Each study's file by its name, those of protocols of the literature last.

    Those of a folder that share settings are run as one job, and are left out.
    """
    shared = set(folders().values())
    paths = [path for path in folder().rglob("*.yaml") if path.parent not in shared]
    return {path.stem: path for path in sorted(paths, key=lambda p: (len(p.parts), p.name))}


def folders() -> Mapping[str, Path]:
    """Each folder whose studies share settings, by its name; it is run as one job."""
    return {path.parent.name: path.parent for path in sorted(folder().rglob("_*.yaml"))}
