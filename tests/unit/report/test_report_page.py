"""The page and its figures: complete, self-contained, small, and the same every time."""

from __future__ import annotations

import errno
import html
import json
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from ruamel.yaml import YAML
from tiny import TABLE
from unrendered import undrawn, unrendered

from ganstudy import analysis, plot, plugins
from ganstudy.analysis.remembered import remembering
from ganstudy.report import build, prose, remarks, style
from ganstudy.report.contours import backdrop
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.owners import Owners
from ganstudy.report.page import PageError
from ganstudy.report.sections import Section, family, metrics, ranking, samples, settings, stability
from ganstudy.report.sections.curves import Curves, training
from ganstudy.report.tables import provenance_rows, score_table
from ganstudy.store import page_files

Make = Callable[..., xr.Dataset]
ARMS = ["minimax", "non_saturating"]
CITATION = Path(__file__).parents[3] / "CITATION.cff"
PROVENANCE = {"command": "ganstudy run <x>", "versions": {"numpy": "2.4.6"}, "seeds": [0, 1]}
FIGURES = {
    "answer",
    "ranking",
    "performance_profile",
    "effects",
    "heatmap",
    "curves",
    "diagnostics",
    "gallery",
    "stability",
}
TYPESET = {"distribution", "game", "metrics", "ranking", "stability"}
TABLES = TYPESET | {"settings", "trials"}
LEAST = {f"{name}.{kind}" for name in FIGURES for kind in ("png", "svg")}
LEAST |= {f"{name}.csv" for name in TABLES} | {f"{name}.tex" for name in TYPESET}
"""What lies beside the page of a grid; sections that are new may bring more."""
BOX = re.compile(r'<p class="live">(.*?)</p>')


class Page(HTMLParser):
    """Collects what the tests look at."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.sources: list[str] = []
        self.alts: list[str] = []
        self.levels: list[int] = []
        self.regions: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in ("img", "meta", "input", "wbr"):
            self.open.append(tag)
        self.ids |= {given["id"] or ""} if "id" in given else set()
        self.links += [given["href"] or ""] if "href" in given else []
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if given.get("role") == "region":
            self.regions.append(given["aria-label"] or "")
        if tag == "img":
            self.sources.append(given["src"] or "")
            self.alts.append(given["alt"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def small(make_study: Make) -> xr.Dataset:
    """Two arms at two settings, with one trial of every fate."""
    return make_study(
        {"divergence": ARMS, "critic_steps": [1, 5]},
        seeds=3,
        steps=6,
        samples=40,
        status={(0, 0, 0): "diverged", (0, 1, 1): "failed", (1, 0, 2): "missing"},
    )


@pytest.fixture(scope="module")
def report(small: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the small study."""
    return build(small, PROVENANCE, tmp_path_factory.mktemp("run") / "report")


@pytest.fixture(scope="module")
def brought(small: xr.Dataset) -> set[str]:
    """Names of the files that sections bring to the page of the small study."""
    findings = Findings.of(small)
    sections = [member(findings) for member in family if member.applies(findings)]
    shown = {"answer"}
    shown |= {own.name for it in sections for own in it.charts if not own.missing(findings)}
    with remembering():
        return {name for it in sections for name in it.files()} | {
            f"{name}.{kind}" for name in shown for kind in ("png", "svg")
        }


def test_page_is_self_contained(report: Path, brought: set[str]) -> None:
    html = report.read_text()
    page = Page(html)
    assert report.name == "index.html"
    assert page.open == []
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    assert len(page.sources) == sum(name.endswith(".svg") for name in brought)
    assert all(re.search(r"\d", alt) for alt in page.alts), "what is seen, with numbers"
    assert "<script src" not in html
    assert "@import" not in html
    assert "url(" not in html
    for link in page.links:
        assert link.removeprefix("#") in page.ids or (report.parent / link).is_file(), link


def test_page_has_an_outline_and_names_what_scrolls(report: Path) -> None:
    page = Page(report.read_text())
    assert page.levels[0] == 1
    assert page.levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(page.levels))
    assert len(page.regions) > len(FIGURES)
    assert len(set(page.regions)) == len(page.regions)


def test_page_cites_what_the_citation_file_says(report: Path) -> None:
    cited = YAML(typ="safe").load(CITATION.read_text())
    shown = html.unescape(report.read_text())
    (author,) = cited["authors"]
    year = cited["date-released"].year
    for field, value in (("title", cited["title"]), ("version", cited["version"]), ("year", year)):
        assert f"  {field} = {{{value}}}" in shown
    assert f"  author = {{{{{author['name']}}}}}" in shown


