"""The tables of the report as files, and the table of trials in a browser."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import ganstudy
from ganstudy import analysis
from ganstudy.report.answer import answer
from ganstudy.report.findings import Findings
from ganstudy.report.page import build
from ganstudy.report.trials import metric_table, trial_table

Make = Callable[..., xr.Dataset]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def small(make_study: Make) -> xr.Dataset:
    """Two arms at two settings, with one trial of every fate."""
    return make_study(
        {"divergence": ["minimax", "reverse_kl"], "critic_steps": [1, 10]},
        seeds=3,
        steps=6,
        samples=20,
        status={
            (0, 0, 0): "diverged",
            (0, 1, 1): "failed",
            (1, 0, 2): "missing",
            (1, 1, 0): "excluded",
        },
    )


def test_table_of_trials_has_every_planned_trial(small: xr.Dataset) -> None:
    table = trial_table(Findings.of(small))
    assert len(table.rows) == 11
    rows = list(csv.DictReader(table.csv().splitlines()))
    scores = analysis.trial_scores(small)["score"]
    for row in rows:
        at = {"divergence": row["divergence"], "critic_steps": int(row["critic_steps"])}
        at["seed"] = int(row["seed"])
        assert row["status"] == str(small["status"].sel(at).item())
        expected = float(scores.sel(at))
        text = row["modes covered, score"]
        assert text == "" if np.isnan(expected) else float(text) == expected


def test_table_of_metrics_puts_the_perfect_sampler_beside_the_arms(small: xr.Dataset) -> None:
    table = metric_table(Findings.of(small))
    rows = {row[0]: dict(zip(table.headings, row, strict=True)) for row in table.rows}
    quality = rows["share of high-quality samples"]
    means = analysis.arm_scores(small, "high_quality")["mean"]
    assert quality["minimax"] == float(means[0])
    assert (quality["lowest"], quality["highest"], quality["worst"]) == (0.986, 0.991, 0.0)
    assert rows["KL of the mode histogram"]["worst"] is None


def test_every_sentence_of_the_answer_has_a_call_that_runs(small: xr.Dataset) -> None:
    stated = answer(Findings.of(small))
    assert len(stated.calls) == len(stated.points)
    scope = {"ds": small, "analysis": analysis, "ganstudy": ganstudy}
    for call in (stated.call, *stated.calls):
        assert eval(call, scope) is not None
    best = analysis.rank_arms(small).isel(divergence=0)
    assert f"{float(best['mean']):.2f}" in stated.lead
    effects = analysis.factor_effects(small)
    share = f"{100 * float(effects['share'].sel(effect='divergence')):.0f}%"
    (sentence,) = (point for point in stated.points if "variance" in point)
    assert share in sentence


class Rows(HTMLParser):
    """Cells of the body of the table of trials, and the text of its counter."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False
        self.counter = ""
        self.at = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self.inside = given.get("id") == "every-trial"
        if tag == "tr":
            self.rows += [[]] if self.inside else []
        self.at = given.get("id") or tag

    def handle_data(self, data: str) -> None:
        if self.inside and self.at in ("td", "th", "button"):
            self.rows[-1].append(data)
        if self.at == "matches":
            self.counter += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "table"
        self.at = ""


def in_browser(page: Path, script: str) -> Rows:
    """The table after a script has run at the end of the page, with an error made visible."""
    assert CHROMIUM is not None
    guard = "<script>window.onerror = (m) => { document.title = 'ERROR ' + m; };</script>"
    html = page.read_text().replace("<style>", guard + "<style>", 1)
    acted = page.with_name("acted.html")
    acted.write_text(html.replace("</body>", f"<script>{script}</script></body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    profile = page.parent / "profile"
    shown = subprocess.run(
        [CHROMIUM, *flags, f"--user-data-dir={profile}", "--dump-dom", acted.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "<title>ERROR" not in shown.stdout
    return Rows(shown.stdout)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_trials_are_sorted_and_filtered_in_a_browser(make_study: Make, tmp_path: Path) -> None:
    ds = make_study(
        {"divergence": ["minimax", "reverse_kl"], "critic_steps": [1, 10, 2]},
        seeds=50,
        steps=4,
        samples=4,
        status={(0, 0, 0): "diverged", (0, 1, 1): "failed"},
    )
    page = build(ds, {}, tmp_path / "report")
    press = "const b = [...document.querySelectorAll('#every-trial thead button')];"
    find = "const f = document.getElementById('filter');"
    enter = "f.dispatchEvent(new Event('input'));"

    plain = in_browser(page, "")
    assert plain.counter == "300 of 300 trials"
    assert len(plain.rows) == 1 + 200
    more = in_browser(page, "document.getElementById('more').click();")
    assert len(more.rows) == 1 + 300

    score = trial_table(Findings.of(ds)).headings.index("modes covered, score")
    up = in_browser(page, f"{press} b[{score}].click();")
    values = [float(row[score]) for row in up.rows[1:]]
    assert values == sorted(values)
    down = in_browser(page, f"{press} b[{score}].click(); b[{score}].click();")
    values = [float(row[score]) for row in down.rows[1:]]
    assert values == sorted(values, reverse=True)
    steps = in_browser(page, f"{press} b[1].click(); b[1].click();")
    assert {row[1] for row in steps.rows[1:101]} == {"10"}

    kept = in_browser(page, f"{find} f.value = 'Minimax diverged'; {enter}")
    assert kept.counter == "1 of 300 trials"
    assert kept.rows[1][:4] == ["minimax", "1", "0", "diverged"]
    failed = in_browser(page, f"{find} f.value = 'failed'; {enter}")
    assert failed.rows[1][score] == "–"
