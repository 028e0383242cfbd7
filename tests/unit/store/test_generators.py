"""Generators that are kept: the same bits however they were trained, whole on disk or told of."""

from __future__ import annotations

import dataclasses
import errno
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from inline import trained_inline
from safetensors.numpy import load_file
from tiny import STUDY, differences, stopping_at, trial, write_study

from ganstudy import pipeline
from ganstudy.cli import main
from ganstudy.engine.checkpoints import Checkpoints, Stopped
from ganstudy.engine.session import Session
from ganstudy.kinds.adversarial.training import train
from ganstudy.metrics.modes_covered import ModesCovered
from ganstudy.store import RunDirectory, records
from ganstudy.store.generators import Generators
from ganstudy.study import load
from ganstudy.trial import Record
from ganstudy.whole_file import Damaged, name_digest

FOLLOWED: dict[str, Any] = {
    "generator": {"norm": "batch", "average": 0.9, "norm_average": 0.1, "depth": 2, "latent": 3}
}
"""With everything that follows a generator: an average, and running moments of batch norm."""

KEPT = STUDY.replace("samples: 32}", "samples: 32, generator: true}")
FEW = ("search.grid={divergence: [minimax, wasserstein]}", "seeds=1")


def test_a_kept_generator_changes_no_number_and_no_id() -> None:
    kept, plain = trial(0, **FOLLOWED), trial(0, record={"generator": False}, **FOLLOWED)
    assert kept.id == plain.id
    assert kept.settings == plain.settings
    assert kept.configuration.pack_key() == plain.configuration.pack_key()
    of_kept, of_plain = train([kept, plain])
    assert of_kept.generator
    assert (of_plain.generator, of_plain.generator_digest) == (b"", "")
    without = dataclasses.replace(of_kept, generator=b"", generator_digest="")
    assert differences(without, of_plain) == []


def test_its_bits_do_not_depend_on_the_pack_or_on_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = [trial(seed, **FOLLOWED) for seed in range(3)]
    together = {record.id: record.generator for record in train(pack)}
    assert len(set(together.values())) == 3
    assert train([pack[1]])[0].generator == together[pack[1].id]
    with stopping_at(7), pytest.raises(Stopped):
        train(pack, Session(checkpoints=Checkpoints(tmp_path)))
    resumed = train(pack[::-1], Session(checkpoints=Checkpoints(tmp_path)))
    assert {record.id: record.generator for record in resumed} == together


def test_the_file_names_its_tensors_and_its_trial(tmp_path: Path) -> None:
    """As any reader of safetensors sees it."""
    own = trial(3, **FOLLOWED)
    (record,) = train([own])
    path = tmp_path / "one.safetensors"
    path.write_bytes(record.generator)
    tensors = load_file(path)
    layers = [f"{what}_{layer}" for layer in (0, 1) for what in ("weight", "bias", "gain", "shift")]
    names = {*layers, "weight_2", "bias_2"}
    moments = {f"moments.{what}_{layer}" for what in ("mean", "deviation") for layer in (0, 1)}
    assert set(tensors) == {f"{w}.{n}" for w in ("parameters", "average") for n in names} | moments
    assert tensors["parameters.weight_0"].shape == (3, 8)
    assert not np.array_equal(tensors["average.weight_0"], tensors["parameters.weight_0"])
    header = json.loads(record.generator[8 : 8 + int.from_bytes(record.generator[:8], "little")])
    about = json.loads(header["__metadata__"]["ganstudy"])
    assert (about["trial"], about["seed"]) == (own.id, 3)
    assert about["settings"] == own.settings


def test_records_of_before_they_were_kept_are_read(tmp_path: Path) -> None:
    (record,) = train([trial(0, record={"generator": False})])
    path = records.write([record], tmp_path)
    with h5py.File(path, "r+") as file:
        del file["generator_digest"]
    path = path.rename(tmp_path / f"{'0' * 16}-{name_digest(path.read_bytes())}.nc")
    (found,) = records.read(path)
    assert differences(found, record) == []
    assert records.index(path)[record.id].generator_digest == ""


