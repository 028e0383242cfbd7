"""Films: frames that say where samples are and where they are drawn, and change nothing else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from tiny import STUDY, differences, made_up, stopping_at, trial, write_study

from ganstudy import film as films
from ganstudy.engine.checkpoints import Checkpoints, Stopped
from ganstudy.engine.session import Session
from ganstudy.film import ARROWS, GRID, VIEWS, frame_steps, grid, images_filmed, window
from ganstudy.kinds.adversarial.training import initial, train
from ganstudy.report.contours import backdrop
from ganstudy.schedule.returned import records_of
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, gather, open_run, records
from ganstudy.store.gathering import coordinates, gathered, on_disk, shared
from ganstudy.study import load
from ganstudy.trial import Record

FILM = {variable.name for variable in films.FILM}
SMOOTH = {"activation": "tanh", "width": 6, "depth": 2}


@pytest.mark.parametrize(
    ("recorded", "frames", "expected"),
    [
        (range(10, 101, 10), 4, [10, 40, 70, 100]),
        (range(10, 101, 10), 1, [100]),
        (range(10, 101, 10), 0, []),
        (range(10, 31, 10), 10, [10, 20, 30]),
        ([10, 20, 25], 2, [10, 25]),
    ],
)
def test_frames_are_evenly_spaced_and_the_last_step_is_one(
    recorded: Any, frames: int, expected: list[int]
) -> None:
    assert frame_steps(np.array(recorded), frames).tolist() == expected


@pytest.mark.parametrize("name", ["ring", "moons"])
def test_a_film_is_shot_in_the_window_in_which_the_target_is_drawn(name: str) -> None:
    target = trial(target=name, record={"metrics": ["energy_distance"]}).configuration.target
    edges = window(target)
    behind = backdrop(json.dumps(target.model_dump()))
    np.testing.assert_allclose(edges.mean(axis=1), behind.centre, atol=1e-12)
    np.testing.assert_allclose(edges[:, 1] - edges[:, 0], 2 * behind.half_width, atol=1e-12)
    x, _ = grid(edges, 4)
    np.testing.assert_allclose(np.diff(x), (edges[0, 1] - edges[0, 0]) / 4)
    np.testing.assert_allclose(x[0] - edges[0, 0], edges[0, 1] - x[-1])


@pytest.mark.parametrize(
    "divergences",
    [
        ["minimax", "reverse_kl", "f_kl", "wasserstein"],
        [{"name": "mmd", "bandwidth": 0.4}, "energy_distance"],
    ],
    ids=["trained", "closed form"],
)
def test_the_pull_is_minus_the_slope_of_the_loss_of_one_sample(divergences: list[Any]) -> None:
    """By central differences of the loss of a batch of one, in double precision."""
    trials = [
        trial(seed, divergence=d, constraint="none", generator=SMOOTH, critic=SMOOTH)
        for seed, d in enumerate(divergences)
    ]
    game, state = initial(trials, torch.device("cpu"))
    state = state._replace(
        critic=state.critic._replace(parameters=3 * state.critic.parameters.double())
    )
    rng = np.random.default_rng(4)
    x = torch.from_numpy(rng.normal(size=(len(trials), 7, 2)))
    laws = None
    if trials[0].configuration.divergence.closed_form:
        real, fake = (torch.from_numpy(rng.normal(size=(len(trials), 9, 2))) for _ in range(2))
        laws = real, fake
    pull = game.pull(state, x, laws)
    assert pull.shape == x.shape

    def losses(points: torch.Tensor) -> np.ndarray[Any, Any]:
        logits = game.logits_at(state, points, laws)
        own = [
            t.configuration.divergence.generator_loss(logits[row][:, None]).numpy()
            for row, t in enumerate(trials)
        ]
        return np.stack(own)

    step = 1e-5
    for feature in range(2):
        move = torch.zeros(2, dtype=torch.float64)
        move[feature] = step
        slope = (losses(x + move) - losses(x - move)) / (2 * step)
        assert np.abs(slope).max() > 1e-3
        np.testing.assert_allclose(pull[..., feature], -slope, rtol=1e-6, atol=1e-8)


def test_the_last_frame_is_the_end_of_the_trial() -> None:
    """Its particles are the first of the final samples, its steps the recorded ones."""
    (record,) = train([trial(2, steps=13, record={"every": 2, "samples": 200, "frames": 3})])
    assert record.values["frame_step"].tolist() == [2, 8, 13]
    assert "samples" in record.values
    samples = record.values["frame_samples"]
    assert samples.shape == (3, 128, 2)
    np.testing.assert_allclose(samples[-1], record.values["samples"][:128], rtol=2**-11)
    assert np.abs(samples[0] - samples[-1]).max() > 0.01
    assert record.values["critic_logits"].shape == (3, GRID, GRID)
    assert record.values["generator_pull"].shape == (3, ARROWS, ARROWS, 2)


def test_logits_and_pulls_belong_to_their_points() -> None:
    """Row and column are the second and the first coordinate: the pull points uphill on a logit."""
    (record,) = train(
        [trial(1, divergence="reverse_kl", critic={"activation": "tanh", "width": 16})]
    )
    logits = record.values["critic_logits"][-1].astype(np.float64)
    edges = record.values["film_window"]
    (x, y), (at_x, at_y) = grid(edges, GRID), grid(edges, ARROWS)
    field = xr.DataArray(logits, dims=("y", "x"), coords={"x": x, "y": y})
    slopes = [
        field.differentiate(axis).interp(x=at_x[1:-1], y=at_y[1:-1]).transpose("y", "x").values
        for axis in ("x", "y")
    ]
    pull = record.values["generator_pull"][-1, 1:-1, 1:-1].astype(np.float64)
    for feature, slope in enumerate(slopes):
        scale = np.abs(slope).max()
        np.testing.assert_allclose(pull[..., feature], slope, atol=0.1 * scale)


def test_a_film_changes_no_number_and_no_id() -> None:
    settings: dict[str, Any] = {"divergence": "minimax", "batch": 33}
    with_film = trial(0, **settings)
    without = trial(0, record={"frames": 0}, **settings)
    assert with_film.id == without.id
    assert with_film.settings == without.settings
    assert with_film.configuration.pack_key() != without.configuration.pack_key()
    filmed, plain = train([with_film])[0], train([without])[0]
    assert set(FILM) & set(filmed.values)
    assert not set(FILM) & set(plain.values)
    assert differences(unfilmed(filmed), plain) == []


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"divergence": "relativistic_average"}, {"generator_pull"}),
        ({"critic": {"pac": 2}}, {"generator_pull", "critic_logits"}),
        ({"critic": {"norm": "batch"}}, {"generator_pull", "critic_logits"}),
        ({"condition": True}, set(FILM)),
        ({"target": {"name": "embedded_mixture", "features": 3, "latent": 2}}, set(FILM)),
    ],
)
def test_what_cannot_be_filmed_is_left_out(settings: dict[str, Any], missing: set[str]) -> None:
    metrics = ["energy_distance"]
    (record,) = train([trial(0, **{**settings, "record": {"metrics": metrics, "samples": 40}})])
    assert set(FILM) - set(record.values) == missing


def test_frames_after_a_divergence_are_empty() -> None:
    absurd = {"optimizer": "sgd", "lr": 3.0}
    own = trial(0, divergence="forward_kl", generator=absurd, critic=absurd, record={"every": 1})
    (record,) = train([own])
    assert record.status == "diverged"
    assert record.diverged_at > 1
    alive = record.values["frame_step"] < record.diverged_at
    assert alive.any()
    assert not alive.all()
    for name in ("frame_samples", "critic_logits", "generator_pull"):
        frames = record.values[name].reshape(len(alive), -1)
        np.testing.assert_array_equal(np.isnan(frames).all(axis=1), ~alive)


def test_how_a_trial_ended_does_not_depend_on_whose_film_is_made_beside_it() -> None:
    """Alone it had come to no frame, and failed for want of one."""
    absurd = {"optimizer": "sgd", "lr": 1e38}
    settings: dict[str, Any] = {"target": "digits", "record": {"frames": 1, "metrics": ["mmd"]}}
    lost = trial(0, generator=absurd, critic=absurd, **settings)
    alone, beside = train([lost])[0], train([lost, trial(1, **settings)])[0]
    assert alone.status == beside.status == "diverged"
    assert differences(alone, beside) == []


@pytest.mark.parametrize(("target", "before"), [("ring", 3), ("digits", 0)])
def test_a_trial_that_dies_before_its_next_frame_has_diverged(
    tmp_path: Path, target: str, before: int
) -> None:
    """Of the frames that are asked for now there is none; it failed for those of the first session,
    or for having none.
    """
    absurd = {"optimizer": "sgd", "lr": 10.0}
    settings = {"target": target, "divergence": "reverse_kl"}
    first, second = (
        [
            trial(
                0,
                **settings,
                generator=absurd,
                critic=absurd,
                record={"every": 1, "frames": frames, "metrics": ["mmd"]},
            )
        ]
        for frames in (before, 2)
    )
    (undisturbed,) = train(first)
    assert 2 < undisturbed.diverged_at < 12
    with stopping_at(int(undisturbed.diverged_at) - 1), pytest.raises(Stopped):
        train(first, Session(checkpoints=Checkpoints(tmp_path)))
    (record,) = records_of(second, train(second, Session(checkpoints=Checkpoints(tmp_path))))
    assert record.diverged_at == undisturbed.diverged_at
    assert record.values["frame_step"].tolist() == [1, 12]
    assert record.values.keys().isdisjoint({*VIEWS, "frame_images"})


def test_a_stopped_pack_goes_on_with_its_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With other frames than before, too: those of the first session are then lost, no more."""
    settings = {"divergence": "minimax", "steps": 12}
    pack = [trial(seed, **settings, record={"every": 2, "frames": 4}) for seed in range(2)]
    undisturbed = train(pack)
    with stopping_at(7), pytest.raises(Stopped):
        train(pack, Session(checkpoints=Checkpoints(tmp_path)))
    resumed = train(pack[::-1], Session(checkpoints=Checkpoints(tmp_path)))
    assert [differences(*pair) for pair in zip(resumed, undisturbed[::-1], strict=True)] == [[], []]
    assert not any(np.isnan(values).any() for r in resumed for values in film(r).values())
    other = [trial(seed, **settings, record={"every": 2, "frames": 6}) for seed in range(2)]
    for record in train(other, Session(checkpoints=Checkpoints(tmp_path))):
        lost = np.isnan(record.values["frame_samples"]).all(axis=(1, 2))
        np.testing.assert_array_equal(lost, record.values["frame_step"] <= 7)


