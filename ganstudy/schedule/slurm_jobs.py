"""Jobs in Slurm's queue: each that ends is followed by another, unless nothing comes of them."""

from __future__ import annotations

import logging
import math
import re
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ganstudy.schedule.executor import ExecutorError
from ganstudy.schedule.interruption import signals_held

__all__ = ["SlurmJobs", "asked"]

_BARREN = 2
"""How many times as many jobs as were asked for may end in a row before a worker has joined."""

_FRUITLESS = 4
"""How many times as many may reach their time limit in a row before a pack has got any further."""

_OUT_OF_TIME = ("", "COMPLETED", "COMPLETING", "TIMEOUT")
"""Ends of jobs whose time is up: their workers have left before, or Slurm has ended them. One
that Slurm has forgotten may have been one of these."""

_ANSWER_SECONDS = 20.0

_log = logging.getLogger("ganstudy")


class SlurmJobs:
    """Jobs of one name; as many as are wanted, until they are cancelled.

    limit  their time limit, in Slurm's words
    there  what Slurm has said of each, by number

    Errors  `ExecutorError` if Slurm refuses the script.
    """

    def __init__(self, name: str, script: str, wanted: int, limit: str) -> None:
        self.name, self.script, self.wanted, self.limit = name, script, wanted, limit
        self.there: dict[str, str] = {}
        self._joined: set[str] = set()
        self._barren = self._fruitless = 0
        self._trained: dict[str, float] = {}
        self._took: dict[bool, float] = {}
        asked(["sbatch", "--test-only"], script)

    def fill(self) -> None:
        """Submit what is missing.

        Errors  `ExecutorError` if Slurm refuses, and no other job is there.
        """
        try:
            while len(self.there) < self.wanted:
                job = asked(["sbatch", "--parsable"], self.script).strip().partition(";")[0]
                self.there[job] = "PENDING"
        except ExecutorError as error:
            if not self.there:
                raise
            _log.warning("%s; %d of %d jobs", error, len(self.there), self.wanted)

    def joined(self, jobs: Iterable[str]) -> None:
        """Workers of these jobs are there."""
        self._joined |= set(jobs)

    def heard(self, trials: Iterable[str], stepping: bool, trained: float, age: float) -> None:
        """What a worker says of the trials of its pack.

        stepping  whether it takes steps, or prepares them
        trained   seconds that the trials had been trained when this worker took them on
        age       seconds since its job has begun
        """
        self._took[stepping] = min(age, self._took.get(stepping, math.inf))
        for trial in trials if stepping else ():
            if trained > self._trained.setdefault(trial, trained):
                self._trained[trial] = trained
                self.got_on()

    def got_on(self) -> None:
        """A pack has ended, or has been taken on where a job before has left it."""
        self._fruitless = 0
        self._took.clear()

    def look(self) -> None:
        """Have jobs follow those that have ended.

        Errors  `ExecutorError` if they end again and again and nothing comes of them.
        """
        form = ["--noheader", "--format=%i %T %r"]
        try:
            lines = asked(["squeue", f"--name={self.name}", *form]).splitlines()
        except ExecutorError:  # a controller is restarted now and then
            return
        there = {job: said for job, _, said in (line.partition(" ") for line in lines)}
        over = ("COMPLETED", "COMPLETING", "CANCELLED", "FAILED", "TIMEOUT")
        there = {job: said for job, said in there.items() if not said.startswith(over)}
        ended = [job for job in self.there if job not in there]
        self.there = {job: there[job] for job in self.there if job in there}
        for job in ended:
            self._note(job)
        self.fill()

    def cancel(self) -> None:
        """Whatever jobs there are, also one whose number did not reach us."""
        with signals_held(), suppress(ExecutorError):
            asked(["scancel", f"--name={self.name}"])

    def _note(self, job: str) -> None:
        _log.warning("job %s of Slurm has ended; another follows", job)
        has_joined = job in self._joined
        self._barren = 0 if has_joined else self._barren + 1
        self._fruitless += has_joined and _about(job, "JobState") in _OUT_OF_TIME
        why = ""
        if self._barren >= _BARREN * self.wanted:
            why = f"{self._barren} jobs of Slurm in a row ended before a worker had joined"
        elif self._fruitless >= _FRUITLESS * self.wanted:
            why = f"{self._fruitless} jobs of Slurm in a row ended before a pack had got further"
            why = f"{why}: {self._time_of_a_job()}"
        if why:
            raise ExecutorError(f"{why}; the last was {job}{_last_words(job)}")

    def _time_of_a_job(self) -> str:
        """What it goes to, where none is left for training."""
        start, step = self._took.get(False), self._took.get(True)
        parts = [f"their time limit is {self.limit}"]
        if start is None:
            parts.append("which was over before a worker had begun a pack")
        else:
            parts.append(f"of which a worker took {start:.0f} s to begin a pack")
            parts.append("and took no step" if step is None else f"{step:.0f} s to its first step")
        advice = "ask for a longer --time"
        if step is not None:
            advice += ", and keep the run on a disk that nodes share, or each job begins packs anew"
        return f"{', '.join(parts)}; {advice}"


def asked(command: list[str], script: str = "") -> str:
    """What a command of Slurm prints.

    Errors  `ExecutorError` with what it complains of.
    """
    try:
        done = subprocess.run(
            command,
            input=script,
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            start_new_session=True,  # Ctrl-C is not for it
            check=True,
        )
    except FileNotFoundError:
        message = "is not here: start ganstudy where jobs can be submitted"
        raise ExecutorError(f"Slurm's {command[0]} {message}") from None
    except subprocess.TimeoutExpired:
        message = f"{command[0]} has not answered for {_ANSWER_SECONDS:g} s"
        raise ExecutorError(f"Slurm's {message}") from None
    except subprocess.CalledProcessError as error:
        said = "; ".join(line for line in error.stderr.splitlines() if line.strip())
        raise ExecutorError(f"Slurm refuses: {said or error}") from None
    return done.stdout


def _about(job: str, what: str) -> str:
    """A value of what Slurm says of a job; empty once that is forgotten."""
    with suppress(ExecutorError):
        found = re.search(rf"\b{what}=(\S+)", asked(["scontrol", "show", "job", job]))
        return found[1] if found else ""
    return ""


def _last_words(job: str) -> str:
    """Where a job has written to, and its last line, as far as that can be read from here."""
    if path := _about(job, "StdErr"):
        with suppress(OSError):
            lines = Path(path).read_text(errors="replace").split("\n")
            return f"; {path} ends with: {([line for line in lines if line] or [''])[-1]}"
    return ""
