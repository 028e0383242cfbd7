"""Trial-steps per second of convolutions: a pack in tiles, and trial after trial, as graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from benchmarks.gpu.throughput import rate
from benchmarks.gpu.visit import Visit

BATCH = 64
CASES: Mapping[str, dict[str, Any]] = {
    "dcgan, 28 x 28": {"network": "dcgan", "width": 32, "depth": 2, "size": 28},
    "dcgan, 64 x 64": {"network": "dcgan", "width": 32, "depth": 4, "size": 64},
    "resnet, 28 x 28": {"network": "resnet", "width": 16, "depth": 2, "size": 28},
}
PACKS = (1, 8, 64)
WAYS = {"tiles": True, "apart": False}
"""What trials are packed for comes first."""


def measure(
    visit: Visit, cases: Mapping[str, dict[str, Any]] = CASES, packs: tuple[int, ...] = PACKS
) -> Iterator[dict[str, Any]]:
    """A row for each network and pack."""
    rows: list[dict[str, Any]] = []
    for name, case in cases.items():
        for pack in packs:
            rates = {
                way: visit.found(
                    f"{name}, {way}", partial(_rate, visit.device, case, pack, at_once)
                )
                for way, at_once in WAYS.items()
            }
            rows.append({"network": name, "pack": pack, **rates})
            print(rows[-1], flush=True)
            yield {"batch": BATCH, "rows": rows}


def _rate(device: str, case: Mapping[str, Any], pack: int, at_once: bool) -> float:
    import torch

    from ganstudy import tiles
    from ganstudy.engine.session import Session
    from ganstudy.kinds.adversarial import Adversarial
    from ganstudy.kinds.adversarial.batches import batches
    from ganstudy.kinds.adversarial.program import playing, program
    from ganstudy.kinds.adversarial.training import initial
    from ganstudy.trial import Trial

    player = {name: case[name] for name in ("network", "width", "depth")}
    norm = "batch" if case["network"] == "dcgan" else "none"
    settings = {
        "target": {"name": "sprites", "size": case["size"], "channels": 3, "noise": 0.001},
        "batch": BATCH,
        "generator": {**player, "latent": 64, "norm": norm},
        "critic": {**player, "activation": "leaky_relu"},
        "record": {"metrics": ["energy_distance"]},
    }
    own = [Trial(Adversarial.model_validate(settings), seed) for seed in range(pack)]
    place, as_it_is = torch.device(device), tiles.at_once
    tiles.at_once = lambda x: at_once
    try:
        with Session(device).computing():
            game, start = initial(own, place)
            one = next(iter(batches(own, place)))
            play = playing(program("eager", place.type), game, place)
            return rate(_rounds(play, start, one, place), pack)
    finally:
        tiles.at_once = as_it_is


def _rounds(play: Any, start: Any, batch: Any, place: Any) -> Callable[[int], None]:
    import torch

    def run(rounds: int) -> None:
        state = start
        for _ in range(rounds):
            state, _ = play(state, batch)
        if place.type == "cuda":
            torch.cuda.synchronize(place)

    return run


def lines(found: dict[str, Any]) -> list[str]:
    """For the page."""
    result = [
        "",
        f"Convolutions, trial-steps per second, batches of {found['batch']}, as graphs:",
        "",
        "| network | pack | in tiles | trial after trial |",
        "|---|---|---|---|",
    ]
    for row in found["rows"]:
        cells = " | ".join(f"{row[way]:,.0f}" if row[way] else "none" for way in WAYS)
        result.append(f"| {row['network']} | {row['pack']} | {cells} |")
    return result
