"""A search finds its points again from records alone, however settings are kept in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from searched import TEXT, bayes, made_up, points, search, study_of
from tiny import TABLE

from ganstudy import kinds
from ganstudy.family import FamilyField
from ganstudy.search import search_of
from ganstudy.search.bayes.recognition import agrees, candidates, completed
from ganstudy.search.bayes.repeated import Repeated
from ganstudy.search.bayes.samplers import Question, propose
from ganstudy.store import RunDirectory, RunError
from ganstudy.study.configuration import put
from ganstudy.study.space import Choice, Range

GAME = """\
question: How long is a round?
trial: {kind: game, method: lookahead, steps: 10, record: {every: 10}}
search:
  bayes:
    space: SPACE
    trials: 6
    sampler: random
    objective: {minimize: growth}
seeds: 1
"""


def _is_found_again(folder: Path, *overrides: str, text: str = TEXT) -> None:
    """A search that is told all records has all points, each in its arm with its values."""
    whole = bayes(folder, *overrides, text=text)
    records = list(search(whole, score=lambda trial: 0.5))
    again = bayes(folder, *overrides, text=text)
    again.tell(records)
    assert points(again) == points(whole)
    assert any(map(len, points(again)))
    assert again.counts() == whole.counts()
    assert again.ask(1) == []
    types = [[{k: type(v) for k, v in own.items()} for own in arm] for arm in points(again)]
    assert types == [[{k: type(v) for k, v in p.items()} for p in arm] for arm in points(whole)]


@pytest.mark.parametrize(
    "bounds",
    [
        "{low: 1, high: 20}",
        "{low: 2, high: 22, step: 2}",
        "{low: 1, high: 100, log: true}",
        "{low: 1.0, high: 20.0}",
        "{low: 1, high: 20.5}",
        "{low: 1.0, high: 100.0, log: true}",
        "{low: 0.5, high: 10.5, step: 0.5}",
    ],
)
def test_a_setting_of_fractions_may_have_whole_bounds(tmp_path: Path, bounds: str) -> None:
    """Settings keep 12 as 12.0."""
    space = f"search.bayes.space={{constraint.weight: {bounds}, target.radius: {bounds}}}"
    _is_found_again(tmp_path, "trial.constraint.name=r1", "search.bayes.trials=8", space)


def test_a_range_holds_what_lies_on_it() -> None:
    whole = Range("a", (), low=1, high=20)
    assert all(map(whole.holds, (12, 12.0)))
    assert not any(map(whole.holds, (12.5, True, 21.0, "12", None)))
    assert Range("a", (), low=1.0, high=20.0).holds(12)
    assert not Range("a", (), low=2, high=20, step=2).holds(5.0)


# --- settings that are in no canonical form where they have their default ------------------------


def _below(field: FieldInfo) -> Iterator[tuple[dict[str, Any], type[BaseModel]]]:
    """What a field can hold that has fields itself, and how it is named there."""
    for marker in field.metadata:
        if isinstance(marker, FamilyField):
            yield from (({"name": own.name}, own) for own in marker.family)
            return
    waiting = [field.annotation]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield {}, kind
        waiting += [] if kind is field.annotation and _is_list(kind) else get_args(kind)


def _is_list(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) in (tuple, list)


def _left_out(
    model: type[BaseModel], settings: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[dict[str, Any], tuple[str, ...], FieldInfo]]:
    """Every field below a model that may be left out, where it stands, and with which members."""
    for name, field in model.model_fields.items():
        here = (*path, name)
        if field.exclude or field.exclude_if is not None:
            yield settings, here, field
        for named, below in _below(field):
            inner = {**settings}
            put(inner, here, named)
            yield from _left_out(below, inner, here)


LEFT_OUT = {
    f"{settings['name']}: {'.'.join(path)} of {settings.get(path[0])}": (settings, path, field)
    for kind in kinds.family
    for settings, path, field in _left_out(kind, {"name": kind.name})
}


def test_there_are_such_settings() -> None:
    names = {".".join(path) for _, path, _ in LEFT_OUT.values()}
    assert {"target.closed", "target.skip", "critic.optimizer.first", "record.frames"} <= names
    assert {"rounds", "critic", "critic.scale", "updates.shared", "training_set.groups"} <= names


@pytest.mark.parametrize("case", LEFT_OUT)
def test_a_setting_that_is_left_out_has_its_default(case: str) -> None:
    """As a value of an axis, of a list and of a range, on the way to its member."""
    settings, path, field = LEFT_OUT[case]
    key, default = ".".join(path), field.get_default(call_default_factory=True)
    assert field.exclude or (field.exclude_if is not None and field.exclude_if(default))
    written = default.model_dump() if isinstance(default, BaseModel) else default
    whole = completed(settings)
    assert agrees({key: written}, whole)
    *above, last = path
    assert not above or agrees({".".join(above): {last: written}}, whole)
    other = {"name": "no such member"}
    assert bool(field.exclude) == agrees({key: other}, whole)
    choice = Choice(key, (), labels=("own", "other"), bundles=({key: written}, {key: other}))
    found = [own[key] for own in candidates([choice], whole, {})]
    assert found == (["own", "other"] if field.exclude else ["own"])
    if isinstance(default, int | float) and not isinstance(default, bool):
        bounds = Range(key, (), low=int(default), high=int(default) + 3)
        if bounds.holds(default) or field.exclude:
            assert len(list(candidates([bounds], whole, {}))) == 1


@pytest.mark.parametrize(
    "overrides",
    [
        ["search.bayes.space={target.closed: [false, true], critic.lr: {low: 0.1, high: 0.2}}"],
        ["search.grid={target.closed: [false, true]}"],
        ["search.grid={kind: [adversarial]}"],
        ["search.grid={critic.scale: [1, 2]}"],
        ["search.grid={updates: [simultaneous, {name: simultaneous, shared: true}]}"],
        ["search.grid={a: {few: {record.frames: 3, batch: 8}, many: {record.frames: 9}}}"],
        ["trial.critic.optimizer.name=rmsprop", "search.grid={critic.optimizer.first: [0, 1]}"],
    ],
)
def test_points_with_defaults_are_found_again(tmp_path: Path, overrides: list[str]) -> None:
    space = "search.bayes.space={critic.lr: {low: 1e-5, high: 1e-1, log: true}}"
    trials = "search.bayes.trials=4"
    _is_found_again(tmp_path, space, trials, *overrides)


@pytest.mark.parametrize(
    "space", ["{rounds: {low: 1, high: 8}}", "{rounds: [3, 5, 7], symplectic: [1, 0.5]}"]
)
def test_points_of_a_game_with_defaults_are_found_again(tmp_path: Path, space: str) -> None:
    _is_found_again(tmp_path, text=GAME.replace("SPACE", space))


def test_an_arm_whose_digest_is_filled_in_is_found_again(tmp_path: Path) -> None:
    file = f"{{name: file, path: {TABLE}, label: group, sha256: null}}"
    arms = f"search.grid={{data: {{table: {{target: {file}}}, ring: {{target: ring}}}}}}"
    sought = ["trial.record.metrics=[energy_distance]", "search.bayes.trials=4"]
    sought += ["search.bayes.objective={minimize: energy_distance}"]
    _is_found_again(tmp_path, *sought, arms)


@pytest.mark.parametrize("arms", [("tuned", "fixed"), ("fixed", "tuned")])
def test_an_arm_within_another_keeps_its_points(tmp_path: Path, arms: tuple[str, str]) -> None:
    """A fixed value lies in the range of the arm that tunes it, which took all records."""
    own = {"tuned": "{divergence: minimax}", "fixed": "{divergence: minimax, critic.lr: 0.001}"}
    grid = ", ".join(f"{arm}: {own[arm]}" for arm in arms)
    rate = "low: 1e-4, high: 1e-2"
    space = f"{{generator.lr: {{{rate}}}, critic.lr: {{{rate}, when: {{arms: tuned}}}}}}"
    sought = [f"search.bayes.space={space}", f"search.grid={{arms: {{{grid}}}}}"]
    sought += ["search.bayes.trials=6", "search.bayes.sampler=random"]
    _is_found_again(tmp_path, *sought)


def test_a_value_that_another_arm_fixes_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sampler that clips draws the end of a range: told again, the arm had a point less."""

    def clipped(sampler: str, question: Question) -> dict[str, Any]:
        values = propose(sampler, question)
        first = question.seed[-1] == 0 and question.number in (2, 3)
        return values | ({"critic.lr": 1e-3} if first and "critic.lr" in values else {})

    monkeypatch.setattr("ganstudy.search.bayes.proposals.propose", clipped)
    space = "{generator.depth: [1, 2, 3], critic.lr: {low: 1e-3, high: 1e-2, when: {arms: tuned}}}"
    grid = "{arms: {tuned: {divergence: minimax}, fixed: {divergence: minimax, critic.lr: 0.001}}}"
    sought = [f"search.bayes.space={space}", f"search.grid={grid}"]
    _is_found_again(tmp_path, *sought, "search.bayes.trials=3", "search.bayes.sampler=random")


