"""Every search: what it asks, what it learns from, and what it says in the dataset."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from tiny import made_up, write_study

from ganstudy import search
from ganstudy.search import Search, search_of
from ganstudy.search.bayes.objective import PrunerFile
from ganstudy.store import RunDirectory, gather
from ganstudy.study import load
from ganstudy.trial import Record, Status, Trial

STUDY = """\
question: What does the search find?
trial:
  target: {name: ring, modes: 4}
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 6
  batch: 16
  record: {every: 2, samples: 32}
"""
GRID = "grid: {divergence: [minimax, wasserstein, hinge], critic.steps: [1, 2]}"
ASKED = {
    "bayes": """\
search:
  grid: {divergence: [minimax, wasserstein]}
  bayes:
    space: {generator.lr: {low: 1.0e-4, high: 1.0e-1, log: true}, critic.steps: [1, 2, 3]}
    trials: 6
    startup: 3
    objective: {maximize: modes_covered}
seeds: 2
""",
    "grid": f"search: {{{GRID}, exclude: [{{divergence: hinge, critic.steps: 2}}]}}\nseeds: 3\n",
    "settled": f"search: {{{GRID}}}\nseeds: {{until: settled, start: 4, max: 7}}\n",
}
"""How a study asks for it; another search stands below its name, with examples of its keys."""
PRUNED = {
    f"{pruner}, one in {factor}{more and ', repeated'}": ASKED["bayes"].replace(
        "    startup",
        f"    pruner: {{name: {pruner}, first: 2, factor: {factor}}}\n{more}    startup",
    )
    for place, pruner in enumerate(get_args(PrunerFile.model_fields["name"].annotation))
    for factor in (2, 7)
    for more in ("", "    repeats: 2\n    fresh: 2\n")
    if (place + (factor == 7)) % 2 == bool(more)
}
"""Searches that train some points further; where one in seven of six points goes on, the best.

Every two of pruner, factor and repeats are there together.
"""

STATUSES: list[Status] = ["complete", "diverged", "failed"]
MOST_QUESTIONS = 1000

Make = Callable[[], Search]


def _asked(cls: type[Search]) -> str:
    if cls.name in ASKED:
        return ASKED[cls.name]
    keys = {}
    for key, field in cls.keys.model_fields.items():
        if field.is_required():
            assert field.examples, f"{key}: a key without a default needs examples=[...]"
            keys[key] = field.examples[0]
    return f"search: {{{GRID}, {cls.name}: {keys}}}\nseeds: 2\n"


CASES = {cls.name: (cls.name, _asked(cls)) for cls in search.family}
CASES |= {how: ("bayes", text) for how, text in PRUNED.items()}
QUICK = {"successive_halving, one in 2"}
"""Of all that prune; the others are of one kind with these."""
assert PRUNED.keys() > QUICK


@pytest.fixture(
    params=[
        pytest.param(case, id=how, marks=[pytest.mark.slow] * (how in PRUNED.keys() - QUICK))
        for how, case in CASES.items()
    ]
)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Maker of the search of a study that asks for it, which has been told of nothing."""
    name, text = request.param
    study = load(write_study(tmp_path, STUDY + text))
    assert study.search == name
    assert (study.keys.stops_early is not None) == (text in PRUNED.values())
    return lambda: search_of(study)


def _packs(own: Search, slots: int = 2) -> Iterator[Sequence[Trial[Any]]]:
    """What it asks, until it asks for nothing more; each pack has to be answered in between."""
    for _ in range(MOST_QUESTIONS):
        parts = own.ask(slots)
        if not parts:
            return
        yield from parts
    raise AssertionError("it does not come to an end")


def _finish(own: Search, slots: int = 2) -> list[Record]:
    """Answer all that it asks, every status among the answers; the answers in their order."""
    told: list[Record] = []
    for pack in _packs(own, slots):
        records = [made_up(t, STATUSES[n % 7 % 3]) for n, t in enumerate(pack, len(told))]
        told += records
        own.tell(records)
    return told


def _state(own: Search) -> dict[str, Any]:
    """What others can see of it."""
    return {
        "trials": {place: trial.id for place, trial in own.trials.items()},
        "statuses": dict(own.statuses),
        "counts": own.counts(),
        "said": own.sentences(),
        "planned": own.planned.tolist(),
    }


def test_each_trial_is_asked_once_and_the_search_ends(make: Make) -> None:
    own = make()
    told = _finish(own)
    ids = [record.id for record in told]
    assert ids
    assert len(set(ids)) == len(ids)
    assert {trial.id for trial in own.trials.values()} <= set(ids)
    assert set(ids) <= own.accounted_for
    assert own.counts()["missing"] == 0
    assert own.ask(8) == []
    assert own.outlook(2) == []


def test_what_is_in_flight_is_not_asked_again(make: Make) -> None:
    """Whether the search gave it out itself or hears of it from an earlier session."""
    own, other = make(), make()
    first = own.ask(2)
    flying = {trial.id for pack in first for trial in pack}
    assert flying
    assert not flying & {trial.id for pack in own.ask(2) for trial in pack}
    other.begin(first)
    assert not flying & {trial.id for pack in other.ask(2) for trial in pack}


