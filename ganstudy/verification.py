"""Verification: some trials of a run trained again, and every number that they store compared."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ganstudy.engine.packing import packs
from ganstudy.plural import plural
from ganstudy.record_differences import Difference, comparable, differences
from ganstudy.schedule.executor import ExecutorError
from ganstudy.schedule.loop import Limits, Resumed, train_packs
from ganstudy.session import open_executor
from ganstudy.store import RunDirectory, RunError, receipts
from ganstudy.store.records import Entry

if TYPE_CHECKING:
    from ganstudy.kinds import Kind, Pack
    from ganstudy.schedule.where import Where
    from ganstudy.search import Search
    from ganstudy.trial import Record, Trial

__all__ = ["Again", "Verification", "verified"]

_log = logging.getLogger("ganstudy")

Verdict = Literal[
    "nothing to compare",
    "the same bits",
    "other arithmetic",
    "other bits on the same arithmetic",
    "fails this time",
]
_WORST_LAST: tuple[Verdict, ...] = get_args(Verdict)

_NO_NUMBERS = "none of its trials has numbers to compare: all have failed"


@dataclass(frozen=True)
class Again:
    """A trial that was trained again.

    record       digest of its entry, by which it is known again
    beside       how many others it was trained with
    then, now    the arithmetic of the record, and of this training
    differences  by stored variable; empty if every number is the same
    left_out     what was not compared, and why
    """

    trial: str
    record: str
    seed: int
    arm: str
    status: str
    status_now: str
    beside: int
    then: str
    now: str
    differences: dict[str, Difference]
    left_out: dict[str, str]

    @property
    def verdict(self) -> Verdict:
        """What the trial alone says."""
        if self.status == "failed":
            return "nothing to compare"
        if self.status_now == "failed":
            return "fails this time"
        if not self.differences:
            return "the same bits"
        same = self.then == self.now
        return "other bits on the same arithmetic" if same else "other arithmetic"


@dataclass(frozen=True)
class Verification:
    """What came of it; `when` in UTC."""

    when: str
    trials: tuple[Again, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the trials'."""
        return max((own.verdict for own in self.trials), key=_WORST_LAST.index)

    @property
    def sound(self) -> bool:
        """Whether what was promised holds: bits differ on other arithmetic alone."""
        return _WORST_LAST.index(self.verdict) < 3

    def sentences(self) -> Iterator[str]:
        """The verdict, and what it rests on."""
        compared = [own for own in self.trials if own.verdict != "nothing to compare"]
        alone = sum(not own.beside for own in compared)
        counted = f"{plural(len(compared), 'trial')} trained again, {alone} of them alone"
        yield f"{self.verdict}: {counted}"
        if failed := len(self.trials) - len(compared):
            yield f"and {plural(failed, 'trial')} of which the run has no numbers to compare"
        for then, now in sorted({(t.then, t.now) for t in self.trials if t.then and t.now}):
            yield f"arithmetic: {now}" if then == now else f"the run: {then}; here: {now}"
        for own in self.trials:
            if own.status != own.status_now:
                yield f"trial {own.trial} was {own.status} and is {own.status_now} now"
        largest: dict[str, list[Difference]] = {}
        for own in compared:
            for name, difference in own.differences.items():
                largest.setdefault(name, []).append(difference)
        for name, found in sorted(largest.items()):
            most = max(difference.largest for difference in found)
            steps = [d.since for d in found if np.isfinite(d.since)]
            since = f", from step {min(steps):g} on" if steps else ""
            yield f"  {name}: in {len(found)} of {len(compared)}, by at most {most:.3g}{since}"
        left_out = Counter(what for own in compared for what in own.left_out.items())
        for (name, why), number in sorted(left_out.items()):
            yield f"  {name}: not compared in {number} of {len(compared)}, {why}"

    def receipt(self) -> dict[str, Any]:
        """The same as plain values; None for what is no finite number, which JSON has not."""
        trials = [{**asdict(own), "verdict": own.verdict} for own in self.trials]
        for found in (difference for own in trials for difference in own["differences"].values()):
            found.update({name: None for name, own in found.items() if not np.isfinite(own)})
        return {"when": self.when, "verdict": self.verdict, "trials": trials}


