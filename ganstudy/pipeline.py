"""The walk from a study file to its report. Read this first."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganstudy.engine.packing import choose_program, packs
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, RunError, gather
from ganstudy.study import Study, load

if TYPE_CHECKING:
    from ganstudy.engine.packing import Pack
    from ganstudy.family import Member
    from ganstudy.trial import ProgramName, Record, Trial

__all__ = ["Progress", "counts", "name_of", "reopen", "report", "run"]


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

    @property
    def seconds(self) -> float:
        """Time since the run began."""
        return time.perf_counter() - self.started

    @property
    def seconds_left(self) -> float | None:
        """Time left at the pace so far; None before the first pack has ended."""
        if not self.cost:
            return None
        return self.seconds * (self.cost_planned / self.cost - 1)

    def add(self, trials: dict[str, Trial[Any]], records: Iterable[Record]) -> None:
        """Count the records of a pack that has ended."""
        for record in records:
            configuration = trials[record.id].configuration
            self.done[record.status] += 1
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
    plan = Grid(study)
    trials = {trial.id: trial for trial in plan.trials.values()}
    with directory.locked():
        recorded = directory.recorded()
        missing = [trial for trial_id, trial in trials.items() if trial_id not in recorded]
        progress = Progress(len(trials))
        progress.done.update(recorded[i] for i in trials if i in recorded)
        progress.cost_planned = sum(t.configuration.cost() for t in missing)
        parts = packs(missing, workers, study.file.engine.pack)
        progress.program, progress.program_reason = program(directory, study, parts, workers)
        directory.write_study(study, plan)
        if missing:
            session = {
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "command": command,
                "workers": workers,
                "devices": list(devices),
                "program": progress.program,
            }
            try:
                train(directory, parts, beside(plan), session, progress, observe)
            finally:
                session["seconds"] = round(progress.seconds, 1)
                session["trials"] = progress.trained
                session["trial_steps"] = progress.trial_steps
                directory.write_session(session, study.name)
        report(directory, study, plan)
    return progress


def train(
    directory: RunDirectory,
    parts: Sequence[Pack],
    beside: tuple[Member, ...],
    session: Mapping[str, Any],
    progress: Progress,
    observe: Callable[[Progress], None],
) -> None:
    """Train packs and keep their records as they land."""
    # Workers are needed only where something is missing, and cost a second to import.
    from ganstudy.schedule.local import train_packs

    trials = {trial.id: trial for pack in parts for trial in pack}
    observe(progress)
    workers, devices, program_name = (session[k] for k in ("workers", "devices", "program"))
    for records in train_packs(parts, workers, devices, program_name, beside):
        directory.write(records)
        progress.add(trials, records)
        observe(progress)


def beside(plan: Grid) -> tuple[Member, ...]:
    """The masked members of all planned trials, each once."""
    configurations = plan.study.points.values()
    return tuple(dict.fromkeys(member for c in configurations for member in c.masked()))


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
    return choose_program(parts, workers)


def report(directory: RunDirectory, study: Study, plan: Grid) -> Path:
    """Gather the records and build the report from the dataset."""
    dataset = gather(directory, study, plan)
    from ganstudy.report import build

    return build(dataset, directory.read_environment(), directory.report)


def reopen(path: Path) -> tuple[RunDirectory, Study]:
    """An existing run and the study it was asked."""
    directory = RunDirectory.existing(path)
    return directory, load(directory.study, name=name_of(directory))


def name_of(directory: RunDirectory) -> str:
    """Name of the study that a run was asked."""
    return str(directory.read_environment().get("study", directory.path.resolve().name))


def counts(directory: RunDirectory, plan: Grid) -> Counter[str]:
    """Planned trials by status; those without a record are `missing`."""
    recorded = directory.recorded()
    return Counter(recorded.get(i, "missing") for i in {t.id for t in plan.trials.values()})
