"""The page over all studies of a job, where their runs can be joined."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ganstudy import existing
from ganstudy.report import PageError
from ganstudy.store import RunError, finished, lock, page_files
from ganstudy.store.job_directory import JobDirectory
from ganstudy.store.place import Unlike, check_joined

if TYPE_CHECKING:
    from ganstudy.job.walk import RunEnded

__all__ = ["JoinedPage", "page_anew", "page_where_due"]


class JoinedPage(NamedTuple):
    """The page over all studies, or why there is none; and the exit code that is due to it."""

    path: Path | None = None
    why: str = ""
    code: int = 0


def _page(folder: Path, runs: Sequence[Path], command: str) -> JoinedPage:
    """Build it anew; studies that are not alike are no mistake, and have none, nor has one alone:
    an earlier one, of studies that were, is removed.
    """
    report = folder / "report"
    try:
        with lock.refusing():
            if len(runs) < 2:
                gone = (report / "index.html").is_file() and page_files.is_free(report)
                why = "no page over all studies: it needs two runs; the earlier one is removed"
                return JoinedPage(why=why * (gone and page_files.remove(report)))
            check_joined(folder)
            try:
                return JoinedPage(existing.report_joined(folder, runs, command))
            except Unlike as error:
                removed = "; the earlier one is removed" * page_files.remove(report)
                return JoinedPage(why=f"no page over all studies: {error}{removed}")
    except RunError as error:
        return JoinedPage(why=f"no page over all studies: {error}", code=2)
    except PageError as error:
        return JoinedPage(error.page, str(error), 1)


def page_anew(folder: Path, runs: Sequence[Path], command: str) -> JoinedPage:
    """Build it by itself, while nobody else runs the folder."""
    job = JobDirectory(folder)
    try:
        with job.held() if job.exists else nullcontext():
            return _page(folder, runs, command)
    except RunError as error:
        return JoinedPage(why=f"no page over all studies: {error}", code=2)


def page_where_due(job: JobDirectory, ended: Sequence[RunEnded], command: str) -> JoinedPage:
    """Build it if every study has ended, unless it is there and nothing has changed."""
    if any(own.progress is None for own in ended):
        return JoinedPage(why="no page over all studies: not all of them could be run")
    runs = [own.run for own in ended]
    if finished.joined_page_is_current(job.path, runs):
        return JoinedPage(job.report / "index.html")
    with job.held():
        return _page(job.path, runs, command)
