"""Trial-steps per second of whole trainings, records at their default and first weights included,
and of several workers on one device.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.gpu.visit import Visit

WIDTH, BATCH = 32, 256
CASES = ((64, 1, 3000), (1024, 1, 600), (1024, 2, 600))
"""Trials, workers that share them, and steps of each."""


def measure(
    visit: Visit, cases: tuple[tuple[int, int, int], ...] = CASES, width: int = WIDTH
) -> Iterator[dict[str, Any]]:
    """A row for each case, from the first pack to the last record; workers were there before."""
    rows: list[dict[str, Any]] = []
    for trials, workers, steps in cases:
        rate = _rate(visit.device, trials, workers, steps, width)
        rows.append({"trials": trials, "workers": workers, "steps": steps, "rate": rate})
        print(rows[-1], flush=True)
        yield {"width": width, "batch": BATCH, "rows": rows}


class _Listed:
    """Packs that are known beforehand."""

    def __init__(self, packs: list[Any]) -> None:
        self.packs = packs

    def ask(self, free_slots: int) -> list[Any]:
        """All of them, once."""
        packs, self.packs = self.packs, []
        return packs


def _rate(device: str, trials: int, workers: int, steps: int, width: int) -> float:
    from ganstudy.kinds.adversarial import Adversarial
    from ganstudy.schedule.executors.local import LocalExecutor
    from ganstudy.schedule.loop import train_packs
    from ganstudy.trial import Trial

    def train(executor: Any, trials: int, steps: int) -> None:
        player = {"width": width, "depth": 2}
        settings = {"batch": BATCH, "generator": player, "critic": player, "steps": steps}
        own = [Trial(Adversarial.model_validate(settings), seed) for seed in range(trials)]
        packs = _Listed([tuple(own[worker::workers]) for worker in range(workers)])
        for records in train_packs(packs, executor):
            if wrong := [record.cause for record in records if record.status == "failed"]:
                raise RuntimeError(wrong[0])

    with LocalExecutor(workers, devices=(device,)) as executor:
        train(executor, 2 * workers, 2)  # which makes the kernels
        started = time.perf_counter()
        train(executor, trials, steps)
        return trials * steps / (time.perf_counter() - started)


def lines(found: dict[str, Any]) -> list[str]:
    """For the page."""
    width, batch = found["width"], found["batch"]
    return [
        "",
        f"Whole trainings, trial-steps per second, width {width}, batches of {batch}, by default:",
        "",
        "| trials | workers | steps | trial-steps per second |",
        "|---|---|---|---|",
        *(
            f"| {row['trials']} | {row['workers']} | {row['steps']} | {row['rate']:,.0f} |"
            for row in found["rows"]
        ),
    ]
