"""What explains the scores, where some points have none: nothing is told that is not known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from ganstudy import analysis
from ganstudy.report.explained import rest, sentence
from ganstudy.report.findings import Findings
from ganstudy.report.sections import effects

Make = Callable[..., xr.Dataset]

AXES = {"divergence": ["a", "b"], "lr": [1, 2], "width": [8, 16]}


def _without(make_study: Make, *points: tuple[int, ...], state: str = "excluded") -> Findings:
    status = {(*point, seed): state for point in points for seed in range(5)}
    return Findings.of(make_study(AXES, samples=1, status=status))


def test_shares_of_a_whole_table_leave_the_rest(make_study: Make) -> None:
    """One trial that is missing is enough for axes to have some of it in common."""
    for given, missed in (({}, 1e-12), ({(0, 0, 0, 0): "missing"}, 0.05)):
        ds = make_study(AXES, samples=1, status=given)
        found = analysis.factor_effects(ds)
        np.testing.assert_allclose(found["overlap"], 0, atol=missed)
        np.testing.assert_allclose(found["residual"] + found["share"].sum() - 1, found["overlap"])
        told = str(sentence(Findings.of(ds)))
        assert "is left to trials" in told
        assert ("do not add up" in told) == bool(given)
        assert ("do not add up" in effects.draw(Findings.of(ds)).caption) == bool(given)


def test_a_value_without_scores_takes_nothing_from_the_rest(make_study: Make) -> None:
    """An arm that failed altogether leaves a full table of others; its study lacked the rest."""
    axes = {"divergence": ["a", "b", "c"], "lr": [1, 2], "width": [8, 16]}
    status = {(2, x, y, seed): "failed" for x in (0, 1) for y in (0, 1) for seed in range(5)}
    ds = make_study(axes, samples=1, status=status)
    whole, others = (analysis.factor_effects(own) for own in (ds, ds.isel(divergence=[0, 1])))
    np.testing.assert_allclose(whole["residual"], others["residual"])
    np.testing.assert_allclose(whole["overlap"], 0, atol=1e-9)
    assert "is left to trials" in str(sentence(Findings.of(ds)))
    assert "the rest" in effects.draw(Findings.of(ds)).caption


@pytest.mark.parametrize("points", [[(0, 1), (1, 0)], [(0, 0), (1, 1)]])
@pytest.mark.parametrize("kept", [1, 6, 10])
def test_what_is_left_is_the_share_of_the_noise(
    make_study: Make, points: list[tuple[int, int]], kept: int
) -> None:
    """Of seeds that some points lack it was 24 %, 0 % or 92 %, as one less shares in common."""
    ds = make_study({"divergence": ["a", "b"], "lr": [1, 2]}, seeds=10, samples=1, status={})
    left, noise = [], []
    for draw in range(20):
        score = 2 + 1.5 * np.add.outer([0, 1], [0, 1])[..., None] + np.zeros((2, 2, 10))
        score += 0.5 * np.random.default_rng(draw).normal(size=score.shape)
        for point in points:
            score[(*point, slice(kept, None))] = np.nan
        own = ds.assign(
            status=ds["status"].where(np.isfinite(score), "failed"),
            modes_covered=ds["modes_covered"] * 0 + xr.DataArray(score, dims=ds["status"].dims),
        )
        left.append(float(analysis.factor_effects(own)["residual"]))
        # Unbiased of the scores that there are, as the shares are.
        noise.append(0.25 / np.nanvar(score, ddof=1))
    error = np.std(np.subtract(left, noise), ddof=1) / np.sqrt(len(left))
    assert abs(np.mean(left) - np.mean(noise)) < 3 * error
    assert error < 0.25 * np.mean(noise)


def test_what_is_left_beside_excluded_points_is_told_apart(make_study: Make) -> None:
    """Shares of axes that are confounded added up to 151 %, and 0 % was left of what was 21 %."""
    findings = _without(make_study, (0, 0, 1))
    assert abs(float(findings.effects["overlap"])) > 0.02
    told = str(sentence(findings))
    assert "is left to" in told
    assert "shares do not add up" in told
    drawing = effects.draw(findings)
    assert "shares do not add up" in drawing.caption
    assert "the rest" not in drawing.caption
    left, _ = drawing.figure.axes
    assert "the rest" not in [label.get_text() for label in left.get_yticklabels()]


def test_shares_below_zero_are_no_parts_of_a_hundred(make_study: Make) -> None:
    """36 % were explained and 100 % left; that some were less than nothing was all it said."""
    ds = make_study(AXES, samples=1, status={})
    found = Findings.of(ds).effects.copy(deep=True)
    told = []
    for below in (0.0, -0.1):
        own = found.assign(share=found["share"].where(found["effect"] != "width", below))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Findings, "effects", own)
            told.append("more than 100% in all" in str(rest(Findings.of(ds))))
    assert told == [False, True]


def test_an_axis_that_cannot_be_told_is_named(make_study: Make) -> None:
    """Of one value alone it has scores; it was left out without a word, and its pairs had 0 %."""
    points = [(a, 1, b) for a in range(2) for b in range(2)]
    findings = _without(make_study, *points, state="failed")
    lacking = "lr, divergence × lr and lr × width"
    assert f"do not tell what {lacking} explain." in str(rest(findings))
    assert f"do not tell what {lacking} explain." in effects.draw(findings).caption


def test_a_pair_that_cannot_be_tested_is_named(
    make_study: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood in the figure, and nowhere else."""
    ds = make_study(AXES, samples=1)
    found = Findings.of(ds).effects.copy(deep=True)
    pair = found["effect"] == "divergence × lr"
    found["share"] = found["share"].where(~pair, 0.36)
    found["grade"] = found["grade"].where(~pair, "")
    monkeypatch.setattr(Findings, "effects", found)
    told = str(rest(Findings.of(ds)))
    assert "divergence × lr 36%" in told
    assert "not tested" in told
