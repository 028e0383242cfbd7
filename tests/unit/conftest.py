"""Fixtures of the unit tests."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from checked import Run, imported
from filelock import FileLock
from inline import trained_inline
from joined_studies import FILES, made_runs
from searched import bayes, made_up
from synthetic_dataset import synthetic_dataset
from tiny import TABLE, write_study
from unrendered import undrawn

from ganstudy import open_runs
from ganstudy.pipeline import run
from ganstudy.search import search_of
from ganstudy.store import RunDirectory, gather, open_run
from ganstudy.study import load
from ganstudy.targets import from_config
from ganstudy.targets.file import File
from ganstudy.trial import Trial

THEORY = """\
question: Which updates find the equilibrium?
trial: {kind: tabular, points: 4, steps: 10}
search: {grid: {algorithm: [alternating, descent, practical]}}
seeds: 2
"""


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first process of a session that asks for it makes, for all to read."""
    own = factory.getbasetemp()
    # Each process of xdist has a folder of its own within that of the session.
    folder = (own.parent if own.name.startswith("popen-") else own) / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that ended meanwhile
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a small study that has been run, just long enough for scores to differ."""
    changes = [
        "trial.target.std=0.4",
        "trial.steps=60",
        "trial.record.every=20",
        "trial.record.generator=true",
        "trial.generator.lr=0.005",
        "search.grid.divergence=[minimax, reverse_kl]",
    ]

    def make(folder: Path) -> None:
        with trained_inline(), undrawn():
            run(load(write_study(folder), changes), folder / "run", workers=1)

    return made_once(tmp_path_factory, "tiny", make) / "run"


@pytest.fixture(scope="session")
def make_study() -> Callable[..., xr.Dataset]:
    """Builder of gathered studies with made-up numbers."""
    return synthetic_dataset


def decided(trial: Trial[Any]) -> float:
    """A score that one learning rate decides, but for a little noise."""
    noise = np.random.default_rng(trial.seed).normal() * 0.05
    return 8 - 1.5 * abs(math.log10(trial.configuration.generator.lr) + 3) + noise


@pytest.fixture(scope="session")
def search(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """A search with two objectives, a constraint that all points keep, and made-up records.

    Random points of which the generator's learning rate decides, so that the report has all figures
    of a search.
    """
    folder = tmp_path_factory.mktemp("search")
    both = "search.bayes.objective={maximize: modes_covered, minimize: mode_kl}"
    plain = ("search.bayes.sampler=random", "search.bayes.trials=24")
    own = bayes(folder, both, "search.bayes.constraints={high_quality: {minimum: 0}}", *plain)
    directory = RunDirectory(folder / "run")
    directory.records.mkdir(parents=True)
    while parts := own.ask(1):
        records = [made_up(trial, decided(trial)) for pack in parts for trial in pack]
        directory.write(records)
        own.tell(records)
    directory.study.write_text("question: made up\n")
    gather(directory, own)
    return open_run(directory.path).compute()


SETTLED = """\
question: Is one of them better?
trial:
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 20
  batch: 8
  record: {every: 10, samples: 10, metrics: [mode_kl, modes_covered]}
search:
  grid:
    divergence: [minimax, non_saturating, reverse_kl]
    critic.steps: [1, 2]
seeds: {until: settled, start: 4, max: 20, equal_within: 0.5}
"""


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """A study that goes on for two arms of three, with made-up records."""
    folder = tmp_path_factory.mktemp("settled")
    own = search_of(load(write_study(folder, SETTLED)))
    directory = RunDirectory(folder / "run")
    directory.records.mkdir(parents=True)
    while parts := own.ask(1):
        trials = [trial for pack in parts for trial in pack]
        names = [trial.configuration.divergence.name for trial in trials]
        noise = [
            np.random.default_rng([t.seed, len(n)]).normal()
            for t, n in zip(trials, names, strict=True)
        ]
        scores = [2 + x + 6 * (n == "reverse_kl") for x, n in zip(noise, names, strict=True)]
        records = [made_up(t, score) for t, score in zip(trials, scores, strict=True)]
        directory.write(records)
        own.tell(records)
    directory.study.write_text("question: made up\n")
    gather(directory, own)
    return open_run(directory.path).compute()


IMAGES = """\
question: Which images?
trial:
  target: stacked_digits
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 6
  batch: 16
  record: {every: 2, samples: 1000, metrics: [{name: modes_covered, radius: 9}]}
