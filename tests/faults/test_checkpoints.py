"""A pack that continues from a checkpoint has the bits of a pack that was never disturbed."""

from __future__ import annotations

import errno
import io
import json
import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fuzz import DAMAGES
from tiny import differences, stopping_at, trial, write_study

from ganstudy.divergences import family as divergences
from ganstudy.engine import checkpoints
from ganstudy.engine.checkpoints import (
    Checkpoints,
    Stopped,
    discard,
    in_parts,
    packs_in_flight,
)
from ganstudy.engine.flight import Flight
from ganstudy.engine.session import Session
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.kinds.adversarial.batches import batches, block_length
from ganstudy.kinds.adversarial.training import train
from ganstudy.metrics.modes_covered import ModesCovered
from ganstudy.search import search_of
from ganstudy.session import in_flight
from ganstudy.store import RunDirectory, heartbeat
from ganstudy.study import load
from ganstudy.trial import Record, Trial

Trials = list[Trial[Adversarial]]

TINY = "{steps: 20, generator: {width: 8, depth: 1}, critic: {width: 8, depth: 1}}"


@pytest.fixture(autouse=True)
def no_stop_is_left_over() -> Iterator[None]:
    """A request of one test is not honoured by the next."""
    yield
    checkpoints.STOP.clear()


@pytest.fixture(scope="module")
def undisturbed() -> list[Record]:
    """The records of the mixed pack as nobody disturbed it."""
    return train(_mixed())


def _mixed(steps: int = 90) -> Trials:
    """Trials of several optimizers, targets and constraints, one of which diverges."""
    clip = {"name": "clip", "bound": 0.05}
    different: list[dict[str, Any]] = [
        {"divergence": "minimax", "optimizer": "sgd", "lr": 0.05},
        {"divergence": "reverse_kl", "optimizer": "rmsprop", "lr": 1e-4, "target": "grid"},
        {"divergence": "wasserstein", "optimizer": "rmsprop", "lr": 1e-3, "constraint": clip},
        {"divergence": "non_saturating", "optimizer": "sgd", "lr": 1e38},
        {"divergence": "non_saturating", "optimizer": {"name": "adam", "beta1": 0.5}, "lr": 5e-3},
    ]
    result: Trials = []
    for seed, own in enumerate(different):
        player = {"width": 16, "depth": 2, "optimizer": own.pop("optimizer"), "lr": own.pop("lr")}
        settings = {"steps": steps, "batch": 33, "record": {"every": 7}, **own}
        result.append(trial(seed, generator=player, critic={**player, "steps": 2}, **settings))
    return result


def _step(path: Path) -> int:
    return int(json.loads(path.read_bytes().partition(b"\n")[0])["step"])


def _stopped(trials: Trials, folder: Path, step: int) -> Path:
    """The checkpoint of a pack that was stopped at some step."""
    with stopping_at(step), pytest.raises(Stopped):
        train(trials, Session(checkpoints=Checkpoints(folder)))
    (path,) = folder.iterdir()
    assert _step(path) == step
    return path


def _assert_same(records: list[Record], expected: list[Record]) -> None:
    by_id = {record.id: record for record in expected}
    assert records
    for record in records:
        assert differences(record, by_id[record.id]) == []


@pytest.mark.parametrize("step", [1, 64, 71, 90])
def test_a_stopped_pack_goes_on_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: list[Record], step: int
) -> None:
    """Within a block of batches and at its edge, before the first record and after the last."""
    trials = _mixed()
    assert 1 < block_length(trials[0].configuration) < 71
    assert {r.status for r in undisturbed} == {"complete", "diverged"}
    _stopped(trials, tmp_path, step)
    with monkeypatch.context() as patch:
        patch.setattr("ganstudy.kinds.adversarial.training.batches", _counted := _Counted())
        _assert_same(train(trials, Session(checkpoints=Checkpoints(tmp_path))), undisturbed)
    assert _counted.begun == step


class _Counted:
    """`batches`, and where it was asked to begin."""

    begun = -1

    def __call__(self, trials: Any, device: Any, begun: int = 0) -> Any:
        self.begun = begun
        return batches(trials, device, begun)


