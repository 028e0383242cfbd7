"""Images on the page: the trials that they are of, the modes that are covered, and the size."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from read_keys import chunks_of, counted
from scipy.stats import mannwhitneyu
from tiny import LABELLED_PICTURES
from unrendered import unrendered
from xarray.backends import BackendArray
from xarray.core.indexing import (
    IndexingSupport,
    LazilyIndexedArray,
    explicit_indexing_adapter,
)

from ganstudy import plot
from ganstudy.analysis import label_scores
from ganstudy.report import build
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.sections.curves import labels
from ganstudy.report.sections.images import Images, frames, gallery, modes, neighbours
from ganstudy.report.sections.images.firsts import fitted, proportion, real, side_within
from ganstudy.report.sheets import pictures
from ganstudy.report.style import figure_style
from ganstudy.store import digests
from ganstudy.store.gathered_store import GatheredStore
from ganstudy.store.gathering import CHUNK, chunks
from ganstudy.targets import Image, from_config


@pytest.fixture
def dataset(image_study: xr.Dataset) -> xr.Dataset:
    return image_study


@pytest.fixture
def findings(dataset: xr.Dataset) -> Findings:
    return Findings.of(dataset)


def _panels(drawing: Drawing) -> list[Any]:
    """What is drawn in each panel: pixels, or the words in their place."""
    found: list[Any] = []
    for axes in drawing.figure.axes:
        own = axes.get_images()
        found.append(np.asarray(own[0].get_array()) if own else axes.texts[0].get_text())
    return found


def _without_lines(sheet: Any, across: int, scale: int) -> Any:
    """The images of a sheet of 8 by 8 pixels, `(count, 8, 8, 3)`."""
    step = 8 * scale + 1
    rows = (sheet.shape[0] + 1) // step
    return np.stack(
        [
            sheet[row * step : row * step + 8 * scale : scale, column * step :][
                :, : 8 * scale : scale
            ]
            for row in range(rows)
            for column in range(across)
        ]
    )


@pytest.mark.slow
def test_the_gallery_is_of_the_first_seed(dataset: xr.Dataset, findings: Findings) -> None:
    """Real images on the left, then the first samples of each arm and setting."""
    panels = _panels(gallery.draw(findings))
    assert len(panels) == 6
    assert panels[4] == "not planned"
    target = from_config({"name": "stacked_digits"})
    assert target.image is not None
    held_out = target.held_out(np.random.default_rng(0), 16)
    for place, rows in {
        0: held_out,
        1: dataset["samples"].isel(divergence=0, critic_steps=0, seed=0).values[:16],
        2: dataset["samples"].isel(divergence=0, critic_steps=1, seed=0).values[:16],
        5: dataset["samples"].isel(divergence=1, critic_steps=1, seed=0).values[:16],
    }.items():
        images = _without_lines(panels[place], 4, 4)
        np.testing.assert_array_equal(images, pictures(rows, target.image), str(place))


@pytest.mark.slow
@pytest.mark.parametrize("settings", [8, 9])
def test_the_gallery_has_every_corner_of_a_cube(dataset: xr.Dataset, settings: int) -> None:
    """Three axes of two values are eight settings, of which none is left out."""
    own = dataset.isel(critic_steps=[1] * settings).assign_coords(critic_steps=range(settings))
    drawn = gallery.draw(Findings.of(own))
    assert len(_panels(drawn)) == 2 * (1 + 8)
    assert ("8 of 9 settings" in drawn.caption) == (settings == 9)


@pytest.mark.slow
def test_the_film_holds_its_noise_fixed(dataset: xr.Dataset, findings: Findings) -> None:
    """Its last frame has the first final samples, to what a picture shows."""
    drawing = frames.draw(findings)
    panels = _panels(drawing)
    assert len(panels) == 2 * 3
    last = _without_lines(panels[2], 4, 4)
    final = dataset["samples"].isel(divergence=0, critic_steps=0, seed=0).values[:16]
    expected = pictures(final, Image(3, 8, 8))
    assert np.abs(last.astype(int) - expected).max() <= 1
    assert "minimax at M-steps 2, 4 and 6" in drawing.alt


@pytest.mark.slow
def test_a_film_is_of_the_frames_that_there_are(dataset: xr.Dataset) -> None:
    """What goes on with other frames lacks the first, and an arm may have no film: the section was
    gone.
    """
    images = dataset["frame_images"].copy()
    images[{"divergence": 0, "frame": 0}] = np.nan
    later = frames.draw(Findings.of(dataset.assign(frame_images=images)))
    assert "minimax at M-steps 4 and 6;" in later.alt
    images[{"divergence": 0}] = np.nan
    other = frames.draw(Findings.of(dataset.assign(frame_images=images)))
    assert "minimax" not in other.alt
    none = Findings.of(dataset.assign(frame_images=xr.full_like(images, np.nan)))
    assert "has a film" in frames.why_missing(none)


class _Counted(BackendArray):
    """An array that counts how often it is read."""

    def __init__(self, values: Any) -> None:
        self.values, self.shape, self.dtype, self.reads = values, values.shape, values.dtype, 0

    def __getitem__(self, key: Any) -> Any:
        return explicit_indexing_adapter(key, self.shape, IndexingSupport.BASIC, self._read)

    def _read(self, key: Any) -> Any:
        self.reads += 1
        return self.values[key]


@pytest.mark.slow
def test_a_film_is_read_once(dataset: xr.Dataset) -> None:
    """Of 16 arms 38 films were read, each of which may be larger than the memory."""
    names = [f"arm {number}" for number in range(16)]
    many = dataset.isel(divergence=[0] * 16).assign_coords(divergence=names)
    whole = many["frame_images"]
    film = _Counted(whole.values)
    lazy = xr.Variable(whole.dims, LazilyIndexedArray(film), whole.attrs)
    findings = Findings.of(many.assign(frame_images=lazy))
    assert not frames.why_missing(findings)
    assert film.reads == 1
    frames.draw_on(plt.figure().subplots(), findings)
    assert film.reads == 2
    frames.draw(findings)
    assert film.reads == 2 + 16


@pytest.mark.slow
def test_the_map_shows_as_many_modes_as_are_counted(
    dataset: xr.Dataset, findings: Findings
) -> None:
    """By the settings of the recorded metric: the mean over the trials of an arm."""
    found = modes.maps(findings)
    assert [own.trials for own in found] == [4, 2]
    last = dataset["modes_covered"].isel(step=-1).mean(["critic_steps", "seed"])
    for own in found:
        assert own.share.sum() == pytest.approx(float(last[own.arm]))
        assert [size for _, size in own.factors] == [10, 10, 10]
    panel = _panels(modes.draw(findings))[0]
    # Ten panels of ten columns, with an empty one between two; number 327 is in panel 3.
    assert panel.shape == (10, 109)
    assert panel[2, 3 * 11 + 7] == found[0].share[327]
    assert np.isnan(panel[:, 10]).all()


@pytest.mark.slow
def test_a_map_of_one_of_several_targets_says_so(dataset: xr.Dataset, findings: Findings) -> None:
    """Trials on the others are not looked at."""
    (config,) = set(dataset["target_settings"].values.ravel().tolist())
    written = [config, json.dumps({"name": "digits"})]
    first = dataset.isel(divergence=[0])
    several = Findings.of(first.assign(target_settings=("critic_steps", written)))
    with figure_style():
        drawing, alone = modes.draw(several), modes.draw(findings)
    assert "left out" not in alone.caption
    assert "all complete trials of an arm cover on the first of its 2 targets;" in drawing.caption
    assert "2 trials on the first of its 2 targets, " in drawing.alt
    assert "targets" not in alone.caption + alone.alt


@pytest.mark.slow
def test_a_map_of_survivors_counts_those_that_diverged(dataset: xr.Dataset) -> None:
    """Of four trials one is left: its modes were those "that all trials of an arm cover"."""
    status = dataset["status"].copy()
    status[{"divergence": 0}] = "diverged"
    status[{"divergence": 0, "critic_steps": 1, "seed": 1}] = "complete"
    findings = Findings.of(dataset.assign(status=status))
    assert (findings.arms[0], modes.maps(findings)[0].trials) == ("minimax", 1)
    with figure_style():
        caption = modes.draw(findings).caption
    assert "modes that all complete trials of an arm cover; grey" in caption
    assert "Diverged trials are left out: 3 of minimax." in caption


def test_modes_without_factors_stand_in_lines() -> None:
    """Every share once, whatever the numbers of values."""
    for factors, shape in {
        (("mode", 5),): (1, 5),
        (("mode", 90),): (5, 19),
        (("shape", 2), ("place", 3)): (2, 3),
        (("a", 2), ("b", 2), ("c", 2), ("d", 2)): (1, 16),
    }.items():
        count = int(np.prod([size for _, size in factors]))
        share = np.arange(1, count + 1) / count
        _, axes = plt.subplots()
        modes.draw_map(axes, modes.Map(0, share, 1, factors), "black")
        drawn = np.asarray(axes.get_images()[0].get_array().filled(np.nan))
        assert drawn.shape == shape
        assert sorted(drawn[np.isfinite(drawn)]) == sorted(share)


def test_a_map_of_few_modes_names_them_and_cuts_no_arm_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two classes are a line lower than the name of an arm is long; the last map names them."""
    share = np.array([0.5, 1.0])
    found = [modes.Map(arm, share, 2, (("mode", 2),), ("cat", "dog")) for arm in (0, 1)]
    monkeypatch.setattr(modes, "maps", lambda findings: found)
    known: Any = SimpleNamespace(
        arms=["non_saturating", "wasserstein"], colours=["#000"] * 2, where=""
    )
    drawing = modes.draw(known)
    assert "A column for each class." in drawing.caption
    figure = drawing.figure
    figure.draw_without_rendering()
    whole = figure.bbox
    labels = [axes.yaxis.label.get_window_extent() for axes in figure.axes]
    assert all(whole.x0 <= own.x0 and own.y0 >= whole.y0 for own in labels)
    assert not labels[0].overlaps(labels[1])
    assert [tick.get_text() for tick in figure.axes[-1].get_xticklabels()] == ["cat", "dog"]


