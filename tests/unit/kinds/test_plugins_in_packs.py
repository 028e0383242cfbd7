"""Members of a user's own beside those of the package: no trial's numbers depend on its pack."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from inline import Inline
from tiny import Listed, differences, train, trial

from ganstudy import kinds, plugins
from ganstudy.engine.chance import Chance
from ganstudy.engine.checkpoints import NO_CHECKPOINTS
from ganstudy.kinds import Pack
from ganstudy.schedule.executor import Ended, Task
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.loop import train_packs
from ganstudy.trial import Trial

DIVERGENCE = '''\
import torch

from ganstudy.divergences import ClassifierDivergence


class Own(ClassifierDivergence):
    """A loss of the user's own.

    Source  this test.
    """

    def generator_loss(self, fake):
        return -{loss}

    def exact(self, laws):
        return float("nan")
'''
METRIC = '''\
import numpy as np

from ganstudy.metrics import Metric, Reading


class Own(Metric):
    """A metric of the user's own.

    Source  this test.
    """

    def compute(self, samples, target):
        return (samples * {noise}.normal(size=samples.shape)).mean((-2, -1))

    def reading(self, target):
        return Reading("noise", "", "lower", (-np.inf, np.inf), 0.0)
'''
KIND = """\
import numpy as np

from ganstudy.engine.session import ALONE
from ganstudy.kinds.adversarial import Adversarial


class Own(Adversarial):
    def train(self, trials, session=ALONE):
        np.random.normal()
        return super().train(trials, session)
"""
CONSTRAINT = '''\
from ganstudy.constraints import Constraint


class Own(Constraint):
    """Parameters without their mean.

    Source  this test.
    """

    def project(self, parameters):
        return parameters - parameters.mean({axis}, keepdim=True)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for plug-ins, forgotten after the test."""
    yield tmp_path
    plugins.forget()


def _load(folder: Path, text: str, stem: str = "own") -> Path:
    path = folder / f"{stem}.py"
    path.write_text(text, encoding="utf-8")
    plugins.load(path)
    return path


def _by_a_worker(packs: Sequence[Pack]) -> list[Ended]:
    """How packs have ended that one process beside this one has trained, one after the other."""
    found: list[Ended] = []
    with LocalExecutor(1) as executor:
        for number, pack in enumerate(packs):
            while not executor.room():
                assert executor.wait(1.0) == []
            executor.submit(Task(pack, "eager", (), NO_CHECKPOINTS, None))
            while len(found) == number:
                found += [ended for _, ended in executor.wait(1.0)]
    return found


@pytest.mark.parametrize(
    ("loss", "shape"), [("fake.mean()", r"\(\)"), ("fake.mean(-1, keepdim=True)", r"\(\d, 1\)")]
)
def test_a_loss_of_all_trials_at_once_is_refused(folder: Path, loss: str, shape: str) -> None:
    """A mean over all samples was trained with beside another divergence, and its gradient was by
    as much smaller as the pack was larger.
    """
    _load(folder, DIVERGENCE.format(loss=loss))
    own, other = trial(0, divergence="own", steps=4), trial(0, divergence="minimax", steps=4)
    for pack in ([own], [own, other]):
        with pytest.raises(ValueError, match=f"own: generator_loss gives shape {shape}, not one n"):
            train(pack)


@pytest.mark.parametrize("axis", [0, -1])
def test_a_projection_of_all_trials_at_once_is_refused(folder: Path, axis: int) -> None:
    """`check --plugin` saw it and no run: a trial's numbers were those of its pack."""
    _load(folder, CONSTRAINT.format(axis=axis))
    pack = [trial(seed, constraint="own", steps=4) for seed in range(3)]
    if axis == 0:
        for trials in (pack, pack[:1]):
            with pytest.raises(ValueError, match="own: project mixes the trials of a stack"):
                train(trials)
    else:
        for own, packed in zip(pack, train(pack), strict=True):
            assert differences(train([own])[0], packed) == []


@pytest.mark.parametrize(
    ("whose", "noise"),
    [("torch", "torch.rand_like(fake)"), ("Python", "__import__('random').random()")],
)
def test_what_no_seed_sets_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, whose: str, noise: str
) -> None:
    """Each training of it was another; neighbours have their numbers."""
    monkeypatch.delitem(sys.modules, "distributed", raising=False)
    _load(folder, DIVERGENCE.format(loss=f"(fake * {noise}).mean(-1)"))
    with pytest.raises(RuntimeError, match=f"a plug-in draws of {whose}'s own generator"):
        train([trial(0, divergence="own", steps=4)])
    (other,) = train([trial(0, divergence="minimax", steps=4)])
    assert other.status == "complete"


def test_draws_of_dask_are_nobodys_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It draws of Python's generator in a thread of its own, whenever it connects."""
    _load(folder, DIVERGENCE.format(loss="fake.mean(-1)"))
    monkeypatch.setitem(sys.modules, "distributed", sys)
    with Chance([trial(0, divergence="own")]) as chance:
        random.random()
        chance.undrawn()