def test_page_holds_answer_tables_and_provenance(report: Path, small: xr.Dataset) -> None:
    html = report.read_text()
    assert small.attrs["question"] in html
    assert "ranks first in modes covered" in html
    for part in ("answer", "ranking", "settings", "curves", "samples", "stability", "provenance"):
        assert f'<section id="{part}">' in html
    assert "ganstudy run &lt;x&gt;" in html
    assert "versions numpy" in html
    assert f'ganstudy.open_run("{report.parent.parent.as_posix()}")' in html
    assert "1 of 10 trials diverged" in html


def test_figures_and_tables_lie_beside_the_page(report: Path, brought: set[str]) -> None:
    files = {path.name for path in report.parent.iterdir()}
    assert files == brought | {"index.html", "files.json"}
    assert files >= LEAST
    assert report.stat().st_size < 1_000_000


def test_a_page_says_at_its_top_that_the_run_is_not_finished(
    small: xr.Dataset, report: Path, tmp_path: Path
) -> None:
    """As after a kill, where it was a clause at the end of the verdict."""
    said = BOX.search(report.read_text())
    assert said is not None
    assert "not finished.</strong> 11 of 12 trials have a record and 1 is missing" in said[1]
    whole = small.assign(status=small["status"].where(small["status"] != "missing", "failed"))
    with undrawn():
        build(whole, PROVENANCE, tmp_path / "report")
    assert BOX.search((tmp_path / "report" / "index.html").read_text()) is None


@pytest.mark.slow
def test_equal_inputs_give_equal_bytes_and_leave_matplotlib_alone(
    small: xr.Dataset, report: Path, tmp_path: Path
) -> None:
    before, state = dict(mpl.rcParams), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    again = build(small, PROVENANCE, tmp_path / "report")
    assert dict(mpl.rcParams) == before
    assert np.random.get_state()[1].tolist() == state  # type: ignore[index]  # noqa: NPY002
    for name in FIGURES:
        svg = f"{name}.svg"
        assert (again.parent / svg).read_bytes() == (report.parent / svg).read_bytes(), name


