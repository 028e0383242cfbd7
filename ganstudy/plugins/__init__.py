"""Plug-ins: family members that live in files of the user's own.

A plug-in is a Python file that defines one member, a subclass of `Divergence`, `Target`, `Metric`
or of another family's base. Its stem is the member's name, as in the package. Its text is imported
as a module of this package, and goes with what is made of it to other processes: what becomes of
the file meanwhile, and whether they see it, is nothing to them.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import pickle
import pickletools
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from importlib.abc import SourceLoader
from importlib.machinery import PathFinder
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from ganstudy import whole_file
from ganstudy.cause import of_plugin

if TYPE_CHECKING:
    from types import ModuleType

    from ganstudy.family import Family, Part

__all__ = [
    *("FAMILIES", "PluginError", "carried", "digest", "families", "family", "forget", "load"),
    *("no_python_file", "received", "text"),
]

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


def digest(content: bytes) -> str:
    """What ids tell of the text of a plug-in."""
    return whole_file.digest(content)[:12]


def no_python_file(path: Path) -> str:
    """Why a path is none of a Python file; empty if it is."""
    if not path.is_file():
        return "no such Python file"
    return "" if path.suffix == ".py" else "is no Python file"


def load(path: Path | str) -> tuple[str, type[Part]]:
    """Add the member that a file defines to its family; the family's name, and the member.

    For notebooks; the file is code, and is run. A study that is run names its plug-ins itself.

    Errors  `PluginError` if there is no such file, if it cannot be imported, imports a file beside
            it, defines no member or several, if its name is taken, or if it has changed since this
            process loaded it.
    """
    path = Path(path).resolve()
    if why := no_python_file(path):
        raise PluginError(f"{path}: {why}")
    if not path.stem.isidentifier():
        raise PluginError(f"{path}: the stem is the member's name and must be an identifier")
    content = path.read_bytes()
    for line, name in _imported_from_beside(path, content):
        raise PluginError(
            f"{path}:{line}: imports {name}, which lies beside it: a plug-in is one file, whose "
            "text is in the ids of trials and in the run; put that into it, or install it elsewhere"
        )
    own = _added(path, content, families())
    return own.family, own.member


def text(stem: str) -> bytes:
    """The text of a plug-in that is loaded, as it was when it was."""
    return _loaded[stem].text


def carried(value: object) -> bytes:
    """A value for another process, with the plug-ins that it is made of."""
    content = pickle.dumps(value)
    named = [own for own in _loaded.values() if _module(own.path).encode() in content]
    if named:  # or only like one: a pickle has modules of classes as texts of their own
        said = {text for _, text, _ in pickletools.genops(content) if isinstance(text, str)}
        named = [own for own in named if _module(own.path) in said]
    return pickle.dumps(([(str(own.path), own.text, own.family) for own in named], content))


def received(content: bytes) -> Any:
    """What was carried here; its plug-ins are loaded as they were there.

    Errors  `PluginError` for one that cannot be loaded here, or of which this process has loaded
            another text; whatever comes of a value that cannot be unpickled.
    """
    named, inner = pickle.loads(content)
    for path, own, name in named:
        _added(Path(path), own, {name: family(name)})
    return pickle.loads(inner)


def forget() -> None:
    """Leave all plug-ins out of their families, so that files that have changed can be loaded anew.

    For notebooks and tests: a process otherwise keeps to the members that it began with.
    """
    for own in families().values():
        own.forget()
    for known in _loaded.values():
        del sys.modules[_module(known.path)]
    _loaded.clear()


@dataclass(frozen=True)
class _Loaded:
    """A plug-in as it was loaded: the text that its member is made of."""

    path: Path
    text: bytes
    family: str
    member: type[Part]


_loaded: dict[str, _Loaded] = {}
"""By their stems."""

_loading = RLock()


def _added(path: Path, content: bytes, among: Mapping[str, Family[Part]]) -> _Loaded:
    """The member of a text, which is added to its family unless it is there.

    Errors  `PluginError`.
    """
    with _loading:
        if known := _loaded.get(path.stem):
            # A run keeps copies of its plug-ins, each of which is as good as the file it is of.
            if known.text != content:
                raise PluginError(f"{path}: {_why_not(path, known)}")
            return known
        module = _imported(path, content)
        try:
            found = [
                _Loaded(path, content, name, member)
                for name, own in among.items()
                for member in own.defined_in(module)
            ]
            if len(found) != 1:
                members = ", ".join(own.member.__name__ for own in found) or _lacking(module)
                message = f"a plug-in defines one member of a family (found: {members})"
                raise PluginError(f"{path}: {message}")
            try:
                among[found[0].family].add(found[0].member, digest(content))
            except ValueError as error:
                raise PluginError(f"{path}: {error}") from None
        except BaseException:  # Ctrl-C, too
            del sys.modules[module.__name__]
            raise
        _loaded[path.stem] = found[0]
        return found[0]


def _why_not(path: Path, known: _Loaded) -> str:
    if path != known.path:
        return f"another plug-in has this name: {known.path}"
    return (
        "has changed since this process loaded it, and another text is another experiment: begin "
        "anew, in a notebook by ganstudy.plugins.forget()"
    )


def _module(path: Path) -> str:
    return f"{__name__}.{path.stem}"


class _Text(SourceLoader):
    """Imports a text as that of a file, whatever the file holds now."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path, self.content = str(path), content

    def get_filename(self, fullname: str) -> str:
        """Where it was read."""
        return self.path

    def get_data(self, path: str) -> bytes:
        """The text."""
        return self.content


