"""environment.json: where and how the trials of a run were trained, one entry a session."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from ganstudy.system import cores
from ganstudy.trial import SCHEMA
from ganstudy.whole_file import Damaged, read_now, sealed, unsealed, write_whole

__all__ = ["append", "read"]

_PACKAGES = ("ganstudy", "torch", "numpy", "scipy", "xarray", "pydantic")


def append(path: Path, known: Mapping[str, Any], session: Mapping[str, Any], study: str) -> None:
    """Write what is known of earlier sessions, and one more, on this machine.

    Errors  `OSError`.
    """
    sessions = [*known.get("sessions", []), {**session, **_machine()}]
    content = {"study": study, "schema": SCHEMA, "sessions": sessions}
    write_whole(path, sealed(content, indent=2))


def read(path: Path) -> dict[str, Any]:
    """What the file holds; empty if there is none.

    Errors  `Damaged`; `OSError` where it cannot be read.
    """
    try:
        text = read_now(path)
    except FileNotFoundError:
        return {}
    try:
        return unsealed(text)
    except Damaged:
        # Those of earlier versions have no seal.
        with suppress(ValueError):
            content = json.loads(text)
            if isinstance(content, dict) and content.keys() == {"study", "schema", "sessions"}:
                return content
        raise


@cache
def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": cores(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }
