"""The page says what all trials share: each setting, and whether the study or a default says it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr
from browser import keyboard, needs_browser
from tiny import write_study
from unrendered import undrawn, unrendered

from ganstudy import open_run
from ganstudy.report import build
from ganstudy.store.resolved import SharedSetting, read, shared, text_of
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


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SharedSetting]:
    """What the trials of the study share, by key."""
    path = write_study(tmp_path_factory.mktemp("shared"), STUDY)
    return {own.key: own for own in shared(load(path))}


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
    study = load(write_study(tmp_path, STUDY))
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
    keys = {own.key for own in shared(load(write_study(tmp_path, text)))}
    assert "generator.lr" not in keys
    assert "critic.lr" in keys


def test_the_page_has_them(tiny_run: Path, tmp_path: Path) -> None:
    """One row for each, the defaults marked; the file beside it has the same rows."""
    ds = open_run(tiny_run)
    with undrawn():
        page = build(ds, {}, tmp_path).read_text()
    told = json.loads(ds.attrs["shared"])
    section = page.partition('<section id="shared">')[2].partition("</section>")[0]
    assert section.count('<th scope="row">') == len(told)
    assert section.count('class="default"') == sum(not own[2] for own in told)
    assert "<code>batch</code>" in section
    assert len((tmp_path / "shared.csv").read_text().splitlines()) == len(told) + 1


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
    from ganstudy.report.findings import Findings
    from ganstudy.report.sections.shared import SharedSettings

    assert not SharedSettings.applies(Findings.of(make_study()))
