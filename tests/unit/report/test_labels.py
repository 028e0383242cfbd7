"""What tables, alternative texts and methods call the numbers that they state."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from unrendered import undrawn

from ganstudy.analysis import design
from ganstudy.report import build, explained, latex, style
from ganstudy.report.findings import Findings
from ganstudy.report.layout import thinned
from ganstudy.report.sections import distribution, effects, samples
from ganstudy.report.sections.curves import training
from ganstudy.report.tables import score_table

Make = Callable[..., xr.Dataset]


def searched(make_study: Make) -> Findings:
    """Arms at the best point of each search, on three fresh seeds."""
    axes = {"divergence": ["a", "none"], "fresh_seed": [1, 2, 3]}
    return Findings.of(make_study(axes, seeds=4, samples=4))


def test_fresh_seeds_are_no_settings_and_searches_no_seeds(make_study: Make) -> None:
    found = searched(make_study)
    assert "searches scored" in score_table(found).headings
    drawing = samples.draw(found)
    assert drawing is not None
    assert "2 arms by 3 fresh seeds." in drawing.alt
    with style.figure_style():
        assert ", averaged over fresh seeds. Means over sear" in training.draw_score(found).alt


def test_variance_of_searches_is_over_searches(make_study: Make) -> None:
    """Two arms, two rates, four searches on three fresh seeds: 16 were called trials, of 48."""
    axes = {"divergence": ["a", "b"], "lr": [1, 2], "fresh_seed": [1, 2, 3]}
    found = Findings.of(make_study(axes, seeds=4, samples=1))
    with style.figure_style():
        caption = effects.draw(found).caption
    assert "over all 16 scored searches that" in caption
    assert "differs between searches of the same kind" in caption
    assert " is left to searches of the same kind" in str(explained.sentence(found))


def test_an_arm_is_quoted_in_a_heading_that_would_deny_it(make_study: Make) -> None:
    assert "chance to beat “none”" in distribution.table(searched(make_study)).headings


def test_a_picture_tells_of_what_it_shows(make_study: Make) -> None:
    """Of twelve settings eight are drawn; the best of those left out is none of its numbers."""
    ds = make_study({"divergence": ["a"], "lr": list(range(12))}, samples=4)
    ds["modes_covered"][:] = 3.0
    left_out = next(k for k in range(12) if k not in thinned(12, samples.MOST_COLUMNS))
    ds["modes_covered"][0, left_out] = 7.0
    drawing = samples.draw(Findings.of(ds))
    assert drawing is not None
    assert drawing.alt.endswith("lowest to highest: a 3.")


def test_averaged_curves_are_told_of_as_averages(make_study: Make) -> None:
    """More settings than there are panels for: the line ends at the mean of all."""
    ds = make_study({"divergence": ["a"], "lr": list(range(13))}, seeds=2, samples=1)
    ds["modes_covered"][:] = np.linspace(0, 6, 13)[:, None, None]
    with style.figure_style():
        alt = training.draw_score(Findings.of(ds)).alt
    assert alt.endswith("averaged over settings. Means over seeds at the last record: a 3.")


def test_a_title_of_a_panel_wraps_between_labels(make_study: Make) -> None:
    """`capacity` ended a line, and `small` began the next one."""
    axes = {"learning_rate": ["slow", "fast"], "critic_steps": [1, 2], "capacity": ["small"]}
    ds = make_study({"divergence": ["a"], **axes}, samples=1)
    with style.figure_style():
        titles = [
            own.get_title(loc="left") for own in training.draw_score(Findings.of(ds)).figure.axes
        ]
    lines = [line for title in titles for line in title.splitlines()]
    assert len(lines) > len(titles)
    names = [label for line in lines for label in line.removesuffix(" ·").split(" · ")]
    assert {name.split(" ")[0] for name in names} == axes.keys()
    assert {name.count(" ") for name in names} == {1}


def methods_of(ds: xr.Dataset, folder: Path) -> str:
    """What the page says of its methods."""
    with undrawn():
        page = build(ds, {}, folder).read_text(encoding="utf-8")
    return re.sub(r"<[^>]+>|\s+", " ", page[page.index('id="methods"') :])


@pytest.mark.slow
def test_a_test_of_wins_is_not_called_one_of_means(make_study: Make, tmp_path: Path) -> None:
    axes = {"divergence": ["a", "b"], "lr": [1, 2]}

    def methods(**settings: object) -> str:
        return methods_of(make_study(axes, seeds=3, samples=4, steps=4, **settings), tmp_path)

    status = {(0, 0, 0): "diverged"}
    wins = methods(score="mode_kl", status=status)
    assert "every pair of arms is tested by its wins" in wins
    assert "A paired t test is made for every pair" not in wins
    assert "would have been clear" not in wins
    means = methods(status=status)
    assert "A paired t test is made for every pair" in means
    assert "by its wins" not in means


@pytest.mark.slow
def test_methods_tell_of_no_interval_and_no_test_that_is_not_there(
    make_study: Make, tmp_path: Path
) -> None:
    """They did of shares of variance, where arms are searched once or one seed alone has scores."""
    ds = make_study({"divergence": ["a", "b"], "lr": [1, 2]}, seeds=4, samples=4, steps=4)
    interval, tested = "their intervals are a jackknife over seeds", "their tests are against"
    whole = methods_of(ds, tmp_path)
    assert interval in whole
    assert tested in whole
    lost = ds.assign(status=ds["status"].where(ds["seed"] == ds["seed"][0], "failed"))
    most = ds.assign(status=ds["status"].where(ds["seed"] + ds["lr"] < 3, "failed"))
    for untested in (ds.assign_attrs(searches=1), ds.assign_attrs(seeds_added=1), lost):
        own = methods_of(untested, tmp_path)
        assert interval not in own
        assert tested not in own
    sparse = methods_of(most, tmp_path)
    assert interval not in sparse
    assert tested in sparse


@pytest.mark.slow
def test_methods_tell_of_the_jackknife_where_trials_are_missing(
    make_study: Make, tmp_path: Path
) -> None:
    """All means of four settings or more were said to have Student's interval."""
    ds = make_study({"divergence": ["a", "b"], "lr": [1, 2, 3, 4]}, seeds=4, samples=4, steps=4)
    said = "Of an arm that lacks trials which others have, they are a jackknife in Student's place"
    assert said not in methods_of(ds, tmp_path)
    one = (ds["divergence"] == "a") & (ds["lr"] == 2) & (ds["seed"] == ds["seed"][1])
    assert said in methods_of(ds.assign(status=ds["status"].where(~one, "failed")), tmp_path)


def test_arms_of_different_settings_have_no_number_of_them(make_study: Make) -> None:
    """One arm has the first setting, the other both that are left."""
    gone = [(0, 1), (0, 2), (1, 0)]
    status = {(arm, lr, seed): "excluded" for arm, lr in gone for seed in range(3)}
    axes = {"divergence": ["a", "b"], "lr": [1, 2, 3]}
    found = Findings.of(make_study(axes, seeds=3, samples=1, status=status))
    assert found.averaged_settings == 0


def test_a_table_for_a_paper_states_the_whole_rule(make_study: Make) -> None:
    found = Findings.of(make_study({"divergence": ["a", "b"]}, samples=1))
    caption = latex.ranking(found)
    assert "of fewer than four settings with ten seeds or more" in caption


def test_plain_values_are_named_by_their_axis() -> None:
    def labels(*values: object) -> list[str]:
        return design.arm_labels(xr.DataArray(list(values), dims="bias", name="bias"))

    assert labels("true", "false") == ["bias true", "bias false"]
    assert labels("none", "50") == ["bias none", "bias 50"]
    assert labels("none", "clip") == ["none", "clip"]
