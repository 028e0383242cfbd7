"""The film in the report: which trials are shown, what is drawn, and what a browser plays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from browser import needs_browser, opened, title, with_script
from synthetic_dataset import filmed

from ganstudy import analysis
from ganstudy.report import style
from ganstudy.report.findings import Findings
from ganstudy.report.page import build
from ganstudy.report.scenes import MOST, Scene, scenes
from ganstudy.report.sections import critics
from ganstudy.report.sections.film import Film, player

Make = Callable[..., xr.Dataset]

ARMS = ["minimax", "wasserstein"]


@pytest.fixture(scope="module")
def small(make_study: Make) -> xr.Dataset:
    """Two arms at two settings, with one trial of every fate."""
    return filmed(
        make_study(
            {"divergence": ARMS, "critic_steps": [1, 5]},
            seeds=3,
            steps=6,
            samples=20,
            status={(0, 0, 0): "diverged", (0, 1, 1): "failed", (1, 0, 2): "missing"},
        )
    )


def test_the_trial_in_the_middle_of_each_arm_is_shown(small: xr.Dataset) -> None:
    """The fifth of five is failed or missing and has no film; a tie goes to the first."""
    shown = scenes(Findings.of(small))
    scores = analysis.trial_scores(small)["score"]
    assert [scene.arm for scene in shown] == [0, 1]
    for scene in shown:
        own = scores.isel(divergence=scene.arm)
        has = np.isfinite(small["frame_samples"].isel(divergence=scene.arm, frame=0)).all(
            ("particle", "coordinate")
        )
        ranked = np.sort(own.values[has.values])
        assert len(ranked) == 5
        found = re.fullmatch(r"critic_steps (\d) · seed (\d)", scene.label)
        assert found is not None
        steps, seed = found.groups()
        place = {"critic_steps": int(steps), "seed": int(seed)}
        assert float(own.sel(place)) == ranked[2]
        kept = small["frame_samples"].isel(divergence=scene.arm).sel(place)
        np.testing.assert_array_equal(scene.samples, kept)


def test_a_diverged_trial_is_shown_up_to_its_divergence(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS}, seeds=1, steps=6, samples=9, status={(0, 0): "diverged"})
    findings = Findings.of(filmed(ds))
    first = scenes(findings)[0]
    assert first.seen == [0, 1]
    played = player.frames(first)
    assert played["diverged"] == int(first.diverged_at)
    assert [points is None for points in played["points"]] == [False, False, True, True]
    assert [arrows is None for arrows in played["arrows"]] == [False, False, True, True]


def test_points_and_arrows_are_where_they_belong() -> None:
    """In whole units from the top left; the largest arrows nearly fill their cells."""
    pull = np.zeros((1, 4, 4, 2))
    pull[0, 0, 1] = (0.0, 2.0)
    pull[0, 3, 2] = (-0.5, 0.0)
    scene = Scene(
        arm=0,
        label="",
        diverged_at=np.nan,
        target="",
        divergence="",
        steps=[100],
        window=np.array([[-2.0, 2.0], [0.0, 4.0]]),
        samples=np.array([[[-2.0, 4.0], [0.0, 1.0], [1e9, 0.0]]]),
        pull=pull,
        logits=None,
    )
    played = player.frames(scene)
    assert played["points"] == [[0, 0, 500, 750, 5000, 1000]]
    arrows = np.reshape(played["arrows"][0], (4, 4, 2))
    full = 0.92 * 250
    sizes = np.sort(np.linalg.norm(pull, axis=-1).ravel())
    large = np.quantile(sizes, 0.95)
    assert arrows[0, 1].tolist() == [0, -round(full)]
    assert arrows[3, 2].tolist() == [-round(full * min(1.0, np.sqrt(0.5 / large))), 0]
    assert np.count_nonzero(arrows) == 2


def test_stills_tell_of_the_arrows_that_are_drawn(small: xr.Dataset) -> None:
    """Critics of pairs have no gradient at single points: of none, of one arm, or of both."""
    pull = small["generator_pull"]
    for drawn, which in ((ARMS, "Arrows: "), (ARMS[:1], "Arrows, of minimax alone: "), ([], "")):
        own = small.assign(generator_pull=pull.where(pull["divergence"].isin(drawn)))
        (chart,) = Film.charts
        with style.figure_style():
            drawing = chart.draw(Findings.of(own))
        arrows = [x for axes in drawing.figure.axes for x in axes.collections if hasattr(x, "U")]
        assert len(arrows) == 3 * len(drawn)
        assert drawing.caption.count("Arrows") == bool(drawn)
        assert which in drawing.caption
        assert ("gradients" in drawing.alt) == bool(drawn)


def test_a_study_without_films_has_no_such_section(make_study: Make) -> None:
    findings = Findings.of(make_study({"divergence": ARMS}, seeds=1, steps=4, samples=5))
    assert scenes(findings) == []
    assert not Film.applies(findings)
    assert not critics.Critics.applies(findings)


def test_of_many_arms_an_even_choice_is_shown(make_study: Make) -> None:
    ds = make_study({"divergence": [f"d{k}" for k in range(30)]}, seeds=1, steps=4, samples=5)
    findings = Findings.of(filmed(ds))
    shown = scenes(findings)
    assert len(shown) == MOST
    assert (shown[0].arm, shown[-1].arm) == (0, 29)
    assert len({scene.arm for scene in shown}) == MOST
    stated = player.player(findings, shown)
    assert f"{MOST} of 30 arms" in stated["rule"]


def test_critics_say_which_arms_have_none_of_points(make_study: Make) -> None:
    """Two panels of three arms were "of each arm the trial in the middle"."""
    arms = ["minimax", "packed & paired", "reverse_kl"]
    ds = filmed(make_study({"divergence": arms}, seeds=3, samples=20))
    packed = ds["divergence"] == arms[1]
    for logits, said in (
        (ds["critic_logits"], False),
        (ds["critic_logits"].where(~packed), True),
    ):
        findings = Findings.of(ds.assign(critic_logits=logits))
        with style.figure_style():
            drawing = critics.draw(findings, scenes(findings))
        titles = [axes.get_title(loc="left") for axes in drawing.figure.axes]
        assert [arm for arm in arms if arm in titles] == (arms[::2] if said else arms)
        told = " packed & paired has no panel: its film has no critic of points."
        assert drawing.caption.unescape().endswith(told) == said


def test_critics_show_d_of_classifiers_and_logits_of_others(small: xr.Dataset) -> None:
    findings = Findings.of(small)
    shown = scenes(findings)
    with style.figure_style():
        drawing = critics.draw(findings, shown)
    panels = drawing.figure.axes[:2]
    labels = [axes.get_xlabel() for axes in drawing.figure.axes[2:]]
    # What the panel has no place for is told: of a generator that has left it nothing is seen.
    places = [(own.samples[-1] - own.window[:, 0]) / np.diff(own.window).T for own in shown]
    far = [f"{np.mean(np.abs(own - 0.5).max(axis=1) > 0.5):.0%}" for own in places]
    assert labels == [f"D; samples: {far[0]} outside", f"logit; samples: {far[1]} outside"]
    assert shown[0].outside(-1) == f"{far[0]} outside"
    surfaces = [axes.collections[0].get_array() for axes in panels]
    # Levels of D span 0 to 1; those of the logit x + 2 y most of its range.
    edges = small["film_window"].values
    extreme = float(edges[0, 1] + 2 * edges[1, 1])
    assert 0 < surfaces[0].min() < surfaces[0].max() < 1
    assert 0.7 * extreme < surfaces[1].max() < extreme
    drawing.figure.canvas.draw()
    above = [axes.get_tightbbox().y1 for axes in panels]
    assert max(above) <= drawing.figure.bbox.y1, "a title is cut"


@pytest.fixture(scope="module")
def index(small: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(small, {}, tmp_path_factory.mktemp("run") / "report")


@pytest.mark.slow
def test_the_page_holds_the_film_and_its_stills(index: Path) -> None:
    text = index.read_text()
    for part in ("film", "critics"):
        assert f'<section id="{part}">' in text
        assert f'<a href="#{part}">' in text
        for kind in ("png", "svg"):
            assert (index.parent / f"{part}.{kind}").is_file()
    embedded = re.search(r'<script id="film-data" type="application/json">(.*?)</script>', text)
    assert embedded is not None
    played = json.loads(embedded[1])
    assert [scene["steps"] for scene in played] == [[100, 200, 300, 400]] * 2
    assert text.count('class="film-scene"') == 2
    assert "http" not in text[text.index('<section id="film">') : text.index('id="critics"')]


ACTIONS = {
    "start": "",
    "first": "slider.value = 0; slider.dispatchEvent(new Event('input'));",
    "key": "slider.focus(); slider.stepDown(); slider.dispatchEvent(new Event('input'));",
    "play": "play.click();",
    "pause": "play.click(); play.click();",
}


@pytest.mark.slow
@needs_browser
def test_the_film_is_stepped_and_played_in_a_browser(index: Path, tmp_path: Path) -> None:
    """Every action in a frame of its own, so that one start of the browser shows them all."""
    for name, action in ACTIONS.items():
        act = (
            "const slider = document.getElementById('film-frame'),"
            f" play = document.getElementById('film-play'); {action}"
            "document.title += '|' + JSON.stringify({"
            "step: document.getElementById('film-step').textContent, play: play.textContent,"
            "hidden: document.getElementById('film-player').hidden,"
            "points: document.querySelector('.film-scene .points').getAttribute('d'),"
            "arrows: document.querySelector('.film-scene .arrows').getAttribute('d').length,"
            "stills: getComputedStyle(document.getElementById('film-stills')).display});"
        )
        with_script(index, act, name)
    frames = "".join(f'<iframe src="{name}.html" name="{name}"></iframe>' for name in ACTIONS)
    read = (
        "window.onload = () => { document.title = JSON.stringify(Object.fromEntries("
        "[...document.querySelectorAll('iframe')].map((f) => [f.name, f.contentDocument.title])));"
        "};"
    )
    whole = index.with_name("all.html")
    whole.write_text(f"<title></title>{frames}<script>{read}</script>")
    flags = ("--allow-file-access-from-files", "--force-prefers-reduced-motion")
    titles = json.loads(title(opened(whole, *flags)))
    found: dict[str, dict[str, Any]] = {}
    for name, text in titles.items():
        assert not text.startswith("ERROR")
        found[name] = json.loads(text.partition("|")[2])
    assert found["start"]["step"] == "M-step 400"
    assert found["start"]["play"] == "Play"
    assert found["start"]["hidden"] is False
    assert found["start"]["stills"] == "none"
    assert found["first"]["step"] == found["play"]["step"] == found["pause"]["step"] == "M-step 100"
    assert found["key"]["step"] == "M-step 300"
    assert (found["play"]["play"], found["pause"]["play"]) == ("Pause", "Play")
    assert found["first"]["points"] == found["play"]["points"] != found["start"]["points"]
    assert found["start"]["points"].count("M") == 10
    assert all(state["arrows"] > 256 for state in found.values())
