"""The suites that every member passes, for the member of a plug-in; what they find, in words."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ganstudy import plugins
from ganstudy.bounds import floats
from ganstudy.family import Member, Part

__all__ = [
    *("Broken", "Checked", "Collected", "check", "in_words", "note", "pytest_configure"),
]

_CHECKED, _FOUND = "GANSTUDY_CHECKED_PLUGIN", "GANSTUDY_FOUND"
_NEEDED = ("pytest", "mpmath", "ot", "sympy", "dask", "distributed", "dask_jobqueue")
_LONGEST = 300


@dataclass(frozen=True)
class Broken:
    """A promise that a member does not keep.

    promise   what the suite asks, in words
    expected  the condition that should hold
    got       what was found in its place
    where     the line of the plug-in that was at work, if one was, the test, and the member that
              it was given, if it says which
    """

    promise: str
    expected: str
    got: str
    where: str


@dataclass(frozen=True)
class Checked:
    """What the suites have found of a plug-in's member.

    left   promises that need more than a plug-in states
    tried  values of each float parameter, its default first
    """

    path: Path
    name: str
    family: str
    kept: int
    left: int
    broken: Sequence[Broken]
    tried: Mapping[str, Sequence[float]]

    def sentences(self) -> Iterator[str]:
        """What a user reads."""
        of = f"{self.path}: {self.name}, a member of {self.family}, because that is the file's name"
        left = f"; {self.left} cannot be checked of a plug-in" if self.left else ""
        at = " and ".join(f"{name} = {_either(own)}" for name, own in self.tried.items())
        keeps = f"it keeps {self.kept} of {self.kept + len(self.broken)} promises{left}"
        yield f"{of}; with {at} {keeps}" if at else f"{of}; {keeps}"
        cases = Counter(one.promise for one in self.broken)
        first = {one.promise: one for one in reversed(self.broken)}
        for promise, count in cases.items():
            one = first[promise]
            yield f"  promise: {promise}" + f" (broken {count} times, first so:)" * (count > 1)
            yield f"    expected: {one.expected}"
            yield f"    got: {one.got}"
            yield f"    at: {one.where}"


def check(path: Path) -> Checked:
    """Run the conformance suites on the member that a file defines.

    They run in a process of their own.

    Errors  `PluginError` if the file holds no member or one that its defaults do not make, if what
            the suites need is not installed, if no suite has a test for the member, or if they
            cannot be run on it.
    """
    family, member = plugins.load(path)
    if why := _unmade(member):
        told = f"{path}: the suites make {member.name} of its defaults"
        raise plugins.PluginError(f"{told}, which is refused: {why}")
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        needed = f"the suites need {', '.join(missing)}: pip install 'ganstudy[test]'"
        raise plugins.PluginError(needed)
    with tempfile.TemporaryDirectory(prefix="ganstudy-") as folder:
        found, settings = (Path(folder) / name for name in ("found.json", "pytest.ini"))
        settings.write_text("[pytest]\n", encoding="utf-8")
        command = [
            *(sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "-p", __name__),
            *("-c", str(settings), "--rootdir", folder, str(_suites())),
        ]
        # What is installed or set for other tests takes a second to import, and may change these.
        own = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        own |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        own |= {_CHECKED: str(path.resolve()), _FOUND: str(found)}
        done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
        if done.returncode == 5:
            raise plugins.PluginError(f"{path}: no suite has a test for a member of {family}")
        if done.returncode not in (0, 1) or not found.is_file():
            said = (done.stdout + done.stderr).strip()[-2000:]
            raise plugins.PluginError(f"{path}: the suites cannot be run on it: {said}")
        told = json.loads(found.read_text(encoding="utf-8"))
    broken = [Broken(**own) for own in told["broken"]]
    return Checked(path, member.name, family, told["kept"], told["left"], broken, told["tried"])


def _unmade(member: type[Part]) -> str:
    """Why a member cannot be made of its defaults; empty if it can."""
    try:
        if issubclass(member, Member):
            member.model_validate({})
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        return ": ".join([*map(str, first["loc"]), message])
    return ""


def _either(values: Sequence[float]) -> str:
    """`1`, `1 or 2`, `1, 2 or 3`."""
    *others, last = [f"{value:g}" for value in values]
    return f"{', '.join(others)} or {last}" if others else last


# --- in the process of the suites ---------------------------------------------------------------


def pytest_configure(config: Any) -> None:
    """The member stands beside those of the package in each suite; what it breaks is collected."""
    family, member = plugins.load(Path(os.environ[_CHECKED]))
    if issubclass(member, Member):
        note(member())
    config.pluginmanager.register(Collected(member.name, family))


_tried: dict[str, list[float]] = {}
"""Values of each float parameter of the member that the suites have asked for."""


def note(member: Member) -> None:
    """Tell, beside what the suites find, that they were given this member of the plug-in."""
    for name, value in floats(member).items():
        if value not in _tried.setdefault(name, []):
            _tried[name].append(value)


class Collected:
    """Hooks of pytest that note each promise."""

    def __init__(self, name: str, family: str) -> None:
        # A suite numbers cases of one member that it cannot tell apart.
        self.own = re.compile(rf"(?<!\w){name}\d*(?!\w)")
        self.of_family = re.compile(rf"^(from|import) .*\b({family}|families)\b", re.MULTILINE)
        self.kept = self.left = 0
        self.broken: list[Broken] = []

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Called by pytest with each path: a suite that imports neither the member's family nor
        `families` has no test of it, and would take seconds to say so.
        """
        if collection_path.suffix != ".py":
            return None
        return not self.of_family.search(collection_path.read_text(encoding="utf-8")) or None

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Called by pytest with all tests: those of the member are left, by its whole name."""
        items[:] = [item for item in items if self.own.search(item.name.partition("[")[2])]

    def pytest_exception_interact(self, node: Any, call: Any, report: Any) -> None:
        """Called by pytest with what was raised; what keeps it from its tests it tells itself."""
        if call.when == "collect":
            return
        self.broken.append(_broken(node, call.excinfo))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Called by pytest after each part of a test."""
        self.kept += report.when == "call" and report.passed
        self.left += report.skipped

    def pytest_sessionfinish(self) -> None:
        """Called by pytest at the end."""
        broken = [asdict(one) for one in self.broken]
        told = {"kept": self.kept, "left": self.left, "broken": broken, "tried": _tried}
        Path(os.environ[_FOUND]).write_text(json.dumps(told), encoding="utf-8")


