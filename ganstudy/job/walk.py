"""One study after the other: what is missing of each, by the walk of a single study."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ganstudy import pipeline, session
from ganstudy.engine import pace
from ganstudy.engine.packing import estimate
from ganstudy.search import search_of
from ganstudy.store import RunDirectory, RunError, finished
from ganstudy.store.job_directory import Foreseen
from ganstudy.store.place import naming_plugins
from ganstudy.study.document import StudyError

if TYPE_CHECKING:
    from ganstudy.job.folder import Folder
    from ganstudy.kinds import Pack
    from ganstudy.progress import Progress
    from ganstudy.study import Study
    from ganstudy.trial import ProgramName

__all__ = ["RunEnded", "walk"]


class RunEnded(NamedTuple):
    """How the run of a study has ended; without progress, why it could not be run."""

    study: str
    run: Path
    progress: Progress | None
    why: str = ""


class _Outlook(NamedTuple):
    """What there is to train of a study: all, or nothing if its run has ended."""

    trials: int
    parts: list[Pack]
    program: ProgramName

    @classmethod
    def of(cls, study: Study, run: RunDirectory, workers: int, devices: Sequence[str]) -> _Outlook:
        if known := finished.found(run, study):
            return cls(sum(known.status.values()), [], known.program)
        search = search_of(study)
        parts = search.outlook(workers)
        program, _ = session.first_program(search, parts, devices)
        return cls(search.counts().total(), parts, program)


def walk(
    folder: Folder,
    *,
    observing: Callable[[str], AbstractContextManager[Callable[[Progress], None]]],
    during: Callable[[Study, Path], AbstractContextManager[None]] = lambda study, run: (
        nullcontext()
    ),
    fresh: bool = False,
    moved: Callable[[Path], None] = lambda path: None,
    **how: Any,
) -> Iterator[RunEnded]:
    """Run the studies of a folder one after the other; how each has ended, as it ends.

    One that cannot be run keeps none of the others from it.

    observing  entered for each study, by its name; gives what is told of its progress
    during     entered while its packs train
    fresh      set each run that is there aside, before the first is begun
    moved      told where each of them is now
    how        workers and the like, as `pipeline.run` takes them

    Errors  `RunError` if another process runs the folder, and, before a run is set aside, if no
            worker can be reached; `KeyboardInterrupt`, which ends the job,
            once packs in flight are kept.
    """
    directory = folder.directory
    with directory.held():
        runs = {name: directory.run(name) for name in folder.studies}
        if fresh and any(run.path.exists() for run in runs.values()):
            pipeline.check_reachable(how.get("executor", "local"), how.get("options", {}))
        refused = _set_aside(runs, moved) if fresh else {}
        outlooks: dict[str, _Outlook] = {}
        where = how["workers"], how.get("devices", ("cpu",))
        for name in [own for own in folder.studies if own not in refused]:
            try:
                with naming_plugins():
                    outlooks[name] = _Outlook.of(folder.studies[name], runs[name], *where)
            except RunError as error:
                refused[name] = str(error)
        for name, why in refused.items():
            yield RunEnded(name, runs[name].path, None, why)
        for name, study in folder.studies.items():
            if name in refused:
                continue
            # Anew each time: what ran before has shown the pace of this machine.
            directory.write(_plan(outlooks, how["workers"]), running=name)
            path = runs[name].path
            try:
                with observing(name) as observe:
                    progress = pipeline.run(
                        study, path, **how, observe=observe, during=during(study, path)
                    )
            except (StudyError, RunError) as error:
                yield RunEnded(name, path, None, str(error))
            else:
                yield RunEnded(name, path, progress)


def _set_aside(runs: Mapping[str, RunDirectory], moved: Callable[[Path], None]) -> dict[str, str]:
    """Set each run that is there aside; by name, why one could not be."""
    refused: dict[str, str] = {}
    for name, run in runs.items():
        if run.path.exists():
            try:
                moved(run.set_aside())
            except RunError as error:
                refused[name] = str(error)
    return refused


def _plan(outlooks: dict[str, _Outlook], workers: int) -> dict[str, Foreseen]:
    known = pace.known()
    return {
        name: Foreseen(own.trials, estimate(own.parts, workers, own.program, known))
        for name, own in outlooks.items()
    }
