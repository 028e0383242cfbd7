"""Wall time from the command to the last record and to the page, against others' trials."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import FIXED, PEERS

STUDY = Path(__file__).parent / "four_hundred.yaml"

OURS = ("cold", "warm", "cold, to the last record", "to the last record")

NEEDED = {"joblib": "joblib", "optuna": "optuna", "hydra": "hydra_plugins", "ray": "ray"}


@dataclass(frozen=True)
class Shape:
    """A study of ten settings, and how much of it the peers run.

    settings       what differs from `peers.FIXED`
    start, sample  trials of two runs of a peer, tens since Hydra sweeps all ten settings, through
                   which a straight line gives all; the same number where it runs all trials
    rounds         of which medians are taken
    """

    trials: int
    start: int
    sample: int
    settings: dict[str, int]
    rounds: int = 1

    def arguments(self) -> list[str]:
        """The study file, and what is set otherwise in it."""
        own = {**FIXED, **self.settings}
        return [
            str(STUDY),
            *(f"trial.{player}.width={own['width']}" for player in ("generator", "critic")),
            f"trial.steps={own['steps']}",
            f"trial.record.every={own['every']}",
            f"seeds={self.trials // 10}",
        ]


SHAPES = {
    "400 trials of 500 steps, width 32": Shape(400, 10, 100, {}),
    # All of them: a line through ten and twenty trials is as wrong as six times one disturbance.
    "60 trials of 2,000 steps, width 128": Shape(
        60, 60, 60, {"width": 128, "steps": 2000, "every": 200}
    ),
    "10 trials of 50 steps, width 32": Shape(10, 10, 10, {"steps": 50}, rounds=3),
}


def measure() -> dict[str, Any]:
    return {"studies": {name: compared(shape) for name, shape in SHAPES.items()}}


def compared(shape: Shape) -> dict[str, Any]:
    """Seconds of each, and how many times as long as ours the quickest peer takes."""
    rounds = [one_round(shape) for _ in range(shape.rounds)]
    seconds = {
        name: statistics.median(one[name] for one in rounds if one[name] is not None)
        for name, first in rounds[0].items()
        if first is not None
    }
    best = min(seconds[name] for name in PEERS if name in seconds)
    return {
        "rounds": shape.rounds,
        "seconds": seconds,
        "best_peer_over_ganstudy": {own: best / seconds[own] for own in OURS},
    }


def one_round(shape: Shape) -> dict[str, float | None]:
    """Ours with nothing compiled yet and with all of it; the peers, None where not installed.

    Peers make neither a dataset nor a page: theirs end where ours has its last record.
    """
    with tempfile.TemporaryDirectory() as cache:
        (cold, cold_records), (warm, records) = (ganstudy(shape, Path(cache)) for _ in range(2))
    ours = zip(OURS, (cold, warm, cold_records, records), strict=True)
    return {**dict(ours), **{name: extrapolated(name, shape) for name in PEERS}}


def ganstudy(shape: Shape, cache: Path) -> tuple[float, float]:
    """Seconds of `ganstudy run`, by what is compiled in a cache; and those to its last record."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(cache)}
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "ganstudy", "run", *shape.arguments(), "--out", str(out)]
        started = time.time()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        seconds = time.time() - started
        recorded = max(path.stat().st_mtime for path in (out / "records").iterdir()) - started
        shutil.rmtree(out)
    return seconds, recorded


def extrapolated(name: str, shape: Shape) -> float | None:
    """Seconds of all trials, in a straight line through two samples."""
    if importlib.util.find_spec(NEEDED[name]) is None:
        return None
    first = peer(name, shape.start, shape.settings)
    if shape.start == shape.trials:
        return first
    slope = (peer(name, shape.sample, shape.settings) - first) / (shape.sample - shape.start)
    return first + slope * (shape.trials - shape.start)


def peer(name: str, trials: int, settings: dict[str, int]) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.peers", name, str(trials), json.dumps(settings)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    return time.perf_counter() - started
