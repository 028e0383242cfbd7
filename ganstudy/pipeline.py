"""The walk from a study file to its report. Read this first."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganstudy.engine.packing import choose_program, cost
from ganstudy.search import Search, search_of
from ganstudy.search.bayes import Bayes
from ganstudy.search.storage import write_storage
from ganstudy.store import RunDirectory, RunError, gather
from ganstudy.study import Study, load

if TYPE_CHECKING:
    from ganstudy.engine.packing import Pack
    from ganstudy.trial import ProgramName, Record

__all__ = ["Progress", "name_of", "reopen", "report", "run"]


@dataclass
class Progress:
    """Where a run stands; trial-steps are M-steps summed over trials."""

    planned: int
    program: ProgramName | None = None
    program_reason: str = ""
    done: Counter[str] = field(default_factory=Counter)
    trained: int = 0
    trial_steps: int = 0
    cost: float = 0.0
    cost_planned: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    @classmethod
    def of(cls, search: Search, left: Sequence[Pack]) -> Progress:
        """At the start, with these packs left to train."""
        done = search.counts()
        progress = cls(done.total(), done=done, cost_planned=sum(map(cost, left)))
        del done["missing"]
        return progress

    @property
    def seconds(self) -> float:
        """Time since the run began."""
        return time.perf_counter() - self.started

    @property
    def seconds_left(self) -> float | None:
        """Time left at the pace so far; None before the first pack has ended."""
        if not self.cost:
            return None
        return self.seconds * max(self.cost_planned / self.cost - 1, 0.0)

    def add(self, search: Search, records: Iterable[Record]) -> None:
        """Count the records of a pack that has ended."""
        trials = {trial.id: trial for trial in search.trials.values()}
        self.done = search.counts()
        del self.done["missing"]
        for record in records:
            configuration = trials[record.id].configuration
            self.trained += 1
            self.trial_steps += configuration.steps
            self.cost += configuration.cost()


def run(
    study: Study,
    out: Path,
    *,
    workers: int,
    devices: tuple[str, ...] = ("cpu",),
    command: str = "",
    observe: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Train what is missing of a study, gather the dataset and build the report.

    Errors  `StudyError` for a study that cannot be run; `RunError` if the directory is in use.
    """
    directory = RunDirectory(out)
    search = search_of(study)
    with directory.locked():
        search.tell(directory.read())
        left = search.outlook(workers)
        progress = Progress.of(search, left)
        progress.program, progress.program_reason = program(directory, study, left, workers)
        directory.write_study(study)
        if left:
            session = {
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "command": command,
                "workers": workers,
                "devices": list(devices),
                "program": progress.program,
            }
            try:
                train(directory, search, session, progress, observe)
            finally:
                session["seconds"] = round(progress.seconds, 1)
                session["trials"] = progress.trained
                session["trial_steps"] = progress.trial_steps
                directory.write_session(session, study.name)
        report(directory, search)
    return progress


def train(
    directory: RunDirectory,
    search: Search,
    session: Mapping[str, Any],
    progress: Progress,
    observe: Callable[[Progress], None],
) -> None:
    """Train what a search asks for and keep the records as they land."""
    # Workers are needed only where something is missing, and cost a second to import.
    from ganstudy.schedule.local import train_packs

    observe(progress)
    workers, devices, program_name = (session[k] for k in ("workers", "devices", "program"))
    for records in train_packs(search, workers, devices, program_name, search.masked()):
        directory.write(records)
        progress.add(search, records)
        observe(progress)


def program(
    directory: RunDirectory, study: Study, parts: Sequence[Pack], workers: int
) -> tuple[ProgramName, str]:
    """How the trials of a run are trained, and why; all of them the same way.

    Errors  `RunError` if the study asks for another program than the run has used.
    """
    asked, used = study.file.engine.program, directory.program()
    if used is not None:
        if asked not in ("auto", used):
            message = f"this run was trained by the {used} program; use that one or --fresh"
            raise RunError(f"{directory.path}: {message}")
        return used, "as the earlier trials of this run"
    if asked != "auto":
        return asked, "as the study asks"
    if study.space:
        return "eager", "a search asks for packs of too many sizes to compile"
    return choose_program(parts, workers)


def report(directory: RunDirectory, search: Search) -> Path:
    """Gather the records and build the report from the dataset."""
    dataset = gather(directory, search)
    if isinstance(search, Bayes):
        write_storage(search, directory.search)
    from ganstudy.report import build

    return build(dataset, directory.read_environment(), directory.report)


def reopen(path: Path) -> tuple[RunDirectory, Search]:
    """An existing run and the search of the study it was asked, told all its records."""
    directory = RunDirectory.existing(path)
    search = search_of(load(directory.study, name=name_of(directory)))
    search.tell(directory.read())
    return directory, search


def name_of(directory: RunDirectory) -> str:
    """Name of the study that a run was asked."""
    return str(directory.read_environment().get("study", directory.path.resolve().name))
