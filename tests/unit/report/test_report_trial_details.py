"""What a row of the table of trials opens, as data and in a browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from browser import needs_browser, opened, title, with_script

from ganstudy.report.contours import backdrop
from ganstudy.report.data_tables import trial_table
from ganstudy.report.findings import Findings
from ganstudy.report.page import build
from ganstudy.report.sections.trials import details

Make = Callable[..., xr.Dataset]


@pytest.fixture(scope="module")
def small(make_study: Make) -> xr.Dataset:
    """Two arms at two settings, with one trial of every fate."""
    return make_study(
        {"divergence": ["minimax", "reverse_kl"], "critic_steps": [1, 10]},
        seeds=3,
        steps=6,
        samples=200,
        status={
            (0, 0, 0): "diverged",
            (0, 1, 1): "failed",
            (1, 0, 2): "missing",
            (1, 1, 0): "excluded",
        },
    )


def numbers(text: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Shares of a range, NaN for what does not exist."""
    whole = np.frombuffer(base64.b64decode(text), np.uint8).astype(np.float64)
    return np.where(whole == 255, np.nan, whole / 254)


@pytest.mark.parametrize("score", ["modes_covered", "mode_kl"])
def test_each_row_has_its_own_curve_and_samples(small: xr.Dataset, score: str) -> None:
    """To the width of a byte; the range of an unbounded metric is the curve's own."""
    ds = small.assign_attrs(score=score)
    findings = Findings.of(ds)
    found = details.details(findings)
    table = trial_table(findings)
    assert len(found["rows"]) == len(table.rows) == 11
    assert found["dims"] == ["divergence", "critic_steps", "seed"]
    (target,) = found["targets"]
    assert target["path"].count("Z") == 8
    for cells, row in zip(table.rows, found["rows"], strict=True):
        here = ds.sel(dict(zip(found["dims"], cells, strict=False)))
        curve = here[score].values
        if str(here["status"].item()) in ("failed", "missing"):
            assert row == {}
            continue
        bounded = score == "modes_covered"
        low, high = (0.0, 8.0) if bounded else (np.nanmin(curve), np.nanmax(curve))
        width = (high - low) / 254
        np.testing.assert_allclose(low + (high - low) * numbers(row["curve"]), curve, atol=width)
        assert row["high"] == findings.show(high)
        if str(here["status"].item()) == "diverged":
            assert "points" not in row
            continue
        behind = backdrop(str(ds["target_settings"].item()))
        samples = here["samples"].values[:128]
        offset = np.abs(samples - np.asarray(behind.centre)).max(axis=1)
        kept = samples[offset <= behind.half_width]
        drawn = (numbers(row["points"]).reshape(-1, 2) - 0.5) * 2 * behind.half_width
        np.testing.assert_allclose(
            drawn + behind.centre, kept, atol=2 * behind.half_width / 254, rtol=0
        )
        everywhere = np.abs(here["samples"].values - np.asarray(behind.centre)).max(axis=1)
        assert row["outside"] == pytest.approx(
            100 * np.mean(everywhere > behind.half_width), abs=0.51
        )


def test_each_row_has_the_colour_of_its_arm(make_study: Make) -> None:
    """By its number: texts of numbers are not those of JavaScript, to which 1.0 is "1"."""
    findings = Findings.of(
        make_study({"constraint_weight": [1e-5, 1.0, 10.0]}, seeds=2, steps=4, samples=5, status={})
    )
    found = details.details(findings)
    assert [found["colours"][arm] for arm in found["arms"]] == [
        colour for colour in findings.colours for _ in range(2)
    ]


def test_of_too_many_trials_the_first_seeds_are_kept(
    make_study: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out is stated, and None."""
    findings = Findings.of(make_study({"divergence": ["a", "b"]}, seeds=4, steps=4, samples=5))
    assert "The page holds" not in details.note(findings)
    monkeypatch.setattr(details, "MOST", 5)
    rows = details.details(findings)["rows"]
    assert [row is None for row in rows] == [False, False, False, True, False, False, True, True]
    assert "5 of 8 trials, those of the first seeds" in details.note(findings)


def test_details_of_two_thousand_trials_take_a_megabyte(make_study: Make) -> None:
    ds = make_study({"divergence": list(range(20))}, seeds=2, steps=40, samples=500)
    found = details.embedded(Findings.of(ds))
    assert len(found) / 40 * details.MOST < 1.3e6


def test_a_study_without_samples_has_curves_alone(make_study: Make) -> None:
    ds = make_study({"divergence": ["a", "b"]}, seeds=2, steps=4, samples=5)
    findings = Findings.of(ds.drop_vars("samples"))
    rows = details.details(findings)["rows"]
    assert all(set(row) == {"curve", "low", "high", "last"} for row in rows)
    assert "samples" not in details.note(findings)


@pytest.mark.slow
@needs_browser
def test_a_row_is_opened_by_its_button_in_a_browser(small: xr.Dataset, tmp_path: Path) -> None:
    """It stays open while the table is sorted, and closes where it was opened."""
    page = build(small, {}, tmp_path / "report")
    script = """
      const rows = () => [...document.querySelectorAll('#every-trial tbody tr')];
      const button = (k) => rows()[k].querySelector('th button');
      const seen = {before: rows().length};
      button(1).focus();
      seen.focused = document.activeElement === button(1);
      button(1).click();
      seen.opened = rows().length;
      seen.expanded = button(1).getAttribute('aria-expanded');
      const panel = rows()[2];
      const pictures = [...panel.querySelectorAll('svg[role=img]')];
      seen.pictures = pictures.map((one) => one.getAttribute('aria-label'));
      seen.drawn = panel.querySelector('.samples').getAttribute('d').split('M').length - 1;
      seen.points = panel.querySelector('.line').getAttribute('d').split(/[ML]/).length - 1;
      seen.stroke = panel.querySelector('.line').getAttribute('stroke');
      seen.code = panel.querySelector('code').textContent;
      const columns = document.querySelectorAll('#every-trial thead th').length;
      seen.wide = panel.cells[0].colSpan === columns;
      document.querySelector('#every-trial thead button').click();
      seen.sorted = rows().length;
      button(1).click();
      seen.closed = rows().length;
      const failed = rows().findIndex((row) => row.textContent.includes('failed'));
      button(failed).click();
      seen.failed = rows()[failed + 1].textContent;
      document.title = JSON.stringify(seen);
    """
    seen = json.loads(title(opened(with_script(page, script))))
    assert (seen["before"], seen["opened"], seen["sorted"], seen["closed"]) == (11, 12, 12, 11)
    assert seen["focused"] is True
    assert seen["expanded"] == "true"
    assert seen["wide"] is True
    assert seen["stroke"] == Findings.of(small).colours[0]
    assert seen["code"] == 'ds.sel(divergence="minimax", critic_steps=1, seed=1)'
    curve, cloud = seen["pictures"]
    assert curve.startswith("modes covered against M-steps, between 0.00 and 8.00")
    assert cloud.endswith("over the target") or cloud.endswith("of all outside")
    assert seen["drawn"] == int(cloud.split()[0]) > 100
    assert seen["points"] == 6
    assert "no curve and no samples" in seen["failed"]