@pytest.mark.parametrize("part", [slice(0, 2), slice(3, 4), slice(None, None, -1)])
def test_a_part_of_a_pack_goes_on_from_the_checkpoint_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: list[Record], part: slice
) -> None:
    """Halves, a trial alone, and another order, with slots that the part has no use for."""
    trials = _mixed()
    _stopped(trials, tmp_path, 40)
    with monkeypatch.context() as patch:
        patch.setattr("ganstudy.kinds.adversarial.training.batches", _counted := _Counted())
        _assert_same(train(trials[part], Session(checkpoints=Checkpoints(tmp_path))), undisturbed)
    assert _counted.begun == 40


@pytest.mark.slow
@pytest.mark.parametrize("part", [slice(0, 1), slice(None, None, -1)])
def test_convolutions_go_on_alone_and_together(tmp_path: Path, part: slice) -> None:
    """With running moments, averages and labels, and a copy beside the trial that is alone."""
    settings: dict[str, Any] = {"target": "digits", "condition": True, "steps": 12, "batch": 33}
    player = {"network": "dcgan", "width": 4, "depth": 2, "norm": "batch"}
    generator = {**player, "norm_average": 0.1, "average": 0.9}
    trials = [trial(seed, generator=generator, critic=player, **settings) for seed in range(3)]
    expected = train(trials)
    _stopped(trials, tmp_path, 7)
    _assert_same(train(trials[part], Session(checkpoints=Checkpoints(tmp_path))), expected)


def test_what_a_metric_raised_before_a_stop_is_told_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a part of the pack, too."""
    trials, compute, raised = _mixed(20)[:2], ModesCovered.compute, set[str]()

    def unwilling(self: ModesCovered, samples: Any, target: Any) -> Any:
        if target.name == "grid" and not raised:
            raised.add(target.name)
            raise ValueError("not yet")
        return compute(self, samples, target)

    monkeypatch.setattr(ModesCovered, "compute", unwilling)
    whole = train(trials)[1]
    assert "not yet" in whole.cause
    raised.clear()
    _stopped(trials, tmp_path, 10)
    (resumed,) = train(trials[1:], Session(checkpoints=Checkpoints(tmp_path)))
    assert resumed.cause == whole.cause
    assert not differences(whole, resumed)


@pytest.mark.slow
def test_stopped_again_and_again(tmp_path: Path, undisturbed: list[Record]) -> None:
    """A checkpoint of a trial that went on from a checkpoint is as good as the first."""
    trials = _mixed()
    for step in (5, 33, 66):
        _stopped(trials, tmp_path, step)
    _assert_same(train(trials, Session(checkpoints=Checkpoints(tmp_path))), undisturbed)


def test_checkpoints_come_in_time_and_do_not_show(tmp_path: Path) -> None:
    """With no time between them there is one at every step, the last of which is found."""
    trials = _mixed(20)
    _assert_same(train(trials, Session(checkpoints=Checkpoints(tmp_path, 0.0))), train(trials))
    (path,) = tmp_path.iterdir()
    assert _step(path) == 20
    train(_mixed(21), Session(checkpoints=Checkpoints(tmp_path / "rare", 1000.0)))
    assert not (tmp_path / "rare").exists()


@pytest.mark.parametrize("keep", [0.5, 0.0])
def test_a_damaged_checkpoint_costs_time_only(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    keep: float,
) -> None:
    """Cut short or emptied, it is named, and the pack is trained anew."""
    trials = _mixed(20)
    path = _stopped(trials, tmp_path, 10)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    _assert_same(train(trials, Session(checkpoints=Checkpoints(tmp_path))), train(trials))
    assert path.name in caplog.text


def _flips(content: bytes) -> Iterator[bytes]:
    """A bit of every byte of the line, and some of the state."""
    line, whole = content.index(b"\n") + 1, 8 * len(content)
    bits = (8 * byte + byte % 8 for byte in range(line))
    yield from _flipped(content, [*bits, *range(8 * line, whole, whole // 40)])


def _all_flips(content: bytes) -> Iterator[bytes]:
    """Each bit of the line."""
    yield from _flipped(content, range(8 * (content.index(b"\n") + 1)))


def _flipped(content: bytes, places: Iterable[int]) -> Iterator[bytes]:
    for place in places:
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        yield bytes(flipped)


def _rubbish(content: bytes) -> Iterator[bytes]:
    """Cut, zeroed and flipped at random places, the line as often as the state."""
    rng, line = random.Random(0), content.index(b"\n") + 1
    for number in range(400):
        whole, rest = (content, b"") if number % 2 else (content[:line], content[line:])
        damaged = rng.choice(DAMAGES)(whole, rng) + rest
        if damaged != content:
            yield damaged


@pytest.mark.parametrize(
    "damage", [_flips, _rubbish, pytest.param(_all_flips, marks=pytest.mark.slow)]
)
def test_no_damage_goes_unnoticed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[bytes], Iterator[bytes]],
) -> None:
    """Of the line that tells whose state it is, or of the state."""
    trials = _mixed(20)[:2]
    path = _stopped(trials, tmp_path, 10)
    content = path.read_bytes()
    flight = Flight(trials, Session(checkpoints=Checkpoints(tmp_path)))
    fresh = {"": torch.zeros(1)}

    def believed(*_: object, **__: object) -> None:
        pytest.fail("a checkpoint was believed")

    monkeypatch.setattr("torch.load", believed)
    for damaged in damage(content):
        caplog.clear()
        path.write_bytes(damaged)
        assert flight.resume(fresh, {}, [{} for _ in trials]) == (0, fresh)
        assert path.name in caplog.text
    path.write_bytes(content)
    with pytest.raises(pytest.fail.Exception, match="was believed"):
        flight.resume(fresh, {}, [{} for _ in trials])


def test_two_swapped_ids_are_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each trial would continue with the numbers of another."""
    trials = _mixed(20)
    path = _stopped(trials, tmp_path, 10)
    first, second = (trial.id.encode() for trial in trials[:2])
    line, newline, state = path.read_bytes().partition(b"\n")
    line = line.replace(first, b"-").replace(second, first).replace(b"-", second)
    path.write_bytes(line + newline + state)
    _assert_same(train(trials, Session(checkpoints=Checkpoints(tmp_path))), train(trials))
    assert "checksum" in caplog.text


