"""Dask workers: the same packs on a cluster of this machine, or of many; records come back."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Any

import dask
from distributed import LocalCluster
from pydantic import Field

from ganstudy.cause import and_behind
from ganstudy.schedule.executor import ExecutorError
from ganstudy.schedule.executors._dask_client import DaskClient
from ganstudy.schedule.executors._dask_scheduler import CONFIGURATION, joined, silence
from ganstudy.schedule.options import Options

__all__ = ["CONFIGURATION", "DaskExecutor", "DaskOptions"]


_GUARD = 'if __name__ == "__main__":'


class DaskOptions(Options):
    """Which cluster."""

    scheduler: str | None = Field(
        None, description="Address of a scheduler, tcp://...; default: a cluster of its own."
    )

    @property
    def elsewhere(self) -> bool:
        """Where the scheduler is somebody else's; a cluster of its own is of this machine."""
        return self.scheduler is not None

    def why_unreachable(self, workers: int) -> str:
        """Why there is no scheduler at the address."""
        if self.scheduler is None:
            return ""
        silence()
        try:
            with dask.config.set(CONFIGURATION), joined(self.scheduler):
                return ""
        except ExecutorError as error:
            return str(error)


class DaskExecutor(DaskClient):
    """Native Dask futures, on a `LocalCluster` or by the scheduler at an address.

    Errors  `ExecutorError` if there is no scheduler at the address, or no worker starts here.
    """

    asks = DaskOptions
    options: DaskOptions

    def cluster(self, opening: ExitStack) -> Any:
        """The scheduler at the address, or workers of this machine."""
        return self.options.scheduler or opening.enter_context(_of_its_own(self.workers))


def _of_its_own(workers: int) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address=None,
            # Where nobody listens: two runs side by side would warn that the port is taken.
            scheduler_kwargs={"dashboard_address": ":0"},
            silence_logs=logging.CRITICAL,
        )
    except (OSError, RuntimeError) as error:
        # Dask says what has not started, and behind that why.
        causes = [own for own in and_behind(error) if str(own)]
        said = f"a Dask cluster of this machine cannot start: {causes[-1]}"
        if not any(isinstance(own, OSError) for own in causes):  # their process has ended
            said += f"; a script starts a run below `{_GUARD}`, which keeps it from its workers"
        raise ExecutorError(said) from None