def _broken(node: Any, excinfo: Any) -> Broken:
    last, plugin = excinfo.traceback[-1], os.environ[_CHECKED]
    within = [entry for entry in excinfo.traceback if str(entry.path) == plugin]
    test = f"{node.location[0]}:{node.location[1] + 1}"
    where = f"{plugin}:{within[-1].lineno + 1}, in {test}" if within else f"the test {test}"
    given = getattr(node, "callspec", None)
    of = [own for own in given.params.values() if isinstance(own, Member)] if given else []
    where += "".join(f", of {own!r}" for own in of if own.plugin)
    of_test = [entry for entry in excinfo.traceback if entry.path == node.path] or [last]
    statement = " ".join(str(of_test[-1].statement).split())
    expected = _condition(statement).replace("pytest.", "")
    got = in_words(str(excinfo.value))
    if not isinstance(excinfo.value, AssertionError):
        got = f"{type(excinfo.value).__name__}: {got}"
    return Broken(_promise(node), _short(expected), _short(got), where)


def _condition(statement: str) -> str:
    """What an assertion holds to be so, without the words beside it; of others, all of it."""
    try:
        node = ast.parse(statement).body[0]
    except SyntaxError:
        return statement
    asserted = isinstance(node, ast.Assert) and ast.get_source_segment(statement, node.test)
    return asserted or statement


def in_words(text: str) -> str:
    """What an assertion has found, without what pytest tells those who know it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = dict(
        line.split(": ", 1) for line in lines if line.startswith(("Obtained: ", "Expected: "))
    )
    if len(told) == 2:
        found = f"{told['Obtained']} instead of {told['Expected']}"
        return _NUMPY.sub(r"\1", found)
    asserted = [line for line in lines if line.startswith("assert ")]
    if not asserted:
        return " ".join(lines)
    about = lines[: lines.index(asserted[0])]
    condition = f"{asserted[0].removeprefix('assert ')} does not hold"
    return _NUMPY.sub(r"\1", ": ".join([*about, condition]))


_NUMPY = re.compile(r"np\.\w+\(([^()]*)\)")
"""A scalar as NumPy prints it."""


def _promise(node: Any) -> str:
    """What the docstring of a test says first, or its name in words."""
    text = inspect.getdoc(getattr(node, "function", None)) or ""
    name = getattr(node, "originalname", node.name).removeprefix("test_").replace("_", " ")
    first = text.partition("\n\n")[0].replace("\n", " ")
    return f"{name}: {first}" if first else name


def _short(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= _LONGEST else f"{one[: _LONGEST - 3]}..."


def _suites() -> Path:
    """The folder of the suites: within an installed package, or in a checkout beside it."""
    package = Path(plugins.__file__).parents[1]
    installed = package / "conformance"
    return installed if installed.is_dir() else package.parent / "tests" / "conformance"