def test_page_without_axes_in_the_place_of_another(make_study: Make, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    earlier = ("heatmap.png", "heatmap.svg", "ranking.tex", "ranking.csv")
    for name in (*earlier, "thesis.tex", "mine.png"):
        (folder / name).write_text("old")
    page_files.note(folder, earlier)
    ds = make_study({}, seeds=1, steps=5, samples=9, score="mode_kl")
    with unrendered():
        index = build(ds, {}, folder)
    assert not (folder / "heatmap.png").exists()
    assert not (folder / "heatmap.svg").exists()
    assert not list(folder.glob("ranking.[tc]*"))
    assert {(folder / name).read_text() for name in ("thesis.tex", "mine.png")} == {"old"}
    text = re.sub(r"\s+", " ", index.read_text())
    assert BOX.search(text) is None, "this run is finished"
    page = Page(text)
    assert page.open == []
    assert "settings" not in page.ids
    assert "<h2>KL of the mode histogram</h2>" in text
    assert "Comparisons." not in text
    assert "has no finite worst value" in text
    assert "scores the worst value" not in text


def test_a_page_of_an_earlier_version_is_known_by_its_head_and_links(
    report: Path, tmp_path: Path
) -> None:
    """It has left no list, and is renewed all the same."""
    (tmp_path / "index.html").write_bytes(report.read_bytes())
    listed = page_files.made(report.parent)
    assert listed == {own.name for own in report.parent.iterdir()} - {"index.html", "files.json"}
    assert page_files.is_free(tmp_path)
    assert page_files.made(tmp_path) == listed
    (tmp_path / "index.html").write_text("<!doctype html><a href='mine.png'>ganstudy</a>")
    assert not page_files.is_free(tmp_path)


@pytest.mark.parametrize("fails", range(4))
def test_a_removal_that_was_stopped_can_be_taken_up(
    fails: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had left was somebody else's, and in the way of every later page."""
    folder, removing = tmp_path / "report", Path.unlink
    folder.mkdir()
    for name in ("a.png", "b.csv", "index.html"):
        (folder / name).write_text("ours")
    page_files.note(folder, ("a.png", "b.csv"))
    removed: list[Path] = []

    def stopped(path: Path, missing_ok: bool = False) -> None:
        if len(removed) == fails:
            raise PermissionError(path)
        removed.append(path)
        removing(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", stopped)
        with pytest.raises(PermissionError):
            page_files.remove(folder)
    assert page_files.is_free(folder)
    page_files.remove(folder)
    assert not folder.exists()


@pytest.mark.slow
def test_methods_of_one_seed_describe_no_test_over_seeds(make_study: Make, tmp_path: Path) -> None:
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=1, steps=5, samples=9)
    with unrendered():
        index = build(ds, {}, tmp_path / "report")
    methods = re.sub(r"\s+", " ", index.read_text().split('<section id="methods">')[1])
    assert "There is one seed of every arm: means and differences have none." in methods
    assert "There is one seed: nothing is tested." in methods
    for word in ("Student", "jackknife", "paired t", "Holm", "Bonferroni", "on the others"):
        assert word not in methods


def test_a_page_says_what_limits_the_game_has(report: Path) -> None:
    """Of twenty records no strength of cycles is known, and nothing is said of its limits."""
    said = report.read_text()
    assert "The critic's distance from 1/2 has Student's, within its bounds." in said
    assert "trength of cycles" not in said


@pytest.mark.slow
def test_points_of_a_computation_were_chosen_on_no_seeds(make_study: Make, tmp_path: Path) -> None:
    ds = make_study({"divergence": ARMS}, seeds=2, steps=5, samples=9)
    with unrendered():
        text = build(ds.assign_attrs(deterministic=1), {}, tmp_path / "report").read_text()
    assert "computed and not sampled, and so without intervals" in text
    assert "points chosen on the same seeds" not in text


SECTIONS = (ranking.Ranking, settings.SettingScores, Curves, samples.Samples, stability.Stability)
NAMES = ("ranking", "heatmap", "curves", "diagnostics", "gallery", "stability")
CHARTS = {own.name: own for member in SECTIONS for own in member.charts if own.name in NAMES}


def drawn(ds: xr.Dataset, name: str) -> Drawing:
    """One drawing of a study, not saved."""
    with style.figure_style():
        drawing = CHARTS[name].draw(Findings.of(ds))
    assert drawing.name == name
    return drawing


def texts(figure: Any) -> list[str]:
    """All text in a figure's axes."""
    return [text.get_text() for axes in figure.axes for text in (*axes.texts, axes.title)]


CASES: dict[str, dict[str, Any]] = {
    "one axis": {"axes": {"divergence": ARMS}},
    "one seed": {"axes": {"divergence": ARMS, "lr": [1, 2]}, "seeds": 1},
    "all diverged": {
        "axes": {"divergence": ARMS},
        "seeds": 2,
        "status": {(arm, seed): "diverged" for arm in range(2) for seed in range(2)},
    },
    "nothing ran": {
        "axes": {"divergence": ARMS},
        "seeds": 2,
        "status": {(arm, seed): "missing" for arm in range(2) for seed in range(2)},
    },
    "unbounded": {"axes": {"divergence": ARMS, "lr": [0.1, 0.2]}, "score": "mode_kl"},
    "numeric arms": {"axes": {"divergence": ARMS, "lr": [0.1, 0.2]}, "compare": "lr"},
    "nine arms": {"axes": {"divergence": [f"d{k}" for k in range(9)]}, "seeds": 2},
    "many settings": {"axes": {"divergence": ARMS, "lr": list(range(14))}, "seeds": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_every_figure_is_drawn(make_study: Make, case: str) -> None:
    settings = dict(CASES[case])
    ds = make_study(settings.pop("axes"), steps=6, samples=20, **settings)
    findings = Findings.of(ds)
    with remembering(), style.figure_style():
        drawings = {
            name: own.draw(findings) for name, own in CHARTS.items() if not own.missing(findings)
        }
    nothing = CHARTS.keys() - drawings.keys()
    assert nothing == ({"diagnostics"} if case == "nothing ran" else set())
    assert all(drawing.alt and drawing.caption for drawing in drawings.values())
    rows = drawings["ranking"].figure.axes[0].get_yticklabels()
    assert [label.get_text() for label in rows] == findings.ranked_arms


@pytest.mark.slow
def test_a_score_of_the_last_step_has_neither_curve_nor_falls(make_study: Make) -> None:
    """A costly metric is measured once; and a study with one record shows its points."""
    ds = make_study({"divergence": ARMS}, seeds=2, steps=6, samples=5, score="mode_kl")
    last = ds.assign(mode_kl=ds["mode_kl"].where(ds["step"] == ds["step"][-1]))
    findings = Findings.of(last)
    assert training.no_curve(findings).endswith("is measured at the last step alone")
    assert not training.no_curve(Findings.of(ds))
    assert "drops" not in remarks.remarks(findings)
    assert "drops" in remarks.remarks(Findings.of(ds))
    assert drawn(last, "stability").caption.endswith("it has no drops to count.")
    assert len(drawn(last, "stability").figure.axes) == 1
    lone = ds.isel(step=[-1])
    for name in ("curves", "diagnostics"):
        lines = drawn(lone, name).figure.axes[0].lines
        assert [line.get_marker() for line in lines][:2] == ["o", "o"]


@pytest.mark.slow
def test_labels_stay_within_their_axes(make_study: Make) -> None:
    """The name of a metric in a feature space is a sentence."""
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=2, steps=6, samples=5)
    long = "squared distance in features of a classifier of 10 classes, right on 97.9% of held-out"
    ds["modes_covered"].attrs["long_name"] = long
    for name in ("ranking", "heatmap", "curves", "stability"):
        figure = drawn(ds, name).figure
        figure.draw_without_rendering()
        for axes in figure.axes:
            x, y = (axis.label.get_window_extent() for axis in (axes.xaxis, axes.yaxis))
            assert x.width <= axes.bbox.width * 1.05, name
            assert y.height <= axes.bbox.height * 1.15, name


@pytest.mark.slow
def test_the_legend_of_many_arms_lies_above_the_panels(make_study: Make) -> None:
    arms = [f"learning rate number {k} of thirty" for k in range(30)]
    ds = make_study({"divergence": arms}, seeds=1, steps=3, samples=1)
    for name in ("curves", "diagnostics"):
        figure = drawn(ds, name).figure
        figure.draw_without_rendering()
        (legend,) = figure.legends
        lowest = legend.get_window_extent().y0
        assert all(axes.get_window_extent().y1 <= lowest for axes in figure.axes), name
        assert figure.axes[0].bbox.height > 60


def test_settings_of_a_heat_map_can_be_told_apart(make_study: Make) -> None:
    """Labels that would be cut, and often be the same then, are slanted and whole."""
    checks = [f"modes_dropped_{k}" for k in ("together", "in_turn", "and_invented")]
    checks += [f"check{k}" for k in range(13)]
    ds = make_study({"divergence": ARMS, "check": checks}, seeds=1, steps=3, samples=1)
    figure = drawn(ds, "heatmap").figure
    labels = [own for own in figure.axes[0].texts if own.get_text() in checks]
    assert [own.get_text() for own in labels] == checks
    assert {own.get_rotation() for own in labels} == {settings.SLANT}
    figure.draw_without_rendering()
    assert all(figure.bbox.containsy(own.get_window_extent().y1) for own in labels)
    short = make_study({"divergence": ARMS, "lr": ["slow", "fast"]}, seeds=1, steps=3, samples=1)
    assert {own.get_rotation() for own in drawn(short, "heatmap").figure.axes[0].texts} == {0.0}


def test_the_metrics_of_many_arms_stand_beside_each_other(make_study: Make) -> None:
    """An arm a column for a few, an arm a row for many; the file is the same."""
    for arms, first in ((3, "metric"), (12, "divergence")):
        ds = make_study({"divergence": [f"d{k}" for k in range(arms)]}, seeds=1, samples=1)
        section = metrics.Metrics(Findings.of(ds))
        shown = section.facts()["table"]
        assert shown.headings[0] == first
        assert section.table.headings[0] == "metric"
        flat = {cell for row in shown.rows for cell in row if isinstance(cell, float)}
        assert flat == {cell for row in section.table.rows for cell in row if type(cell) is float}


def test_heat_map_states_values_divergences_and_gaps(make_study: Make) -> None:
    status = {(0, 0, 0): "diverged", (1, 0, 0): "failed", (1, 1, 0): "excluded"}
    ds = make_study(
        {"divergence": ARMS, "lr": ["slow", "fast"]}, seeds=1, steps=6, samples=5, status=status
    )
    shown = texts(drawn(ds, "heatmap").figure)
    value = f"{float(ds['modes_covered'][0, 1, 0, -2:].mean()):.2f}"
    assert {"0.00\n1 div.", value, "no\nscore", "not\nplanned", "lr", "slow", "fast"} <= set(shown)
    lacking = make_study(
        {"divergence": ARMS, "lr": ["slow", "fast"]},
        **{"seeds": 3, "steps": 6, "samples": 5},
        status={(0, 0, 0): "diverged", (0, 1, 1): "missing"},
    )
    drawing = drawn(lacking, "heatmap")
    cells = [text for text in texts(drawing.figure) if "\n" in text]
    assert [text.partition("\n")[2] for text in cells] == ["1 div.", "2 of 3"]
    assert "a cell says of how many its mean is" in drawing.caption


@pytest.mark.parametrize("metric", ["modes_covered", "mode_kl"])
def test_a_profile_has_between_two_scores_the_share_of_the_harder(
    make_study: Make, metric: str
) -> None:
    ds = make_study({"divergence": ARMS}, seeds=4, steps=6, samples=5)
    line = plot.performance_profile(ds, metric, ax=Figure().subplots()).lines[0]
    x, y = (np.asarray(own) for own in line.get_data())
    steps = {"steps-pre": y[1:], "steps-post": y[:-1]}[line.get_drawstyle()]
    scores = analysis.trial_scores(ds, metric)["score"][0].values
    middle = (x[1:] + x[:-1]) / 2
    sign = 1 if metric == "modes_covered" else -1
    np.testing.assert_allclose(steps, [(sign * scores >= sign * own).mean() for own in middle])


def test_arms_keep_their_colour_whatever_their_rank(make_study: Make) -> None:
    ds = make_study({"divergence": ARMS}, seeds=3, steps=6, samples=5)
    findings = Findings.of(ds)
    assert findings.ranked_arms == ARMS[::-1]
    colours = dict(zip(ARMS, style.arm_colours(2), strict=True))
    points = [
        line.get_color()
        for line in drawn(ds, "ranking").figure.axes[0].lines
        if line.get_marker() == "o" and line.get_markersize() > 5
    ]
    assert points == [colours[arm] for arm in findings.ranked_arms]
    assert [line.get_color() for line in drawn(ds, "curves").figure.axes[0].lines][:2] == [
        colours[arm] for arm in ARMS
    ]


@pytest.mark.parametrize("arms", [1, 8, 20])
def test_colours_are_distinct(arms: int) -> None:
    assert len(set(style.arm_colours(arms))) == arms


def test_gallery_says_what_it_shows(make_study: Make) -> None:
    status = {(0, 0, 0): "diverged", (0, 1, 0): "failed", (1, 0, 0): "excluded"}
    ds = make_study(
        {"divergence": ARMS, "lr": [1, 2]}, seeds=2, steps=6, samples=9, features=3, status=status
    )
    drawing = drawn(ds, "gallery")
    assert "two leading principal components are drawn" in drawing.caption
    assert "seed 0, the first" in drawing.caption
    assert {"diverged\nat 300", "failed", "not planned"} <= set(texts(drawing.figure))
    # Behind the samples of the trial that is complete, as behind all that are planned, those of p.
    clouds = [sum(line.get_marker() == "o" for line in a.lines) for a in drawing.figure.axes]
    assert clouds == [1, 1, 0, 2]


def test_gallery_thins_large_grids_and_says_so(
    make_study: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "MOST_ROWS", 3)
    monkeypatch.setattr(samples, "MOST_COLUMNS", 4)
    axes = {"divergence": [f"d{k}" for k in range(5)], "lr": list(range(10))}
    drawing = drawn(make_study(axes, seeds=1, steps=5, samples=3), "gallery")
    assert "Shown are 3 of 5 arms and 4 of 10 settings" in drawing.caption
    assert len(drawing.figure.axes) == 3 * 4
    rows = [axes.get_ylabel() for axes in drawing.figure.axes if axes.get_ylabel()]
    assert rows == ["d0", "d2", "d4"]


def test_gallery_counts_samples_outside_its_window(make_study: Make) -> None:
    ds = make_study({"divergence": ["a"]}, seeds=1, steps=5, samples=10)
    ds["samples"][0, 0] = 100.0
    (panel,) = drawn(ds, "gallery").figure.axes
    assert panel.get_xlabel() == "100% outside"


def test_gallery_of_one_feature_is_histograms(make_study: Make) -> None:
    ds = make_study({"divergence": ["a"]}, seeds=1, steps=5, samples=50, features=1)
    ds["samples"][0, 0, :20], ds["samples"][0, 0, 20:] = 100.0, 0.5
    (axes,) = drawn(ds, "gallery").figure.axes
    (bars,) = axes.patches
    assert isinstance(bars, StepPatch)
    heights, edges, _ = bars.get_data()
    # Of all samples, though 20 of 50 lie outside; the highest bar, far above p, is not cut off.
    assert (heights * np.diff(edges)).sum() == pytest.approx(0.6)
    assert axes.get_xlabel() == "40% outside"
    assert heights.max() < axes.get_ylim()[1]
    assert axes.get_ylim()[1] > 5 * axes.lines[0].get_ydata().max()
    ds["samples"][:] = 100.0
    (axes,) = drawn(ds, "gallery").figure.axes
    assert axes.get_xlabel() == "100% outside"
    assert np.isfinite(axes.patches[0].get_data()[0]).all()


def test_no_gallery_without_samples(make_study: Make) -> None:
    ds = make_study({"divergence": ["a"]}, seeds=1, steps=5).drop_vars("samples")
    assert not samples.Samples.applies(Findings.of(ds))


def test_target_may_differ_between_settings(make_study: Make) -> None:
    ds = make_study(
        {"divergence": ["a"], "modes": [2, 3, 4]},
        seeds=1,
        steps=5,
        samples=4,
        status={(0, 2, 0): "excluded"},
    )
    configs = [f'{{"name": "ring", "modes": {modes}, "std": 0.05}}' for modes in (2, 3)]
    ds["target_settings"] = ("modes", [*configs, ""])
    panels = drawn(ds, "gallery").figure.axes
    assert [len(axes.collections[0].get_paths()) for axes in panels[:2]] == [2, 3]
    assert not panels[2].collections


def test_padding_of_samples_is_not_drawn(make_study: Make) -> None:
    ds = make_study({"divergence": ["a"]}, seeds=1, steps=5, samples=10)
    inside = ds.assign(samples=0 * ds["samples"])
    inside["samples"][0, 0, 6:] = np.nan
    (axes,) = drawn(inside, "gallery").figure.axes
    (points,) = (line for line in axes.lines if line.get_marker() == "o")
    assert len(np.asarray(points.get_xdata())) == 6
    assert not axes.texts


def test_gallery_says_what_the_data_are(make_study: Make) -> None:
    ds = make_study({"divergence": ["a"]}, seeds=1, steps=5, samples=10, features=3)
    config = {"name": "file", "path": str(TABLE), "label": "group"}
    drawing = drawn(ds.assign(target_settings=json.dumps(config)), "gallery")
    assert "table.csv: 96 training and 24 held-out rows of 3 features" in drawing.caption
    (axes,) = drawing.figure.axes
    assert any(len(np.asarray(line.get_xdata())) == 2000 for line in axes.lines)


def test_contour_lies_three_standard_deviations_out() -> None:
    contours = backdrop('{"name": "ring", "modes": 4, "radius": 1.0, "std": 0.05}')
    assert len(contours.lines) == 4
    modes = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    for line in contours.lines:
        nearest = modes[np.linalg.norm(line.mean(axis=0) - modes, axis=1).argmin()]
        np.testing.assert_allclose(np.linalg.norm(line - nearest, axis=1), 0.15, rtol=0.02)


def test_table_has_a_row_per_arm_and_setting(small: xr.Dataset) -> None:
    findings = Findings.of(small)
    table = score_table(findings)
    assert table.axes == ["critic_steps"]
    assert [(row.arm, *row.setting) for row in table.rows] == [
        (arm, steps) for arm in ARMS for steps in ("1", "5")
    ]
    assert all(len(row.cells) == len(table.headings) for row in table.rows)
    first = dict(zip(table.headings, table.rows[0].cells, strict=True))
    assert (first["seeds scored"], first["diverged"], first["missing"]) == ("3", "1", "0")
    assert first["KL of the mode histogram"] != prose.MISSING, "two seeds did not diverge"


def test_excluded_points_fill_their_row(make_study: Make) -> None:
    status = {(0, 0, 0): "excluded"}
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=1, steps=5, samples=2, status=status)
    table = score_table(Findings.of(ds))
    assert table.rows[0].cells[0] == "not planned"
    assert {len(row.cells) for row in table.rows} == {len(table.headings)}


def test_provenance_is_flattened() -> None:
    nested = {"wall_time": 3, "versions": {"torch": "2", "numpy": "3"}, "seeds": [1, 2]}
    assert provenance_rows(nested) == [
        ("wall time", "3"),
        ("versions torch", "2"),
        ("versions numpy", "3"),
        ("seeds", "1, 2"),
    ]


def test_style_names_only_fonts_that_exist() -> None:
    from matplotlib import font_manager

    with style.figure_style():
        families = mpl.rcParams["font.family"]
    assert "DejaVu Sans" in families
    assert set(families) <= set(font_manager.get_font_names())


def test_diagnostics_take_a_log_scale_over_decades(make_study: Make) -> None:
    ds = make_study({"divergence": ["a"]}, seeds=2, steps=6, samples=2)
    ds["critic_loss"][:] = np.geomspace(1e-3, 1e3, 6)
    panels = drawn(ds, "diagnostics").figure.axes
    scales = {axes.get_title(loc="left"): axes.get_yscale() for axes in panels}
    assert scales["critic loss"] == "log"
    assert scales["share of high-quality samples"] == "linear"


def test_a_section_that_raises_is_named_in_its_place(
    make_study: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the page is there, its files too, and the error names page and section."""
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=2, steps=5, samples=3)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("no such <number>")

    monkeypatch.setattr(settings.SettingScores, "applies", fail)
    with undrawn(), pytest.raises(PageError, match="settings") as caught:
        build(ds, PROVENANCE, tmp_path / "report")
    assert caught.value.failures == {"settings": "ZeroDivisionError: no such <number>"}
    page = caught.value.page.read_text()
    ids = re.findall(r'<section id="(.*?)">', page)
    assert ids.index("effects") < ids.index("settings") < ids.index("curves")
    assert "This section could not be made: ZeroDivisionError: no such &lt;number&gt;" in page
    assert (tmp_path / "report" / "curves.svg").is_file()
    assert not (tmp_path / "report" / "heatmap.svg").exists()


def test_a_disk_that_is_full_is_no_section_s_fault(
    make_study: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page without its figures took the place of the one that was there."""
    ds = make_study({"divergence": ARMS}, seeds=2, steps=5, samples=3)
    (tmp_path / "index.html").write_text("earlier")

    with undrawn():
        save = Drawing.save

        def full(drawing: Drawing, folder: Path) -> None:
            if drawing.name == "curves":
                raise OSError(errno.ENOSPC, "No space left on device")
            save(drawing, folder)

        monkeypatch.setattr(Drawing, "save", full)
        with pytest.raises(OSError, match="No space left"):
            build(ds, PROVENANCE, tmp_path)
        monkeypatch.undo()
    assert (tmp_path / "index.html").read_text() == "earlier"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "given", "why"),
    [
        ("sentences", ["Costs 3."], "sentences should be a list of Sentence (got 'Costs 3.')"),
        ("sentences", None, "must be an iterable, not NoneType"),
        (
            "files",
            {"costs.csv": b"3"},
            "files should be texts by file name (got 'costs.csv': b'3')",
        ),
        ("files", {"../costs.csv": "3"}, "should be texts by file name (got '../costs.csv': '3')"),
        (
            "drawings",
            [Drawing("curves", Figure(), "Mine.", Markup("Mine."))],
            "ValueError: the figure 'curves' would replace one of section curves; rename it",
        ),
    ],
)
def test_what_a_section_adds_wrongly_costs_its_place_alone(
    make_study: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    given: Any,
    why: str,
) -> None:
    """It was used where nothing caught it, and there was no page."""
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=2, steps=5, samples=3)
    monkeypatch.setattr(settings.SettingScores, method, lambda self: given)
    with undrawn(), pytest.raises(PageError, match="settings") as caught:
        build(ds, PROVENANCE, tmp_path / "report")
    assert why in caught.value.failures["settings"]
    assert (tmp_path / "report" / "curves.svg").is_file()