def test_points_whose_labels_have_one_meaning_are_found_again(tmp_path: Path) -> None:
    """Minimax comes with Adam, Wasserstein with RMSProp: told again, the first had another label.

    TPE then chose other points than without the stop.
    """
    rule = "rule: {adam: {generator.optimizer: adam, critic.optimizer: adam}, published: {}}"
    rate = "generator.lr: {low: 1e-4, high: 1e-2, log: true}"
    sought = [f"search.bayes.space={{{rate}, {rule}}}", "search.bayes.together=1"]
    sought += ["search.grid={divergence: [minimax, wasserstein]}", "seeds=1"]
    _is_found_again(tmp_path, *sought)
    whole, again = bayes(tmp_path, *sought), bayes(tmp_path, *sought)
    records = list(search(whole))
    labels = [{values["rule"] for values in arm} for arm in points(whole)]
    assert labels == [{"adam"}, {"adam", "published"}]
    again.tell(records[:16])
    list(search(again))
    assert points(again) == points(whole)


def test_a_record_of_a_kind_that_is_gone_is_of_no_point(tmp_path: Path) -> None:
    own = bayes(tmp_path)
    trial = own.ask(1)[0][0]
    record = made_up(trial)
    foreign = trial.settings.replace('"name":"adversarial"', '"name":"of_a_plugin"')
    assert foreign != trial.settings
    own.tell([type(record)(**{**vars(record), "id": "0" * 16, "settings": foreign})])
    assert own.counts()["complete"] == 0


