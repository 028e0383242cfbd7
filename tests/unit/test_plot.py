"""`ganstudy.plot`: each figure of the report by the call that the report shows."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from recomputed import sentences, unexplained
from synthetic_dataset import RING, filmed
from unrendered import unrendered

import ganstudy
from ganstudy import analysis, plot
from ganstudy.analysis.remembered import remembering
from ganstudy.report import build

Make = Callable[..., xr.Dataset]
ARMS = ["minimax", "non_saturating", "reverse_kl"]
OF_IMAGES = ("images", "image_film", "mode_map", "nearest_images", "memory")
TAKE_LONG = (*OF_IMAGES, "importances", "budgets", "places")


@pytest.fixture(scope="module")
def grid(make_study: Make) -> xr.Dataset:
    """A conditional study with exact values, so that the report has every figure of a grid."""
    ds = make_study({"divergence": ARMS, "critic_steps": [1, 5]}, seeds=3, steps=6, samples=40)
    ds["exact"] = ds["critic_loss"].assign_attrs(long_name="exact divergence")
    ds["bound"] = (0.8 * ds["critic_loss"]).assign_attrs(long_name="lower bound")
    angle = np.arctan2(ds["samples"].isel(feature=1), ds["samples"].isel(feature=0))
    ds["labels"] = (np.round(angle * 8 / (2 * np.pi)) % 8).astype(np.int64)
    return filmed(ds.assign(target_settings=json.dumps(RING)))


def figure_of(drawn: Any) -> Figure:
    """The figure that one axes or an array of axes belong to."""
    axes = drawn if isinstance(drawn, Axes) else drawn[0]
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def content(figure: Figure) -> list[Any]:
    """All that is drawn in a figure, as data and text."""
    found: list[Any] = [tuple(figure.get_size_inches()), len(figure.legends)]
    for ax in figure.axes:
        found += [ax.get_visible(), ax.get_title("left"), ax.get_xlabel(), ax.get_ylabel()]
        found += [ax.get_xlim(), ax.get_ylim(), ax.get_xscale(), ax.get_yscale()]
        found += [text.get_text() for text in ax.texts]
        found += [(line.get_color(), line.get_xydata().tolist()) for line in ax.lines]
        found += [patch.get_path().vertices.tolist() for patch in ax.patches]
        found += [np.asarray(mesh.get_array()).tolist() for mesh in ax.collections]
        found += [np.asarray(image.get_array()).tobytes() for image in ax.images]
    return found


@pytest.mark.slow
def test_each_figure_and_sentence_of_the_report_is_the_call_beside_it(
    grid: xr.Dataset,
    search: xr.Dataset,
    theory: xr.Dataset,
    settled: xr.Dataset,
    table_study: xr.Dataset,
    joined: xr.Dataset,
    tmp_path: Path,
) -> None:
    """What the report shows and says is what its lines draw and find; it calls every function."""
    studies = (grid, search, theory, settled, table_study, joined)
    assert _called(studies, tmp_path) == set(plot.__all__) - set(OF_IMAGES)


@pytest.mark.slow
def test_so_is_each_figure_of_images(image_study: xr.Dataset, tmp_path: Path) -> None:
    assert _called([image_study], tmp_path) >= set(OF_IMAGES)


def _called(studies: Sequence[xr.Dataset], folder: Path) -> set[str]:
    """The functions that pages call; each draws what stands above it."""
    called = set()
    for ds in studies:
        with unrendered() as figures:
            page = build(ds, {}, folder / "report").read_text()
        called |= _drawn_again(ds, page, figures)
    return called


def _drawn_again(ds: xr.Dataset, page: str, figures: dict[str, Figure]) -> set[str]:
    """The functions that a page calls, each of which draws what stands above it.

    What several calls ask is found once, by them and not by the page.
    """
    called = set()
    with remembering():
        best = analysis.tuned(ds) if analysis.is_search(ds) else ds
        scope = {"analysis": analysis, "searched": ds, "ds": best}
        labels = {
            str(x) for name in ds.dims for x in ds.get(name, ()) if ds[name].dtype.kind == "U"
        }
        said = list(sentences(page))
        values = {call: eval(call, scope) for call in dict.fromkeys(call for _, call in said)}
        for text, call in said:
            # The words of a sentence may state the threshold of its call.
            stated = re.findall(r"\d+\.\d+", call)
            left = unexplained(text, values[call], {*labels, *map(str, ds.dims), *stated})
            assert left == [], f"{text}: {call}"
        calls = re.findall(r'<code class="files">(.*?)</code>', page)
        assert len(calls) == len(figures)
        for call in map(html.unescape, calls):
            drawn = figure_of(eval(call, {"ganstudy": ganstudy, "ds": ds, "searched": ds}))
            names = re.findall(r"\w+", call)
            (name,) = set(names) & set(figures)
            assert repr(content(drawn)) == repr(content(figures[name])), call
            assert drawn.number in plt.get_fignums(), "or pyplot would not show it"
            called.add(names[2])
            plt.close("all")
    return called


ON_AXES = [own for own in plot.__all__ if "ax" in signature(getattr(plot, own)).parameters]
"""The functions that draw on an axes of the reader's own."""


