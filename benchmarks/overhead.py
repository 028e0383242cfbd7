"""What a study costs beside its arithmetic: planning, scheduling, storing, gathering, recording."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ganstudy.store import RunDirectory

WORKERS = 2

STUDY = """\
question: What does a study cost beside its arithmetic?
trial:
  generator: {{width: 8, depth: 1}}
  critic: {{width: 8, depth: 1}}
  steps: {steps}
  batch: 32
  record: {{every: {every}, samples: 100}}
search:
  grid:
    divergence: [minimax, non_saturating]
    generator.lr: {lrs}
seeds: {seeds}
"""


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        plan = timed("plan", write(path, "plan", 1, 100, 500))
        most = write(path, "most", 1, 100, 500)
        started = time.perf_counter()
        most_session = session_seconds(most, path / "most")
        most_whole = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        few = write(path, "few", 1, 10, 5)
        many = write(path, "many", 1, 100, 50)
        small = session_seconds(few, path / "few")
        large = session_seconds(many, path / "many")
        training = trained_seconds(path / "many")
        gathered = gather(path / "many")
    return {
        "plan_100000_seconds": plan,
        "run_100000_to_the_page_seconds": most_whole,
        "run_100000_gibibytes": peak,
        "milliseconds_per_trial_of_100000": (most_session - small) / (100_000 - 100) * 1000,
        "run_10000_seconds": large,
        "milliseconds_per_trial": (large - small) / (10_000 - 100) * 1000,
        "milliseconds_of_scheduler_and_store": (large - training / WORKERS) / 10_000 * 1000,
        **gathered,
        **recording(),
    }


def write(folder: Path, name: str, steps: int, lrs: int, seeds: int) -> Path:
    path = folder / f"{name}.yaml"
    values = [1e-3 * 1.01**index for index in range(lrs)]
    path.write_text(STUDY.format(steps=steps, every=100, lrs=values, seeds=seeds))
    return path


def timed(verb: str, *arguments: object) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "ganstudy", verb, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def session_seconds(study: Path, out: Path) -> float:
    """Seconds from the first pack to the last record of a run: no imports, gathering or report."""
    timed("run", study, "--out", out, "--workers", WORKERS)
    environment = json.loads((out / "environment.json").read_text())
    return float(environment["sessions"][-1]["seconds"])


def trained_seconds(run: Path) -> float:
    """Seconds that workers spent on the trials of a run, from first weights to last record."""
    return sum(entry.seconds for entry in RunDirectory(run).entries().values())


def gather(run: Path) -> dict[str, float]:
    """Gather the records of a run in a process of its own, whose memory is measured."""
    code = (
        "import sys, time, json, resource\n"
        "from pathlib import Path\n"
        "from ganstudy import existing\n"
        "from ganstudy.store import gather\n"
        "directory, search = existing.reopen(Path(sys.argv[1]))\n"
        "started = time.perf_counter()\n"
        "gather(directory, search)\n"
        "seconds = time.perf_counter() - started\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20\n"
        "print(json.dumps({'gather_seconds': seconds, 'gather_gibibytes': peak}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(run)], check=True, capture_output=True, text=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def recording() -> dict[str, float]:
    """Share of training that is recording at the default `record.every`, in pairs of runs.

    One of them records ten times as often as by default, so that what it takes longer by is ten
    times the share and more than two runs differ by anyway.
    """
    import statistics

    from ganstudy.kinds.adversarial import Adversarial
    from ganstudy.trial import Trial

    shares = []
    for _ in range(9):
        seconds = {}
        for every in (10, 500):
            configuration = Adversarial.model_validate(
                {
                    "steps": 500,
                    "record": {"every": every},
                    "generator": {"width": 32},
                    "critic": {"width": 32},
                }
            )
            trials = [Trial(configuration, seed) for seed in range(16)]
            started = time.perf_counter()
            configuration.train(trials)
            seconds[every] = time.perf_counter() - started
        shares.append((seconds[10] - seconds[500]) / 49 * 5 / seconds[500])
    return {"recording_share": statistics.median(shares)}