def test_no_held_out_image_is_shown_twice() -> None:
    """However few there are."""
    target = from_config(LABELLED_PICTURES)
    drawn = real(target, 200)
    assert len(np.unique(drawn, axis=0)) == len(drawn) == target.unseen_rows


def test_labels_have_the_names_of_the_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the target knows them, in the order of their numbers."""
    target = from_config(LABELLED_PICTURES)
    rows, told = target.sample_labelled(np.random.default_rng(0), 40)
    ds = xr.Dataset(
        {
            "samples": (("seed", "sample", "feature"), rows[None]),
            "labels": (("seed", "sample"), told[None]),
            "target_settings": json.dumps(target.model_dump()),
        }
    )
    read = SimpleNamespace(assign=lambda x, radius: (told, told < 2), weights=np.ones(3))
    monkeypatch.setattr(type(target), "known_modes", lambda self: read)
    scores = label_scores(ds)
    assert scores is not None
    assert scores["label_name"].values.tolist() == ["0", "1", "4"]
    np.testing.assert_array_equal(scores["accuracy"].sel(seed=0), [1, 1, 0])
    monkeypatch.setattr(labels, "label_scores", lambda ds: scores.expand_dims(arm=2))
    known: Any = SimpleNamespace(ds=ds, arms=["a", "b"], settings=[()], units="seeds")
    known.with_status = lambda status: {}
    known.setting_label, known.flat = lambda setting: "", lambda values: values.values[:, None]
    drawing = labels.draw(known)
    ticks = drawing.figure.axes[0].get_xticklabels()
    assert [tick.get_text() for tick in ticks] == ["0", "1", "4"]


def labelled(
    make_study: Callable[..., xr.Dataset],
    monkeypatch: pytest.MonkeyPatch,
    axes: dict[str, Any],
    status: dict[tuple[int, ...], str] | None = None,
) -> Drawing:
    """The map of labels of a study in which the first arm is not conditional."""
    ds = make_study(axes, seeds=2, samples=1, status=status)
    dims = (*axes, "seed", "label")
    shares = np.full((*(len(values) for values in axes.values()), 2, 3), 0.5)
    shares[0] = np.nan
    scores = xr.Dataset({"accuracy": (dims, shares)}, coords=dict(ds.coords))
    monkeypatch.setattr(labels, "label_scores", lambda ds: scores)
    with figure_style():
        drawing = labels.draw(Findings.of(ds))
        drawing.figure.draw_without_rendering()
    return drawing


@pytest.mark.slow
def test_a_map_of_labels_is_no_higher_than_a_page(
    make_study: Callable[..., xr.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine arms at 48 settings were 122 inches; each arm is shown at the same settings."""
    axes = {"divergence": [f"d{k}" for k in range(10)], "lr": list(range(48))}
    drawing = labelled(make_study, monkeypatch, axes)
    assert drawing.figure.get_figheight() < 16
    assert "Shown are 5 of 48 settings, spaced evenly in study order." in drawing.caption
    rows = [own.get_text() for own in drawing.figure.axes[0].get_yticklabels()]
    assert rows[:6] == [*(f"d1 · lr {k}" for k in (0, 12, 24, 35, 47)), "d2 · lr 0"]
    few = labelled(make_study, monkeypatch, {"divergence": ["a", "b"], "lr": [1, 2]})
    assert "Shown" not in few.caption


