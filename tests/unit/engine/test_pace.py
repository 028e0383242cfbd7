"""How fast this machine is: a guess that says so, and what runs have shown."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from inline import Inline
from tiny import trial, write_study

from ganstudy import pipeline
from ganstudy.cli import main
from ganstudy.engine import pace
from ganstudy.engine.pace import GUESS, GUESSED, Trained, known, learn
from ganstudy.engine.packing import cost, estimate
from ganstudy.processor import processor
from ganstudy.study import load


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has measured nothing."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ganstudy_pace.json"


def _session(*packs: tuple[str, float, float], work: str = "mlp") -> Trained:
    trained = Trained()
    for pack in packs:
        trained.add(work, *pack)
    return trained


def test_a_guess_before_the_first_run() -> None:
    """It is the same on every machine."""
    assert known() is GUESS
    assert GUESS.step("compiled", "mlp") == GUESSED["compiled"]
    assert not GUESS.measured("compiled", "mlp")


def test_steps_and_compilation_are_told_apart() -> None:
    """Two workers compile each graph, which takes 13 s; then a second of cost takes 0.2 s."""
    packs = [(graph, 50.0, 10.0 + 13.0 * (n < 2)) for graph in "ab" for n in range(4)]
    learn(_session(*packs), "compiled", 2, 70.0)
    found = known()
    assert found.step("compiled", "mlp") == pytest.approx(0.2)
    assert found.graph == pytest.approx(13.0)
    assert found.start == pytest.approx(70.0 - 132.0 / 2, abs=1e-9)
    assert found.steps.keys() == {"compiled"}
    assert found.step("eager", "mlp") == GUESSED["eager"]


def test_networks_do_not_spoil_the_pace_of_each_other() -> None:
    """Of two studies one after the other each is foreseen by its own, and one of both by each; what
    nobody has trained, a plug-in's network, goes at the pace of all.
    """
    player = {"network": "dcgan", "width": 16, "depth": 1}
    alone = {"generator": {**player, "norm": "batch"}, "critic": player}
    perceptrons, convolutions = trial(0, target="digits"), trial(0, target="digits", **alone)
    works = [own.configuration.work for own in (perceptrons, convolutions)]
    assert works == ["mlp", "dcgan"]
    learn(_session(("a", 10.0, 5.0), work="mlp"), "eager", 1, 5.0)
    assert known().step("eager", "dcgan") == pytest.approx(0.5)
    assert not known().measured("eager", "dcgan")
    learn(_session(("b", 10.0, 8.0), work="dcgan"), "eager", 1, 8.0)
    paces = [known().step("eager", work) for work in works]
    assert paces == pytest.approx([0.5, 0.8])
    assert known().step("eager", "own") == pytest.approx(math.sqrt(0.5 * 0.8))
    expected = 0.5 * cost([perceptrons]) + 0.8 * cost([convolutions])
    both = [(perceptrons,), (convolutions,)]
    assert estimate(both, 1, "eager", known()) - known().start == pytest.approx(expected)


def test_a_session_of_two_networks_learns_both() -> None:
    """Each from its own packs; too little of one says nothing of it."""
    trained = Trained()
    for pack in (("mlp", "a", 10.0, 5.0), ("dcgan", "b", 10.0, 8.0), ("resnet", "c", 1.0, 9.0)):
        trained.add(*pack)
    learn(trained, "eager", 2, 14.0)
    assert known().steps == {"eager": {"mlp": 0.5, "dcgan": 0.8}}


def test_a_worker_without_work_is_no_start() -> None:
    """One pack of a minute is a minute, however many could have trained others meanwhile."""
    learn(_session(("a", 50.0, 60.0)), "eager", 2, 64.0)
    assert known().start == pytest.approx(4.0)


def test_too_little_says_nothing() -> None:
    """A pack for each worker does not tell compilation from steps, and short packs tell nothing."""
    learn(_session(("a", 50.0, 23.0), ("a", 50.0, 24.0)), "compiled", 2, 30.0)
    learn(_session(("a", 1.0, 3.0)), "eager", 2, 3.0)
    assert known() is GUESS


def test_one_run_on_a_busy_machine_does_not_decide() -> None:
    """What was known counts for half."""
    learn(_session(("a", 10.0, 5.0)), "eager", 1, 5.0)
    learn(_session(("a", 10.0, 20.0)), "eager", 1, 20.0)
    assert known().step("eager", "mlp") == pytest.approx(1.0)


def test_records_thought_dearer_than_they_are_leave_no_pace() -> None:
    """Nothing is left of such packs' seconds: a pace of 0 ended every estimate of other work."""
    learn(_session(("a", 10.0, 0.0)), "eager", 1, 5.0)
    assert known() is GUESS
    trained = _session(("a", 10.0, 5.0))
    trained.add("dcgan", "b", 10.0, 0.0)
    learn(trained, "eager", 1, 5.0)
    assert known().steps == {"eager": {"mlp": 0.5}}
    assert known().step("eager", "dcgan") == 0.5


SPOILT = '{"MACHINE": {"graph": 1, "start": 1, "steps": {"eager": {"mlp": 0}}}}'


@pytest.mark.parametrize("content", ["", "[]", '{"x": ', '{"MACHINE": {"step": 1}}', SPOILT])
def test_a_file_that_says_nothing_is_a_guess(elsewhere: Path, content: str) -> None:
    """Damaged, of another version, or with a pace that no machine has."""
    learn(_session(("a", 10.0, 5.0)), "eager", 1, 5.0)
    (machine,) = json.loads(elsewhere.read_text())
    elsewhere.write_text(content.replace("MACHINE", machine))
    assert known() is GUESS


def test_other_machines_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared folder has a pace for each processor."""
    learn(_session(("a", 10.0, 5.0)), "eager", 1, 5.0)
    monkeypatch.setattr(pace, "processor", lambda: "another")
    assert known() is GUESS
    learn(_session(("a", 10.0, 30.0)), "eager", 1, 30.0)
    monkeypatch.setattr(pace, "processor", processor)
    assert known().step("eager", "mlp") == pytest.approx(0.5)


@pytest.mark.slow
@pytest.mark.parametrize(("device", "learnt"), [("cpu", True), ("cuda:0", False)])
def test_what_a_gpu_trained_says_nothing_of_the_processor(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, device: str, learnt: bool
) -> None:
    """Plans for the CPU would have gone by it."""
    monkeypatch.setattr(pace, "ENOUGH", 0.0)
    monkeypatch.setattr(Inline, "here", True)
    monkeypatch.setattr(pipeline, "open_executor", lambda *_: Inline(1, (device,)))
    pipeline.run(load(write_study(tmp_path)), tmp_path / "run", workers=1)
    assert elsewhere.exists() == learnt


def test_plan_says_whether_it_guesses(tmp_path: Path) -> None:
    """And a run makes it know, where it is long enough to."""
    study = write_study(tmp_path)
    plan = ["plan", str(study), "--out", str(tmp_path / "run")]
    said = "a guess: no such run has been measured on this machine"
    assert said in CliRunner().invoke(main, plan).output
    assert json.loads(CliRunner().invoke(main, [*plan, "--json"]).output)["measured"] is False
    learn(_session(("a", 10.0, 5.0)), "eager", 1, 5.0)
    assert json.loads(CliRunner().invoke(main, [*plan, "--json"]).output)["measured"] is True
