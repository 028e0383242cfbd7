"""Exports that are files of their own: written anew where they would differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ganstudy.export._base import ExportedRun, ExportError
from ganstudy.whole_file import write_whole

__all__ = ["has_noted", "known", "remember", "replaced"]

_EARLIER = "exported.json"
"""What a place holds, as earlier versions noted it, whatever tool it is for."""


def known(place: Path, tool: str) -> dict[str, str]:
    """Digests of the trials that a place holds for this tool, by `STUDY/ID`."""
    for name in (_noted(tool), _EARLIER):
        try:
            content = json.loads((place / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return dict(content) if isinstance(content, dict) else {}
    return {}


def has_noted(place: Path, tool: str) -> bool:
    """Whether what is known is this tool's own note: that of earlier versions may be another's."""
    return (place / _noted(tool)).exists()


def remember(place: Path, tool: str, digests: Mapping[str, str]) -> None:
    """Note what a place holds for this tool: others may have theirs there.

    Errors  `OSError`.
    """
    write_whole(place / _noted(tool), json.dumps(digests, indent=1).encode())


def _noted(tool: str) -> str:
    return f"exported-{tool}.json"


def replaced(run: ExportedRun, place: Path, tool: str, content: Mapping[str, bytes]) -> int:
    """Write files that tell a whole run, if a trial is new; how many trials are.

    Errors  `OSError`; `ExportError` for files that no export has written, or that of another run.
    """
    # An earlier version noted ids alone.
    noted = known(place, tool)
    before = {i if "/" in i else f"{run.study}/{i}": digest for i, digest in noted.items()}
    now = run.digests
    own = has_noted(place, tool)
    missing = [name for name in content if not (place / name).exists()]
    # What an earlier version wrote had other types.
    if now == before and not missing and own:
        return 0
    if len(missing) < len(content) and not (own or (place / _EARLIER).exists()):
        name = next(name for name in content if name not in missing)
        raise ExportError(f"{place / name}: is there, and is no export; choose another --to")
    run.refuse_another(before, place, replacing=True)
    place.mkdir(parents=True, exist_ok=True)
    if not before:  # so that what is there is known as an export, should it not come to its end
        remember(place, tool, before)
    for name, file in content.items():
        write_whole(place / name, file)
    remember(place, tool, now)
    return len(now) if missing else sum(before.get(i) != digest for i, digest in now.items())