class _Own(Section):
    """A section of a plug-in's, by its name and what it brings."""

    def __init__(self, name: str, drawn: Sequence[str] = (), files: Sequence[str] = ()) -> None:
        self.name = name  # type: ignore[misc]
        self.drawn, self.texts = drawn, dict.fromkeys(files, "mine")

    def drawings(self) -> list[Drawing]:
        return [Drawing(name, Figure(), "Mine.", Markup("Mine.")) for name in self.drawn]

    def files(self) -> dict[str, str]:
        return self.texts


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (_Own("own", ["mine"]), "the figure 'mine' would replace one of section first; rename it"),
        (_Own("own", ["Mine"]), "the figure 'Mine' would replace one of section first; rename it"),
        (
            _Own("own", ["curves"]),
            "the figure 'curves' would replace one of section curves; rename it",
        ),
        (
            _Own("own", ["twice", "twice"]),
            "the figure 'twice' would replace another of its section; rename one",
        ),
        (
            _Own("own", ["twice", "Twice"]),
            "the figure 'Twice' would replace another of its section",
        ),
        (_Own("own", [], ["a.csv", "A.csv"]), "the file 'A.csv' would replace another of its"),
        (_Own("own", ["one"], ["one.svg"]), "the file 'one.svg' would replace another of its"),
        (_Own("answer", ["answer"]), "the figure 'answer' would replace one of the page itself"),
        (
            _Own("own", [], ["costs.csv"]),
            "the file 'costs.csv' would replace one of section first; rename it",
        ),
        (
            _Own("own", [], ["mine.svg"]),
            "the file 'mine.svg' would replace one of section first; rename it",
        ),
        (
            _Own("own", [], ["index.html"]),
            "the file 'index.html' would replace one of the page itself",
        ),
        (
            _Own("own", [], ["files.json"]),
            "the file 'files.json' would replace one of the page itself",
        ),
        (_Own("own", ["yours"], ["yours.csv"]), ""),
    ],
)
def test_a_file_beside_the_page_is_one_sections(second: _Own, why: str) -> None:
    """The second took the place of the first, and the page showed it twice."""
    owners, first = Owners(), _Own("first", ["mine"], ["costs.csv"])
    with pytest.raises(ValueError, match=why) if why else nullcontext():
        for section in (first, second):
            assert len(owners.drawings(section)) == len(section.drawn)
            owners.take_files(section, section.files())


