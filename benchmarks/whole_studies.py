"""Wall time from the command to the dataset, against the same trials run elsewhere."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS

HERE = Path(__file__).parent
TRIALS, SAMPLE, START = 400, 100, 10
"""Peers run a sample; what a run of `START` trials takes is not scaled with it."""

NEEDED = {"joblib": "joblib", "optuna": "optuna", "hydra": "hydra_plugins", "ray": "ray"}


def measure() -> dict[str, Any]:
    study = HERE / "four_hundred.yaml"
    ours = {"cold": ganstudy(study, cold=True), "warm": ganstudy(study, cold=False)}
    peers: dict[str, Any] = {}
    for name in PEERS:
        if importlib.util.find_spec(NEEDED[name]) is None:
            peers[name] = None
            continue
        peers[name] = extrapolated(name, START, SAMPLE, TRIALS)
    known = [seconds for seconds in peers.values() if seconds is not None]
    return {
        "trials": TRIALS,
        "ganstudy": ours,
        "peers": peers,
        "best_peer_over_ganstudy": {name: min(known) / own for name, own in ours.items()},
        "mode_collapse": ganstudy(HERE.parent / "studies" / "mode_collapse.yaml", cold=False),
        "mode_collapse_with_joblib": extrapolated("mode_collapse", 4, 12, 160),
    }


def extrapolated(name: str, start: int, sample: int, trials: int) -> float:
    """Seconds of all trials, in a straight line through two samples."""
    first, second = peer(name, start), peer(name, sample)
    return first + (second - first) * (trials - start) / (sample - start)


def ganstudy(study: Path, cold: bool) -> float:
    """Seconds of `ganstudy run`; cold: with an empty cache of compiled graphs."""
    with tempfile.TemporaryDirectory() as folder:
        environment = None
        if cold:
            import os

            environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(Path(folder) / "cache")}
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "ganstudy", "run", str(study), "--out", str(out)]
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        seconds = time.perf_counter() - started
        shutil.rmtree(out)
    return seconds


def peer(name: str, trials: int) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.peers", name, str(trials)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    return time.perf_counter() - started
