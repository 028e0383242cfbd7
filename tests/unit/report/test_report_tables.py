"""The tables of the report as files, and the table of trials in a browser."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from browser import needs_browser, opened, title, with_script
from scipy import stats
from unrendered import unrendered

from ganstudy import analysis
from ganstudy.report import latex, prose
from ganstudy.report.data_tables import metric_table, setting_table, trial_table
from ganstudy.report.findings import Findings
from ganstudy.report.page import build
from ganstudy.report.tables import (
    MOST_ROWS,
    equilibrium_table,
    ranking_table,
    score_table,
    stability_table,
)

Make = Callable[..., xr.Dataset]


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


def test_a_tiny_number_is_not_told_as_nothing(small: xr.Dataset) -> None:
    """0.00004 was 0.00 in the table of trials, and infinitely many digits were told of 1.25e20."""
    table = trial_table(Findings.of(small))
    column = table.headings.index("share of high-quality samples")
    for value, told in ((4.04e-5, 4e-5), (0.1234, 0.12), (1.25e20, 1.25e20), (-1e-13, 0.0)):
        table.rows[0][column] = value
        assert table.data()["rows"][0][column] == told


def test_table_of_metrics_puts_the_perfect_sampler_beside_the_arms(small: xr.Dataset) -> None:
    table = metric_table(Findings.of(small))
    rows = {row[0]: dict(zip(table.headings, row, strict=True)) for row in table.rows}
    quality = rows["share of high-quality samples"]
    means = analysis.arm_scores(small, "high_quality")["mean"]
    assert quality["minimax"] == float(means[0])
    assert (quality["lowest"], quality["highest"], quality["worst"]) == (0.986, 0.991, 0.0)
    assert rows["KL of the mode histogram"]["worst"] is None


def test_a_column_has_as_many_decimals_in_all_its_cells(small: xr.Dataset) -> None:
    """0.2 stood beside 0.014, and 0.264 beside 0.26."""
    assert prose.column([0.2, 0.014, None, "a", 12.0]) == ["0.200", "0.014", "–", "a", "12.000"]
    assert prose.column([0.0004, 0.01, 0.002]) == ["0.00040", "0.01000", "0.00200"]
    assert prose.column([3.0, 0.0, 12345.0]) == ["3", "0", "12,345"]
    assert prose.column([1.5, 2.25], [1, 3]) == ["1.5", "2.250"]
    assert prose.with_limits(prose.numbers, 0.5, 0.25, 1.0) == "0.50 (0.25 to 1.00)"
    assert prose.with_limits(prose.numbers, 0.5, 0.4999, 0.5001) == "0.50"
    assert prose.with_limits(prose.numbers, 0.5, float("nan"), float("nan")) == "0.50"
    for row in metric_table(Findings.of(small)).texts():
        digits = [re.fullmatch(r"[\d,]+(?:\.(\d+))?", cell) for cell in row]
        assert (
            len({len(found[1] or "") for found in digits if found and float(found[0]) > 0.01}) <= 1
        )


@pytest.mark.parametrize(
    ("interval", "decimals", "text"),
    [
        ((0.127, -0.044, 0.298), 1, "0.127 (\N{MINUS SIGN}0.044 to 0.298)"),
        ((0.3, 0.1, 0.5), 1, "0.3 (0.1 to 0.5)"),
        ((0.025, 0.0, 0.1), 1, "0.025 (0.000 to 0.100)"),
        ((6.6, 0.043, 8.0), 0, "6.60 (0.04 to 8.00)"),
        ((6.6, 4e-9, 8.0), 0, "6.60 (0.00 to 8.00)"),
        ((4e-5, 2e-5, 6e-5), 2, "0.000040 (0.000020 to 0.000060)"),
        ((0.5, -1e-13, 1.0), 2, "0.50 (0.00 to 1.00)"),
        ((0.05, 0.04, 0.0999999), 1, "0.050 (0.040 to 0.100)"),
    ],
)
def test_an_interval_has_one_number_of_decimals(
    interval: tuple[float, float, float], decimals: int, text: str
) -> None:
    """`0.1 (-0.044 to 0.3)` stood in sentences and tables."""
    assert prose.with_limits(partial(prose.numbers, decimals=decimals), *interval) == text


def test_a_number_is_told_in_one_way_whoever_holds_it() -> None:
    """On one page a difference was 1.43 in a sentence and -1.42 in a table."""
    assert prose.numbers([np.float64(1.425)]) == prose.numbers([1.425]) == [prose.number(1.425)]
    assert prose.percent(np.float64(0.0015)) == prose.percent(0.0015)


@pytest.mark.parametrize(
    ("value", "text"),
    [(999.4, "999"), (999.7, "1,000"), (1234.5, "1,234"), (999_999.7, "1e+06"), (math.inf, "inf")],
)
def test_the_form_of_a_number_is_that_of_the_rounded_one(value: float, text: str) -> None:
    """999.7 was told as 1e+03, and as 1000 above 1,001."""
    assert prose.short(value) == text
    assert prose.column([999.7, 1001.2], 0) == ["1,000", "1,001"]


def test_settings_count_the_trials_that_their_means_lack(small: xr.Dataset) -> None:
    table = setting_table(Findings.of(small))
    rows = [dict(zip(table.headings, row, strict=True)) for row in table.rows]
    counted = [(row["planned"], row["scored"]) for row in rows]
    assert counted == [(3, 3), (3, 2), (3, 2), (2, 2)]
    assert [row["missing"] for row in rows] == [0, 0, 1, 0]


@pytest.mark.slow
@needs_browser
def test_trials_are_sorted_and_filtered_in_a_browser(make_study: Make, tmp_path: Path) -> None:
    ds = make_study(
        {"divergence": ["minimax", "reverse_kl"], "critic_steps": [1, 10, 2]},
        seeds=50,
        steps=4,
        samples=4,
        status={(0, 0, 0): "diverged", (0, 1, 1): "failed"},
    )
    score = trial_table(Findings.of(ds)).headings.index("modes covered, score")
    script = """
      const found = [];
      const text = (cell) => cell.textContent;
      const seen = () => {
        const rows = [...document.querySelectorAll("#every-trial tr")];
        const cells = rows.map((row) => [...row.cells].map(text));
        found.push([text(document.getElementById("matches")), cells]);
      };
      const press = (k) => document.querySelectorAll("#every-trial thead button")[k].click();
      const keep = (words) => {
        const filter = document.getElementById("filter");
        filter.value = words;
        filter.dispatchEvent(new Event("input"));
      };
      const more = () => document.getElementById("more").click();
    """
    acts = (
        *("", "more()", f"press({score})", f"press({score})", "press(1); press(1)"),
        *("keep('Minimax diverged')", "keep('failed')"),
    )
    script += "".join(f"{act}; seen();" for act in acts) + "document.title = JSON.stringify(found);"
    with unrendered():
        page = build(ds, {}, tmp_path / "report")
    plain, whole, up, down, steps, kept, failed = json.loads(
        title(opened(with_script(page, script)))
    )
    assert plain[0] == "300 of 300 trials"
    assert len(plain[1]) == 1 + 200
    assert len(whole[1]) == 1 + 300
    for (_, rows), falling in ((up, False), (down, True)):
        values = [float(row[score]) for row in rows[1:-1]]
        assert values == sorted(values, reverse=falling)
        assert rows[-1][score] == "–"
    assert {row[1] for row in steps[1][1:101]} == {"10"}
    assert kept[0] == "1 of 300 trials"
    assert kept[1][1][:4] == ["minimax", "1", "0", "diverged"]
    assert failed[1][1][score] == "–"


# --- tables for a paper ---------------------------------------------------------------------------


def cells_of(table: str) -> list[list[str]]:
    """Heading and rows of the tabular of a LaTeX file."""
    assert [table.count(line) for line in (r"\toprule", r"\bottomrule", r"\begin{tabular}")] == [
        *(1, 1, 1)
    ]
    table = re.sub(r"\\shortstack\[.\]{(.*?)}", lambda lines: lines[1].replace(r"\\", " "), table)
    body = table.split(r"\toprule")[1].split(r"\bottomrule")[0].replace(r"\midrule", "")
    rows = [[cell.strip() for cell in row.split(" & ")] for row in body.split(r"\\")]
    columns = table.split(r"\begin{tabular}{")[1].split("}")[0]
    assert {len(row) for row in rows if row != [""]} == {len(columns)}
    return [row for row in rows if row != [""]]


@pytest.mark.parametrize("text", ["−2.1 to 3.4", "4 of 10", "< 0.001", "1 to > 9"])
def test_no_line_ends_within_a_number(text: str) -> None:
    """A narrow column would have `<` on one line and 0.001 on the next."""
    assert prose.unbroken(f"by {text} of them") == f"by {text.replace(' ', chr(0xA0))} of them"


def test_text_is_escaped_for_latex() -> None:
    """Every character that TeX would take for its own."""
    text = "a_b & 5% of $x$ #1 {y} ~ ^ \\ < > | −1 – ∞ × γ Σ ≤ W₁"
    expected = (
        r"a\_b \& 5\% of \$x\$ \#1 \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"$<$ $>$ $|$ $-$1 -- $\infty$ $\times$ $\gamma$ $\Sigma$ $\leq$ W\textsubscript{1}"
    )
    assert latex.escaped(text) == expected


def test_ranking_in_latex(make_study: Make) -> None:
    """The table of the page, in which a number had other digits; equal averages are bold."""
    ds = make_study({"divergence": ["minimax", "reverse_kl"], "lr": [1, 2]}, samples=1)
    found = Findings.of(ds)
    table, (heading, *rows) = ranking_table(found), cells_of(latex.ranking(found))
    assert heading == ["divergence", *(own.replace("%", r"\%") for own in table.headings)]
    for row, own in zip(rows, table.rows, strict=True):
        shown = [latex.escaped(cell) for cell in (own.arm, *own.cells)]
        if own.arm == "reverse_kl":
            shown[1] = rf"\textbf{{{shown[1]}}}"
        assert row == shown
    ranked = analysis.rank_arms(ds)
    best, other = (dict(zip(table.headings, own.cells, strict=True)) for own in table.rows)
    assert best["average"] == f"{float(ranked['mean'][0]):.2f}"
    assert (best["difference from the best"], best["adjusted p"], best["grade"]) == ("", "", "")
    assert other["adjusted p"] == f"{float(ranked['p'][1]):.3f}"
    assert other["grade"] == str(ranked["grade"][1].item())
    named = ("difference", "difference_low", "difference_high")
    difference, low, high = (f"{float(ranked[own][1]):.2f}".replace("-", "−") for own in named)
    assert other["difference from the best"] == difference
    assert other["95% interval, all pairs"] == f"{low} to {high}"


def test_equal_averages_are_all_bold_in_latex(make_study: Make) -> None:
    """Those that differ in digits that are not shown were bold, too."""
    ds = make_study({"divergence": ["a", "b", "c"]}, samples=1)
    values = ds["modes_covered"].values
    values[:] = values[:1]
    values[2] -= 1e-4
    rows = cells_of(latex.ranking(Findings.of(ds)))[1:]
    assert [row[1].startswith(r"\textbf") for row in rows] == [True, True, False]
    assert rows[0][1].removeprefix(r"\textbf{").rstrip("}") == rows[2][1]


def test_metrics_in_latex(make_study: Make) -> None:
    """The best of each metric is bold, lower ones where lower is better; ties are all bold."""
    ds = make_study({"divergence": ["minimax", "reverse_kl", "hinge"]}, samples=1)
    ds["high_quality"][:] = 0.5
    table = latex.metrics(Findings.of(ds))
    heading, *rows = cells_of(table)
    assert heading[1:] == [
        r"modes covered $\uparrow$",
        r"share of high-quality samples $\uparrow$",
        r"KL of the mode histogram $\downarrow$",
    ]
    assert [row[0] for row in rows] == ["minimax", r"reverse\_kl", "hinge", "perfect sampler"]
    for column, name in ((1, "modes_covered"), (3, "mode_kl")):
        means = analysis.arm_scores(ds, name)["mean"].values
        best = int(np.argmax(means) if column == 1 else np.argmin(means))
        assert [row[column].startswith(r"\textbf") for row in rows] == [
            *(arm == best for arm in range(3)),
            False,
        ]
    # Gaffke's of five halves and a bound: 0.5 + 0.5 w, w beyond 1 - 0.025 ** (1 / 5) once in 40.
    assert [row[2] for row in rows[:3]] == [r"\textbf{0.50} (0.24 to 0.76)"] * 3
    assert rows[3][1] == "8.00"


def test_metrics_in_latex_have_the_interval_of_the_page(make_study: Make) -> None:
    """All seeds have all modes, and the paper had 8.00 ± 0.00 where the page has 3.8 to 8."""
    ds = make_study({"divergence": ["a", "b"], "lr": [1, 2, 3, 4]}, samples=1)
    seeds = np.array([4.0, 4.4, 5.1, 5.6, 6.0])
    ds["modes_covered"][:] = np.stack([np.full(5, 8.0), seeds])[:, None, :, None]
    table = latex.metrics(Findings.of(ds))
    assert "in brackets, the 95\\% interval over seeds" in table
    _, (_, first, *_), (_, second, *_), _ = cells_of(table)
    # 0.025 ** (1 / 5) of the modes: Clopper and Pearson's, to what Gaffke's quantile is known.
    told = re.fullmatch(r"\\textbf{8.00} \((\d.\d\d) to 8.00\)", first)
    assert told is not None
    assert float(told[1]) == pytest.approx(8 * 0.025**0.2, abs=0.05)
    # Over four settings, of seeds that differ, Student's.
    half = stats.t.ppf(0.975, 4) * seeds.std(ddof=1) / np.sqrt(5)
    assert second == f"5.02 ({5.02 - half:.2f} to {5.02 + half:.2f})"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs LaTeX")
def test_tables_are_typeset_and_no_wider_than_the_text(make_study: Make, tmp_path: Path) -> None:
    """With names that TeX would choke on, and more columns than a page is wide."""
    arms = ["100% of_a $long$ {name} ~^", "γ = ½ · λ → ∞ ≤ 1e−3, W₁(p, q) ‖ é", "a & b # c"]
    ds = make_study({"divergence": arms, "lr": [1, 2]}, samples=1)
    ds = ds.rename(mode_kl="kl", mode_kl_perfect="kl_perfect")
    for number in range(6):
        for name in ("kl", "kl_perfect"):
            ds[name.replace("kl", f"kl{number}")] = ds[name]
    found = Findings.of(ds)
    tables = latex.ranking(found) + latex.metrics(found)
    (packages,) = set(re.findall(r"% (\\usepackage{.*?})", tables))
    source = tmp_path / "tables.tex"
    source.write_text(
        rf"\documentclass{{article}}{packages}\begin{{document}}{tables}\end{{document}}"
    )
    told = subprocess.run(
        ["pdflatex", "-halt-on-error", source.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )
    assert told.returncode == 0, told.stdout
    assert "Overfull" not in told.stdout


def test_long_tables_show_the_best_points(make_study: Make) -> None:
    """A page of ten thousand trials has to open; the file has every point."""
    axes = {"divergence": ["minimax", "reverse_kl"], "lr": list(range(150))}
    findings = Findings.of(make_study(axes, seeds=1, steps=5, samples=1))
    table = score_table(findings)
    assert (len(table.rows), table.all_rows) == (MOST_ROWS, 300)
    shown = [float(row.cells[0]) for row in table.rows]
    means = np.sort(findings.cells["mean"].values.ravel())[::-1]
    np.testing.assert_allclose(shown, means[:MOST_ROWS], atol=0.005)
    assert len(setting_table(findings).rows) == 300


def test_stability_by_arm(make_study: Make) -> None:
    status = {(0, 0, 0): "diverged", (0, 1, 0): "diverged"}
    ds = make_study({"divergence": ["a", "b"], "lr": [1, 2]}, seeds=3, samples=1, status=status)
    found = Findings.of(ds)
    table = stability_table(found)
    columns = dict(
        zip(table.headings, zip(*(row.cells for row in table.rows), strict=True), strict=True)
    )
    # Of three seeds one diverged at both settings: six trials are worth three.
    one, none = (stats.binomtest(k, 3).proportion_ci(method="exact") for k in (1, 0))
    assert columns["diverged"] == (
        f"33% ({100 * one.low:.0f}% to {100 * one.high:.0f}%)",
        f"0% (0% to {100 * none.high:.0f}%)",
    )
    collapsed = 100 * float(found.stability["share_collapsed"][0])
    assert columns["collapsed"][0].startswith(f"{collapsed:.0f}% (")
    assert columns["trials run"] == ("6", "6")
    drops = found.stability["trial_drops"].mean("lr").isel(divergence=1).values
    assert columns["drops per trial"][1] == f"{drops.mean():.1f}"
    game = equilibrium_table(found)
    assert game is not None
    gap = float(analysis.equilibrium(ds)["critic_gap"][1])
    assert game.rows[1].cells[-1].startswith(f"{gap:.3f} (")


def test_an_arm_without_any_cycle_has_none_by_chance(make_study: Make) -> None:
    """No trial of three has one, one of them a faint one, or all have."""
    ds = make_study({"divergence": ["a", "b", "c"]}, seeds=3, steps=80, samples=5)
    noise = 0.1 * np.random.default_rng(3).normal(size=ds["critic_loss"].shape)
    size = np.array([[0, 0, 0], [0.1, 0, 0], [1, 1, 1]])
    ds["critic_loss"][:] = noise + size[..., None] * np.sin(2 * np.pi * np.arange(80) / 5)
    game = equilibrium_table(Findings.of(ds))
    assert game is not None
    at = game.headings.index("critic's loss: trials with a cycle")
    assert [row.cells[at] for row in game.rows] == ["0%", "by chance", "100%"]