def test_a_film_of_images_is_of_the_first_samples(tmp_path: Path) -> None:
    """As they would be without it; labels and a plane do not matter. A frame has few numbers."""
    settings: dict[str, Any] = {"target": "digits", "condition": True, "steps": 6}
    record = {"every": 2, "samples": 40, "metrics": ["energy_distance"]}
    own = trial(1, **settings, record={**record, "frames": 2})
    (filmed,) = train([own])
    images = filmed.values["frame_images"]
    assert images.shape == (2, 16, 64)
    assert filmed.values["frame_step"].tolist() == [2, 6]
    np.testing.assert_allclose(images[-1], filmed.values["samples"][:16], rtol=2**-8)
    (plain,) = train([trial(1, **settings, record={**record, "frames": 0})])
    kept = {n: v for n, v in filmed.values.items() if n not in ("frame_images", "frame_step")}
    assert differences(dataclasses.replace(filmed, values=kept), plain) == []
    assert images_filmed(3 * 64 * 64) == 5
    assert images_filmed(10**7) == 1
    path = records.write([filmed], tmp_path)
    (light,) = records.read(path, "light")
    assert "frame_images" not in light.values


def film(record: Record) -> dict[str, Any]:
    """What is filmed of a trial."""
    return {name: values for name, values in record.values.items() if name in FILM}