@contextmanager
def unreported() -> Iterator[None]:
    """Runs train here, and end without a report."""
    with trained_inline(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "report", lambda *_: None)
        yield


def _run(folder: Path, text: str, *changes: str) -> RunDirectory:
    with unreported():
        pipeline.run(load(write_study(folder, text), changes), folder / "run", workers=1)
    return RunDirectory(folder / "run")


def _retry(run: RunDirectory, *arguments: str) -> str:
    with unreported():
        result = CliRunner().invoke(
            main, ["retry", str(run.path), "--workers", "1", *arguments], catch_exceptions=False
        )
    assert result.exit_code == 0, result.output
    return result.output


def _read(run: RunDirectory) -> dict[str, Record]:
    return {record.id: record for record in run.read()}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A run of two trials that keeps its generators."""
    return _run(tmp_path, KEPT, "search.grid={divergence: [minimax, wasserstein]}", "seeds=1")


def test_they_lie_beside_the_records(run: RunDirectory) -> None:
    found = _read(run)
    assert len(found) == 2
    files = {f"{own.id}-{own.generator_digest}.safetensors" for own in found.values()}
    assert {path.name for path in run.generators.folder.iterdir()} == files
    for own in found.values():
        assert run.generators.read(own.id, own.generator_digest)


@pytest.mark.slow
def test_damage_is_told_and_mended(
    run: RunDirectory, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """One with a flipped bit, one gone: retried, with the same results at the same places."""
    before, files = _read(run), sorted(run.generators.folder.iterdir())
    contents = [path.read_bytes() for path in files]
    spoilt = bytearray(contents[0])
    spoilt[-1] ^= 1
    files[0].write_bytes(spoilt)
    files[1].unlink()
    trial_id, digest = files[0].stem.split("-")
    with pytest.raises(Damaged, match="checksum"):
        run.generators.read(trial_id, digest)
    with caplog.at_level(logging.WARNING):
        _run(tmp_path, KEPT, "search.grid={divergence: [minimax, wasserstein]}", "seeds=1")
    # The one that is there is read when it is used, or mended.
    assert "1 of its trials keep no generator" in caplog.text
    assert "ganstudy retry" in caplog.text
    _retry(run)
    assert not files[1].exists()
    _retry(run, "--generators")
    assert [path.read_bytes() for path in files] == contents
    after = _read(run)
    for name, own in before.items():
        assert differences(after[name], own) == []
        assert after[name].finished == own.finished


def test_asked_for_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is trained again unless it is asked for; `retry` takes the setting, too."""
    run = _run(tmp_path, STUDY, *FEW)
    before = _read(run)
    with caplog.at_level(logging.WARNING):
        _run(tmp_path, KEPT, *FEW)
    assert "2 of its trials keep no generator, though the study asks for it" in caplog.text
    assert not run.generators.folder.exists()
    _retry(run, "--generators")
    after = _read(RunDirectory(run.path))
    assert all(own.generator_digest for own in after.values())
    assert [differences(after[name], before[name]) for name in before] == [[], []]


