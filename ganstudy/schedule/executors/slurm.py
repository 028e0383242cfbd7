"""Dask workers in Slurm jobs, which follow each other until the study is done."""

from __future__ import annotations

import logging
import math
import re
import shlex
import subprocess
import time
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import dask
from dask_jobqueue.slurm import SLURMCluster
from pydantic import Field, field_validator

from ganstudy.schedule.executor import ExecutorError, environment
from ganstudy.schedule.executors._dask_client import DaskClient
from ganstudy.schedule.interruption import signals_held
from ganstudy.schedule.options import Options

__all__ = ["ASK_SECONDS", "SlurmExecutor", "SlurmOptions", "seconds_of"]

ASK_SECONDS = 30.0
"""Between two questions to Slurm's controller, which serves everybody."""

_SOON = 3.0
"""Seconds after which it is asked about a worker that has gone."""

_ANSWER_SECONDS = 20.0

_BARREN = 2
"""How many times as many jobs as were asked for may end in a row before a worker has joined."""

_CONFIGURATION = "jobqueue.slurm"

_UNLIMITED = ("unlimited", "infinite")

_log = logging.getLogger("ganstudy")


class SlurmOptions(Options):
    """What `sbatch` is asked, in its own words."""

    jobs: int = Field(1, ge=1, description="Jobs in the queue at a time; --workers is dealt out.")
    partition: str | None = Field(None, description="Partition of the jobs.")
    account: str | None = Field(None, description="Account that pays for the jobs.")
    time: str | None = Field(
        None, description="Time limit of a job, such as 4:00:00; then another follows."
    )
    mem: str | None = Field(None, description="Memory of a job, such as 16G.")

    @field_validator("partition", "account", "mem")
    @classmethod
    def _one_word(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[^\s#]+", value):
            raise ValueError("should be one word")
        return value

    @field_validator("time")
    @classmethod
    def _is_time(cls, value: str | None) -> str | None:
        if value is not None:
            seconds_of(value)
        return value

    @property
    def default_workers(self) -> int:
        """One for each job."""
        return self.jobs


def seconds_of(limit: str) -> float:
    """A time limit of Slurm in seconds.

    It is `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, and so on to seconds;
    without an end where it is 0 or `UNLIMITED`.

    Errors  `ValueError` for anything else.
    """
    if limit.lower() in _UNLIMITED:
        return math.inf
    if not re.fullmatch(r"\d+(:\d+){0,2}|\d+-\d+(:\d+){0,2}", limit, re.ASCII):
        raise ValueError("should be minutes, hours:minutes:seconds or days-hours, as for sbatch")
    days, dash, rest = limit.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    units = (3600.0, 60.0, 1.0) if dash or len(parts) == 3 else (60.0, 1.0)
    seconds = 86400.0 * int(days or 0) + sum(n * u for n, u in zip(parts, units, strict=False))
    return seconds or math.inf


class SlurmExecutor(DaskClient):
    """Jobs of some workers each, whose scheduler is in this process, on a node that they can reach.

    `dask-jobqueue` writes their script, and reads what a site or a user has configured for it.
    They are submitted, watched and cancelled here: a job that ends while packs are left is followed
    by another, and its packs continue from their checkpoints where nodes share the run's disk.

    Errors  `ExecutorError` if Slurm cannot be asked, or refuses the jobs.
    """

    asks = SlurmOptions
    options: SlurmOptions

    def cluster(self, opening: ExitStack) -> Any:
        """A scheduler without workers of its own, for which jobs wait in Slurm's queue."""
        self._name = f"ganstudy-{uuid.uuid4().hex[:8]}"
        self._jobs: dict[str, str] = {}
        self._joined: set[str] = set()
        self._barren, self._due = 0, time.monotonic() + ASK_SECONDS
        arguments = self._script_arguments()
        try:
            cluster = opening.enter_context(SLURMCluster(**arguments))
        except (RuntimeError, ValueError) as error:
            raise ExecutorError(f"dask-jobqueue cannot make a cluster: {error}") from None
        self._script = cluster.job_script()
        _asked(["sbatch", "--test-only"], self._script)
        opening.callback(self._cancel)
        self._fill()
        return cluster

    def room(self) -> int:
        """As on any cluster; now and then Slurm is asked whether the jobs are there still."""
        before = self._threads
        room = super().room()
        if self._threads != before:
            workers = self._client.scheduler_info()["workers"].values()
            self._joined |= {str(worker["name"]).partition("-")[0] for worker in workers}
        if self._threads < before:
            self._due = min(self._due, time.monotonic() + _SOON)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + ASK_SECONDS
            self._look()
        return room

    def lack(self) -> str:
        """The jobs and what Slurm has said of them."""
        jobs = ", ".join(f"{job} ({state})" for job, state in self._jobs.items())
        return f"no worker is there; waiting for jobs of Slurm: {jobs}"

    def _script_arguments(self) -> dict[str, Any]:
        """What the script of a job is made of, by `SLURMCluster`.

        Errors  `ExecutorError` if workers cannot be dealt out, or no time limit can be read.
        """
        asked, each, rest = self.options, *divmod(self.workers, self.options.jobs)
        if rest:
            message = f"{self.workers} workers cannot be dealt out evenly to {asked.jobs} jobs"
            raise ExecutorError(f"{message}; --workers should be a multiple of --jobs")
        configured = dask.config.get(_CONFIGURATION)
        limit = str(asked.time or configured["walltime"] or "UNLIMITED")
        try:
            seconds = seconds_of(limit)
        except ValueError as error:
            raise ExecutorError(f"{_CONFIGURATION}.walltime: {limit!r} {error}") from None
        # Named after their job. Dask's own limit of memory would kill what comes near it, and
        # those that leave before Slurm ends them take no blame for their packs.
        workers = ["--name", "$SLURM_JOB_ID", "--memory-limit", "0", "--no-dashboard"]
        if math.isfinite(seconds):
            workers += ["--lifetime", f"{seconds - min(120.0, seconds / 10.0):.0f}s"]
        exported = environment(self.program).items()
        given = {"partition": "queue", "account": "account", "time": "walltime", "mem": "job_mem"}
        memory = {"memory": configured["memory"] or "1GB"}
        if not (asked.mem or configured["memory"] or configured["job-mem"]):
            skipped = [*configured.get("job-directives-skip", ()), "--mem="]
            memory["job_directives_skip"] = skipped  # what the partition gives
        return {
            "job_name": self._name,
            "cores": each,
            "processes": each,
            **memory,
            **{own: getattr(asked, name) for name, own in given.items()},
            "worker_extra_args": [*configured["worker-extra-args"], *workers],
            "job_script_prologue": [
                *configured["job-script-prologue"],
                *(f"export {key}={shlex.quote(value)}" for key, value in exported),
            ],
            # Where nobody listens: a warning that the usual port is taken would stand in the run.
            "scheduler_options": {
                "dashboard": False,
                "dashboard_address": ":0",
                **configured["scheduler-options"],
            },
            "silence_logs": logging.CRITICAL,
        }

    def _fill(self) -> None:
        """Submit what is missing.

        Errors  `ExecutorError` if Slurm refuses, and no other job is there.
        """
        try:
            while len(self._jobs) < self.options.jobs:
                job = _asked(["sbatch", "--parsable"], self._script).strip().partition(";")[0]
                self._jobs[job] = "PENDING"
        except ExecutorError as error:
            if not self._jobs:
                raise
            _log.warning("%s; %d of %d jobs", error, len(self._jobs), self.options.jobs)

    def _look(self) -> None:
        """Have jobs follow those that have ended.

        Errors  `ExecutorError` if jobs end again and again before a worker has joined.
        """
        form = ["--noheader", "--format=%i %T %r"]
        try:
            lines = _asked(["squeue", f"--name={self._name}", *form]).splitlines()
        except ExecutorError:  # a controller is restarted now and then
            return
        there = {job: said for job, _, said in (line.partition(" ") for line in lines)}
        over = ("COMPLETED", "COMPLETING", "CANCELLED", "FAILED", "TIMEOUT")
        there = {job: said for job, said in there.items() if not said.startswith(over)}
        ended = [job for job in self._jobs if job not in there]
        self._jobs = {job: there[job] for job in self._jobs if job in there}
        self._note(ended)
        self._fill()

    def _note(self, ended: list[str]) -> None:
        for job in ended:
            self._barren = 0 if job in self._joined else self._barren + 1
            _log.warning("job %s of Slurm has ended; another follows", job)
        if self._barren >= _BARREN * self.options.jobs:
            message = f"{self._barren} jobs of Slurm in a row ended before a worker had joined"
            raise ExecutorError(f"{message}; the last was {ended[-1]}{_last_words(ended[-1])}")

    def _cancel(self) -> None:
        """Whatever jobs there are, also one whose number did not reach us."""
        with signals_held(), suppress(ExecutorError):
            _asked(["scancel", f"--name={self._name}"])


def _asked(command: list[str], script: str = "") -> str:
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


def _last_words(job: str) -> str:
    """Where a job has written to, and its last line, as far as that can be read from here."""
    with suppress(ExecutorError, OSError):
        found = re.search(r"StdErr=(\S+)", _asked(["scontrol", "show", "job", job]))
        if found:
            lines = Path(found[1]).read_text(errors="replace").split("\n")
            return f"; {found[1]} ends with: {([line for line in lines if line] or [''])[-1]}"
    return ""
