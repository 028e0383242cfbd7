"""Exports that are files of their own: written anew where they would differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ganstudy.export._base import ExportedRun, ExportError
from ganstudy.whole_file import write_whole

__all__ = ["known", "remember", "replaced"]

_DIGESTS = "exported.json"
"""What a place holds: the digest of each trial, by `STUDY/ID`."""


def known(place: Path) -> dict[str, str]:
    """Digests of the trials that a place holds, by `STUDY/ID`."""
    try:
        content = json.loads((place / _DIGESTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(content) if isinstance(content, dict) else {}


def remember(place: Path, digests: Mapping[str, str]) -> None:
    """Note what a place holds.

    Errors  `OSError`.
    """
    write_whole(place / _DIGESTS, json.dumps(digests, indent=1).encode())


def replaced(run: ExportedRun, place: Path, content: Mapping[str, bytes]) -> int:
    """Write files that tell a whole run, if a trial is new; how many trials are.

    Errors  `OSError`; `ExportError` for files that no export has written, or that of another run.
    """
    # An earlier version noted ids alone.
    before = {i if "/" in i else f"{run.study}/{i}": digest for i, digest in known(place).items()}
    now = run.digests
    missing = [name for name in content if not (place / name).exists()]
    if now == before and not missing:
        return 0
    if len(missing) < len(content) and not (place / _DIGESTS).exists():
        name = next(name for name in content if name not in missing)
        raise ExportError(f"{place / name}: is there, and is no export; choose another --to")
    run.refuse_another(before, place)
    place.mkdir(parents=True, exist_ok=True)
    if not before:  # so that what is there is known as an export, should it not come to its end
        remember(place, before)
    for name, own in content.items():
        write_whole(place / name, own)
    remember(place, now)
    return len(now) if missing else sum(before.get(i) != digest for i, digest in now.items())
