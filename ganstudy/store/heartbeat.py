"""The heartbeat: what a process says, from one second to the next, of the run that it is at."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import psutil
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from ganstudy.whole_file import Damaged, read_now, sealed, unsealed, write_whole

__all__ = ["read", "write"]

_SILENCE = 600.0
"""Seconds after which a process of another machine, which cannot be looked for, is not believed to
live; results are gathered, and a report is written, without a word."""

_CLOCK = 10.0
"""Seconds by which the birth of a process may seem to move: it is counted from the start of the
machine, which moves when the clock is set."""


class _Said(TypedDict):
    """What every heartbeat says; how far the run is comes with it."""

    host: str
    process: Annotated[int, Field(gt=0)]
    born: Annotated[float, Field(allow_inf_nan=False)]
    folder: int
    said: Annotated[float, Field(allow_inf_nan=False)]


_SAID = TypeAdapter(_Said)


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Say how far this process is, for others that ask.

    Errors  `OSError`.
    """
    own = {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "born": psutil.Process().create_time(),
        # A copy of the folder has the file, and nobody at it.
        "folder": path.parent.stat().st_ino,
        "said": time.time(),
    }
    write_whole(path, sealed({**own, **content}), durable=False)


def read(path: Path) -> dict[str, Any] | None:
    """What the process that runs here has last said; None if there is no such process.

    What is damaged, or says something else than this version does, is of nobody.
    """
    try:
        content = unsealed(read_now(path))
        said = _SAID.validate_python(content, strict=True)
        if said["folder"] != path.parent.stat().st_ino:
            return None
    except (OSError, Damaged, ValidationError):
        return None
    if content["host"] != socket.gethostname():
        return content if time.time() - content["said"] < _SILENCE else None
    try:
        born = psutil.Process(content["process"]).create_time()
    except (psutil.Error, OverflowError):
        return None
    return content if abs(born - content["born"]) < _CLOCK else None