def verified(
    directory: RunDirectory, search: Search, count: int | None, where: Where
) -> Verification:
    """Train a sample of a run's trials again; keep a receipt beside the records, and only that.

    search  of its study, which has been told of every record

    A run that cannot be written to is verified, too, with a warning.

    The sample is random and has trials of every arm and every status, `count` of them, or two of
    each. One is trained alone, the others in packs that they were not trained in before.

    Errors  `RunError` if the run has no records but those of failures, or no workers can be had.
    """
    path, program = directory.path, directory.program()
    if program is None:
        why = _NO_NUMBERS if directory.recorded() else "no records, and so nothing to verify"
        raise RunError(f"{path}: {why}")
    chosen = _chosen(directory, search, count)
    size = where.pack_size(search.study)
    planned = [(chosen[0],), *packs(chosen[1:], where.workers, size)]
    engine = search.study.file.engine
    limits = Limits(engine.time_limit, engine.memory_limit)
    source = Resumed(planned, search, search_on=False)
    anew: dict[str, Record] = {}
    try:
        with open_executor(where, program) as opened:
            for records in train_packs(source, opened, program, search.masked(), limits=limits):
                anew.update((record.id, record) for record in records)
    except ExecutorError as error:
        raise RunError(f"{path}: {error}") from None
    verification = _compared(directory, search, planned, anew)
    try:
        receipts.write(directory.verification, verification.receipt())
    except OSError as error:  # a run of somebody else's, perhaps; it is verified all the same
        _log.warning("%s keeps no receipt of this: %s", path, error.strerror)
    return verification


def _chosen(directory: RunDirectory, search: Search, count: int | None) -> list[Trial[Kind]]:
    """Trials of every arm and status in turn, failed ones last; which ones of each is random."""
    rng = np.random.default_rng()
    entries = directory.entries()
    strata: dict[tuple[str, str], list[Trial[Kind]]] = {}
    for index, trial in search.trials.items():
        if trial.id in entries:
            stratum = search.study.arm(index), entries[trial.id].status
            strata.setdefault(stratum, []).append(trial)
    if not strata:
        raise RunError(f"{directory.path}: no record of a trial of its study, nothing to verify")
    strata = {own: strata[own] for own in sorted(strata, key=lambda own: own[1] == "failed")}
    if next(iter(strata))[1] == "failed":
        raise RunError(f"{directory.path}: {_NO_NUMBERS}")
    shuffled = [list(rng.permutation(len(own))) for own in strata.values()]
    rounds = range(max(map(len, shuffled)))
    dealt = [
        own[order[turn]]
        for turn in rounds
        for own, order in zip(strata.values(), shuffled, strict=True)
        if turn < len(order)
    ]
    unique = list({trial.id: trial for trial in dealt}.values())
    return unique[: 2 * len(strata) if count is None else count]


def _compared(
    directory: RunDirectory, search: Search, planned: Sequence[Pack], anew: dict[str, Record]
) -> Verification:
    beside = {trial.id: len(pack) - 1 for pack in planned for trial in pack}
    arms = {trial.id: search.study.arm(index) for index, trial in search.trials.items()}
    trials = search.by_id
    again = []
    for stored in directory.read(trials=anew):
        new = anew[stored.id]
        *both, left_out = comparable(stored, new, trials[stored.id])
        again.append(
            Again(
                trial=stored.id,
                record=Entry.of(stored).digest,
                seed=stored.seed,
                arm=arms[stored.id],
                status=stored.status,
                status_now=new.status,
                beside=beside[stored.id],
                then=stored.arithmetic,
                now=new.arithmetic,
                differences=differences(*both),
                left_out=left_out,
            )
        )
    return Verification(datetime.now(UTC).isoformat(timespec="seconds"), tuple(again))
