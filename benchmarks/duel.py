"""Duels: contestants that take turns on both cores, so that noise of the machine hits all alike."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Protocol

CORES = 2


class Contestant(Protocol):
    """A stack of trials, or one trial, that can be advanced."""

    pack: int

    def run(self, steps: int) -> None:
        """Advance every trial by some steps."""


Factory = Callable[[int], Contestant]


class Team:
    """One process for each core, each with a contestant of its own, idle until told to run."""

    def __init__(self, factory: Factory, environment: dict[str, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connections = []
        before = dict(os.environ)
        os.environ.update(environment)
        for core in range(CORES):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(factory, core, theirs), daemon=True)
            process.start()
            self.connections.append(ours)
        os.environ.clear()
        os.environ.update(before)
        self.pack = max(connection.recv() for connection in self.connections)

    def rate(self, steps: int) -> float:
        """Trial-steps per second, summed over the cores, all of them running at once."""
        for connection in self.connections:
            connection.send(steps)
        return float(sum(connection.recv() for connection in self.connections))

    def stop(self) -> None:
        for connection in self.connections:
            connection.send(None)


def _serve(factory: Factory, core: int, connection: Connection) -> None:
    if hasattr(os, "sched_setaffinity"):
        available = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {available[core % len(available)]})
    contestant = factory(core)
    contestant.run(getattr(contestant, "warm_up", 200))
    connection.send(contestant.pack)
    while (steps := connection.recv()) is not None:
        started = time.perf_counter()
        contestant.run(steps)
        connection.send(contestant.pack * steps / (time.perf_counter() - started))
