"""Local workers: joblib's loky processes, one thread each, kept warm between packs."""

from __future__ import annotations

import itertools
import os
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib.externals.loky import ProcessPoolExecutor

from ganstudy.trial import ProgramName, Record

if TYPE_CHECKING:
    from ganstudy.engine.packing import Pack

__all__ = ["WORKER_ENVIRONMENT", "train_packs"]

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


def train_packs(
    packs: Sequence[Pack],
    workers: int,
    devices: Sequence[str] = ("cpu",),
    program: ProgramName = "eager",
) -> Iterator[list[Record]]:
    """Records of each pack as it ends, in no order; workers are dealt out over the devices.

    A pack that fails is split in halves until the trial at fault stands alone; that trial becomes
    a `failed` record with its traceback. A worker that dies takes no other work with it: the packs
    in flight are split and tried again in fresh workers.
    """
    waiting = deque((pack, 0) for pack in packs)
    slots = deque(itertools.islice(itertools.cycle(devices), workers))
    running: dict[Future[list[Record]], tuple[Pack, int, str]] = {}
    executor = _workers(workers)
    try:
        while waiting or running:
            while waiting and slots:
                (pack, tries), device = waiting.popleft(), slots.popleft()
                running[executor.submit(_train, pack, device, program)] = (pack, tries, device)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            broken = False
            for future in done:
                pack, tries, device = running.pop(future)
                slots.append(device)
                error = future.exception()
                broken |= isinstance(error, BrokenExecutor)
                if error is None:
                    yield future.result()
                elif len(pack) > 1:
                    middle = len(pack) // 2
                    waiting.extendleft([(pack[middle:], tries), (pack[:middle], tries)])
                elif isinstance(error, BrokenExecutor) and tries + 1 < TRIES:
                    waiting.appendleft((pack, tries + 1))
                else:
                    yield [_failed(pack[0], program, error)]
            if broken:
                # Every future of a broken pool fails with it; those not seen yet start anew.
                for pack, tries, device in running.values():
                    waiting.appendleft((pack, tries))
                    slots.append(device)
                running.clear()
                executor.shutdown(wait=False, kill_workers=True)
                executor = _workers(workers)
    finally:
        executor.shutdown(wait=False, kill_workers=True)


def _workers(count: int) -> Any:
    return ProcessPoolExecutor(max_workers=count, env={**os.environ, **WORKER_ENVIRONMENT})


def _train(pack: Pack, device: str, program: ProgramName) -> list[Record]:
    """Runs in a worker."""
    import torch

    torch.set_num_threads(1)
    records: list[Record] = pack[0].configuration.train(pack, device, program)
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
