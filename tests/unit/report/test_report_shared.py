"""The page says what all trials share: each setting, and whether the study or a default says it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from browser import keyboard, needs_browser
from tiny import write_study
from unrendered import undrawn, unrendered

from ganstudy import open_run
from ganstudy.report import build
from ganstudy.report.findings import Findings
from ganstudy.report.sections.shared import SharedSettings
from ganstudy.store.point_settings import (
    SEARCHED,
    ImpliedSetting,
    SharedSetting,
    implied,
    settings_of,
    shared,
)
from ganstudy.store.resolved import read, text_of
from ganstudy.study import load

STUDY = """\
question: Which width?
trial:
  target: ring
  divergence: wasserstein
  constraint: [r1, r2]
  batch: 16
  critic: {steps: 2}
search: {grid: {generator.width: [4, 8], both: {a: {critic.width: 4}, b: {critic.width: 4}}}}
seeds: 2
"""


def found_in(what: Callable[..., list[Any]], path: Path) -> list[Any]:
    """What is shared, or implied, by the study of a file."""
    study = load(path, kept=True)
    return what(study, settings_of(study))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SharedSetting]:
    """What the trials of the study share, by key."""
    path = write_study(tmp_path_factory.mktemp("shared"), STUDY)
    return {own.key: own for own in found_in(shared, path)}


@pytest.mark.parametrize(
    ("key", "value", "stated"),
    [
        ("batch", 16, True),
        ("target.name", "ring", True),
        ("target.modes", 8, False),
        ("divergence.name", "wasserstein", True),
        ("critic.steps", 2, True),
        ("critic.width", 4, True),
        ("critic.depth", 2, False),
        ("critic.optimizer.name", "rmsprop", False),
        ("kind", "adversarial", False),
    ],
)
def test_a_default_is_what_the_study_does_not_say(
    settings: dict[str, SharedSetting], key: str, value: object, stated: bool
) -> None:
    """A bare name says the name alone; what a divergence brings is a default."""
    assert (settings[key].value, settings[key].stated) == (value, stated)


def test_all_that_is_common_is_told(settings: dict[str, SharedSetting], tmp_path: Path) -> None:
    """What an axis sets is no part of it; all else that resolved.yaml tells is."""
    study = load(write_study(tmp_path, STUDY), kept=True)
    points = read(text_of(study, STUDY)).points
    alike = {
        key: value
        for key, value in points[0].settings.items()
        if all(point.settings[key] == value for point in points)
    }
    told = {own.key: json.loads(json.dumps(own.value)) for own in settings.values()}
    told["name"] = told.pop("kind")
    assert told == alike
    assert "generator.width" not in told
    assert settings["batch"].meaning == "samples of p and of q in each step"


def test_a_parameter_of_a_search_is_not_shared(tmp_path: Path) -> None:
    """Its first value is at every point, and no trial need have it."""
    text = STUDY.partition("search:")[0] + (
        "search: {bayes: {trials: 2, objective: {maximize: modes_covered}, "
        "space: {generator.lr: {low: 1e-4, high: 1e-2, log: true}}}}\nseeds: 2\n"
    )
    keys = {own.key for own in found_in(shared, write_study(tmp_path, text))}
    assert "generator.lr" not in keys
    assert "critic.lr" in keys


SEARCH = """\
question: Which?
trial: {{target: ring, critic: {{width: 4}}}}
search:
  bayes: {{trials: 1, objective: {{maximize: modes_covered}}, space: {{{space}}}}}
  grid: {{loss: {{gp: {{divergence: wasserstein}}, ns: {{divergence: non_saturating}}}}}}
seeds: 2
"""


def _of_search(folder: Path, space: str) -> tuple[set[str], dict[str, list[object]]]:
    """Keys that a search of two arms shares, and those that differ, by what and how."""
    path = write_study(folder, SEARCH.format(space=space))
    same = {own.key for own in found_in(shared, path)}
    return same, {key: own for key, *own, _ in found_in(implied, path)}


@pytest.mark.parametrize(
    ("key", "of_gp"), [("critic.steps", 5), ("critic.lr", 5e-5), ("critic.width", 4)]
)
def test_an_arm_that_is_not_searched_has_its_value_told(
    tmp_path: Path, key: str, of_gp: float
) -> None:
    """A key left every arm where one was searched: the others' defaults stood nowhere."""
    same, differing = _of_search(tmp_path, f"{key}: {{low: 1, high: 4, when: {{loss: ns}}}}")
    assert differing[key] == ["loss", [(of_gp, ["gp"]), (SEARCHED, ["ns"])]]
    assert key not in same


def test_the_table_says_where_a_search_sets_what(make_study: Callable[..., xr.Dataset]) -> None:
    """Beside what differs by default, of which the study says nothing."""
    own = [
        ImpliedSetting("critic.lr", "loss", [(0.1, ["gp"]), (SEARCHED, ["ns", "mine"])], ""),
        ImpliedSetting("batch", "loss", [(8, ["gp"]), (16, ["ns", "mine"])], ""),
    ]
    ds = make_study().assign_attrs(shared="[]", implied=json.dumps(own))
    table, caption = SharedSettings(Findings.of(ds)).tables()["shared"]
    assert table.rows[0] == ["critic.lr", "0.1 with gp; searched with ns, mine", "loss", ""]
    assert "trials differ in batch. A search sets critic.lr in some arms only" in caption