def _imported(path: Path, content: bytes) -> ModuleType:
    """The module of a text.

    Errors  `PluginError`.
    """
    name, loader = _module(path), _Text(path, content)
    if taken := importlib.util.find_spec(name):
        raise PluginError(f"{path}: another plug-in has this name: {taken.origin}")
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        # Standard output is for answers.
        with redirect_stdout(sys.stderr):
            loader.exec_module(module)
    except BaseException as error:  # Ctrl-C, too
        del sys.modules[name]
        # Whatever a file of the user's raises is told with its name, the end of a script too.
        if isinstance(error, Exception | SystemExit):
            raise PluginError(_in_words(error, path)) from error
        raise
    return module


def _in_words(error: BaseException, path: Path) -> str:
    """What the text of a file raised, and at which of its lines."""
    told = of_plugin(error)[1] or f"{path}: {type(error).__name__}: {error}"
    if getattr(error, "code", "") != "model-field-missing-annotation":
        return told
    where, assigned = told.partition(": ")[0], str(error).split("`")[1]
    constant = assigned.replace(" =", ": ClassVar =", 1)
    return f"{where}: `{assigned}` lacks a type: a constant is `{constant}`, a parameter a `Field`"


def _imported_from_beside(path: Path, content: bytes) -> Iterator[tuple[int, str]]:
    """Modules that a text takes from its folder, or of other plug-ins, and in which lines."""
    with suppress(SyntaxError, ValueError):  # which are told by who imports it
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.Import):
                names = [(own.name, own.name) for own in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                within = f"{module}." if node.module else module
                wholes = [within + own.name for own in node.names]
                names = [(module if node.module else own, own) for own in wholes]
            else:
                continue
            for told, whole in names:
                if _lies_beside(path.parent, whole):
                    yield node.lineno, told


def _lies_beside(folder: Path, name: str) -> bool:
    with suppress(ImportError, ValueError):  # of what is no module, or is not said where
        name = importlib.util.resolve_name(name, __name__)
        if name.startswith(f"{__name__}."):
            own, _, rest = name.removeprefix(f"{__name__}.").partition(".")
            if not rest and own in globals():
                return False
            return PathFinder.find_spec(f"{__name__}.{own}", __path__) is None
        top = name.partition(".")[0]
        # The package itself may: in a checkout.
        if top != __name__.partition(".")[0] and (spec := importlib.util.find_spec(top)):
            # Of a package its folders, of which one without an `__init__.py` has several.
            places = spec.submodule_search_locations or [str(spec.origin)] * spec.has_location
            return any(Path(place).parent.resolve() == folder for place in places)
    return False


def _lacking(module: ModuleType) -> str:
    """That a module has no member, or what its classes still lack to be one."""
    lacking = [
        f"{own.__name__}, which does not define {', '.join(sorted(own.__abstractmethods__))}"
        for own in vars(module).values()
        if inspect.isabstract(own) and own.__module__ == module.__name__
    ]
    return "; ".join(lacking) or "none"