def test_a_section_that_fails_takes_no_name() -> None:
    """Its first figure was claimed before its second was refused, and then another's was too."""
    owners = Owners()
    owners.drawings(_Own("first", ["mine"], []))
    with pytest.raises(ValueError, match=r"figure 'mine' would replace one of section first"):
        owners.drawings(_Own("second", ["yours", "mine"], []))
    assert len(owners.drawings(_Own("third", ["yours"], []))) == 1


@pytest.mark.slow
def test_a_plug_in_does_not_take_the_place_of_a_table(make_study: Make, tmp_path: Path) -> None:
    """Nor of what another draws; wherever it stands, it is the one that fails."""
    section = """\
from markupsafe import Markup
from matplotlib.figure import Figure
from ganstudy.report.drawing import Drawing
from ganstudy.report.sections import Section


class Own(Section):
    place = PLACE

    def drawings(self):
        drawn = [Drawing("mine", Figure(), "Mine.", Markup("Mine."))]
        return drawn if self.name in ("first", "second") else []

    def files(self):
        return {FILE: "mine"}
"""
    files = {"first": (-2.0, "costs.csv"), "second": (-1.0, "a.csv"), "third": (-0.5, "costs.csv")}
    files |= {"ahead": (0.0, "ranking.csv"), "last": (2e3, "costs.csv")}
    ds = make_study({"divergence": ARMS}, seeds=2, steps=5, samples=3)
    try:
        for name, (place, file) in files.items():
            text = section.replace("PLACE", repr(place)).replace("FILE", repr(file))
            (tmp_path / f"{name}.py").write_text(text)
            plugins.load(tmp_path / f"{name}.py")
        with undrawn(), pytest.raises(PageError) as caught:
            build(ds, PROVENANCE, tmp_path / "report")
    finally:
        plugins.forget()
    assert {name: why.partition(": ")[2] for name, why in caught.value.failures.items()} == {
        "second": "the figure 'mine' would replace one of section first; rename it",
        "third": "the file 'costs.csv' would replace one of section first; rename it",
        "last": "the file 'costs.csv' would replace one of section first; rename it",
        "ahead": "the file 'ranking.csv' would replace one of section ranking; rename it",
    }
    assert (tmp_path / "report" / "ranking.csv").read_text() != "mine"


