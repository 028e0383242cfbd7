"""A Dask scheduler: how one is joined, and what is said where it cannot be reached."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distributed import Client

from ganstudy.schedule.executor import ExecutorError

__all__ = ["ANSWER_SECONDS", "CONFIGURATION", "GONE", "joined", "reached", "silence"]

ANSWER_SECONDS = 5.0

CONFIGURATION = {
    # What is done after the death of a worker is for the loop to decide.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.comm.timeouts.connect": "10s",
}

GONE = "the Dask scheduler is gone; run the same command to continue"


def silence() -> None:
    """Dask tells of every worker that comes and goes; what matters of that is told by the loop."""
    for name in ("distributed", "distributed.client"):  # which Dask gives a level of its own
        logging.getLogger(name).setLevel(logging.CRITICAL)


def joined(cluster: Any) -> Client:
    """A client of a cluster, or of the scheduler at an address.

    Errors  `ExecutorError` if there is none.
    """
    try:
        return Client(cluster, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ExecutorError(f"no Dask scheduler at {cluster}: {error}") from None
    except Exception as error:  # whatever Dask makes of a server that is none
        message = f"what answers at {cluster} is no Dask scheduler, or of another version"
        raise ExecutorError(f"{message}: {error}") from None


@contextmanager
def reached() -> Iterator[None]:
    """What is asked of the scheduler is answered, or it is an `ExecutorError`."""
    try:
        yield
    # Connections that break, timeouts, and a client that has been closed for one of them.
    except (OSError, RuntimeError) as error:
        raise ExecutorError(f"{GONE} ({error})") from None
