"""files.json beside a page: the files that a report has made there, which it may remove again.

Whatever else lies there is somebody else's, and stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from ganstudy.whole_file import Damaged, is_partial, read_now, sealed, unsealed, write_whole

__all__ = ["NAME", "is_free", "made", "note", "remove"]

NAME = "files.json"

_HEAD = b'<meta name="color-scheme" content="light dark">'
_LINK = re.compile(r'href="([^"/:#]+\.(?:png|svg|csv|tex))"')


def made(folder: Path) -> frozenset[str]:
    """Names of the files that a report has made beside its page."""
    listed = _listed(folder)
    return (_linked(folder) or frozenset()) if listed is None else listed


def note(folder: Path, names: Iterable[str]) -> None:
    """Say which files of a folder are those of its page.

    Errors  `OSError`.
    """
    content = sealed({"files": sorted(names)}, indent=2)
    write_whole(folder / NAME, content, durable=False)


def is_free(folder: Path) -> bool:
    """Whether a page can lie in a folder: nothing is there, or a page is."""
    if not os.path.lexists(folder):
        return True
    if not folder.is_dir():
        return False
    if all(is_partial(own) for own in folder.iterdir()):
        return True
    return _listed(folder) is not None or _linked(folder) is not None


def remove(folder: Path) -> bool:
    """Remove a page and its files, and the folder if nothing else is there; whether there was one.

    Errors  `OSError`.
    """
    index, own = folder / "index.html", made(folder)
    there = index.is_file()
    files = [path for path in folder.iterdir() if path.name in own] if folder.is_dir() else []
    # What tells whose files these are goes last: a removal that was stopped can be taken up.
    for path in (*files, index, folder / NAME):
        path.unlink(missing_ok=True)
    if folder.is_dir():
        if any(folder.iterdir()):
            note(folder, ())
        elif not folder.is_symlink():
            folder.rmdir()
    return there


def _listed(folder: Path) -> frozenset[str] | None:
    try:
        names = unsealed(read_now(folder / NAME))["files"]
        return frozenset(map(str, names))
    except (OSError, Damaged, KeyError, TypeError):
        return None


def _linked(folder: Path) -> frozenset[str] | None:
    """Those to which a page leads that was made before there were lists; None if it is not ours."""
    try:
        page = read_now(folder / "index.html")
    except OSError:
        return None
    if _HEAD not in page or b"ganstudy" not in page:
        return None
    return frozenset(_LINK.findall(page.decode(errors="replace")))
