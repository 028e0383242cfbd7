"""The trials of four_hundred.yaml as users run them elsewhere.

`python -m benchmarks.peers joblib 100 '{"width": 128}'`
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LRS = (1e-4, 3e-4, 1e-3, 2e-3, 4e-3)
FIXED: dict[str, Any] = {"width": 32, "batch": 256, "steps": 500, "every": 50, "samples": 1000}
CORES = 2


def settings(count: int, own: dict[str, int]) -> list[dict[str, Any]]:
    """The first trials of the study with settings of its own, seeds outermost."""
    points = itertools.product(range(40), ("minimax", "non_saturating"), LRS)
    return [
        {**FIXED, **own, "seed": seed, "divergence": divergence, "lr": lr}
        for seed, divergence, lr in itertools.islice(points, count)
    ]


def with_joblib(count: int, own: dict[str, int]) -> None:
    from joblib import Parallel, delayed

    from benchmarks.plain_torch import train

    Parallel(n_jobs=CORES)(delayed(train)(**one) for one in settings(count, own))


def with_ray(count: int, own: dict[str, int]) -> None:
    import ray

    from benchmarks.plain_torch import train

    # At its default niceness a worker gives way to whatever else the machine does.
    quick = {"worker_niceness": 0}
    ray.init(num_cpus=CORES, include_dashboard=False, log_to_driver=False, _system_config=quick)
    task = ray.remote(num_cpus=1)(train)
    ray.get([task.remote(**one) for one in settings(count, own)])


def with_optuna(count: int, own: dict[str, int]) -> None:
    """One process for each core, on one journal, as Optuna's documentation has it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.peers", "optuna-worker"]
        journal = str(Path(folder) / "journal.log")
        share = count // CORES
        workers = [
            subprocess.Popen([*command, str(share), json.dumps(own), journal, str(index * share)])
            for index in range(CORES)
        ]
        assert all(worker.wait() == 0 for worker in workers)


def optuna_worker(count: int, own: dict[str, int], journal: str, first: int) -> None:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    from benchmarks.plain_torch import train

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        study_name="bench", storage=JournalStorage(JournalFileBackend(journal)), load_if_exists=True
    )
    for one in settings(first + count, own)[first:]:
        trial = study.ask()
        trial.set_user_attr("settings", one)
        study.tell(trial, float(train(**one)[-1]))


def with_hydra(count: int, own: dict[str, int]) -> None:
    """Hydra's joblib launcher sweeps the same points; its jobs import what they need."""
    with tempfile.TemporaryDirectory() as folder:
        seeds = max(count // (2 * len(LRS)), 1)
        command = [
            *(sys.executable, "-m", "benchmarks.hydra_app", "--multirun"),
            *("hydra/launcher=joblib", f"hydra.launcher.n_jobs={CORES}"),
            f"hydra.sweep.dir={folder}",
            f"seed=range({seeds})",
            "divergence=minimax,non_saturating",
            f"lr={','.join(map(str, LRS))}",
            *(f"{name}={value}" for name, value in own.items()),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


PEERS = {"joblib": with_joblib, "optuna": with_optuna, "hydra": with_hydra, "ray": with_ray}

if __name__ == "__main__":
    name, trials, own, *rest = sys.argv[1:]
    if name == "optuna-worker":
        optuna_worker(int(trials), json.loads(own), rest[0], int(rest[1]))
    else:
        PEERS[name](int(trials), json.loads(own))
