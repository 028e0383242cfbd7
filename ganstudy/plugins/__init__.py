"""Plug-ins: family members that live in files of the user's own.

A plug-in is a Python file that defines one member, a subclass of `Divergence`, `Target`, `Metric`
or of another family's base. Its stem is the member's name, as in the package. Files are imported as
modules of this package, whose search path is kept in the environment, so that worker processes find
them as well.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from ganstudy.family import Family, Part

__all__ = ["FAMILIES", "PluginError", "families", "family", "forget", "load", "place"]

FAMILIES = (
    *("divergences", "constraints", "targets", "networks", "activations", "initialisations"),
    *("optimizers", "updates", "estimators", "features", "metrics", "kinds", "search"),
    *("executors", "sections", "export"),
)
"""Names of all families."""

_WITHIN = {
    "updates": "ganstudy.kinds.adversarial",
    "executors": "ganstudy.schedule",
    "sections": "ganstudy.report",
}
"""Where families lie that are no package of their own."""

_VARIABLE = "GANSTUDY_PLUGINS"
_HERE = Path(__file__).parent


def _folders() -> list[str]:
    """Where plug-ins lie; as JSON, since any sign may stand in the name of a folder."""
    folders: list[str] = json.loads(os.environ.get(_VARIABLE) or "[]")
    return folders


__path__ += _folders()


class PluginError(Exception):
    """A file that holds no member that could be used."""


def families() -> dict[str, Family[Part]]:
    """All families by name."""
    return {name: family(name) for name in FAMILIES}


def family(name: str) -> Family[Part]:
    """The family of a name; no other is imported."""
    package = importlib.import_module(f"{_WITHIN.get(name, 'ganstudy')}.{name}")
    own: Family[Part] = package.family
    return own


def place(folder: Path, name: str) -> Path:
    """Where the plug-in lies that a study in a folder names: a run has a copy beside its study."""
    path = folder / name
    return path if path.is_file() else folder / path.name


def load(path: Path) -> tuple[str, type[Part]]:
    """Add the member that a file defines to its family; the family's name, and the member.

    Errors  `PluginError` if there is no such file, if it cannot be imported, defines no member or
            several, or if its name is taken.
    """
    path = path.resolve()
    if not path.is_file() or path.suffix != ".py":
        raise PluginError(f"{path}: no such Python file")
    if not path.stem.isidentifier():
        raise PluginError(f"{path}: the stem is the member's name and must be an identifier")
    folder = str(path.parent)
    if folder not in __path__:
        __path__.append(folder)
        importlib.invalidate_caches()
        os.environ[_VARIABLE] = json.dumps([*_folders(), folder])
    try:
        # Standard output is for answers.
        with redirect_stdout(sys.stderr):
            module = importlib.import_module(f"{__name__}.{path.stem}")
    # Whatever a file of the user's raises is told with its name, the end of a script too.
    except (Exception, SystemExit) as error:
        raise PluginError(f"{path}: {type(error).__name__}: {error}") from error
    # A run keeps copies of its plug-ins, each of which is as good as the file that it is of.
    if module.__file__ is None or Path(module.__file__).read_bytes() != path.read_bytes():
        raise PluginError(f"{path}: another plug-in has this name: {module.__file__}")
    found = [
        (name, own, member) for name, own in families().items() for member in own.defined_in(module)
    ]
    if len(found) != 1:
        members = ", ".join(member.__name__ for _, _, member in found) or _lacking(module)
        raise PluginError(f"{path}: a plug-in defines one member of a family (found: {members})")
    ((name, own, member),) = found
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    try:
        own.add(member, digest)
    except ValueError as error:
        raise PluginError(f"{path}: {error}") from None
    return name, member


def forget() -> None:
    """Leave all plug-ins out of their families, so that files that have changed can be loaded anew.

    For notebooks and tests: a process otherwise keeps to the members that it began with.
    """
    for own in families().values():
        own.forget()
    folders = _folders()
    os.environ.pop(_VARIABLE, None)
    __path__[:] = [folder for folder in __path__ if folder not in folders]
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{__name__}.") and Path(str(module.__file__)).parent != _HERE:
            del sys.modules[name]


def _lacking(module: ModuleType) -> str:
    """That a module has no member, or what its classes still lack to be one."""
    lacking = [
        f"{own.__name__}, which does not define {', '.join(sorted(own.__abstractmethods__))}"
        for own in vars(module).values()
        if inspect.isabstract(own) and own.__module__ == module.__name__
    ]
    return "; ".join(lacking) or "none"
