"""Dask workers in Slurm jobs, which follow each other until the study is done."""

from __future__ import annotations

import logging
import math
import re
import shlex
import time
import uuid
from collections.abc import Hashable
from contextlib import ExitStack
from typing import Any

import dask
from dask_jobqueue.slurm import SLURMCluster
from pydantic import Field, field_validator

from ganstudy.plural import plural
from ganstudy.schedule import slurm_jobs
from ganstudy.schedule.executor import Ended, ExecutorError, Task, environment
from ganstudy.schedule.executors._dask_client import DaskClient
from ganstudy.schedule.executors._dask_worker import BEGUN, Said
from ganstudy.schedule.options import Options
from ganstudy.schedule.slurm_jobs import SlurmJobs

__all__ = ["ASK_SECONDS", "SlurmExecutor", "SlurmOptions", "seconds_of"]

ASK_SECONDS = 30.0
"""Between two questions to Slurm's controller, which serves everybody."""

_SOON = 3.0
"""Seconds after which it is asked about a worker that has gone."""

_CONFIGURATION = "jobqueue.slurm"

_UNLIMITED = ("unlimited", "infinite")


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

    @property
    def elsewhere(self) -> bool:
        """On compute nodes."""
        return True

    def why_not(self, workers: int) -> str:
        """Jobs are alike."""
        if workers % self.jobs == 0:
            return ""
        message = f"{plural(workers, 'worker')} cannot be dealt out evenly to"
        return f"{message} {plural(self.jobs, 'job')}; --workers should be a multiple of --jobs"

    def why_unreachable(self, workers: int) -> str:
        """Why Slurm is not here, or refuses a job of as many workers as each will have."""
        job: Any = SLURMCluster.job_cls
        each = workers // self.jobs
        try:
            alike = job("", "ganstudy", cores=each, processes=each, **self.directives())
            slurm_jobs.asked(["sbatch", "--test-only"], alike.job_script())
        except (ExecutorError, RuntimeError, ValueError) as error:
            return str(error)
        return ""

    def directives(self) -> dict[str, Any]:
        """What Slurm is asked for, by arguments of `SLURMCluster`."""
        configured = dask.config.get(_CONFIGURATION)
        memory = {"memory": configured["memory"] or "1GB"}
        if not (self.mem or configured["memory"] or configured["job-mem"]):
            skipped = [*configured.get("job-directives-skip", ()), "--mem="]
            memory["job_directives_skip"] = skipped  # what the partition gives
        given = {"partition": "queue", "account": "account", "time": "walltime", "mem": "job_mem"}
        return {**memory, **{own: getattr(self, name) for name, own in given.items()}}


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
        self._due = time.monotonic() + ASK_SECONDS
        self._packs: dict[str, list[str]] = {}
        limit = self._limit()
        arguments = self._script_arguments(limit)
        try:
            cluster = opening.enter_context(SLURMCluster(**arguments))
        except (RuntimeError, ValueError) as error:
            raise ExecutorError(f"dask-jobqueue cannot make a cluster: {error}") from None
        self._jobs = SlurmJobs(self._name, cluster.job_script(), self.options.jobs, limit)
        opening.callback(self._jobs.cancel)
        self._jobs.fill()
        return cluster

    def room(self) -> int:
        """As on any cluster; now and then Slurm is asked whether the jobs are there still."""
        before = self._threads
        room = super().room()
        if self._threads != before:
            # All of them: some versions of Dask tell of five unless they are asked.
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
            self._jobs.joined(str(worker["name"]).partition("-")[0] for worker in workers)
        if self._threads < before:
            self._due = min(self._due, time.monotonic() + _SOON)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + ASK_SECONDS
            self._jobs.look()
        return room

    def submit(self, task: Task) -> Hashable:
        """As on any cluster; what becomes of its trials is followed from job to job."""
        handle = super().submit(task)
        self._packs[str(handle)] = [trial.id for trial in task.pack]
        return handle

    def wait(self, seconds: float) -> list[tuple[Hashable, Ended]]:
        """As on any cluster; a worker's death alone is no sign that the jobs come to something."""
        ended = super().wait(seconds)
        for handle, own in ended:
            self._packs.pop(str(handle), None)
            if own.how != "died":
                self._jobs.got_on()
        return ended

    def heard(self, said: Said) -> None:
        """As on any cluster; and how far jobs get in their time."""
        super().heard(said)
        self._jobs.heard(self._packs.get(said.key, ()), said.stepping, said.earlier, said.age)

    def lack(self) -> str:
        """The jobs and what Slurm has said of them."""
        jobs = ", ".join(f"{job} ({state})" for job, state in self._jobs.there.items())
        return f"no worker is there; waiting for jobs of Slurm: {jobs}"

    def _limit(self) -> str:
        """The time limit of a job, in Slurm's words."""
        return str(self.options.time or dask.config.get(_CONFIGURATION)["walltime"] or "UNLIMITED")

    def _script_arguments(self, limit: str) -> dict[str, Any]:
        """What the script of a job is made of, by `SLURMCluster`.

        Errors  `ExecutorError` if workers cannot be dealt out, or no time limit can be read.
        """
        asked, each = self.options, self.workers // self.options.jobs
        if why := asked.why_not(self.workers):
            raise ExecutorError(why)
        configured = dask.config.get(_CONFIGURATION)
        try:
            seconds = seconds_of(limit)
        except ValueError as error:
            raise ExecutorError(f"{_CONFIGURATION}.walltime: {limit!r} {error}") from None
        # Those that leave before Slurm ends them take no blame for their packs.
        self.lasts = seconds - min(120.0, seconds / 10.0)
        # Named after their job. Dask's own limit of memory would kill what comes near it.
        workers = ["--name", "$SLURM_JOB_ID", "--memory-limit", "0", "--no-dashboard"]
        exported = environment(self.program).items()
        return {
            "job_name": self._name,
            "cores": each,
            "processes": each,
            **asked.directives(),
            "worker_extra_args": [*configured["worker-extra-args"], *workers],
            "job_script_prologue": [
                *configured["job-script-prologue"],
                *(f"export {key}={shlex.quote(value)}" for key, value in exported),
                f"export {BEGUN}=$(date +%s)",
            ],
            # Where nobody listens: a warning that the usual port is taken would stand in the run.
            "scheduler_options": {
                "dashboard": False,
                "dashboard_address": ":0",
                **configured["scheduler-options"],
            },
            "silence_logs": logging.CRITICAL,
        }
