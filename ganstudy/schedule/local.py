"""Local workers: joblib's loky processes, one thread each, kept warm between packs."""

from __future__ import annotations

import itertools
import os
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from joblib.externals.loky import ProcessPoolExecutor

from ganstudy.trial import ProgramName, Record

if TYPE_CHECKING:
    from ganstudy.engine.packing import Pack
    from ganstudy.family import Member

__all__ = ["WORKER_ENVIRONMENT", "Source", "train_packs"]

WORKER_ENVIRONMENT = {
    # Two threads on two busy cores are slower than one.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # glibc returns the memory of every large tensor to the system, and takes it again a moment
    # later, page fault by page fault; keeping it saves 10 to 25 % of a step.
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
}

TRIES = 3
"""How often a trial that ends its worker is tried before it is recorded as failed."""


class Source(Protocol):
    """What packs are asked of, and what is told of their records: a search."""

    def ask(self, free_slots: int) -> list[Pack]:
        """Packs for workers that have nothing to do; empty if there are none now."""

    def tell(self, records: Iterable[Record]) -> None:
        """Take note of the records of a pack."""


class _Worker:
    """One process on one device, with a pool of its own: its death is nobody else's."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.start()

    def start(self) -> None:
        environment = {**os.environ, **WORKER_ENVIRONMENT}
        self.pool = ProcessPoolExecutor(max_workers=1, env=environment)

    def stop(self) -> None:
        self.pool.shutdown(wait=False, kill_workers=True)

    def submit(self, pack: Pack, *how: Any) -> Future[list[Record]]:
        try:
            future: Future[list[Record]] = self.pool.submit(_train, pack, self.device, *how)
        except BrokenExecutor:  # it died while it had nothing to do
            self.stop()
            self.start()
            future = self.pool.submit(_train, pack, self.device, *how)
        return future


def train_packs(
    source: Source,
    workers: int,
    devices: Sequence[str] = ("cpu",),
    program: ProgramName = "eager",
    beside: tuple[Member, ...] = (),
) -> Iterator[list[Record]]:
    """Records of each pack as it ends, in no order; workers are dealt out over the devices.

    A pack that fails, by an exception or by the death of its worker, is split in halves until the
    trial at fault stands alone. That trial becomes a `failed` record with its traceback, at once
    after an exception and after `TRIES` deaths; other packs are not touched.

    The source is asked whenever a worker is free and no pack waits, and told as records land.
    """
    waiting: deque[tuple[Pack, int]] = deque()
    free = deque(_Worker(d) for d in itertools.islice(itertools.cycle(devices), workers))
    everyone = tuple(free)
    running: dict[Future[list[Record]], tuple[Pack, int, _Worker]] = {}
    try:
        while True:
            if len(waiting) < len(free):
                waiting.extend((pack, 1) for pack in source.ask(len(free) - len(waiting)))
            if not waiting and not running:
                return
            while waiting and free:
                (pack, tries), worker = waiting.popleft(), free.popleft()
                running[worker.submit(pack, program, beside)] = (pack, tries, worker)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                pack, tries, worker = running.pop(future)
                error = future.exception()
                died = isinstance(error, BrokenExecutor)
                if died:
                    worker.stop()
                    worker.start()
                free.append(worker)
                records: list[Record] = []
                if error is None:
                    records = future.result()
                elif len(pack) > 1:
                    middle = len(pack) // 2
                    waiting.extendleft([(pack[middle:], 1), (pack[:middle], 1)])
                elif died and tries < TRIES:
                    waiting.appendleft((pack, tries + 1))
                else:
                    records = [_failed(pack[0], program, error)]
                if records:
                    source.tell(records)
                    yield records
    finally:
        for worker in everyone:
            worker.stop()


def _train(
    pack: Pack, device: str, program: ProgramName, beside: tuple[Member, ...]
) -> list[Record]:
    """Runs in a worker."""
    import torch

    torch.set_num_threads(1)
    records: list[Record] = pack[0].configuration.train(pack, device, program, beside)
    return records


def _failed(trial: Any, program: ProgramName, error: BaseException) -> Record:
    cause = "".join(itertools.chain(traceback.format_exception(error)))
    return Record(
        id=trial.id,
        seed=trial.seed,
        settings=trial.settings,
        status="failed",
        program=program,
        diverged_at=float("nan"),
        seconds=0.0,
        steps=np.empty(0, np.int64),
        curves={},
        samples=None,
        cause=cause,
    )
