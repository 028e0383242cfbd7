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
    """A trial that is missing takes nothing from that."""
    status = {(0, 0, 0, 0): "missing"}
    for given in ({}, status):
        ds = make_study(AXES, samples=1, status=given)
        found = analysis.factor_effects(ds)
        np.testing.assert_allclose(found["residual"], 1 - found["share"].sum())
        assert "is left to trials" in str(sentence(Findings.of(ds)))
        assert "do not add up" not in effects.draw(Findings.of(ds)).caption


def test_what_is_left_beside_excluded_points_is_not_told(make_study: Make) -> None:
    """Shares of axes that are confounded added up to 151 %, and 0 % was left of what was 21 %."""
    findings = _without(make_study, (0, 0, 1))
    assert np.isnan(findings.effects["residual"])
    told = str(sentence(findings))
    assert "is left to" not in told
    assert "shares do not add up" in told
    drawing = effects.draw(findings)
    assert "shares do not add up" in drawing.caption
    assert "the rest" not in drawing.caption
    left, _ = drawing.figure.axes
    assert "the rest" not in [label.get_text() for label in left.get_yticklabels()]


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