def unfilmed(record: Record) -> Record:
    """The same record as of a trial that was not filmed."""
    kept = {name: values for name, values in record.values.items() if name not in FILM}
    return dataclasses.replace(record, values=kept)


@pytest.fixture(scope="module")
def pack() -> list[Record]:
    return train([trial(seed, divergence="minimax") for seed in range(3)])


def test_films_survive_the_disk(pack: list[Record], tmp_path: Path) -> None:
    path = records.write(pack, tmp_path)
    for record, original in zip(records.read(path), pack, strict=True):
        assert differences(record, original) == []
        assert {n: v.dtype for n, v in film(record).items()} == {
            n: v.dtype for n, v in film(original).items()
        }
    assert all(set(VIEWS).isdisjoint(record.values) for record in records.read(path, "light"))
    failed = Record.of_failure(trial(9), "eager", "cause")
    assert not failed.values


def test_films_take_thirty_kilobytes(tmp_path: Path) -> None:
    """On disk, by default: ten frames of 128 samples."""
    own = [trial(s, steps=40, record={"samples": 128}) for s in range(8)]
    with_films = train(own)
    without = [unfilmed(record) for record in with_films]
    sizes = []
    for name, part in (("with", with_films), ("without", without)):
        (tmp_path / name).mkdir()
        sizes.append(records.write(part, tmp_path / name).stat().st_size)
    assert len(with_films[0].values["frame_step"]) == 10
    assert (sizes[0] - sizes[1]) / len(own) < 30_000