def test_draws_before_a_training_that_is_built_on_are_seen(folder: Path) -> None:
    """They were where the inner training began to look."""
    _load(folder, KIND)
    player = {"width": 4, "depth": 1}
    settings = {"steps": 4, "batch": 16, "generator": player, "critic": player}
    record = {"every": 4, "samples": 40}
    own = kinds.family["own"].model_validate({**settings, "record": record})
    ((record,),) = train_packs(Listed([(Trial(own, 0),)]), Inline(1))
    assert record.status == "failed"
    assert "a plug-in draws of NumPy's own generator" in record.cause
    (other,) = train([trial(0, steps=4)])
    assert other.status == "complete"


def test_draws_on_a_gpu_are_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There the generator is another one, which was never looked at."""
    _load(folder, DIVERGENCE.format(loss="fake.mean(-1)"))
    drawn = iter([torch.tensor([drawn]) for drawn in (0, 0, 4, 4)])
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: next(drawn))
    with Chance([trial(0, divergence="own")], "cuda:0") as chance:
        chance.undrawn()
        with pytest.raises(RuntimeError, match="draws of torch on cuda:0's own generator"):
            chance.undrawn()


@pytest.mark.parametrize("noise", ["np.random", "np.random.default_rng(0)"])
def test_metrics_see_one_cloud_at_a_time(folder: Path, noise: str) -> None:
    """One that draws as many numbers as it is given samples gave each place of a pack others. What
    draws of NumPy's own generator costs its own number alone, in a worker as well.
    """
    _load(folder, METRIC.format(noise=noise))
    record = {"every": 4, "samples": 40, "metrics": ["own", "sliced_wasserstein"]}
    trials = [trial(seed, steps=4, record=record) for seed in range(3)]
    for own, record_in_pack in zip(trials, train(trials), strict=True):
        (alone,) = train([own])
        assert differences(alone, record_in_pack) == []
        assert alone.cause == record_in_pack.cause
        assert ("NumPy's own generator" in alone.cause) == (noise == "np.random")
        assert alone.values["sliced_wasserstein"].all()
    (in_worker,) = train_packs(Listed([tuple(trials)]), Inline(1))
    assert [own.status for own in in_worker] == ["complete"] * 3


@pytest.mark.parametrize("count", [1, 3])
def test_a_metric_that_draws_and_raises_costs_its_own_number(folder: Path, count: int) -> None:
    """What it had drawn was told of the next number, or failed the pack after the last record."""
    noise = "(samples * {noise}.normal(size=samples.shape)).mean((-2, -1))"
    _load(folder, METRIC.replace(noise, "int(np.random.normal()) / 0"))
    _load(folder, METRIC.replace(noise, "[][int(np.random.normal() - 9)]"), "last")
    record = {"every": 4, "samples": 40, "metrics": ["own", "sliced_wasserstein", "last"]}
    pack = tuple(trial(seed, steps=4, record=record) for seed in range(count))
    (records,) = train_packs(Listed([pack]), Inline(1))
    for own in records:
        assert own.status == "complete"
        assert own.values["sliced_wasserstein"].all()
        assert "metric last: RuntimeError: a plug-in draws of NumPy's own generator" in own.cause
        assert "sliced_wasserstein" not in own.cause


@pytest.mark.slow
def test_workers_hold_plugins_to_the_same(folder: Path) -> None:
    """They imported a class that did not say it was a plug-in's, and looked for it in its file: the
    mean of all trials was trained with beside another divergence, and an edited file as it was not.
    """
    paths = [
        _load(folder, DIVERGENCE.format(loss="fake.mean()"), "mean_loss"),
        _load(folder, CONSTRAINT.format(axis=0), "mean_projection"),
        _load(folder, METRIC.format(noise="np.random.default_rng(0)"), "noise"),
    ]
    loss = trial(0, divergence="mean_loss", steps=4)
    record = {"every": 4, "samples": 40, "metrics": ["noise"]}
    trials = [trial(seed, steps=4, record=record) for seed in range(2)]
    here = train(trials)
    for path in paths:
        path.write_text("1 / 0\n", encoding="utf-8")
    *refused, measured = _by_a_worker(
        [
            (loss, trial(0, divergence="minimax", steps=4)),
            tuple(trial(seed, constraint="mean_projection", steps=4) for seed in range(2)),
            tuple(trials),
        ]
    )
    assert [ended.how for ended in refused] == ["raised", "raised"]
    assert "mean_loss: generator_loss gives shape (), not one number" in refused[0].cause
    assert "mean_projection: project mixes the trials of a stack" in refused[1].cause
    for own, there, alone in zip(trials, measured.records, here, strict=True):
        assert (there.id, there.settings) == (own.id, own.settings)
        assert '"plugin":' in there.settings
        assert differences(there, alone) == []


def test_a_perfect_generator_is_measured_as_trials_are(folder: Path) -> None:
    """One cloud at a time: a metric that looks at all of them had other values of p, 20 at once."""
    alike = METRIC.replace("(samples * {noise}.normal(size=samples.shape)).mean((-2, -1))", "{}")
    _load(folder, alike.format("np.full(samples.shape[:-2], len(samples))"))
    own = trial(0, record={"every": 4, "samples": 40, "metrics": ["own"]}, steps=4)
    (record,) = train([own])
    assert record.values["own"].tolist() == [1.0]
    assert set(own.configuration.perfect()["own"].tolist()) == {1.0}