def test_all_figures_but_two_are_drawn_on_an_axes_of_ones_own() -> None:
    """As the module says."""
    assert set(plot.__all__) - set(ON_AXES) == {"answer", "pictures"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(own, marks=[pytest.mark.slow] * (own in TAKE_LONG)) for own in ON_AXES],
)
def test_an_axes_of_ones_own_is_drawn_on_and_returned(
    grid: xr.Dataset,
    search: xr.Dataset,
    settled: xr.Dataset,
    table_study: xr.Dataset,
    joined: xr.Dataset,
    request: pytest.FixtureRequest,
    name: str,
) -> None:
    ds = search if name in ("budget", "importances", "pareto", "parallel_coordinates") else grid
    ds = table_study if name in ("marginals", "correlations") else ds
    ds = settled if name == "evidence" else ds
    ds = joined if name in ("places", "budgets", "alike") else ds
    # It takes seconds, which other figures are not to wait for.
    ds = request.getfixturevalue("image_study") if name in OF_IMAGES else ds
    figure, (left, ax) = plt.subplots(1, 2)
    settings = dict(mpl.rcParams)
    curve = ["critic_loss"] if name == "diagnostics" else []  # of several there are panels
    assert getattr(plot, name)(ds, *curve, ax=ax) is ax
    assert plt.get_fignums() == [figure.number], "no other figure was made"
    assert not left.has_data()
    assert ax.has_data()
    assert dict(mpl.rcParams) == settings
    if name in ("performance_profile", "curves", "diagnostics"):
        legend = ax.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == ARMS
    figure.draw_without_rendering()


@pytest.mark.slow
def test_another_metric_takes_the_place_of_the_headline(grid: xr.Dataset) -> None:
    name = grid["mode_kl"].attrs["long_name"]
    assert all(name in ax.get_xlabel() for ax in plot.ranking(grid, "mode_kl"))
    curve = plot.curves(grid, "mode_kl")[0].lines[0].get_ydata()
    first = grid["mode_kl"].isel(divergence=0, critic_steps=0).mean("seed")
    np.testing.assert_allclose(curve, first)
    best = plot.ranking(grid, "mode_kl")[0].get_yticklabels()[0].get_text()
    assert best == analysis.rank_arms(grid, "mode_kl")["divergence"].values[0]
    with pytest.raises(KeyError, match="no metric 'modes'; the dataset has modes_covered"):
        plot.curves(grid, "modes")


def test_on_one_axes_curves_are_averaged_over_settings(grid: xr.Dataset) -> None:
    _, ax = plt.subplots()
    plot.curves(grid, ax=ax)
    expected = grid["modes_covered"].mean(["critic_steps", "seed"])
    for line, arm in zip(ax.lines, ARMS, strict=False):
        np.testing.assert_allclose(line.get_ydata(), expected.sel(divergence=arm))


