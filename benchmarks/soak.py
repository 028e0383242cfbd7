"""A soak: 2,000 short trials under random kills, with every trial accounted for and no leak.

    python benchmarks/soak.py [--trials 2000] [--kills 40]

Kills a worker at random moments, in one process that keeps running. They are counted in trials that
have landed, and a pack lands between any two: however busy a machine, workers start between them.
Prints counts, memory, open files, threads and processes of the parent: after a tenth of the trials,
when the last one lands, and after the dataset is written. Exit 1 if a trial is lost, trained twice
or failed, if a process is left, or if anything grows beyond its bound.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from ganstudy import pipeline, report
from ganstudy.engine import checkpoints
from ganstudy.progress import Progress
from ganstudy.store import RunDirectory
from ganstudy.study import load

STUDY = """\
question: Does it leak?
trial:
  target: {{name: ring, modes: 4}}
  generator: {{width: 4, depth: 1}}
  critic: {{width: 4, depth: 1}}
  steps: 200
  batch: 32
  record: {{every: 100, samples: 32}}
search:
  grid:
    divergence: [minimax, wasserstein, non_saturating, reverse_kl]
seeds: {seeds}
engine: {{program: eager, pack: 4}}
"""


GROWTH = {"megabytes": 64, "open_files": 4, "threads": 0, "processes": 0}
"""What may be held more when the last record lands than after a tenth of them. A worker that is
being replaced has two pipes for a moment; the index of the records takes some memory for each.
"""


def figures() -> dict[str, int]:
    """What this process holds now."""
    process = psutil.Process()
    return {
        "megabytes": process.memory_info().rss // 2**20,
        "open_files": process.num_fds(),
        "threads": process.num_threads(),
        "processes": len(process.children(recursive=True)),
    }


def kill_at_random(moments: list[int], seen: dict[str, Any], over: threading.Event) -> None:
    """Kill a worker soon after so many trials have landed, for each of these numbers, and after
    some have landed since the last one.
    """
    rng, last = random.Random(0), -1
    for moment in moments:
        while seen["landed"] < max(moment, last + 1) and not over.is_set():
            time.sleep(0.05)
        while not over.wait(rng.uniform(0.0, 0.5)):
            children = psutil.Process().children()
            workers = [c for c in children if "ganstudy.schedule.worker" in " ".join(c.cmdline())]
            if workers:
                last = seen["landed"]
                rng.choice(workers).kill()
                seen["kills"] += 1
                break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=40)
    given = parser.parse_args()
    checkpoints.EVERY = 0.2
    # A page of figures about 2,000 trials is not what is tested here.
    report.build = lambda dataset, provenance, destination, press=None: destination
    folder = Path(tempfile.mkdtemp(prefix="ganstudy-soak-"))
    path = folder / "soak.yaml"
    path.write_text(STUDY.format(seeds=given.trials // 4), encoding="utf-8")
    seen: dict[str, Any] = {"before": figures(), "kills": 0, "landed": 0}

    def observe(progress: Progress) -> None:
        seen["landed"] = progress.trained
        if progress.trained >= given.trials // 10:
            seen.setdefault("after_a_tenth", figures())
        if progress.trained == given.trials:
            seen["last_record"] = figures()

    over = threading.Event()
    moments = sorted(random.Random(0).sample(range(given.trials * 9 // 10), given.kills))
    killer = threading.Thread(target=kill_at_random, args=(moments, seen, over))
    killer.start()
    started = time.perf_counter()
    try:
        progress = pipeline.run(load(path), folder / "run", workers=2, observe=observe)
    finally:
        over.set()
        killer.join()
    run = RunDirectory(folder / "run")
    times = Counter(record.id for record in run.read())
    seen |= {
        "after": figures(),
        "seconds": round(time.perf_counter() - started),
        "kills_asked": given.kills,
        "trials": given.trials,
        "recorded": len(times),
        "recorded_twice": sum(count > 1 for count in times.values()),
        "status": dict(progress.done),
        "checkpoints_left": sum(1 for _ in run.checkpoints.glob("*")),
    }
    seen["held"] = verdicts(seen)
    print(json.dumps(seen, indent=2))
    if not all(seen["held"].values()):
        sys.exit(f"the run is left in {folder}")
    shutil.rmtree(folder)


def verdicts(seen: dict[str, Any]) -> dict[str, bool]:
    """Which promises were kept."""
    early, last, after = seen["after_a_tenth"], seen["last_record"], seen["after"]
    # zarr starts a thread and a pool with the first dataset that is written, and keeps both.
    pool = 1 + min(32, (os.cpu_count() or 1) + 4)
    return {
        "most were killed": 2 * seen["kills"] > seen["kills_asked"],
        "every trial is complete": seen["status"] == {"complete": seen["trials"]},
        "every trial has a record": seen["recorded"] == seen["trials"],
        "no trial was trained twice": seen["recorded_twice"] == 0,
        "no checkpoint is left": seen["checkpoints_left"] == 0,
        "no worker is left": after["processes"] <= seen["before"]["processes"],
        "threads after the dataset": after["threads"] <= last["threads"] + pool,
        **{
            f"no growth of {name}": last[name] - early[name] <= growth
            for name, growth in GROWTH.items()
        },
    }


if __name__ == "__main__":
    main()