def test_a_setting_that_every_arm_searches_is_told_by_the_search(tmp_path: Path) -> None:
    same, differing = _of_search(tmp_path, "critic: [{depth: 1, lr: 0.1}, {depth: 2}]")
    assert not {"critic.depth", "critic.lr"} & (same | differing.keys())
    assert "critic.width" in same, "a search sets a player key by key"


def test_what_a_searched_member_brings_along_is_not_shared(tmp_path: Path) -> None:
    """The settings of its first value passed for those of all trials."""
    space = "divergence: [minimax, wasserstein]"
    text = SEARCH.format(space=space).replace("divergence: wasserstein", "batch: 8")
    path = write_study(tmp_path, text.replace("divergence: non_saturating", "batch: 16"))
    assert "generator.lr" not in {own.key for own in found_in(shared, path)}
    assert "generator.depth" in {own.key for own in found_in(shared, path)}


def test_null_is_not_shared_with_what_has_keys_below(tmp_path: Path) -> None:
    """Where one arm has no training set and another searches its size."""
    space = "training_set.size: {low: 10, high: 20, when: {loss: ns}}"
    same, differing = _of_search(tmp_path, space)
    assert "training_set" not in same
    assert differing["training_set"] == ["loss", [(None, ["gp"])]]


def _implied(folder: Path, grid: str) -> dict[str, tuple[str, list[tuple[object, list[object]]]]]:
    text = f"question: Which?\ntrial: {{target: ring}}\nsearch: {{grid: {grid}}}\nseeds: 2\n"
    return {key: own for key, *own, _ in found_in(implied, write_study(folder, text))}  # type: ignore[misc]


def test_what_a_divergence_brings_differs_by_it(tmp_path: Path) -> None:
    """All of it, with what it stands against; a setting that an axis sets is told by the axis."""
    grid = "{divergence: [minimax, hinge, wasserstein], critic.steps: [1, 5]}"
    found = _implied(tmp_path, grid)
    assert found["critic.lr"] == [
        "divergence",
        [(0.001, ["minimax", "hinge"]), (5e-5, ["wasserstein"])],
    ]
    assert found["constraint.bound"] == ["divergence", [(0.01, ["wasserstein"])]]
    assert not {"critic.steps", "divergence.name", "steps"} & found.keys()


def test_a_bundle_sets_what_it_names(tmp_path: Path) -> None:
    """Of a player a key at a time, of a member all; what it leaves out is implied."""
    grid = (
        "{side: {ours: {divergence: {name: least_squares, a: -1}, generator: {width: 4}, "
        "constraint: none}, theirs: {divergence: wasserstein, generator: {width: 8}, "
        "constraint: clip}}}"
    )
    found = _implied(tmp_path, grid)
    assert found["generator.lr"] == ["side", [(0.001, ["ours"]), (5e-5, ["theirs"])]]
    assert not [key for key in found if key.startswith(("divergence", "constraint"))]
    assert "generator.width" not in found


def test_what_no_axis_tells_alone_has_its_values(
    make_study: Callable[..., xr.Dataset],
) -> None:
    own = ImpliedSetting("critic.lr", "", [(1.0, []), (2.0, [])], "")
    ds = make_study().assign_attrs(shared="[]", implied=json.dumps([own]))
    table, _ = SharedSettings(Findings.of(ds)).tables()["shared"]
    assert table.rows == [["critic.lr", "1.0, 2.0", "several axes", ""]]


def test_the_page_has_them(tiny_run: Path, tmp_path: Path) -> None:
    """One row for each, the defaults marked; the file beside it has the same rows."""
    ds = open_run(tiny_run)
    assert ds.attrs["implied"] == "[]"
    ds.attrs["implied"] = json.dumps(found_in(implied, write_study(tmp_path)))  # with wasserstein
    with undrawn():
        page = build(ds, {}, tmp_path).read_text()
    told = json.loads(ds.attrs["shared"])
    section = page.partition('<section id="shared">')[2].partition("</section>")[0]
    differing = {key for key, *_ in json.loads(ds.attrs["implied"])}
    assert "critic.lr" in differing
    assert section.count('<th scope="row">') == len(told) + len(differing)
    assert section.count('class="default"') == sum(not own[2] for own in told)
    assert "<code>batch</code>" in section
    assert f">{len(told)} settings that all trials share" in section
    assert f"All {len(told)} settings, and {len(differing)} that differ<" in section
    rows = (tmp_path / "shared.csv").read_text().splitlines()
    assert len(rows) == len(told) + len(differing) + 1
    assert "critic.lr,0.001 with minimax; 5e-05 with wasserstein,divergence,learning rate" in rows
    assert "trials differ in generator.optimizer, generator.lr, critic.optimizer, critic.lr" in page


@pytest.mark.slow
@needs_browser
def test_a_printed_page_has_them_unfolded(tiny_run: Path, tmp_path: Path) -> None:
    """Paper cannot be clicked on."""

    async def seen() -> list[bool]:
        async with keyboard(page) as keys:
            on_screen = await keys.value(visible)
            await keys.ask("Emulation.setEmulatedMedia", media="print")
            return [on_screen, await keys.value(visible)]

    visible = "document.querySelector('table.shared').checkVisibility()"
    with unrendered():
        page = build(open_run(tiny_run), {}, tmp_path)
    assert asyncio.run(seen()) == [False, True]


def test_one_of_several_runs_says_none(make_study: Callable[..., xr.Dataset]) -> None:
    """Without the attribute there is no section."""
    assert not SharedSettings.applies(Findings.of(make_study()))