def test_diagnostics_are_chosen_by_name(grid: xr.Dataset) -> None:
    panels = plot.diagnostics(grid, "generator_loss", "modes_covered")
    assert [ax.get_title(loc="left") for ax in panels] == ["generator loss", "modes covered"]
    with pytest.raises(KeyError, match="no curve 'loss'; the dataset has modes_covered"):
        plot.diagnostics(grid, "loss")
    with pytest.raises(ValueError, match="one curve"):
        plot.diagnostics(grid, ax=plt.subplots()[1])


def test_bounds_are_of_divergences_whatever_their_units(grid: xr.Dataset) -> None:
    """Of Pearson's and of the total variation it was said that they are in nats."""
    labels = {ax.get_ylabel() for ax in plot.bounds(grid)}
    assert labels <= {"divergence", ""}
    assert plot.bounds(grid, ax=plt.subplots()[1]).get_ylabel() == "divergence"


def test_exact_values_without_a_bound_are_not_drawn(grid: xr.Dataset) -> None:
    """Critics of a training set have none; the panels of the other arms stay."""
    ds = grid.copy()
    ds["bound"] = ds["bound"].where(ds["divergence"] != "minimax")
    whole, left = (
        [ax.get_title(loc="left") for ax in plot.bounds(own) if ax.get_visible()]
        for own in (grid, ds)
    )
    assert left == [title for title in whole if "minimax" not in title] != whole
    with pytest.raises(ValueError, match="critics of fresh samples"):
        plot.bounds(ds.isel(divergence=[0]))


def test_gallery_of_another_seed(grid: xr.Dataset) -> None:
    ax = plot.gallery(grid.sel(seed=[2], divergence=["minimax"], critic_steps=[5]))[0]
    points = np.stack(
        next(line for line in ax.lines if line.get_marker() == "o").get_data(), axis=1
    )
    own = grid["samples"].sel(seed=2, divergence="minimax", critic_steps=5)
    np.testing.assert_allclose(points, own, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bounds", "no exact divergence"),
        ("labels", "no trial is conditional"),
        ("gallery", "no samples"),
        ("critics", "no trial has a film"),
        ("film", "no trial has a film"),
        ("effects", "no settings"),
        ("budget", "a grid"),
        ("importances", "a grid"),
        ("pareto", "a grid"),
        ("parallel_coordinates", "a grid"),
        ("marginals", "no names of their own"),
        ("images", "no samples"),
        ("image_film", "no trial has a film of images"),
        ("pictures", "kind"),
    ],
)
def test_what_cannot_be_drawn_says_why(make_study: Make, name: str, reason: str) -> None:
    ds = make_study({"divergence": ARMS}, seeds=2, steps=6, samples=3).drop_vars("samples")
    with pytest.raises(ValueError, match=f"nothing to draw: .*{reason}"):
        getattr(plot, name)(ds)
    assert not plt.get_fignums()


def test_a_search_with_one_objective_has_no_front(search: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="one objective"):
        plot.pareto(search.assign_attrs(objectives=["modes_covered"]))


@pytest.mark.slow
def test_matplotlib_waits_for_the_first_figure_and_torch_for_training() -> None:
    """Neither `analysis` nor `report` brings one of them."""
    code = (
        "import sys, ganstudy\n"
        "assert not {'matplotlib', 'xarray', 'numpy'} & set(sys.modules)\n"
        "import ganstudy.analysis, ganstudy.report\n"
        "assert not {'torch', 'matplotlib', 'scipy.stats', 'jinja2'} & set(sys.modules)\n"
        "ganstudy.plot.ranking\n"
        "assert 'matplotlib' in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plot", "open_atlas", "open_run", "open_runs"])
def test_what_gives_datasets_or_takes_them_brings_the_accessor(name: str) -> None:
    """Only what opens a run did: a file of somebody else's, and the atlas, had no `ds.gan`."""
    code = f"import xarray as xr\nfrom ganstudy import {name}\n"
    code += "open_atlas()\n" if name == "open_atlas" else ""
    subprocess.run([sys.executable, "-c", f"{code}xr.Dataset().gan"], check=True)
