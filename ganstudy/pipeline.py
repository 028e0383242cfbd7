"""The walk from a study file to its report. Read this first."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ganstudy.engine import checkpoints
from ganstudy.engine.packing import choose_program, cost, packs
from ganstudy.schedule.executor import ExecutorError
from ganstudy.schedule.loop import Limits, Resumed, train_packs
from ganstudy.search import Search, search_of
from ganstudy.store import RunDirectory, RunError, check_nothing_lost, gather
from ganstudy.store.place import check_new
from ganstudy.study import Study

if TYPE_CHECKING:
    from ganstudy.kinds import Kind, Pack
    from ganstudy.schedule.executor import Executor
    from ganstudy.schedule.loop import Running
    from ganstudy.trial import ProgramName, Record, Trial

__all__ = [
    "ExecutorName",
    "Progress",
    "compare",
    "reopen",
    "report",
    "report_anew",
    "run",
    "status",
]

_log = logging.getLogger("ganstudy")

ExecutorName = Literal["local", "dask"]


class Beat(Protocol):
    """Told what a run is doing: `starting`, `training` some packs, or `gathering`."""

    def __call__(self, doing: str, running: Sequence[Running] = ()) -> None:
        """Pass it on to whoever asks."""


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

    def add(self, search: Search, ended: Pack) -> None:
        """Count trials that have ended; the search has been told of them."""
        self.done = search.counts()
        del self.done["missing"]
        self.trained += len(ended)
        self.trial_steps += sum(trial.configuration.steps for trial in ended)
        self.cost += cost(ended)


def run(
    study: Study,
    out: Path,
    *,
    workers: int,
    devices: tuple[str, ...] = ("cpu",),
    executor: ExecutorName = "local",
    scheduler: str | None = None,
    command: str = "",
    only_failed: bool = False,
    observe: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Train what is missing of a study, gather the dataset and build the report.

    executor     `local`, or `dask`: on a cluster of its own, or on that of a `scheduler`
    only_failed  train the failed trials once more instead of the missing ones

    Errors  `StudyError` for a study that cannot be run; `RunError` if the directory is in use or
            full, or holds something else; `KeyboardInterrupt` once packs in flight are kept.
    """
    directory = RunDirectory(out)
    search = search_of(study)
    with directory.locked():
        directory.check_schema()
        directory.set_damaged_aside()
        search.tell(directory.read(samples=False, films=False))
        directory.check_study(search)
        if only_failed:
            check_nothing_lost(directory)
        first = failed(search, workers) if only_failed else in_flight(directory, search)
        left = [*first, *([] if only_failed else search.outlook(workers))]
        progress = Progress.of(search, left)
        progress.program, progress.program_reason = program(directory, search, left, workers)
        if not only_failed:
            directory.write_study(search)
        with heartbeat(directory, progress) as beat:
            if left:
                session = {
                    "started": datetime.now(UTC).isoformat(timespec="seconds"),
                    "command": command,
                    "workers": workers,
                    "devices": list(devices),
                    "executor": executor,
                    "program": progress.program,
                }
                source = Resumed(first, search, search_on=not only_failed)
                try:
                    beat("starting")
                    place = workers, devices, scheduler, progress.program
                    with open_executor(executor, *place) as opened:
                        train(directory, search, source, opened, progress, beat, observe)
                except ExecutorError as error:
                    raise RunError(f"{directory.path}: {error}") from None
                finally:
                    session["seconds"] = round(progress.seconds, 1)
                    session["trials"] = progress.trained
                    session["trial_steps"] = progress.trial_steps
                    directory.write_session(session, study.name)
            beat("gathering")
            report(directory, search)
    return progress


def train(
    directory: RunDirectory,
    search: Search,
    source: Resumed,
    executor: Executor,
    progress: Progress,
    beat: Beat,
    observe: Callable[[Progress], None],
) -> None:
    """Train the packs of a source, and keep the records as they land."""
    from ganstudy.schedule.interruption import Interruption

    recorded, arithmetics = directory.recorded(), directory.arithmetics()
    engine = search.study.file.engine
    # Workers elsewhere have another current folder.
    kept = directory.checkpoints.absolute()
    assert progress.program is not None
    observe(progress)
    with Interruption() as interruption:
        for records in train_packs(
            source,
            executor,
            progress.program,
            search.masked(),
            checkpoints=checkpoints.Checkpoints(kept, checkpoints.EVERY),
            limits=Limits(engine.time_limit, engine.memory_limit),
            interruption=interruption,
            beat=partial(beat, "training"),
        ):
            landed = {record.id: record.status for record in records}
            if again := landed.keys() & recorded.keys():
                # Were this process to die now, they would be missing, and never there twice.
                directory.forget(again)
            directory.write(records)
            recorded |= landed
            _tell_of_other_arithmetic(directory, arithmetics, records)
            checkpoints.discard(directory.checkpoints, recorded)
            progress.add(search, tuple(source.given[trial] for trial in landed))
            observe(progress)


def _tell_of_other_arithmetic(
    directory: RunDirectory, known: set[str], records: Sequence[Record]
) -> None:
    """Say so once for each arithmetic that a run is continued on; it is known from then on."""
    for new in {record.arithmetic for record in records} - {""} - known:
        if known:
            _log.warning("%s: goes on on other arithmetic: %s", directory.path, new)
        known.add(new)


