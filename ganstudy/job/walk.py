"""One study after the other: what is missing of each, by the walk of a single study."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ganstudy import pipeline
from ganstudy.engine import pace
from ganstudy.outlook import Outlook
from ganstudy.session import check_program
from ganstudy.store import RunDirectory, RunError, finished, lock
from ganstudy.store.job_directory import Foreseen
from ganstudy.store.place import naming_plugins
from ganstudy.study.document import StudyError

if TYPE_CHECKING:
    from ganstudy.job.folder import Folder
    from ganstudy.progress import Progress
    from ganstudy.schedule.where import Where
    from ganstudy.store.job_directory import JobDirectory
    from ganstudy.study import Study

__all__ = ["RunEnded", "walk"]


class RunEnded(NamedTuple):
    """How the run of a study has ended; without progress, why it could not be run."""

    study: str
    run: Path
    progress: Progress | None
    why: str = ""


def walk(
    folder: Folder,
    where: Mapping[str, Where],
    *,
    command: str = "",
    observing: Callable[[str], AbstractContextManager[Callable[[Progress], None]]],
    during: Callable[[Study, Path], AbstractContextManager[None]] = lambda study, run: (
        nullcontext()
    ),
    fresh: bool = False,
    moved: Callable[[Path], None] = lambda path: None,
) -> Iterator[RunEnded]:
    """Run the studies of a folder one after the other; how each has ended, as it ends.

    One that cannot be run keeps none of the others from it.

    where      of each study, by its name
    observing  entered for each study, by its name; gives what is told of its progress
    during     entered while its packs train
    fresh      set each run that is there aside, before the first is begun
    moved      told where each of them is now

    Errors  `RunError` if another process runs the folder, and, before a run is set aside, if no
            worker can be reached; `KeyboardInterrupt`, which ends the job,
            once packs in flight are kept.
    """
    directory = folder.directory
    with directory.held():
        runs = {name: directory.run(name) for name in folder.studies}
        if fresh and any(run.path.exists() for run in runs.values()):
            pipeline.check_reachable(next(iter(where.values())))  # which is that of all
        refused = _set_aside(folder.studies, where, runs, moved) if fresh else {}
        ahead: dict[str, Outlook | Foreseen] = {}
        for name, study in folder.studies.items():
            try:
                with naming_plugins(), lock.refusing():
                    ahead[name] = _ahead(study, where[name], runs[name])
            except RunError as error:
                refused.setdefault(name, str(error))
                ahead[name] = Foreseen(0, 0.0)
        directory.write(_plan(ahead, refused), running=next(iter(folder.studies)))
        for name, why in refused.items():
            yield RunEnded(name, runs[name].path, None, why)
        for name, study in folder.studies.items():
            if name in refused:
                continue
            # Anew each time: what ran before has shown the pace of this machine.
            directory.write(_plan(ahead, refused), running=name)
            path = runs[name].path
            try:
                with lock.refusing(), observing(name) as told:
                    observe = _beating(directory, name, told)
                    progress = pipeline.run(
                        study,
                        path,
                        **vars(where[name]),
                        command=command,
                        observe=observe,
                        during=during(study, path),
                    )
            except (StudyError, RunError) as error:
                yield RunEnded(name, path, None, str(error))
            else:
                yield RunEnded(name, path, progress)


def _beating(
    directory: JobDirectory, name: str, observe: Callable[[Progress], None]
) -> Callable[[Progress], None]:
    """What observes a run, and says from one second to the next that the job is alive."""
    latest = time.monotonic()

    def observed(progress: Progress) -> None:
        nonlocal latest
        if time.monotonic() - latest >= 1.0:
            latest = time.monotonic()
            # Where there is no room for it there is none for records, whose loss is to be told.
            with suppress(OSError):
                directory.beat(name)
        observe(progress)

    return observed


def _set_aside(
    studies: Mapping[str, Study],
    where: Mapping[str, Where],
    runs: Mapping[str, RunDirectory],
    moved: Callable[[Path], None],
) -> dict[str, str]:
    """Set each run that is there aside; by name, why one could not be, or has no successor."""
    refused: dict[str, str] = {}
    for name, run in runs.items():
        if run.path.exists():
            try:
                with lock.refusing():
                    check_program(studies[name], run, where[name])
                    moved(run.set_aside())
            except RunError as error:
                refused[name] = str(error)
    return refused


def _ahead(study: Study, where: Where, run: RunDirectory) -> Outlook | Foreseen:
    """All there is to train of a study; nothing if its run has ended."""
    if known := finished.found(run, study):
        return Foreseen(sum(known.status.values()), 0.0)
    return Outlook.of(study, where)


def _plan(ahead: Mapping[str, Outlook | Foreseen], refused: Collection[str]) -> dict[str, Foreseen]:
    """Of all studies, by which their runs are known; those that are refused take no time."""
    shown = pace.known()
    return {
        name: own
        if isinstance(own, Foreseen)
        else Foreseen(own.search.counts().total(), (name not in refused) * own.seconds(shown))
        for name, own in ahead.items()
    }
