"""Which packages are there, and what to do about those that are not."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

PROJECT: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
)["project"]
"""What this checkout says of itself; what is installed may be another one."""

OF_SUITES = ("pot", "pytest", "pytest-xdist")
"""What the suites take of the tests' packages."""


def _asked(requirements: list[str]) -> dict[str, str]:
    return {name: least for name, _, least in (own.partition(">=") for own in requirements)}


NEEDED = {
    **_asked(PROJECT["dependencies"]),
    **{name: _asked(PROJECT["optional-dependencies"]["test"])[name] for name in OF_SUITES},
    **{"ganstudy": PROJECT["version"], "triton": "3.6"},
}
"""Each with the least version; what these need comes with them."""


def missing() -> tuple[dict[str, str], dict[str, str]]:
    """What is absent and what is older, with the version that is wanted."""
    absent, older = {}, {}
    triton = packages_distributions().get("triton", ["triton"])[0]  # which has several names
    for name, least in NEEDED.items():
        try:
            there = version(triton if name == "triton" else name)
        except PackageNotFoundError:
            absent[name] = f"{name}>={least}"
        else:
            if _numbers(there) < _numbers(least):
                older[name] = f"{name}>={least} (there is {there})"
    return absent, older


def what_to_do(absent: dict[str, str]) -> str:
    """In words."""
    names = ", ".join(absent.values())
    return (
        f"missing: {names}\n"
        "`make wheels` on a machine with a network puts most of what may be missing into\n"
        "build/wheels (50 MB); bring that folder, and run `make gpu-check WHEELS=build/wheels`"
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("+")[0].split(".")[:3] if part.isdecimal())