def test_a_map_of_labels_says_what_it_has_of_diverged_trials(
    make_study: Callable[..., xr.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They keep the samples of their last finite parameters."""
    axes, status = {"divergence": ["a", "b"]}, {(1, 0): "diverged"}
    for own in ({}, status):
        drawing = labelled(make_study, monkeypatch, axes, own)
        assert ("Of a diverged trial they are those before" in drawing.caption) == bool(own)


def test_long_names_leave_a_map_of_labels_its_width(
    make_study: Callable[..., xr.Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row is told by the beginnings of its arm and of its setting; in words, in full."""
    long = [
        f"{letter} name that is longer than anybody would write it {'x' * 70}" for letter in "abc"
    ]
    drawing = labelled(make_study, monkeypatch, {"divergence": long, "lr": [1, 2]})
    axes = drawing.figure.axes[0]
    assert axes.get_position().width > 0.5
    texts = [own.get_text() for own in axes.get_yticklabels()]
    assert len({*texts}) == 4
    assert all(text.endswith(("\nlr 1", "\nlr 2")) for text in texts)
    boxes = [own.get_window_extent() for own in axes.get_yticklabels()]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))
    assert all(name in drawing.alt for name in long[1:])


def test_a_figure_is_as_high_as_its_images() -> None:
    assert proportion([Image(3, 16, 32), None]) == 0.5
    assert proportion([Image(3, 16, 32), Image(1, 8, 8)]) == 1
    assert proportion([Image(1, 800, 8)]) == 3


