"""One session of a run: which packs it trains, how, and what it keeps of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

from ganstudy.engine import checkpoints, pace
from ganstudy.engine.arithmetic import out_of_reach
from ganstudy.engine.packing import (
    beside_steps,
    choose_program,
    cost,
    packs,
    why_no_compiler,
    workers_worth,
)
from ganstudy.progress import Beat, Progress
from ganstudy.report import import_ahead
from ganstudy.retraining import Retry, continued, keep, with_status, without_generator
from ganstudy.schedule.devices import has_gpu, unpromised
from ganstudy.schedule.executor import CompilerError, Executor, ExecutorError
from ganstudy.schedule.executors import executor_named
from ganstudy.schedule.interruption import Interruption
from ganstudy.schedule.loop import Limits, Resumed, Running, train_packs
from ganstudy.search import Search
from ganstudy.store import RunDirectory, RunError, known_data

if TYPE_CHECKING:
    from ganstudy.kinds import Pack
    from ganstudy.schedule.where import Where
    from ganstudy.study import Study
    from ganstudy.trial import ProgramName, Record

__all__ = [
    *("Continuing", "check_program", "choose", "engaged", "in_flight", "open_executor"),
    *("program", "recall", "take_up", "train", "train_anyhow"),
]

_log = logging.getLogger("ganstudy")


def take_up(directory: RunDirectory, search: Search) -> None:
    """Tell the search what the run has recorded; the directory is held.

    Errors  `RunError` if it holds another study, or records of another version.
    """
    directory.check_schema()
    directory.set_damaged_aside()
    recall(directory, search)
    if lacking := without_generator(directory, search):
        again = f"`ganstudy retry {quote(str(directory.path))} --generators` trains them again"
        _log.warning(
            "%s: %d of its trials keep no generator, though the study asks for it; %s",
            *(directory.path, len(lacking), again),
        )


def recall(directory: RunDirectory, search: Search) -> None:
    """Tell the search what a run of this version has recorded; nothing is written.

    Errors  `RunError` if it holds another study, or its rules have changed since.
    """
    search.tell(directory.read("curves"))
    recorded = directory.recorded()
    directory.asked.check_trials(search, recorded)
    directory.asked.check_rules(search, recorded)


def in_flight(directory: RunDirectory, search: Search) -> list[Pack]:
    """Packs that continue from a checkpoint, none larger than asked; the search is told of them."""
    flying = continued(directory, search, with_status(search, "missing"))
    search.begin(flying)
    return flying


class Continuing:
    """A search whose packs are cut so that each part continues from one checkpoint, or none of it:
    whoever asked for them in an earlier session may have had other workers.
    """

    def __init__(self, search: Search, directory: RunDirectory) -> None:
        self.search, self.directory = search, directory

    def ask(self, free_slots: int) -> list[Pack]:
        """What the search asks for."""
        return checkpoints.in_parts(self.directory.checkpoints, self.search.ask(free_slots))


def choose(
    directory: RunDirectory,
    search: Search,
    workers: int,
    retry: Retry | None = None,
) -> tuple[list[Pack], list[Pack]]:
    """The packs to begin with, and packs like all that are left to train, the first ones included.

    Errors  those of a retry.
    """
    if retry is not None:
        again = retry.parts(directory, search, workers)
        return again, again
    first = in_flight(directory, search)
    return first, search.outlook(workers)


def program(
    directory: RunDirectory,
    search: Search,
    parts: Sequence[Pack],
    where: Where,
) -> tuple[ProgramName, str]:
    """How the trials of a run are trained, and why; all of them the same way.

    Errors  `RunError` if the study asks for another program than the run has used, and for one
            that this machine cannot compile.
    """
    asked, used = search.study.file.engine.program, directory.program()
    if parts and "compiled" in (asked, used) and (trouble := why_no_compiler()):
        why = "engine.program asks for" if used is None else "its earlier trials were trained by"
        raise RunError(f"{directory.path}: {why} compiled steps, and {trouble}")
    reasons = [part[0].configuration.as_written for part in parts]
    as_written = next(filter(None, reasons), "")
    if used == "compiled" and as_written:
        raise RunError(
            f"{directory.path}: trained by the compiled program so far; {as_written}, and --fresh "
            "trains all trials so"
        )
    if used is not None:
        if asked not in ("auto", used):
            message = f"this run was trained by the {used} program; use that one or --fresh"
            raise RunError(f"{directory.path}: {message}")
        return used, "as the earlier trials of this run" + unpromised(used, where.devices)
    return first_program(search, parts, where)


def check_program(study: Study, directory: RunDirectory, where: Where) -> None:
    """Refuse to begin a run by a program that cannot be had, while nothing has been moved.

    Errors  `RunError`.
    """
    program = study.file.engine.program
    if program == "compiled":
        trouble = why_no_compiler()
        why = trouble and f"engine.program asks for compiled steps, and {trouble}"
    else:  # what a machine lacks, those of others may have
        devices = () if where.is_elsewhere else where.devices
        written: ProgramName = "portable" if program == "portable" else "eager"
        why = next(filter(None, (out_of_reach(written, device) for device in devices)), "")
    if why:
        raise RunError(f"{directory.path}: {why}; nothing is set aside")


def first_program(search: Search, parts: Sequence[Pack], where: Where) -> tuple[ProgramName, str]:
    """How a study is trained that nobody has trained yet, and why."""
    asked = search.study.file.engine.program
    if asked != "auto":
        return asked, "as the study asks" + unpromised(asked, where.devices)
    if search.why_eager:
        return "eager", search.why_eager
    if has_gpu(where.devices):
        reasons = (part[0].configuration.in_pieces for part in parts)
        return "eager", next(filter(None, reasons), "a GPU is given each round as one graph")
    return choose_program(parts)


def engaged(search: Search, parts: Sequence[Pack], where: Where) -> Where:
    """Where packs like these are trained: by as many of the workers asked for as are worth it.

    All where results decide what is trained, and where the executor says that they are not of this
    machine: a cluster has those that it has, and jobs of Slurm are dealt as many as were asked for.

    Errors  `RunError` for an executor that needs a package which is not installed.
    """
    try:
        here = executor_named(where.executor).here
    except ExecutorError as error:
        raise RunError(str(error)) from None
    if search.open_ended or not here:
        return where
    return replace(where, workers=workers_worth(parts, where.workers))


def open_executor(where: Where, program: ProgramName) -> Executor:
    """The executor asked for, whose workers are on their way.

    Errors  `ExecutorError` if it will have no worker, or needs a package that is not installed.
    """
    executor = executor_named(where.executor)
    return executor(where.workers, where.devices, program, **where.options)


def train_anyhow(
    directory: RunDirectory,
    search: Search,
    source: Resumed,
    opened: Callable[[ProgramName], Executor],
    progress: Progress,
    beat: Beat,
    observe: Callable[[Progress], None],
) -> None:
    """Train the packs of a source; by the steps as written, if `auto` has chosen to compile them,
    that fails, and no trial has been trained yet.

    opened  an executor that trains by a program

    Errors  `CompilerError` if steps cannot be compiled and have to be.
    """
    beat("starting")
    try:
        with opened(progress.program) as executor:
            train(directory, search, source, executor, progress, beat, observe)
    except CompilerError as error:
        engine = search.study.file.engine
        if engine.program != "auto" or directory.program() is not None:
            raise
        _log.warning("%s; the steps as written are used instead", error)
        progress.program, progress.program_reason = "eager", "compiled steps cannot be made"
        source.begin_again(packs(source.given.values(), progress.workers, search.pack_size))
        with opened("eager") as executor:
            train(directory, search, source, executor, progress, beat, observe)


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
    entries = directory.entries()
    known, arithmetics = set(entries), {entry.arithmetic for entry in entries.values()} - {""}
    done = known - source.beforehand  # what is trained once more has a checkpoint till it lands
    engine = search.study.file.engine
    kept = directory.checkpoints.absolute()  # workers elsewhere have another current folder
    before, trained, begun = pace.known(), pace.Trained(), time.perf_counter()

    def watch(running: Sequence[Running]) -> None:
        beat("training", running)
        observe(progress)

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
            beat=watch,
            meanwhile=import_ahead(),
        ):
            ended = {record.id: record.status for record in records}
            pack = tuple(source.given[trial] for trial in ended)
            known_data.add(directory.path, search, pack)
            seconds = sum(record.seconds for record in records)  # not those of records that stay
            records = keep(directory, records, known)
            search.tell(records)
            done |= ended.keys()
            _tell_of_other_arithmetic(directory, arithmetics, records)
            checkpoints.discard(directory.checkpoints, done)
            if set(ended.values()) == {"complete"}:
                own, stepping = pack[0].configuration, seconds - beside_steps(pack, before)
                trained.add(own.work, own.graph_key(), cost(pack), max(stepping, 0.0))
            progress.add(search, pack, seconds, ended)
            observe(progress)
        watch(())
    if executor.here and not has_gpu(executor.devices):  # a pace is that of a processor
        pace.learn(trained, progress.program, progress.workers, time.perf_counter() - begun)


def _tell_of_other_arithmetic(
    directory: RunDirectory, known: set[str], records: Sequence[Record]
) -> None:
    """Say so once for each arithmetic beside that of a run's first trials, known from then on."""
    for new in {record.arithmetic for record in records} - {""} - known:
        if known:
            message = "%s: other arithmetic than that of earlier trials: %s"
            _log.warning(message, directory.path, new)
        known.add(new)
