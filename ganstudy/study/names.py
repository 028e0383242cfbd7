"""What axes and their labels may be called: what files, figures and datasets can all show."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ganstudy.study.document import Document, KeyPath, Problem

__all__ = ["label_problems", "name_problem"]

_LENGTH = 120

_BYTES = 240
"""Of the name of a file, with what a store adds to it."""

_PORTS = (f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))
_OF_DEVICES = {"con", "prn", "aux", "nul", *_PORTS}
"""What Windows takes for devices, with any ending."""


def name_problem(name: str) -> str | None:
    """Why an axis, and so a dimension of the dataset, cannot be called so; None if it can."""
    if why := _unshowable(name, "a name"):
        return why
    if set(name) & set("/\\"):
        return "a name has no slashes: stores take them for folders"
    if forbidden := set(name) & set(':*?"<>|'):
        signs = " or ".join(sorted(forbidden))
        return f"a name has no {signs}: stores make files of names, and Windows has none such"
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        encoding = sys.getfilesystemencoding()
        return f"stores make files of names, and {encoding}, their encoding here, has no such sign"
    if len(encoded) > _BYTES:
        return f"a name has {_BYTES} bytes at most: stores make files of names"
    if name.replace(".", "_").lower() in _OF_DEVICES:
        return "a name of a device on Windows, where stores could make no file of it"
    return None


def label_problems(document: Document, place: KeyPath, labels: Sequence[Any]) -> Iterator[Problem]:
    """Labels that cannot be told apart or shown; `labels` stand as in the dataset."""
    repeated = sorted(str(x) for x, count in Counter(labels).items() if count > 1)
    if repeated:
        yield document.problem(place, f"repeated value: {', '.join(repeated)}")
    for name in labels:
        why = _unshowable(name, "a label") if isinstance(name, str) else None
        if why:
            yield document.problem(place, f"{why} (got {name[:60]!r})")
            return


def _unshowable(text: str, what: str) -> str | None:
    if not text.strip():
        return f"{what} is needed; this one is empty"
    if text != text.strip():
        return f"{what} neither begins nor ends with a space"
    if len(text) > _LENGTH:
        return f"{what} has {_LENGTH} characters at most; name values by labelled bundles"
    if not text.isprintable():
        return f"{what} is of printable characters in one line"
    if text.startswith("_"):
        return f"{what} does not begin with an underscore, which figures leave out"
    return None
