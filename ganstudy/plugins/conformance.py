"""The suites that every member passes, for the member of a plug-in."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from ganstudy import plugins

__all__ = ["check", "pytest_configure"]

_CHECKED = "GANSTUDY_CHECKED_PLUGIN"
_NEEDED = ("pytest", "xdist", "mpmath", "sympy", "ot")


def check(path: Path) -> int:
    """Run the conformance suites on the member that a file defines; pytest's exit code.

    The suites run in a process of their own, and print what they find.

    Errors  `PluginError` if the file holds no member, if what the suites need is not installed, or
            if no suite has a test for the member.
    """
    family, member = plugins.load(path)
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        needed = f"the suites need {', '.join(missing)}: pip install 'ganstudy[test]'"
        raise plugins.PluginError(needed)
    command = [
        *(sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "-p", __name__),
        *("--override-ini", "addopts=", "-k", member.name, str(_suites())),
    ]
    environment = {**os.environ, _CHECKED: str(path.resolve())}
    code = subprocess.run(command, env=environment, check=False).returncode
    if code == 5:
        raise plugins.PluginError(f"{path}: no suite has a test for a member of {family}")
    return code


def pytest_configure() -> None:
    """In the process of the suites: the member stands beside those of the package in each."""
    plugins.load(Path(os.environ[_CHECKED]))


def _suites() -> Path:
    """The folder of the suites: within an installed package, or in a checkout beside it."""
    package = Path(plugins.__file__).parents[1]
    installed = package / "conformance"
    return installed if installed.is_dir() else package.parent / "tests" / "conformance"