def test_an_outlook_asks_for_nothing(make: Make) -> None:
    """What is asked afterwards is what would have been asked without it."""
    own, other = make(), make()
    outlook = own.outlook(2)
    assert sum(map(len, outlook)) > 0
    asked, expected = own.ask(2), other.ask(2)
    assert [[t.id for t in pack] for pack in asked] == [[t.id for t in pack] for pack in expected]


def test_an_outlook_has_what_waits_for_a_worker(make: Make) -> None:
    """Asked for is not yet trained: the time that is left is that of both."""
    own = make()
    before = sum(map(len, own.outlook(2)))
    asked = {trial.id for pack in own.ask(2) for trial in pack}
    after = [trial.id for pack in own.outlook(2) for trial in pack]
    assert len(after) == len(set(after))
    assert asked <= set(after)
    assert len(after) >= before


def test_records_in_any_order_lead_to_one_state(make: Make) -> None:
    """A run that is taken up again is where it was: the search keeps nothing of its own."""
    own = make()
    told = _finish(own)
    order = np.random.default_rng(0).permutation(len(told))
    for records in (told, told[::-1], [told[i] for i in order]):
        again = make()
        again.tell(records)
        assert _state(again) == _state(own)
        assert again.ask(2) == []


def test_a_search_continues_where_it_was_killed(make: Make) -> None:
    """From half of its records it comes to an end, without asking for one of them again."""
    told = _finish(make())
    half = told[: len(told) // 2]
    own = make()
    own.tell(half)
    rest = _finish(own)
    assert not {record.id for record in half} & {record.id for record in rest}
    assert own.counts()["missing"] == 0


@pytest.mark.slow
def test_what_a_killed_search_still_has_to_do_is_known_before_it_is_asked(make: Make) -> None:
    """At every moment: what nobody awaits is never trained, and checkpoints of it are removed."""
    own, told = make(), list[Record]()
    for number, pack in enumerate(_packs(own, slots=1)):
        again = make()
        again.tell(told)
        assert again.counts()["missing"]
        assert again.outlook(1)
        assert again.ask(1)
        told += [made_up(t, STATUSES[number % 7 % 3]) for t in pack]
        own.tell(told[-len(pack) :])
    assert told


def test_records_of_another_study_change_nothing(make: Make) -> None:
    own, stranger = make(), make()
    trial = next(iter(own.trials.values()), None) or own.ask(1)[0][0]
    record = dataclasses.replace(made_up(trial), id="0" * 16, settings="{}", seed=987654)
    own, before = make(), _state(stranger)
    own.tell([record])
    assert _state(own) == before


def test_statuses_and_counts_are_those_of_its_trials(make: Make) -> None:
    """A trial without a record is missing; every trial has its place among those planned."""
    own = make()
    for told in (False, True):
        if told:
            _finish(own)
        assert own.statuses.keys() == own.trials.keys()
        assert set(own.counts()) <= {*STATUSES, "pruned", "missing"}
        assert own.planned.shape == own.shape
        for place in own.trials:
            assert own.planned[place]
        found = np.array(list(own.statuses.values()))
        assert (found != "missing").all() or not told


def test_its_variables_fit_its_dimensions_and_are_declared(make: Make) -> None:
    """What it adds stands in `adds`, so that no axis takes the name before anything is trained."""
    own = make()
    _finish(own)
    sizes = dict(zip(own.dimensions, own.shape, strict=True))
    assert own.dimensions[-1] == "seed"
    axes = {axis.dimension for axis in own.study.axes}
    parameters = {parameter.dimension for parameter in own.study.space}
    for name, (dims, values, about) in {**own.coordinates(), **own.variables()}.items():
        assert values.shape == tuple(sizes[dim] for dim in dims), name
        assert isinstance(about, Mapping), name
        assert name in {"seed", *axes, *parameters, *(added.name for added in own.adds)}, name
    assert all(added.long_name for added in own.adds)
    for value in own.attributes().values():
        assert isinstance(value, str | int | float | list)


def test_the_dataset_has_every_trial_in_its_place(make: Make, tmp_path: Path) -> None:
    """Gathered, written and opened again, with what the search adds."""
    own = make()
    told = _finish(own)
    run = RunDirectory(tmp_path / "run")
    with run.locked():
        run.write_study(own)
        for record in told:  # a pack has one length of training
            run.write([record])
        dataset = gather(run, own)
        own.write_files(run.path)
    assert dataset["status"].dims == own.dimensions
    for place, trial in own.trials.items():
        assert str(dataset["trial_id"].values[place]) == trial.id
        assert str(dataset["status"].values[place]) == own.statuses[place]
    excluded = dataset["status"].values == "excluded"
    assert_array_equal(excluded, ~own.planned)
    for name in own.variables():
        assert name in dataset


def test_it_says_what_it_is_in_words(make: Make) -> None:
    own = make()
    assert own.seeds_in_words()
    assert own.refusal(own.study.fixed) == ""
    _finish(own)
    assert own.refusal(own.study.fixed) == ""
    assert all(isinstance(line, str) and line for line in own.sentences())
