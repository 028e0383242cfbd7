"""A look at a run that trains: what its page says of that, and once nobody trains it any more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ganstudy.whole_file import write_whole

__all__ = ["Look", "end_look"]


@dataclass(frozen=True)
class Look:
    """What the page of a run that trains says at its top; it reloads itself.

    recorded  trials that have a record, of all that are planned
    built     when, in seconds since 1970
    every     seconds after which the page reloads itself
    """

    recorded: int
    planned: int
    built: int
    every: str

    @property
    def at(self) -> str:
        """When it was taken, in words."""
        return datetime.fromtimestamp(self.built, UTC).strftime("%H:%M:%S UTC on %Y-%m-%d")


_STOPPED = (
    (r"(?<=<strong>)The run is training\.", "The run has stopped."),
    (
        r'(?<=<span class="later">).*?(?=</span>)',
        "<code>ganstudy run</code> continues it; <code>ganstudy report RUN</code> tells all of it.",
    ),
    (r'(?s)<script class="reload">.*?</script>\n', ""),
)


def end_look(index: Path) -> None:
    """Have the page of a look say that its run has stopped, and reload no more; others stay.

    Errors  `OSError`.
    """
    if not index.exists():
        return
    page = index.read_text(encoding="utf-8")
    if '<script class="reload">' not in page:
        return
    for old, new in _STOPPED:
        page = re.sub(old, new, page, count=1)
    write_whole(index, page.encode(), durable=False)