def in_flight(directory: RunDirectory, search: Search) -> list[Pack]:
    """Packs of earlier sessions that can go on from a checkpoint; the search is told of them."""
    missing = _with_status(search, "missing")
    flying = checkpoints.packs_in_flight(directory.checkpoints, {t.id: t for t in missing})
    search.begin(flying)
    return flying


def failed(search: Search, workers: int) -> list[Pack]:
    """Packs of the trials that have failed."""
    return packs(_with_status(search, "failed"), workers, search.study.file.engine.pack)


def _with_status(search: Search, status: str) -> list[Trial[Kind]]:
    trials = search.trials
    return [trials[index] for index, own in search.statuses.items() if own == status]


def open_executor(
    name: ExecutorName,
    workers: int,
    devices: tuple[str, ...],
    scheduler: str | None,
    program: ProgramName,
) -> Executor:
    """The executor of a name; workers are needed only where something is missing, and cost a
    second to import."""
    if name == "dask":
        from ganstudy.schedule.executors.dask import DaskExecutor

        return DaskExecutor(workers, devices, scheduler, program)
    from ganstudy.schedule.executors.local import LocalExecutor

    return LocalExecutor(workers, devices, program)


@contextmanager
def heartbeat(directory: RunDirectory, progress: Progress) -> Iterator[Beat]:
    """Keep `ganstudy status` informed of what is done, from one second to the next."""
    latest, last = 0.0, ""

    def beat(doing: str, running: Sequence[Running] = ()) -> None:
        nonlocal latest, last
        if doing == last and time.monotonic() - latest < 1.0:
            return
        latest, last = time.monotonic(), doing
        content = {
            "doing": doing,
            "seconds": progress.seconds,
            "trial_steps": progress.trial_steps,
            "seconds_left": progress.seconds_left,
            "packs": [{"trials": len(one.pack), "seconds": one.seconds} for one in running],
        }
        # Where there is no room for it there is none for records, whose loss is to be told.
        with suppress(OSError):
            directory.write_heartbeat(content)

    try:
        yield beat
    finally:
        directory.remove_heartbeat()


def program(
    directory: RunDirectory, search: Search, parts: Sequence[Pack], workers: int
) -> tuple[ProgramName, str]:
    """How the trials of a run are trained, and why; all of them the same way.

    Errors  `RunError` if the study asks for another program than the run has used.
    """
    asked, used = search.study.file.engine.program, directory.program()
    if used is not None:
        if asked not in ("auto", used):
            message = f"this run was trained by the {used} program; use that one or --fresh"
            raise RunError(f"{directory.path}: {message}")
        return used, "as the earlier trials of this run"
    if asked != "auto":
        return asked, "as the study asks"
    if search.why_eager:
        return "eager", search.why_eager
    return choose_program(parts, workers)


def report(directory: RunDirectory, search: Search) -> Path:
    """Gather the records and build the report from the dataset."""
    dataset = gather(directory, search)
    search.write_files(directory.path)
    from ganstudy.report import build

    return build(dataset, directory.read_environment(), directory.report)


def report_anew(path: Path) -> Path:
    """Gather the records of an existing run again and build its report.

    Errors  `RunError` if the directory is in use, and if records that were gathered are gone.
    """
    directory, search = reopen(path)
    with directory.locked():
        check_nothing_lost(directory)
        return report(directory, search)


def compare(paths: Sequence[Path], out: Path | None, command: str) -> Path:
    """Build one report over several runs; the default place is `runs/compare-<names>`.

    Errors  `RunError` for runs that cannot be compared, and for a place that is a run itself.
    """
    from ganstudy.analysis import open_runs
    from ganstudy.report import build

    dataset = open_runs(*paths)
    names = list(dict.fromkeys(dataset["run"].values.tolist()))
    out = out or Path("runs") / "-".join(["compare", *(name.replace("/", "-") for name in names)])
    check_new(out, "report")
    environments = [RunDirectory(path).read_environment() for path in paths]
    runs = [
        {"name": name, "directory": path.as_posix(), **environment}
        for name, path, environment in zip(names, paths, environments, strict=True)
    ]
    return build(dataset, {"command": command, "runs": runs}, out / "report")


def reopen(path: Path) -> tuple[RunDirectory, Search]:
    """An existing run and the search of the study it was asked, told all its records."""
    directory = RunDirectory.existing(path)
    search = search_of(directory.read_study())
    directory.warn_of_changes()
    search.tell(directory.read(samples=False, films=False))
    return directory, search


def status(path: Path) -> dict[str, Any]:
    """How far a run is, as plain values; `running` is None unless `ganstudy run` is at it.

    The slowest trial is the one with the most training time, an equal share of its pack's.
    """
    directory, search = reopen(path)
    planned = {trial.id for trial in search.trials.values()}
    entries = {i: entry for i, entry in directory.entries().items() if i in planned}
    slowest = max(entries, key=lambda i: entries[i].seconds, default=None)
    return {
        "run": str(path),
        "status": dict(search.counts()),
        "search": search.sentences(),
        "running": directory.read_heartbeat(),
        "slowest": slowest and {"trial": slowest, "seconds": entries[slowest].seconds},
        "failures": [
            {"trial": i, "seed": entry.seed, "cause": entry.cause}
            for i, entry in entries.items()
            if entry.status == "failed"
        ],
    }
