"""Trials: ids that stay, and random streams that depend on seed and purpose alone."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from tiny import STUDY, trial, write_study

from ganstudy.family import canonical_json
from ganstudy.search.grid import Grid
from ganstudy.study import load
from ganstudy.trial import SCHEMA, Purpose

GOLDEN = Path(__file__).parents[1] / "golden" / "trial_ids.json"
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def _ids(folder: Path, text: str = STUDY) -> set[str]:
    plan = Grid(load(write_study(folder, text)))
    return {own.id for own in plan.trials.values()}


def test_ids_are_those_of_earlier_versions(tmp_path: Path) -> None:
    """Ids name records on disk: a change of defaults or fields must raise SCHEMA, knowingly."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden["schema"] == SCHEMA
    plan = Grid(load(write_study(tmp_path)))
    found = {json.dumps(index): own.id for index, own in plan.trials.items()}
    assert found == golden["ids"]
    assert trial().settings == golden["settings"]


def test_another_value_of_an_axis_keeps_the_other_ids(tmp_path: Path) -> None:
    """A study grows without losing a record."""
    before = _ids(tmp_path)
    more = STUDY.replace("[minimax, wasserstein]", "[reverse_kl, wasserstein, minimax]")
    after = _ids(tmp_path, more.replace("seeds: 2", "seeds: [1, 0, 7]"))
    assert len(before) == 8
    assert before < after
    assert len(after) == 18


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("question: Which", "compare: critic.steps\nquestion: What"),
        ("modes: 4}", "modes: 4, radius: 1.0, std: 2e-2}"),
        ("[minimax, wasserstein]", "[{name: minimax}, wasserstein]"),
        ("trial:\n", "score: mode_kl\nengine: {pack: 3}\ntrial:\n  divergence: reverse_kl\n"),
        ("    critic.steps: [1, 2]", "    d: {a: {critic.steps: 1}, b: {critic: {steps: 2}}}"),
    ],
)
def test_ids_see_the_meaning_and_not_the_words(tmp_path: Path, old: str, new: str) -> None:
    """Presentation, spelled-out defaults and forms of writing leave ids as they are."""
    assert old in STUDY
    assert _ids(tmp_path, STUDY.replace(old, new)) == _ids(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [("batch: 16", "batch: 17"), ("seeds: 2", "seeds: [2, 3]"), ("every: 2", "every: 3")],
)
def test_ids_see_every_setting(tmp_path: Path, old: str, new: str) -> None:
    """What changes a number changes the id."""
    assert not _ids(tmp_path, STUDY.replace(old, new)) & _ids(tmp_path)


def _text(rng: np.random.Generator) -> str:
    """Up to four characters, plain or of any script; JSON has none for halves of a pair."""
    drawn = rng.integers(rng.choice([0x80, 0x110000]), size=rng.integers(5))
    return "".join(chr(code) for code in drawn.tolist() if not 0xD800 <= code < 0xE000)


def _number(rng: np.random.Generator) -> float:
    """An integer, or a finite number of any bits."""
    bits = rng.bytes(8)
    number = float(np.frombuffer(bits)[0])
    whole = int.from_bytes(bits, "little", signed=True) >> int(rng.integers(64))
    return whole if rng.integers(2) or not np.isfinite(number) else number


def test_canonical_json_is_one_text_for_equal_values() -> None:
    """Order of keys is of no account, and nothing is lost."""
    rng = np.random.default_rng(0)
    edges: list[dict[str, float]] = [
        {},
        dict.fromkeys(("", "\0", '"', "\\", "é", "😀"), 1),
        {"0": 0.0, "-0": -0.0, "least": 5e-324, "most": 1.7e308, "up": 2**70, "down": -(10**30)},
    ]
    drawn = [{_text(rng): _number(rng) for _ in range(rng.integers(12))} for _ in range(50)]
    assert {type(own) for values in drawn for own in values.values()} == {int, float}
    for values in (*edges, *drawn):
        text = canonical_json(values)
        assert canonical_json(dict(reversed(values.items()))) == text
        assert json.loads(text) == values, text


def test_streams_depend_on_seed_and_purpose_alone() -> None:
    """Trials with one seed share their streams; that pairs the arms."""
    one, other = trial(3, divergence="minimax"), trial(3, divergence="wasserstein", steps=7)
    assert one.id != other.id
    for purpose in PURPOSES:
        np.testing.assert_array_equal(
            one.stream(purpose, 2).random(20), other.stream(purpose, 2).random(20)
        )


def test_streams_of_seeds_purposes_and_blocks_are_distinct() -> None:
    """No two streams begin alike, and their numbers are not correlated."""
    keys = list(itertools.product((0, 1, 2), PURPOSES, (0, 1)))
    drawn = np.stack([trial(s).stream(p, b).standard_normal(4000) for s, p, b in keys])
    correlation = np.asarray(np.corrcoef(drawn))[~np.eye(len(keys), dtype=bool)]
    assert float(np.abs(correlation).max()) < 5 / np.sqrt(4000)


def test_blocks_can_be_drawn_in_any_order() -> None:
    """A resumed trial draws what it would have drawn."""
    forward = [trial(1).stream("data", block).random(5) for block in range(4)]
    own = trial(1)
    for block in (3, 0, 2, 1):
        np.testing.assert_array_equal(own.stream("data", block).random(5), forward[block])


def test_streams_leave_the_global_generators_alone() -> None:
    """Nothing global is drawn from or seeded."""
    before: Any = np.random.get_state()  # noqa: NPY002
    trial(1).stream("init").random(5)
    after: Any = np.random.get_state()  # noqa: NPY002
    assert before[2] == after[2]
    np.testing.assert_array_equal(before[1], after[1])