@pytest.mark.slow
def test_neighbours_are_those_of_the_target(findings: Findings) -> None:
    """Held-out images first; how often samples are nearer is Mann and Whitney's statistic."""
    held_out, *made = neighbours.beside(findings)
    assert held_out.arm is None
    assert [own.arm for own in made] == [0, 1]
    assert (held_out.distances > 0).all()
    with figure_style():
        drawing = neighbours.draw_distances(findings)
    for own, arm in zip(made, ("minimax", "wasserstein"), strict=True):
        pairs = len(own.images) * len(held_out.images)
        nearer = mannwhitneyu(held_out.distances, own.distances).statistic / pairs
        assert f"{arm} {nearer:.0%}" in drawing.caption


def test_images_are_judged_beside_those_held_out_of_their_own_target(
    make_study: Callable[..., xr.Dataset],
) -> None:
    """Of arms whose images are the held-out ones themselves neither is nearer or further."""
    targets = [from_config(LABELLED_PICTURES), from_config({"name": "stacked_digits"})]
    held_out = [real(target, 200) for target in targets]
    samples = np.full((2, 1, 200, max(own.shape[1] for own in held_out)), np.nan, np.float32)
    for own, into in zip(held_out, samples[:, 0], strict=True):
        into[: len(own), : own.shape[1]] = own
    ds = make_study({"divergence": ["x", "y"]}, seeds=1, samples=1).drop_dims(["sample", "feature"])
    findings = Findings.of(
        ds.assign(
            samples=((*ds["status"].dims, "sample", "feature"), samples),
            target_settings=("divergence", [target.settings for target in targets]),
        )
    )
    with figure_style():
        drawing, pairs = neighbours.draw_distances(findings), neighbours.draw(findings)
    assert "x 50% and y 50% of pairs" in drawing.caption
    assert f"Share of {len(held_out[0])} to 200 images" in drawing.caption
    panels = drawing.figure.axes
    assert [axes.get_title(loc="left") for axes in panels] == ["images", "stacked_digits"]
    for axes, images in zip(panels, held_out, strict=True):
        grey, own = axes.get_lines()
        np.testing.assert_array_equal(grey.get_xydata(), own.get_xydata())
        assert len(grey.get_xydata()) == len(images)
    assert pairs.alt.endswith("held out, x, held out and y.")


