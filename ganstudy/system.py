"""What operating systems do differently, where Python does not hide it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import PurePath
from typing import TypeVar

__all__ = ["WINDOWS", "in_order"]

PathT = TypeVar("PathT", bound=PurePath)

WINDOWS = os.name == "nt"
"""There no folder can be opened, and none moves while a file in it is open."""


def in_order(files: Iterable[PathT]) -> list[PathT]:
    """Files by their names, folder by folder; Windows itself would not tell case apart."""
    return sorted(files, key=lambda file: file.parts)