def test_results_stay_where_a_trial_fails_when_it_is_trained_for_its_generator(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = _read(run)
    for path in run.generators.folder.iterdir():
        path.unlink()

    def broken(*_: Any) -> None:
        raise MemoryError("not today")

    monkeypatch.setattr("ganstudy.kinds.adversarial.training.train", broken)
    _retry(run, "--generators")
    assert "failed this time" in caplog.text
    after = _read(RunDirectory(run.path))
    assert [differences(after[name], before[name]) for name in before] == [[], []]
    assert set(RunDirectory(run.path).recorded().values()) == {"complete"}


def _broken(*_: Any) -> None:
    raise MemoryError("not today")


def _unmeasured(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, *changes: str
) -> RunDirectory:
    """A run of few trials, none of whose metric could be measured."""
    with monkeypatch.context() as patch:
        patch.setattr(ModesCovered, "compute", _broken)
        return _run(folder, text, *FEW, *changes)


@pytest.mark.slow
@pytest.mark.parametrize("fails", [False, True])
def test_they_stay_where_trials_are_trained_again_for_a_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """And fail then: their results stayed, and what these tell of was gone."""
    text = KEPT.replace("samples: 32,", "samples: 32, metrics: [mode_kl, modes_covered],")
    run = _unmeasured(tmp_path, monkeypatch, text)
    before = _read(run)
    assert all(own.cause for own in before.values())
    with monkeypatch.context() as patch:
        if fails:
            patch.setattr("ganstudy.kinds.adversarial.training.train", _broken)
        _retry(run, "--metrics")
    after = _read(RunDirectory(run.path))
    for name, own in before.items():
        assert bool(after[name].cause) == fails
        assert after[name].generator_digest == own.generator_digest
        assert run.generators.read(name, own.generator_digest)


@pytest.mark.slow
def test_they_stay_where_the_study_of_a_retry_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were asked for once, and gone with the next retry for another reason."""
    text = STUDY.replace("samples: 32}", "samples: 32, metrics: [mode_kl, modes_covered]}")
    run = _unmeasured(tmp_path, monkeypatch, text, "trial.record.generator=true")
    before = _read(run)
    _run(tmp_path, text, *FEW)
    _retry(run, "--metrics")
    after = _read(RunDirectory(run.path))
    for name, own in before.items():
        assert not after[name].cause
        assert after[name].generator_digest == own.generator_digest
        assert run.generators.read(name, own.generator_digest)


def test_a_retry_for_generators_that_nobody_asks_for_is_refused(tmp_path: Path) -> None:
    """It did nothing, and said nothing; with the setting the study of the run keeps them."""
    run = _run(tmp_path, STUDY, "search.grid={divergence: [minimax]}", "seeds=1")
    refused = CliRunner().invoke(main, ["retry", str(run.path), "--workers", "1", "--generators"])
    assert refused.exit_code == 2
    assert "add trial.record.generator=true" in refused.output
    _retry(run, "--generators", "trial.record.generator=true")
    assert all(own.generator_digest for own in _read(RunDirectory(run.path)).values())
    assert load(run.study).file.trial["record"]["generator"] is True


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["full disk", "before", "after"])
def test_a_retry_that_does_not_get_far_costs_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """By a full disk, or a kill before and after the earlier records have gone: each trial has one
    record, and of the one pack that has got so far it is the new one.
    """
    run = _run(tmp_path, STUDY, *FEW)
    before = _read(run)
    _run(tmp_path, KEPT, *FEW)
    forget = RunDirectory.forget

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def killed(*arguments: Any, **more: Any) -> None:
        if moment == "after":
            forget(*arguments, **more)
        raise KeyboardInterrupt

    with unreported(), monkeypatch.context() as patch:
        if moment == "full disk":
            patch.setattr(Generators, "write", full)
        else:
            patch.setattr(RunDirectory, "forget", killed)
        arguments = ["retry", str(run.path), "--workers", "1", "--generators"]
        assert CliRunner().invoke(main, arguments).exit_code == (
            2 if moment == "full disk" else 130
        )
    left = RunDirectory(run.path)
    assert left.recorded() == dict.fromkeys(before, "complete")
    found = list(left.read())
    assert sorted(own.id for own in found) == sorted(before)
    for own in found:
        assert differences(own, before[own.id]) == []
        assert not own.generator_digest or left.generators.read(own.id, own.generator_digest)
    assert sum(bool(own.generator_digest) for own in found) == (moment != "full disk")
    _retry(run, "--generators")
    assert all(own.generator_digest for own in _read(RunDirectory(run.path)).values())