@pytest.mark.slow
@pytest.mark.parametrize("raises", [False, True])
def test_a_section_that_states_neither_place_nor_label_stands_behind_all(
    make_study: Make, tmp_path: Path, raises: bool
) -> None:
    """No page had any section then."""
    text = (
        "from ganstudy.report.sections import Section\n\n\nclass Own(Section):\n    heading = ''\n"
    )
    text += "    def facts(self):\n        return {}[0]\n" * raises
    (tmp_path / "of_my_own.py").write_text(text)
    ds = make_study({"divergence": ARMS, "lr": [1, 2]}, seeds=2, steps=5, samples=3)
    try:
        plugins.load(tmp_path / "of_my_own.py")
        with undrawn(), pytest.raises(PageError) if raises else nullcontext():
            build(ds, PROVENANCE, tmp_path / "report")
    finally:
        plugins.forget()
    page = (tmp_path / "report" / "index.html").read_text()
    assert re.findall(r'<section id="(.*?)">', page)[-1] == "of_my_own"
    assert "<h2>Of_my_own</h2>" in page


@pytest.mark.parametrize("stated", ["place = 'last'", "label = 3"])
def test_a_section_that_could_not_be_placed_is_no_member(tmp_path: Path, stated: str) -> None:
    """It would keep all others from being placed."""
    text = f"from ganstudy.report.sections import Section\n\n\nclass Own(Section):\n    {stated}\n"
    (tmp_path / "of_my_own.py").write_text(text)
    try:
        with pytest.raises(plugins.PluginError, match="place should be a number, and label a text"):
            plugins.load(tmp_path / "of_my_own.py")
    finally:
        plugins.forget()
