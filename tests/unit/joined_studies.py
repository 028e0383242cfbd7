"""A folder of searches of the same arms on two targets, without training."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tiny import made_up, write_study

from ganstudy.search import search_of
from ganstudy.store import RunDirectory, gather
from ganstudy.study import load
from ganstudy.trial import SCHEMA, Record, Trial

TEXT = """\
question: Which objective is best here?
compare: divergence
answer: budget
trial:
  target: TARGET
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 6
  batch: 16
  record:
    every: 2
    samples: 32
    metrics: METRICS
search:
  grid:
    divergence: [minimax, hinge, reverse_kl]
    constraint:
      published: {}
      R1 and R2: {constraint: [{name: r1, weight: 0.1}, {name: r2, weight: 0.1}]}
  bayes:
    space:
      generator.lr: {low: 1e-4, high: 1e-2, log: true}
      critic.lr: {low: 1e-4, high: 1e-2, log: true}
      critic.steps: [1, 3]
    trials: 4
    sampler: random
    repeats: 3
    fresh: 2
    objective: OBJECTIVE
seeds: 1
"""
RING = ("{name: ring, modes: 4}", "[modes_covered, high_quality, sliced_wasserstein]")
ROLL = ("swiss_roll", "[sliced_wasserstein, energy_distance]")
FILES = {
    "ring": (*RING, "{maximize: modes_covered}"),
    "roll": (*ROLL, "{minimize: sliced_wasserstein}"),
}


def text_of(name: str) -> str:
    """The study file of a target."""
    target, metrics, objective = FILES[name]
    text = TEXT.replace("TARGET", target).replace("METRICS", metrics)
    return text.replace("OBJECTIVE", objective)


def record_of(trial: Trial[Any]) -> Record:
    """Numbers from the trial's id, better for hinge; one trial in eight diverges."""
    number = int(trial.id, 16)
    record = made_up(trial, "diverged" if number % 8 == 0 else "complete")
    good = 1.0 * (trial.configuration.divergence.name == "hinge")
    for name, values in record.values.items():
        if name in ("modes_covered", "high_quality"):
            record.values[name] = values + 1.5 * good
        elif name in ("sliced_wasserstein", "energy_distance"):
            record.values[name] = values + 1.0 - good
    return record


def made_run(
    folder: Path,
    name: str,
    text: str | None = None,
    record: Callable[[Trial[Any]], Record] = record_of,
) -> Path:
    """A run of one target, every trial of which has a made-up record."""
    study = load(write_study(folder, text or text_of(name), f"{name}.yaml"))
    search, directory = search_of(study), RunDirectory(folder / "runs" / name)
    directory.records.mkdir(parents=True)
    while parts := search.ask(8):
        records = [record(trial) for pack in parts for trial in pack]
        directory.write(records)
        search.tell(records)
    directory.write_study(search)
    session = {"started": "2026-11-26T08:00:00", "packages": {"torch": "2"}}
    environment = {"study": name, "schema": SCHEMA, "sessions": [session]}
    directory.environment.write_text(json.dumps(environment))
    gather(directory, search)
    return directory.path


def made_runs(folder: Path) -> list[Path]:
    """The runs of all targets."""
    return [made_run(folder, name) for name in FILES]


def joined_of(values: Any, direction: str = "higher", bounds: Any = (0.0, 8.0)) -> xr.Dataset:
    """Joined grids whose trials have these scores, `(studies, arms[, constraints], seeds)`.

    A trial without a number has diverged.
    """
    values = np.asarray(values, np.float64)
    names = [f"target{number}" for number in range(len(values))]
    axes = ["divergence", "constraint"][: values.ndim - 2]
    dims = ("study", *axes, "seed")
    status = np.where(np.isfinite(values), "complete", "diverged")
    about = {
        **{"role": "metric", "long_name": "score", "units": "", "direction": direction},
        **{"bounds": bounds, "value_at_equality": bounds[direction == "higher"]},
    }
    attrs = {"question": "?", "compare": "divergence", "score": "worth", "axes": axes}
    labels = {
        axis: [f"{axis[0]}{i}" for i in range(values.shape[1 + k])] for k, axis in enumerate(axes)
    }
    return xr.Dataset(
        {
            "status": (dims, status),
            "diverged_at": (dims, np.where(status == "diverged", 1.0, np.nan)),
            "worth": ((*dims, "step"), values[..., None], about),
        },
        coords={"study": names, **labels, "seed": np.arange(values.shape[-1]), "step": [1]},
        attrs={
            **attrs,
            "along": "study",
            "own": json.dumps({name: {**attrs, "study": name} for name in names}),
        },
    )
