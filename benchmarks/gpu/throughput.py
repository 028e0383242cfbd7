"""Trial-steps per second of packs of several sizes: written, compiled, as graphs, and by JAX."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.gpu.visit import Visit

BATCH = 256
PACKS = {32: (64, 1024, 4096), 64: (1024,), 128: (64, 512), 256: (64,)}
HEADINGS = (
    *("width", "pack", "kernels one by one", "as a graph", "graph, with its batches"),
    *("graph, library's products", "graph, compiled", "JAX", "MiB a trial"),
)
SECONDS = 1.0
"""Aim for the length of one measurement."""


def measure(visit: Visit) -> Iterator[dict[str, Any]]:
    """A row for each width and pack."""
    import torch

    rows: list[dict[str, Any]] = []
    for width, sizes in PACKS.items():
        for pack in sizes:
            row = {"width": width, "pack": pack, **_ours(visit, width, pack)}
            # JAX is to have the memory that torch would keep.
            gc.collect()
            torch.cuda.empty_cache()
            rows.append({**row, "jax": visit.found("JAX", partial(_jax, width, pack))})
            print(rows[-1], flush=True)
            yield {"batch": BATCH, "rows": rows}


def _ours(visit: Visit, width: int, pack: int) -> dict[str, float | None]:
    import torch

    from ganstudy.engine.session import Session
    from ganstudy.kinds.adversarial import Adversarial
    from ganstudy.kinds.adversarial.batches import batches, block_length
    from ganstudy.kinds.adversarial.program import playing, program
    from ganstudy.kinds.adversarial.training import initial
    from ganstudy.trial import Trial

    player = {"width": width, "depth": 2, "optimizer": {"name": "adam", "beta1": 0.5}}
    settings = Adversarial.model_validate({"batch": BATCH, "generator": player, "critic": player})
    own = [Trial(settings, seed) for seed in range(pack)]
    device, place = visit.device, torch.device(visit.device)
    game, start = initial(own, place)
    drawn = batches(own, place)
    one = next(drawn)

    def same(play: Any) -> Callable[[int], None]:
        def run(rounds: int) -> None:
            state = start
            for _ in range(rounds):
                state, _ = play(state, one)
            torch.cuda.synchronize(place)

        return run

    row: dict[str, float | None] = {}
    with Session(device).computing():
        steps = program("eager", place.type)
        row["written"] = rate(same(lambda s, b: game.updates.play(steps, game, s, b)), pack)
        torch.cuda.reset_peak_memory_stats(place)
        graph = playing(steps, game, place)
        row["graph"] = rate(same(graph), pack)
        block_bytes = sum(x.untyped_storage().nbytes() for x in (one.real, one.latent, *one.noise))
        held = torch.cuda.max_memory_allocated(place) - block_bytes
        row["MiB_a_trial"] = held / pack / 2**20
        # Two blocks are drawn before anybody waits: they would flatter few rounds of a large pack.
        block = block_length(settings)
        on = _on(graph, start, drawn, place)
        row["with_draws"] = rate(on, pack, before=2 * block, least=3 * block)
    with Session(device, "compiled").computing():  # which leaves products to the library
        row["library"] = rate(same(playing(steps, game, place)), pack)

        def compiled() -> float:
            return rate(same(playing(program("compiled", place.type), game, place)), pack)

        row["compiled"] = visit.found("compiled steps", compiled)
    return row


def _on(play: Any, start: Any, drawn: Iterator[Any], place: Any) -> Callable[[int], None]:
    import torch

    def run(rounds: int) -> None:
        state = start
        for batch in itertools.islice(drawn, rounds):
            state, _ = play(state, batch)
        torch.cuda.synchronize(place)

    return run


def rate(run: Callable[[int], None], pack: int, before: int = 3, least: int = 10) -> float:
    """Trial-steps per second of so many rounds at least, after some that do not count."""
    run(before)
    started = time.perf_counter()
    run(10)
    rounds = max(least, min(2000, round(10 * SECONDS / (time.perf_counter() - started))))
    started = time.perf_counter()
    run(rounds)
    return rounds * pack / (time.perf_counter() - started)


def _jax(width: int, pack: int) -> float | None:
    """The same in JAX, by vmap and scan; None without a JAX that has a GPU."""
    try:
        import jax

        if jax.default_backend() != "gpu":
            return None
    except (ImportError, RuntimeError):
        return None
    from benchmarks.jax_scan import CHUNK, JaxPack

    # Single precision as ours is; by default JAX multiplies in TF32.
    with jax.default_matmul_precision("highest"):
        team = JaxPack(0, width, BATCH, pack)
        team.run(CHUNK)
        started = time.perf_counter()
        team.run(3 * CHUNK)
        return 3 * CHUNK * pack / (time.perf_counter() - started)


def lines(found: dict[str, Any]) -> list[str]:
    """For the page."""
    columns = ("written", "graph", "with_draws", "library", "compiled", "jax")
    result = [
        "",
        f"Trial-steps per second, batches of {found['batch']}, one D-step and one M-step:",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|---" * len(HEADINGS) + "|",
    ]
    for row in found["rows"]:
        cells = [f"{row[name]:,.0f}" if row[name] else "none" for name in columns]
        result.append(
            f"| {row['width']} | {row['pack']} | {' | '.join(cells)} | {row['MiB_a_trial']:.1f} |"
        )
    return result