# --- whose points they are ----------------------------------------------------------------------


def test_fewer_repeats_leave_each_search_its_own_points(tmp_path: Path) -> None:
    """Points of other searches, and fresh ones, are not taken for those of the first."""
    small = ("search.bayes.trials=4", "search.bayes.sampler=random")
    several = search_of(study_of(tmp_path, *small, "search.bayes.repeats=3"))
    assert isinstance(several, Repeated)
    records = list(search(several, score=lambda trial: 0.5))
    more = ("search.bayes.trials=8", small[1])
    alone, never = bayes(tmp_path, *more), bayes(tmp_path, *more)
    alone.tell(records)
    assert points(alone) == points(several.searches[0])
    list(search(alone, score=lambda trial: 0.5))
    list(search(never, score=lambda trial: 0.5))
    for own, other in zip(points(alone), points(never), strict=True):
        assert sorted(map(str, own)) == sorted(map(str, other))


# --- what has proposed the points ----------------------------------------------------------------

OTHERS = {
    "sampler": ("search.bayes.sampler=random", 'was "tpe" when points were proposed'),
    "seed": ("search.bayes.seed=7", "was 0 when points were proposed, and is 7 now"),
    "startup": ("search.bayes.startup=3", "were 1 when they were proposed, and are 3 now"),
}
JUDGED = {
    "objective": ("search.bayes.objective={minimize: mode_kl}", '{"mode_kl": "minimize"} now'),
    "statistic": ("search.bayes.statistic=max", 'was "mean" when points were proposed'),
}