def test_a_checkpoint_of_other_arithmetic_is_not_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another processor, or another build of torch: half a trial of each would be of neither."""
    trials = _mixed(20)
    _stopped(trials, tmp_path, 10)
    monkeypatch.setattr("ganstudy.engine.arithmetic.described", lambda *_: "torch 1.0")
    monkeypatch.setattr("ganstudy.kinds.adversarial.training.batches", _counted := _Counted())
    records = train(trials, Session(checkpoints=Checkpoints(tmp_path)))
    assert _counted.begun == 0
    assert {record.arithmetic for record in records} == {"torch 1.0"}
    assert "of other arithmetic" in caplog.text


def _compiled(*names: str | dict[str, Any]) -> Session:
    """A session of compiled steps, of a study of these divergences."""
    return Session(program="compiled", beside=tuple(map(divergences.from_config, names)))


@pytest.mark.parametrize(
    ("now", "told"),
    [
        # Steps are compiled for them in an order of their own, and floats go into the step.
        ([{"name": "f_alpha", "alpha": 0.3}, "minimax"], ""),
        (["minimax", "f_alpha", "wasserstein"], "of other arithmetic (torch"),
        (["minimax"], "of other arithmetic (torch"),
    ],
)
def test_a_compiled_pack_continues_beside_the_same_divergences(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, now: list[Any], told: str
) -> None:
    """In another order hours were lost; with others it was not told that they were."""
    trials, keeping = _mixed(20), Checkpoints(tmp_path, 0.0)
    own, state = _compiled("minimax", "f_alpha"), {"": torch.zeros(len(trials))}
    notes: list[dict[str, str]] = [{} for _ in trials]
    Flight(trials, replace(own, checkpoints=keeping)).offer(7, state, {}, notes)
    flight = Flight(trials, replace(_compiled(*now), checkpoints=keeping))
    assert flight.resume(state, {}, notes)[0] == (0 if told else 7)
    assert told in caplog.text
    assert ("training anew" in caplog.text) == bool(told)


@pytest.mark.parametrize(("damaged", "told"), [(False, ""), (True, "cannot be used")])
def test_a_pack_that_continues_is_not_said_to_be_trained_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: bool, told: str
) -> None:
    """One of other arithmetic, or a damaged one, lay beside the one that it went on from."""
    trials, own = _mixed(20), _compiled("minimax")
    theirs = own if damaged else _compiled("minimax", "wasserstein")
    for pack, session, step in ((trials, own, 7), ([*trials, trial(9)], theirs, 9)):
        notes: list[dict[str, str]] = [{} for _ in pack]
        keeping = replace(session, checkpoints=Checkpoints(tmp_path, 0.0))
        Flight(pack, keeping).offer(step, {"": torch.zeros(len(pack))}, {}, notes)
    (far,) = (path for path in tmp_path.iterdir() if _step(path) == 9)
    if damaged:
        far.write_bytes(far.read_bytes()[:-9])
    flight = Flight(trials, replace(own, checkpoints=Checkpoints(tmp_path)))
    notes = [{} for _ in trials]
    assert flight.resume({"": torch.ones(len(trials))}, {}, notes)[0] == 7
    assert "training anew" not in caplog.text
    assert told in caplog.text


def test_whoever_asks_for_no_pack_reads_no_checkpoint(tmp_path: Path) -> None:
    """Five times a second, while a worker had nothing to do."""
    damaged = tmp_path / f"{0:016x}.checkpoint"
    damaged.write_bytes(b"rubbish")
    assert in_parts(tmp_path, []) == []
    assert damaged.exists()
    assert in_parts(tmp_path, [(trial(0),)]) == [(trial(0),)]
    assert not damaged.exists()


def test_a_checkpoint_of_another_version_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It was left aside without a word."""
    trials = _mixed(20)
    _stopped(trials, tmp_path, 10)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "99.0")
    monkeypatch.setattr("ganstudy.kinds.adversarial.training.batches", _counted := _Counted())
    train(trials, Session(checkpoints=Checkpoints(tmp_path)))
    assert _counted.begun == 0
    assert "of another version (" in caplog.text
    assert "other arithmetic" not in caplog.text