search:
  grid:
    divergence: [minimax, wasserstein]
    critic.steps: [1, 2]
  exclude: [{divergence: wasserstein, critic.steps: 1}]
seeds: 2
"""


@pytest.fixture(scope="session")
def targets(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Runs of searches of the same arms on two targets, with made-up records."""
    folder = made_once(tmp_path_factory, "atlas", made_runs)
    return [folder / "runs" / name for name in FILES]


@pytest.fixture(scope="session")
def joined(targets: list[Path]) -> xr.Dataset:
    """These, along `study`."""
    return open_runs(*targets, along="study")


@pytest.fixture(scope="session")
def image_study(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """A study of stacked digits that has been trained; one point of its grid is left out."""
    folder = tmp_path_factory.mktemp("images")
    own, directory = search_of(load(write_study(folder, IMAGES))), RunDirectory(folder / "run")
    with directory.locked(), pytest.MonkeyPatch.context() as patch:
        # What the metric says of p itself takes seconds.
        patch.setattr("ganstudy.store.dataset.perfect", lambda *_: {})
        directory.write_study(own)
        for pack in own.ask(1):
            records = pack[0].configuration.train(pack)
            directory.write(records)
            own.tell(records)
        gather(directory, own)
    return open_run(directory.path).compute()


@pytest.fixture(scope="session")
def theory_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a study whose trials check claims."""

    def make(folder: Path) -> None:
        with trained_inline(), undrawn():
            run(load(write_study(folder, THEORY)), folder / "run", workers=1)

    return made_once(tmp_path_factory, "theory", make) / "run"


@pytest.fixture(scope="session")
def theory(theory_run: Path) -> xr.Dataset:
    """Its dataset."""
    return open_run(theory_run).compute()


@pytest.fixture(scope="module")
def suites_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A process that has imported what the suites need: longer than most checks take."""
    with imported(tmp_path_factory.mktemp("suites") / "said") as forked:
        yield forked


@pytest.fixture
def suites_imported(suites_process: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plug-ins are checked by forks of that process."""
    run = SimpleNamespace(run=suites_process)
    monkeypatch.setattr("ganstudy.plugins.conformance.subprocess", run)


TABLE_ARMS = ["rows", "sorted", "shifted"]


@pytest.fixture(scope="session")
def table_study(make_study: Callable[..., xr.Dataset]) -> xr.Dataset:
    """Three arms on a table: its rows themselves, each column sorted, and one column shifted."""
    made = make_study({"divergence": TABLE_ARMS}, seeds=2, features=3, samples=400, status={})
    target = from_config({"name": "file", "path": str(TABLE), "label": "group"})
    assert isinstance(target, File)
    rows, features = target.rows().train, target.features
    assert features is not None
    rng = np.random.default_rng(0)
    samples = made["samples"].values.copy()
    for arm in range(3):
        for seed in range(2):
            drawn = rows[rng.integers(len(rows), size=400)]
            if arm == 1:
                drawn = np.sort(drawn, axis=0)
            samples[arm, seed] = drawn + np.array([0.0, 0.0, 2.0 * (arm == 2)])
    return made.assign(
        samples=(made["samples"].dims, samples),
        target_settings=json.dumps({"name": "file", "path": str(TABLE), "label": "group"}),
        feature_mean=("feature", features.mean),
        feature_scale=("feature", features.scale),
    ).assign_coords(feature=list(features.names))