def test_films_of_images_take_as_much_as_the_page_says(tmp_path: Path) -> None:
    """Of noise, of which nothing compresses but the bits that a film has dropped."""
    plain = made_up(trial(1), "complete")
    noise = torch.randn(10, 16, 784, generator=torch.Generator().manual_seed(0))
    images = {"frame_images": noise.bfloat16().float().numpy(), "frame_step": np.arange(10.0)}
    known = {own.name: own for own in films.IMAGE_FILM}
    filmed = dataclasses.replace(
        plain, values=plain.values | images, variables=plain.variables | known
    )
    sizes = []
    for name, record in (("with", filmed), ("without", plain)):
        (tmp_path / name).mkdir()
        sizes.append(records.write([record], tmp_path / name).stat().st_size)
    taken = (sizes[0] - sizes[1]) / noise.numel()
    page = (Path(__file__).parents[2] / "docs" / "notation.md").read_text(encoding="utf-8")
    assert f"one of images up to {taken:.1f} bytes a number" in " ".join(page.split())


def test_films_of_several_lengths_and_targets_stand_in_one_array(tmp_path: Path) -> None:
    """A shorter film is padded with NaN; windows that differ are kept for each trial."""
    own = [
        trial(0, steps=4, record={"every": 2, "samples": 20}),
        trial(1, target="grid", steps=8, record={"every": 2, "samples": 30}),
        trial(2, steps=8, record={"every": 2, "samples": 30, "frames": 0}),
    ]
    made = [train([one])[0] for one in own]
    places = {record.id: [(place,)] for place, record in enumerate(made)}
    other = train([trial(7)])[0]
    reel = gathered([*made, other], places, [3], coordinates(made), on_disk(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert reel["frame_samples"][1].shape == (3, 4, 30, 2)
    assert reel["film_window"][0] == ("coordinate", "edge")
    assert shared(reel["film_window"][1], 1) is None
    assert "grid_x" not in films.coordinates({"edge": 2, "grid_x": GRID, "grid_y": GRID}, {})
    for place, record in enumerate(made[:2]):
        for name, values in film(record).items():
            whole = reel[name][1][place]
            part = whole[tuple(map(slice, values.shape))]
            np.testing.assert_array_equal(part, values)
            assert np.isnan(whole).sum() == whole.size - part.size
    assert all(np.isnan(reel[name][1][2]).all() for name in FILM)


def test_the_dataset_names_frames_and_places(tmp_path: Path) -> None:
    """Trials without a record, and those recorded before there were films, have none."""
    study = load(write_study(tmp_path))
    plan = Grid(study)
    directory = RunDirectory(tmp_path / "run")
    own = [plan.trials[0, 0, 0], plan.trials[0, 0, 1]]
    first, second = train(own)
    with directory.locked():
        directory.write_study(Grid(study))
        directory.write([first])
        directory.write([unfilmed(second)])
    plan.tell(directory.read("curves"))
    made = gather(directory, plan)
    for dataset in (made, open_run(directory.path)):
        assert dataset["frame_step"].values.tolist() == [2, 4, 6]
        assert dataset["critic_logits"].dims[-3:] == ("frame", "grid_y", "grid_x")
        x, y = grid(first.values["film_window"].astype(np.float64), GRID)
        np.testing.assert_array_equal(dataset["grid_x"], x)
        np.testing.assert_array_equal(dataset["grid_y"], y)
        place = {"divergence": "minimax", "critic_steps": 1}
        for name in ("frame_samples", "critic_logits", "generator_pull"):
            values = dataset[name].sel(**place, seed=0)
            assert values.dtype == np.float32
            assert dataset[name].attrs["long_name"]
            np.testing.assert_array_equal(values, first.values[name])
            assert bool(np.isnan(dataset[name].sel(divergence="wasserstein")).all())
            assert bool(np.isnan(dataset[name].sel(**place, seed=1)).all())


def test_a_run_without_films_has_no_such_variables(tmp_path: Path) -> None:
    text = STUDY.replace("samples: 32", "samples: 32, frames: 0")
    study = load(write_study(tmp_path, text))
    plan = Grid(study)
    directory = RunDirectory(tmp_path / "run")
    with directory.locked():
        directory.write_study(Grid(study))
        directory.write(train([plan.trials[0, 0, 0]]))
    plan.tell(directory.read())
    dataset = gather(directory, plan)
    assert set(dataset.variables).isdisjoint([*FILM, "grid_x", "coordinate", "edge"])