@pytest.mark.parametrize("more", [(), ("search.bayes.repeats=2",), ("search.bayes.fresh=1",)])
@pytest.mark.parametrize("name", [*OTHERS, *JUDGED])
def test_points_are_of_the_search_that_has_proposed_them(
    tmp_path: Path, name: str, more: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """A finished run took the name of any sampler, and its page said that this had found them."""
    override, told = {**OTHERS, **JUDGED}[name]
    few = ("search.bayes.trials=2", "search.bayes.startup=1", *more)
    own, other = (search_of(study_of(tmp_path, *few, *own)) for own in ((), (override,)))
    run = RunDirectory(tmp_path / "run")
    with run.locked():
        run.write_study(own)
        run.asked.check_rules(other, ())  # nothing has been proposed yet
        run.write(records := [made_up(trial) for pack in own.ask(1) for trial in pack])
    own.tell(records)
    other.tell(records)
    run.asked.check_rules(own, run.recorded())
    assert not caplog.text
    if name in OTHERS:
        with pytest.raises(RunError, match=f"search.bayes.{name}.*{told}.*another search"):
            run.asked.check_rules(other, run.recorded())
        return
    run.asked.check_rules(other, run.recorded())
    assert f"search.bayes.{name}" in caplog.text
    assert told in caplog.text


@pytest.mark.parametrize(
    ("before", "now", "refused"), [(2, 6, True), (6, 2, True), (4, 6, False), (6, 4, False)]
)
def test_the_random_points_of_a_search_stay_as_many(
    tmp_path: Path, before: int, now: int, refused: bool
) -> None:
    """Four points, of which a sampler proposed two, became a random search, and its curve an
    average over their orders.
    """
    few = ("search.bayes.trials=4", "search.bayes.together=1")
    asked = [(*few, f"search.bayes.startup={startup}") for startup in (before, now)]
    own, other = (bayes(tmp_path, *overrides) for overrides in asked)
    other.tell(search(own))
    assert bool(other.refusal(own.study.fixed)) == refused


@pytest.mark.parametrize("changed", ["together=2", "synchronous=false"])
def test_rounds_of_another_size_do_not_make_points_random(tmp_path: Path, changed: str) -> None:
    """Nor a search that is no longer one of rounds: only the keys of rounds made were named."""
    few = [f"search.bayes.{own}" for own in ("trials=4", "startup=2", "synchronous=true")]
    asked = "search.bayes.together=3", f"search.bayes.{changed}"
    own, other = (bayes(tmp_path, *few, *asked[:count]) for count in (1, 2))
    other.tell(search(own))
    told = (
        "search.bayes.startup, or together and synchronous: points at random were 3 when they were "
        "proposed, and are 2 now: another one is another search"
    )
    assert told in other.refusal(own.study.fixed)


def test_a_run_that_did_not_keep_its_sampler_can_be_opened(tmp_path: Path) -> None:
    """As one of an earlier version."""
    own = bayes(tmp_path)
    run = RunDirectory(tmp_path / "run")
    with run.locked():
        run.write_study(own)
    text = run.resolved.read_text()
    above = re.sub(r"fixed:\n(  .*\n)*", "", text.rpartition("# sha256 of all above")[0])
    assert above != text.rpartition("# sha256 of all above")[0]
    seal = hashlib.sha256(above.encode()).hexdigest()
    run.resolved.write_text(f"{above}# sha256 of all above: {seal}\n")
    assert run.asked.read_resolved().fixed == {}
    records = [made_up(trial) for pack in own.ask(1) for trial in pack]
    own.tell(records)
    run.asked.check_rules(own, {record.id for record in records})