@pytest.mark.parametrize("copies", [0, 1, 2])
def test_copies_of_training_images_are_not_called_unseen(
    make_study: Callable[..., xr.Dataset], tmp_path: Path, copies: int
) -> None:
    """The page said that held-out images cannot be memory, whatever they were."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 4, 4), np.uint8)
    place = tmp_path / "own.npz"
    np.savez(place, x_train=pixels[:6], x_test=pixels[6 - copies : 9 - copies])
    target = from_config({"name": "images", "path": str(place)})
    ds = make_study({"divergence": ["x", "y"]}, seeds=1, samples=1).drop_dims(["sample", "feature"])
    samples = np.broadcast_to(real(target, 3), (2, 1, 3, 16))
    findings = Findings.of(
        ds.assign(
            samples=((*ds["status"].dims, "sample", "feature"), samples),
            target_settings=target.settings,
        )
    )
    with figure_style():
        beside, memory = gallery.draw(findings), neighbours.draw_distances(findings)
    also = {1: "1 of all that are held out is also a training image"}
    told = also.get(copies, f"{copies} of all that are held out are also training images")
    for drawing, unseen in ((beside, "no training step has seen"), (memory, "cannot be memory")):
        assert (unseen in drawing.caption) == (copies == 0)
        assert (told in drawing.caption) == (copies > 0)


@pytest.mark.slow
def test_a_generator_that_repeats_training_images_is_seen(dataset: xr.Dataset) -> None:
    """At distance zero, nearer than every held-out image."""
    target = from_config({"name": "stacked_digits"})
    samples = dataset["samples"].copy()
    samples[:] = target.sample(np.random.default_rng(3), 1000)
    findings = Findings.of(dataset.assign(samples=samples))
    assert all((own.distances == 0).all() for own in neighbours.beside(findings)[1:])
    with figure_style():
        drawing = neighbours.draw_distances(findings)
    assert "minimax 100%" in drawing.caption
    assert drawing.figure.axes[0].get_xlim()[0] < 0


@pytest.mark.slow
def test_names_beside_neighbours_are_as_they_are_written(dataset: xr.Dataset) -> None:
    """The page escapes alternative texts, once."""
    odd = Findings.of(dataset.assign_coords(divergence=["R1 & R2", "<b>"]))
    with figure_style():
        for draw in (neighbours.draw, neighbours.draw_distances):
            alt = draw(odd).alt
            assert "R1 & R2" in alt
            assert "<b>" in alt


@pytest.mark.slow
def test_arms_that_a_figure_has_no_room_for_are_counted(dataset: xr.Dataset) -> None:
    """And are in no legend; an odd arm is one without a complete trial at a setting."""
    names = [f"arm {number}" for number in range(9)]
    many = Findings.of(dataset.isel(divergence=[0] * 9).assign_coords(divergence=names))
    few = Findings.of(dataset)
    for draw, most in (
        (neighbours.draw, neighbours.MOST_ARMS),
        (neighbours.draw_distances, neighbours.MOST_ARMS),
        (modes.draw, modes.MOST_ARMS),
    ):
        with figure_style():
            drawing = draw(many)
            assert f" {most} of 9 arms." in drawing.caption
            assert "arms." not in draw(few).caption
        for legend in drawing.figure.legends:
            assert [own.get_text() for own in legend.get_texts()] == [
                names[place] for place in (0, 2, 3, 5, 6, 8)
            ]


@pytest.mark.slow
def test_what_is_missing_is_said(dataset: xr.Dataset) -> None:
    plain = dataset["modes_covered"].copy()
    del plain.attrs["settings"]
    without = Findings.of(dataset.drop_vars("frame_images").assign(modes_covered=plain))
    assert "record.frames" in frames.why_missing(without)
    assert modes.why_missing(without) == "modes_covered is not recorded"
    assert Images.applies(without)
    lost = Findings.of(dataset.assign(status=xr.full_like(dataset["status"], "failed")))
    assert not Images.applies(lost)
    with pytest.raises(ValueError, match="no trial of the first seed is complete"):
        plot.images(lost.gathered)


def test_large_images_are_made_smaller() -> None:
    images = np.zeros((2, 64, 48, 3), np.uint8)
    images[0, :2, :2] = 200
    smaller, factor = fitted(images, 32)
    assert (smaller.shape, factor) == ((2, 32, 24, 3), 2)
    assert smaller[0, 0, 0].tolist() == [200, 200, 200]
    assert fitted(images, 64)[0] is images
    assert side_within(10_000, 4) == 50


def _of_noise(
    folder: Path, dataset: xr.Dataset, arms: int, count: int, seeds: int = 1
) -> xr.Dataset:
    """Noise of 64 by 64 pixels in three channels, data and samples, which nothing compresses."""
    rng = np.random.default_rng(0)
    np.savez(folder / "noise.npz", x=rng.integers(0, 256, (300, 64, 64, 3), np.uint8))
    target = from_config({"name": "images", "path": str(folder / "noise.npz")})
    ds = dataset.drop_vars(["samples", "frame_images"])
    ds = ds.isel(divergence=[0] * arms, critic_steps=[0], seed=[0] * seeds)
    ds = ds.assign_coords(seed=np.arange(seeds))
    ds = ds.assign_coords(divergence=[f"arm {number}" for number in range(arms)])
    ds = ds.assign_coords(target_settings=target.settings)
    noise = 2 * rng.random((count, 3 * 64**2), np.float32) - 1
    dims, shape = ds["status"].dims, ds["status"].shape
    ds["samples"] = (*dims, "sample", "feature"), np.broadcast_to(noise, (*shape, *noise.shape))
    film = noise[:15].reshape(3, 5, -1)
    frame = (*dims, "frame", "picture", "feature")
    ds["frame_images"] = frame, np.broadcast_to(film, (*shape, *film.shape))
    return ds


@pytest.mark.slow
@pytest.mark.parametrize(("arms", "count"), [(12, 60), (1, 10_000)])
def test_a_page_of_large_images_is_small(
    tmp_path: Path, dataset: xr.Dataset, arms: int, count: int
) -> None:
    page = build(_of_noise(tmp_path, dataset, arms, count), {}, tmp_path / "report")
    text = page.read_text(encoding="utf-8")
    assert "could not be made" not in text
    for name in ("images", "image_film", "nearest_images", "memory"):
        assert f'href="{name}.png"' in text
    assert page.stat().st_size < 10e6


@pytest.mark.slow
def test_a_page_reads_the_images_that_it_draws(
    tmp_path: Path, dataset: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From results on disk: of six trials the three of the first seed, and of these the chunks
    that have the first 200 images, though a trial has 300.
    """
    whole = _of_noise(tmp_path, dataset, arms=3, count=300, seeds=2)
    place = tmp_path / "results.zarr"
    cut = chunks(whole, whole["status"].dims)
    whole.to_zarr(place, zarr_format=2, encoding=cut)
    digests.seal(place)
    read = counted(monkeypatch)
    with unrendered():
        build(xr.open_zarr(GatheredStore(place), chunks=None), {}, tmp_path / "report")
    images = chunks_of("samples", read)
    assert {key.split(".")[2] for key in images} == {"0"}
    each = 12288 * 4
    assert 3 * 200 * each * 0.8 < sum(images.values()) < 3 * (200 + CHUNK // each) * each
