"""Trial-steps per second against plain PyTorch and against JAX, at four widths."""

from __future__ import annotations

import functools
import importlib
import statistics
import time
from typing import Any

from benchmarks.duel import Contestant, Team

BATCH, ROUNDS = 256, 7
WIDTHS = (32, 64, 128, 256)
SECONDS = 2.0
"""Aim for the length of one turn."""

TRAININGS: dict[str, dict[str, Any]] = {
    "one D-step": {},
    "five D-steps": {"d_steps": 5},
    "gradient penalty": {"penalty": 10.0},
}
"""What is trained at the width `VARIED`, and in words; the first is what all widths train."""

VARIED = 64

AIMS = {32: (5.0, 8.0), 64: (3.0, 5.0), 128: (1.5, 2.5), 256: (1.0, 1.3)}
"""Least ratio to plain PyTorch, and the one aimed at."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


class OurPack:
    """A pack as the scheduler would train it, without recording."""

    def __init__(
        self,
        seed: int,
        width: int,
        program_name: str = "compiled",
        d_steps: int = 1,
        penalty: float = 0.0,
    ) -> None:
        # Before torch, whose products it pins.
        importlib.import_module("ganstudy.engine")
        import torch

        torch.set_num_threads(1)
        from ganstudy.engine.packing import packs
        from ganstudy.engine.session import Session
        from ganstudy.kinds.adversarial import Adversarial
        from ganstudy.kinds.adversarial.batches import batches
        from ganstudy.kinds.adversarial.program import program
        from ganstudy.kinds.adversarial.training import initial
        from ganstudy.trial import Trial

        player = {"width": width, "depth": 2, "optimizer": {"name": "adam", "beta1": 0.5}}
        settings: dict[str, Any] = {"batch": BATCH, "generator": player}
        settings["critic"] = {**player, "steps": d_steps}
        if penalty:
            settings["constraint"] = {"name": "gradient_penalty", "weight": penalty}
        configuration = Adversarial.model_validate(settings)
        trials = [Trial(configuration, 1000 * seed + i) for i in range(512)]
        own = packs(trials, workers=1)[0]
        own = own[: max(len(own) // 4 * 4, 4)]
        self.pack = len(own)
        self.session = Session(program=program_name)
        self.program = program(program_name, "cpu")
        device = torch.device("cpu")
        beside = (configuration.divergence,) if program_name == "compiled" else ()
        self.game, self.state = initial(own, device, beside)
        self.batches = batches(own, device)

    def run(self, steps: int) -> None:
        with self.session.computing():
            for _ in range(steps):
                batch = next(self.batches)
                self.state, _ = self.game.updates.play(self.program, self.game, self.state, batch)


class Plain:
    """One trial after the other, in plain PyTorch."""

    pack = 1

    def __init__(self, seed: int, width: int, **training: Any) -> None:
        import torch

        torch.set_num_threads(1)
        from benchmarks.plain_torch import PlainTrial

        self.trial = PlainTrial(seed, width, BATCH, **training)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.trial.step()


def jax_pack(seed: int, width: int, pack: int, **training: Any) -> Contestant:
    from benchmarks.jax_scan import JaxPack

    return JaxPack(seed, width, BATCH, pack, **training)


def multiply_adds(width: int) -> int:
    """Those of one D-step and one M-step of one trial, without the first layer's input gradient."""
    generator = 2 * width + width * width + 2 * width
    critic = 2 * width + width * width + width
    return BATCH * (generator + 6 * critic + 3 * generator + 2 * critic)


def matrix_rate() -> float:
    """Multiply-adds per second of one thread in the product of two large matrices."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    times = []
    for _ in range(10):
        started = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - started)
    torch.set_num_threads(threads)
    return 1024**3 / statistics.median(times)


def measure(widths: tuple[int, ...] = WIDTHS) -> dict[str, Any]:
    from ganstudy.schedule.executor import environment

    rate = matrix_rate()
    rows = []
    for width in widths:
        row = {"width": width, **_duel(width, {}, environment("compiled"))}
        row["share_of_matrix_rate"] = multiply_adds(width) * row["ganstudy"] / 2 / rate
        row["least"], row["aim"] = AIMS[width]
        rows.append(row)
    varied = [
        {"training": name, "width": VARIED, **_duel(VARIED, training, environment("compiled"))}
        for name, training in TRAININGS.items()
        if training
    ]
    return {
        "multiply_adds_per_second": rate,
        "batch": BATCH,
        "rounds": ROUNDS,
        "rows": rows,
        "trainings": varied,
    }


def _duel(width: int, training: dict[str, Any], own: dict[str, str]) -> dict[str, Any]:
    """Median rates of the three, and medians of the ratios within a round."""
    contestants: dict[str, Any] = {
        "ganstudy": functools.partial(OurPack, width=width, **training),
        "plain": functools.partial(Plain, width=width, **training),
        "jax": functools.partial(jax_pack, width=width, pack=8, **training),
    }
    environments = {"ganstudy": {**ONE_THREAD, **own}}
    teams = {
        name: Team(factory, environments.get(name, ONE_THREAD))
        for name, factory in contestants.items()
    }
    # The number of steps that takes about one turn; JAX runs whole chunks.
    steps = {}
    for name, team in teams.items():
        pace = team.rate(200) / team.pack / 2
        steps[name] = max(100, round(SECONDS * pace / 100) * 100)
    turns = [{n: team.rate(steps[n]) for n, team in teams.items()} for _ in range(ROUNDS)]
    for team in teams.values():
        team.stop()
    row: dict[str, Any] = {"pack": teams["ganstudy"].pack}
    for name in teams:
        row[name] = statistics.median(turn[name] for turn in turns)
    for name in ("plain", "jax"):
        row[f"over_{name}"] = statistics.median(t["ganstudy"] / t[name] for t in turns)
    return row
