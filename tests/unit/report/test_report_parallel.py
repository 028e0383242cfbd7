"""Parallel coordinates of a search: where lines pass, and what brushing an axis keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from browser import needs_browser, opened, title, with_script
from unrendered import unrendered

from ganstudy.analysis import point_scores
from ganstudy.report import build
from ganstudy.report.searched import Searched
from ganstudy.report.sections.search.parallel import draw, embedded
from ganstudy.report.sections.search.tables import best_table, front_table
from ganstudy.report.style import figure_style


@pytest.fixture(scope="module")
def data(search: xr.Dataset) -> dict[str, Any]:
    """What its script draws."""
    return dict(json.loads(str(embedded(Searched.of(search)))))


def test_lines_pass_where_the_values_are(data: dict[str, Any], search: xr.Dataset) -> None:
    """A learning rate by its logarithm, a label on its rung, the best score on top of the last."""
    names = [axis["name"] for axis in data["axes"]]
    rate, divergence = names.index("generator.lr"), search["divergence"].values.tolist()
    scores = point_scores(search)
    assert len(data["lines"]) == int(scores.notnull().sum())
    for line in data["lines"]:
        place = {"divergence": divergence.index(line["search"]), "trial": line["trial"]}
        lr = float(search["generator_lr"].isel(place))
        # As published: from 1e-5 to 1e-1.
        assert line["at"][rate] == pytest.approx((np.log10(lr) + 5) / 4, abs=1e-4)
        low, high = float(scores.min()), float(scores.max())
        assert line["at"][-1] == pytest.approx(
            (float(scores.isel(place)) - low) / (high - low), abs=1e-4
        )
        clipped = str(search["constraint"].isel(place).item()) == "clip"
        assert (line["at"][names.index("constraint.bound")] is not None) == clipped
        size = str(search["size"].isel(place).item())
        assert line["at"][names.index("size")] == ["small", "large"].index(size)


def test_a_choice_of_numbers_is_told_as_it_was_written(search: xr.Dataset) -> None:
    """A dataset holds it as floats, since a point without it has none."""
    steps = search["critic_steps"].astype(float)
    steps.attrs = {"long_name": "critic.steps", "choices": list(range(1, 9))}
    told = json.loads(str(embedded(Searched.of(search.assign_coords(critic_steps=steps)))))
    place = [axis["name"] for axis in told["axes"]].index("critic.steps")
    assert {line["texts"][place] for line in told["lines"]} <= set("12345678")


def test_a_parameter_is_told_as_a_study_may_have_it(search: xr.Dataset) -> None:
    """Three digits of 0.9999 are 1, which no `beta2` may be: on axes, over lines and in tables."""
    rng = np.random.default_rng(0)
    beta2 = 1 - 10 ** rng.uniform(-4, -1, search["generator_lr"].shape)
    stated = {"low": 0.9, "high": 0.9999, "log": False}
    known = search["critic_lr"].attrs | stated
    ds = search.assign_coords(critic_lr=search["critic_lr"].copy(data=beta2).assign_attrs(known))
    searched = Searched.of(ds)
    told = json.loads(str(embedded(searched)))
    place = [axis["name"] for axis in told["axes"]].index("critic.lr")
    assert [text for _, text in told["axes"][place]["ticks"]] == ["0.9", "0.9999"]
    tables = (best_table(searched), front_table(searched))
    cells = [
        row.cells[table.headings.index("critic.lr")]
        for table in tables
        if table is not None
        for row in table.rows
    ]
    texts = [line["texts"][place] for line in told["lines"]]
    assert len(cells) > 2
    assert all(0.9 <= float(text) < 1 for text in [*cells, *texts])
    assert {*cells} <= {*texts}


def test_the_best_quarter_of_each_search_stands_out(
    data: dict[str, Any], search: xr.Dataset
) -> None:
    """By the first objective."""
    for arm in search["divergence"].values.tolist():
        own = [line for line in data["lines"] if line["search"] == arm]
        good = sorted(line["at"][-1] for line in own if line["good"])
        assert len(good) == -(-len(own) // 4)
        assert good == sorted(line["at"][-1] for line in own)[-len(good) :]


def test_arms_are_told_apart_by_more_than_their_colour(
    data: dict[str, Any], search: xr.Dataset
) -> None:
    """By strokes, three arms of each, in the figure and on the page."""
    for line in data["lines"]:
        assert data["groups"][line["group"]]["name"] == line["search"]
    six = search.isel(divergence=[0, 1] * 3).assign_coords(divergence=[*"abcdef"])
    many = Searched.of(six)
    dashes = [group["dashes"] for group in json.loads(str(embedded(many)))["groups"]]
    assert dashes == ["none"] * 3 + ["5.2 1.95"] * 3
    with figure_style():
        drawing = draw(many)
    assert drawing is not None
    strokes = [own.get_linestyle()[0] for own in drawing.figure.axes[0].collections]
    assert [dash is None for _, dash in strokes[::2]] == [True] * 3 + [False] * 3
    legend = [own.get_linestyle() for own in drawing.figure.legends[0].get_lines()]
    assert legend == ["-"] * 3 + ["--"] * 3


@pytest.mark.slow
@needs_browser
def test_an_axis_is_brushed(search: xr.Dataset, data: dict[str, Any], tmp_path: Path) -> None:
    """By a key to its upper quarter, by the pointer to its lower half; then all are shown."""
    with unrendered():
        page = build(search, {}, tmp_path)
    script = """
      const figure = document.querySelector("#figure-parallel_coordinates");
      const axis = figure.querySelector("[role=slider]");
      const said = () => figure.querySelector("[role=status]").textContent;
      const found = [said()];
      axis.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp" }));
      found.push(said(), document.querySelectorAll("path.out").length);
      axis.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
      axis.setPointerCapture = () => {};
      const bounds = axis.querySelector(".axis").getBoundingClientRect();
      const at = (share) => ({ clientX: bounds.x, clientY: bounds.bottom - share * bounds.height });
      axis.dispatchEvent(new PointerEvent("pointerdown", at(-0.1)));
      axis.dispatchEvent(new PointerEvent("pointermove", at(0.5)));
      axis.dispatchEvent(new PointerEvent("pointerup", at(0.5)));
      found.push(said());
      figure.querySelector("button").click();
      found.push(said());
      document.title = JSON.stringify(found);
    """
    first, upper, out, lower, last = json.loads(title(opened(with_script(page, script))))
    lines = data["lines"]
    kept = [line for line in lines if line["at"][0] is not None and line["at"][0] >= 0.75]
    half = [line for line in lines if line["at"][0] is not None and line["at"][0] <= 0.5]
    assert first.startswith(f"{len(lines)} of {len(lines)} points; best of them ")
    assert upper.startswith(f"{len(kept)} of {len(lines)} points")
    best = max(kept, key=lambda line: line["at"][-1])
    assert f"best of them {best['search']}, trial {best['trial']}: " in upper
    assert out == len(lines) - len(kept)
    assert lower.startswith(f"{len(half)} of {len(lines)} points")
    assert 0 < len(half) < len(lines) > len(kept) > 0
    assert last == first
