"""Pages of studies with odd names, odd targets and odd surroundings."""

from __future__ import annotations

import html
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from inline import trained_inline
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text
from synthetic_dataset import filmed
from tiny import write_study
from unrendered import unrendered

from ganstudy import pipeline
from ganstudy.report import build, style
from ganstudy.report.findings import Findings
from ganstudy.report.sections import effects, samples, settings
from ganstudy.study import load

TRIAL = """\
trial:
  generator: {width: 4, depth: 1}
  critic: {width: 4, depth: 1}
  steps: 4
  batch: 16
  record: {every: 2, samples: 60, frames: 2, metrics: [METRIC]}
seeds: 2
"""

NAMES = r"""question: Do "odd" names, such as $5 and <b>, look right?
search:
  grid:
    '$cap$ in $':
      '$\frac{$': {generator.width: 4}
      '$5 and $6': {generator.width: 6}
      '日本語 🙂 Ω': {generator.width: 8}
      a label that is long, longer than most, with some ninety characters in all before it ends:
        {generator.width: 10}
    'x^2_{y}': {'%': {critic.width: 4}, '#~&\': {critic.width: 6}}
"""

DIMENSIONS = """\
question: "What of targets of one, two and three\\u202e features on one axis\\0?"
search:
  grid:
    target:
      '$5 and $6': {target: {name: gaussian, mean: [0.0]}}
      two: {target: ring}
      three: {target: {name: gaussian, mean: [0.0, 0.0, 0.0]}}
"""


def _page(folder: Path, text: str, metric: str) -> str:
    body = text + TRIAL.replace("METRIC", metric)
    with trained_inline():
        pipeline.run(load(write_study(folder, body)), folder / "run", workers=1)
    return html.unescape((folder / "run" / "report" / "index.html").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_any_name_is_shown_as_it_is_written(tmp_path: Path) -> None:
    """Dollars begin no formula, and signs that no font has are no reason to have no page.

    The user's own settings of Matplotlib, TeX among them, are none of the page's.
    """
    with mpl.rc_context({"text.usetex": True, "axes.facecolor": "black", "lines.marker": "x"}):
        page = _page(tmp_path, NAMES, "modes_covered")
    assert "could not be made" not in page
    for name in (r"$\frac{$", "$5 and $6", "日本語 🙂 Ω", "$cap$ in $", "x^2_{y}", "#~&\\", "<b>"):
        assert name in page
    assert "<b>, look right" not in (tmp_path / "run" / "report" / "index.html").read_text()


def test_a_name_is_escaped_once(make_study: Callable[..., xr.Dataset], tmp_path: Path) -> None:
    """In texts that stand for figures, too: films had `R1 &amp;amp; R2`."""
    axes = {"divergence": ["R1 & R2", "<b>"], "s & t": [1, 2]}
    ds = filmed(make_study(axes, seeds=3, steps=4, samples=9))
    with unrendered():
        page = build(ds, {}, tmp_path).read_text(encoding="utf-8")
    assert "R1 &amp; R2" in page
    assert "&amp;amp;" not in page
    assert "&amp;lt;" not in page


@pytest.mark.slow
def test_a_name_of_a_joined_page_is_escaped_once(joined: xr.Dataset, tmp_path: Path) -> None:
    """In the alternative text of its budgets and in a heading."""
    own = joined.attrs["own"].replace("constraint", "R & S")
    axes = [axis.replace("constraint", "R & S") for axis in joined.attrs["axes"]]
    ds = joined.rename(constraint="R & S").assign_attrs(own=own, axes=axes)
    ds = ds.assign_coords(divergence=[f"{name} & co" for name in ds["divergence"].values])
    with unrendered():
        page = build(ds, {}, tmp_path).read_text(encoding="utf-8")
    assert "What is left once the R &amp; S is shared" in page
    assert "hinge &amp; co" in page
    assert "&amp;amp;" not in page


@pytest.mark.slow
def test_targets_of_different_dimension_on_one_axis(tmp_path: Path) -> None:
    """Each panel is of its own target; what others have more of is no feature of it."""
    with unrendered() as figures:
        page = _page(tmp_path, DIMENSIONS, "sliced_wasserstein")
    assert "could not be made" not in page
    assert r"three\u202e features on one axis\x00?" in page, "told by their codes"
    assert not {"\u202e", "\0"} & set(page)
    assert "Grey line: the target's density" in page
    assert "Of 3 features" in page
    drawn = [text for figure in figures.values() for text in figure.findobj(Text)]
    texts = [text for text in drawn if text.get_text()]
    assert any("$5 and $6" in text.get_text() for text in texts)
    assert not any(text.get_parse_math() or text.get_usetex() for text in texts)


@pytest.mark.parametrize("odd", [{"text.usetex": True}, {"axes.facecolor": "black"}, {}])
def test_the_look_is_the_same_whatever_the_user_has_set(odd: dict[str, object]) -> None:
    with style.figure_style():
        plain = dict(mpl.rcParams)
    with mpl.rc_context(odd):
        before = dict(mpl.rcParams)
        with style.figure_style():
            assert dict(mpl.rcParams) == plain
        assert dict(mpl.rcParams) == before


def test_fonts_that_are_installed_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family of Chinese, Japanese and Korean signs stands behind the one of the page."""
    known = [*font_manager.get_font_names(), "Noto Sans CJK JP", "Noto Emoji"]
    monkeypatch.setattr(font_manager, "get_font_names", lambda: known)
    with style.figure_style():
        families = list(mpl.rcParams["font.family"])
    assert families.index("DejaVu Sans") < families.index("Noto Sans CJK JP")
    assert families[-1] == "Noto Emoji"


@pytest.mark.parametrize("low", [1e-12, 1e-3, 0.2, 1.0])
def test_powers_of_ten_are_text(low: float) -> None:
    """A logarithmic axis without mathematics: the exponents of its labels are its values."""
    with style.figure_style():
        figure = Figure()
        axes = figure.subplots()
        axes.plot([low, 1e4 * low], [low, 1e4 * low])
        style.log_scale(axes, "xy")
        figure.draw_without_rendering()
        texts = [label.get_text() for label in axes.get_xticklabels()]
        shown = list(zip(texts, axes.get_xticks().tolist(), strict=True))
    raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    assert len(shown) > 3
    for text, value in shown:
        assert np.isclose(10.0 ** int(text[2:].translate(raised)), value)


@pytest.mark.slow
def test_long_labels_do_not_overlap(make_study: Callable[..., xr.Dataset]) -> None:
    """Those of neighbouring columns, of heat map and gallery, and of rows of the effects."""
    long = [f"label {place} that is as long as nobody would write it twice" for place in range(5)]
    ds = make_study({"divergence": ["a", "b"], "setting of its own": long}, seeds=2, samples=9)
    findings = Findings.of(ds)
    with style.figure_style():
        for draw in (settings.draw, samples.draw, effects.draw):
            drawing = draw(findings)
            figure = drawing.figure
            figure.draw_without_rendering()
            texts = [text for text in figure.findobj(Text) if "label" in text.get_text()]
            texts = [text for text in texts if text.get_visible()]
            assert texts
            boxes = [text.get_window_extent() for text in texts]
            for one, other in combinations(boxes, 2):
                assert not one.shrunk(0.98, 0.9).overlaps(other.shrunk(0.98, 0.9)), draw.__module__