def test_a_disk_that_is_full_costs_the_checkpoint_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that cannot be written to is said, and the trial goes on."""
    (tmp_path / "file").write_text("in the way")
    trials = _mixed(5)
    records = train(trials, Session(checkpoints=Checkpoints(tmp_path / "file", 0.0)))
    _assert_same(records, train(trials))
    assert "no checkpoint" in caplog.text


class _Stale(io.BytesIO):
    """A file on a disk of a network that another host has replaced."""

    def read(self, *_: Any) -> bytes:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    readline = read


def test_what_another_host_replaces_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that went as it was read ended the run, and a heartbeat was nobody's."""
    trials = _mixed(20)
    _stopped(trials, tmp_path, 10)
    heartbeat.write(tmp_path / "heartbeat", {})
    opened, stale = Path.open, list[Path]()

    def going(path: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
        if mode == "rb" and path not in stale:
            stale.append(path)
            return _Stale()
        return opened(path, mode, *given, **named)

    monkeypatch.setattr(Path, "open", going)
    assert packs_in_flight(tmp_path, {own.id: own for own in trials}) == [tuple(trials)]
    assert heartbeat.read(tmp_path / "heartbeat") is not None
    assert len(stale) == 2


def test_packs_in_flight_are_packed_as_they_were(tmp_path: Path) -> None:
    """Those of their trials that are still missing; the checkpoint goes when none is."""
    trials = _mixed(20)
    path = _stopped(trials, tmp_path, 10)
    other = trial(99)
    missing = {t.id: t for t in [other, *trials[1:]]}
    assert packs_in_flight(tmp_path, missing) == [tuple(trials[1:])]
    assert packs_in_flight(tmp_path, {other.id: other}) == []
    discard(tmp_path, {t.id for t in trials[1:]})
    assert path.exists()
    discard(tmp_path, {t.id for t in trials})
    assert not path.exists()


def test_packs_in_flight_are_no_larger_than_is_asked_now(tmp_path: Path) -> None:
    """Each part continues from the checkpoint of the whole."""
    text = f"question: Which?\ntrial: {TINY}\nseeds: 10\n"
    study, run = write_study(tmp_path, text), RunDirectory(tmp_path / "run")
    run.path.mkdir()
    search = search_of(load(study))
    _stopped([*search.trials.values()], run.checkpoints, 10)
    assert [len(pack) for pack in in_flight(run, search)] == [10]
    search = search_of(load(study, ["engine.pack=4"]))
    parts = in_flight(run, search)
    assert sorted(len(pack) for pack in parts) == [3, 3, 4]
    assert {trial.id for pack in parts for trial in pack} == {t.id for t in search.trials.values()}
    assert search.ask(2) == []
