"""Samples of kept generators, and generators as modules of PyTorch alone."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from inline import trained_inline
from PIL import Image as Pillow
from processors import needs_portable
from tiny import write_study

import ganstudy
from ganstudy import generators, networks, pipeline
from ganstudy.cli import main
from ganstudy.generators import sample, write_onnx
from ganstudy.store import RunDirectory, RunError, gather, open_run
from ganstudy.study import load

STUDY = """\
question: Which generator?
trial:
  generator: {width: 8, depth: 1, average: 0.9}
  critic: {width: 4, depth: 1}
  steps: 6
  batch: 16
  record: {every: 3, samples: 40, frames: 0, generator: true, metrics: [sliced_wasserstein]}
search:
  grid:
    case:
      plain: {target.name: ring}
      batch: {generator.norm: batch, generator.depth: 2}
      running: {generator.norm: batch, generator.norm_average: 0.2}
      maxout: {generator.norm: layer, generator.activation: maxout, generator.scale: 0.7}
      labels: {target.name: grid, target.side: 2, condition: true, generator.activation: elu}
      images: {target.name: digits, generator.activation: leaky_relu}
      dcgan: {target.name: digits, generator.network: dcgan, generator.norm: batch}
      resnet: {target.name: digits, generator.network: resnet, condition: true, critic.pac: 2}
seeds: 2
"""
CASES = ("plain", "batch", "running", "maxout", "labels", "images", "dcgan", "resnet")
FEW = ("plain", "labels", "images")
"""Cases that are trained for the quick tests."""

each = pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] * (case not in FEW)) for case in CASES]
)


@contextmanager
def _gathered() -> Iterator[None]:
    """Runs train here, and end with their dataset."""
    with trained_inline(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "report", gather)
        yield


def _trained(folder: Path, cases: Sequence[str]) -> Path:
    """A run of some cases whose generators are kept."""
    left_out = "|".join(case for case in CASES if case not in cases) or "none"
    text = re.sub(rf"      ({left_out}):.*\n", "", STUDY)
    with _gathered():
        pipeline.run(load(write_study(folder, text)), folder / "run", workers=1)
    return folder / "run"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of few cases."""
    return _trained(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of all."""
    return _trained(tmp_path_factory.mktemp("every"), CASES)


@pytest.fixture
def of_case(request: pytest.FixtureRequest, case: str) -> Path:
    """The run with a case."""
    found: Path = request.getfixturevalue("run" if case in FEW else "every")
    return found


def _id(run: Path, case: str, seed: int = 0) -> str:
    return str(open_run(run)["trial_id"].sel(case=case, seed=seed).item())


def _stored(run: Path, trial: str) -> Any:
    (record,) = RunDirectory(run).read(trials={trial})
    return record.values["samples"]


@each
def test_samples_have_the_bits_of_the_stored_ones(of_case: Path, case: str) -> None:
    """Of the latent noise that a trial was measured with; a part of it, or more of it."""
    run = of_case
    trial = _id(run, case)
    stored = _stored(run, trial)
    few, many = sample(run, trial, 7), sample(run, trial, 90)
    np.testing.assert_array_equal(few.samples.reshape(7, -1), stored[:7])
    np.testing.assert_array_equal(many.samples[:40].reshape(40, -1), stored)
    assert few.samples.shape[1:] == (tuple(few.image) if few.image else stored.shape[1:])
    assert few.words.endswith(": the same bits as the stored ones")
    assert many.words.endswith(": the same bits as the 40 stored ones")
    assert few.words.startswith(f"7 samples of trial {trial} (seed 0, complete)")
    assert np.isfinite(many.samples).all()
    assert len(np.unique(many.samples, axis=0)) == 90


@each
def test_another_seed_draws_the_noise_of_another_trial(of_case: Path, case: str) -> None:
    run = of_case
    first, second = _id(run, case, 0), _id(run, case, 1)
    own, lent = sample(run, second, 5), sample(run, first, 5, seed=1)
    np.testing.assert_array_equal(own.latent, lent.latent)
    assert not np.array_equal(own.samples, lent.samples)
    assert "stored" not in lent.words
    np.testing.assert_array_equal(lent.samples, sample(run, first, 60, seed=1).samples[:5])


def _inputs(found: Any, case: str) -> torch.Tensor:
    """Rows as a module takes them."""
    if found.labels is None:
        return torch.from_numpy(found.latent)
    one_hot = np.eye({"labels": 4, "resnet": 10}[case], dtype=np.float32)[found.labels]
    return torch.from_numpy(np.concatenate([found.latent, one_hot], axis=1))


_ALONE = """
import sys
sys.modules["ganstudy"] = None  # importing it raises
import torch
found = torch.load(sys.argv[1], weights_only=False)
with torch.no_grad():
    torch.save({name: module(z) for name, (module, z) in found.items()}, sys.argv[2])
"""


@pytest.mark.slow
def test_a_module_runs_where_nothing_of_ours_can_be_imported(every: Path, tmp_path: Path) -> None:
    """In a process of its own, from what `torch.save` writes; to rounding the same samples."""
    modules, expected = {}, {}
    for case in CASES:
        for averaged in (False, True):
            trial, name = _id(every, case), f"{case} {averaged}"
            # Moments of batch norm are those of the whole batch that the trial was measured with.
            found = sample(every, trial, 40, averaged=averaged)
            module = ganstudy.load_generator(every, trial, averaged=averaged)
            assert not module.training
            modules[name] = module, _inputs(found, case)
            expected[name] = found.samples
    torch.save(modules, tmp_path / "modules.pt")
    command = [sys.executable, "-c", _ALONE, tmp_path / "modules.pt", tmp_path / "samples.pt"]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=120)
    given = torch.load(tmp_path / "samples.pt")
    assert given["images False"].shape == (40, 1, 8, 8)
    for name, samples in expected.items():
        torch.testing.assert_close(given[name], torch.from_numpy(samples), rtol=1e-5, atol=1e-5)
        raw = expected[name.replace("True", "False")]
        assert np.array_equal(raw, samples) == name.endswith("False")


@pytest.mark.slow
def test_a_module_is_made_of_layers_that_others_know(every: Path) -> None:
    """And its parameters can be trained on, without a number drawn from torch's generator."""
    before = torch.random.get_rng_state()
    module = ganstudy.load_generator(every, _id(every, "running"))
    assert torch.equal(torch.random.get_rng_state(), before)
    kinds = [type(part).__name__ for part in module.children()]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU", "Linear"]
    module(torch.zeros(3, 2)).sum().backward()
    assert all(value.grad is not None for value in module.parameters())


def test_onnx_without_its_packages_is_refused_in_words(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)  # importing it raises
    trial, path = _id(run, "plain"), tmp_path / "own.onnx"
    with pytest.raises(RunError, match=r"needs onnx: pip install 'ganstudy\[onnx\]'"):
        write_onnx(run, path, trial)
    with pytest.raises(RunError, match=r"own.pt: a generator is written as .onnx"):
        write_onnx(run, tmp_path / "own.pt", trial)
    arguments = ["sample", str(run), "--trial", trial, "--onnx", str(path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "ganstudy[onnx]" in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_an_onnx_file_has_the_samples_of_its_trial(every: Path, tmp_path: Path) -> None:
    """Of every network, by the evaluator that ONNX defines its operators with; in any batch."""
    onnx = pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnxscript", reason="the extra `onnx` is not installed")
    from onnx.reference import ReferenceEvaluator

    assert set(networks.family.names) <= {"mlp", *CASES}, "sample one of it, in CASES"
    for case in CASES:
        trial, path, averaged = _id(every, case), tmp_path / f"{case}.onnx", case == "images"
        words = write_onnx(every, path, trial, averaged=averaged)
        found = sample(every, trial, 40, averaged=averaged)
        latent = _inputs(found, case)
        evaluator = ReferenceEvaluator(str(path))
        (given,) = evaluator.run(None, {"latent": latent.numpy()})
        np.testing.assert_allclose(given, found.samples, rtol=1e-5, atol=1e-5)
        module = ganstudy.load_generator(every, trial, averaged=averaged)
        (few,) = evaluator.run(None, {"latent": latent[:3].numpy()})
        np.testing.assert_allclose(few, module(latent[:3]).detach(), rtol=1e-5, atol=1e-5)
        about = {own.key: own.value for own in onnx.load(path).metadata_props}["ganstudy"]
        assert json.loads(about)["trial"] == trial
        assert str(Path(torch.__file__).parent) not in path.read_bytes().decode("latin-1")
        assert words.startswith(f"generator of trial {trial}")
        shape = " x ".join(map(str, given.shape[1:]))
        assert words.endswith(f"latent, batch x {latent.shape[1]}, to samples, batch x {shape}")


def test_trials_are_named_by_beginnings_or_as_the_best(run: Path) -> None:
    dataset = open_run(run)
    ids = sorted(dataset["trial_id"].values.ravel().tolist())
    assert sample(run, ids[0][:9], 2).trial == ids[0]
    # Scores are means of the last fifth of the steps, here of the last one; lower is better.
    scores = dataset["sliced_wasserstein"].isel(step=-1)
    best = dataset["trial_id"].values.flat[int(np.nanargmin(scores.values))]
    assert sample(run, count=2).trial == best
    with pytest.raises(TypeError, match=r"trial is an id, .* or 'best', and not 3"):
        ganstudy.load_generator(run, 3)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="no recorded trial 'zz'"):
        sample(run, "zz")
    with pytest.raises(RunError, match="6 trials begin with ''"):
        sample(run, "")
    alike = next(own[:1] for own in ids if sum(o.startswith(own[0]) for o in ids) > 1)
    with pytest.raises(RunError, match=f"trials begin with '{alike}': {alike}"):
        sample(run, alike)


def test_what_cannot_be_sampled_is_refused_in_words(tmp_path: Path) -> None:
    few = (
        "search.grid={case: {none: {record.generator: false}, kept: {generator.depth: 2}}}",
        "seeds=1",
        "trial.generator.average=null",
    )
    with _gathered():
        pipeline.run(load(write_study(tmp_path, STUDY), few), tmp_path / "run", workers=1)
    run = tmp_path / "run"
    ids = open_run(run)["trial_id"].isel(seed=0)
    with pytest.raises(RunError, match=r"record.generator: true.*ganstudy retry .* --generators"):
        sample(run, str(ids.sel(case="none").item()))
    kept = str(ids.sel(case="kept").item())
    with pytest.raises(RunError, match=r"without `generator.average`"):
        sample(run, kept, averaged=True)
    (path,) = (run / "generators").iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    for verb in (sample, ganstudy.load_generator):
        with pytest.raises(RunError, match=rf"{path.name}: its checksum .* trains the trial again"):
            verb(run, kept)
    path.unlink()
    advice = r"ganstudy retry .* --generators"
    with pytest.raises(RunError, match=rf"{path.name}: it is gone; .*{advice}"):
        sample(run, kept)
    result = CliRunner().invoke(main, ["sample", str(run), "--trial", kept])
    assert result.exit_code == 2
    assert "--generators" in result.output


def test_numbers_devices_and_files_that_there_are_not(run: Path, tmp_path: Path) -> None:
    """Each in words, and before anything is drawn or written."""
    for asked in ({"count": 0}, {"seed": -1}):
        with pytest.raises(ValueError, match="count is at least 1 and seed at least 0"):
            sample(run, **asked)
    for device in ("gpu", "meta", "cuda:99"):
        with pytest.raises(ValueError, match=f"no device '{device}' here; there is cpu"):
            sample(run, device=device)
        result = CliRunner().invoke(main, ["sample", str(run), "--device", device])
        assert result.exit_code == 2
        assert f"'--device': no device '{device}' here" in result.output
    onnx = tmp_path / "a.onnx"
    result = CliRunner().invoke(main, ["sample", str(run), "--to", "a.jpg", "--onnx", str(onnx)])
    assert result.exit_code == 2
    assert result.stderr == "a.jpg: samples are written as .npz or .png\n"
    assert not onnx.exists()


@pytest.mark.parametrize(
    ("to", "onnx"),
    [
        ("rows.png", "a.onnx"),
        ("nowhere/rows.npz", "a.onnx"),
        ("folder.npz", "a.onnx"),
        ("rows.npz", "nowhere/a.onnx"),
    ],
)
def test_what_is_refused_writes_nothing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, onnx: str
) -> None:
    """Samples that are no picture, or have no place: the generator had been written by then."""
    found = replace(sample(run, _id(run, "plain")), samples=np.zeros((4, 3), np.float32))

    def written(_run: Path, path: Path, *_: object, **__: object) -> str:
        path.touch()
        return ""

    monkeypatch.setattr(generators, "sample", lambda *_, **__: found)
    monkeypatch.setattr(generators, "write_onnx", written)
    (tmp_path / "folder.npz").mkdir()
    places = [str(tmp_path / to), "--onnx", str(tmp_path / onnx)]
    assert CliRunner().invoke(main, ["sample", str(run), "--to", *places]).exit_code == 2
    assert [own.name for own in tmp_path.iterdir()] == ["folder.npz"]


@pytest.mark.slow
def test_a_kind_without_a_generator_is_refused(theory_run: Path) -> None:
    with pytest.raises(RunError, match="of kind tabular, which trains no generator"):
        sample(theory_run)


def _verb(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["sample", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_arrays_and_sheets(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trial = _id(run, "images")
    said = _verb(str(run), "--trial", trial, "--count", "5")
    assert said == f"{trial}.png: {sample(run, trial, 5).words}\n"
    with Pillow.open(f"{trial}.png") as picture:
        pixels = np.asarray(picture.convert("L"))
    # Three a line and six times as large, with a white pixel between.
    assert pixels.shape == (2 * 48 + 1, 3 * 48 + 2)
    assert (pixels[48] == 255).all()
    images = _stored(run, trial)[:5].reshape(5, 8, 8).clip(-1, 1)
    np.testing.assert_array_equal(pixels[3:48:6, 52:97:6], np.round((images[1] + 1) * 127.5))
    _verb(str(run), "--trial", trial, "--count", "5", "--seed", "4", "--to", "own.npz")
    with np.load("own.npz") as found:
        assert {name: found[name].shape for name in found} == {
            "samples": (5, 1, 8, 8),
            "latent": (5, 2),
        }
    _verb(str(run), "--trial", _id(run, "labels"), "--to", "own.npz", "--averaged")
    with np.load("own.npz") as found:
        assert found["labels"].shape == (64,)
        assert set(found["labels"].tolist()) <= set(range(4))


TABLE_STUDY = """\
question: What do columns say?
trial:
  target: {{name: file, path: {path}, label: kind}}
  generator: {{width: 4, depth: 1}}
  critic: {{width: 4, depth: 1}}
  steps: 2
  batch: 8
  record: {{every: 2, samples: 20, frames: 0, generator: true, metrics: [sliced_wasserstein]}}
search: {{grid: {{case: {{alone: {{condition: false}}, told: {{condition: true}}}}}}}}
seeds: 1
"""


@pytest.fixture(scope="module")
def of_table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of a table with labels, and the table."""
    folder = tmp_path_factory.mktemp("table")
    path = folder / "cells.csv"
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(size=(60, 2)) * [10, 1e-3] + [500, 7], columns=["area", "ph"])
    frame.assign(kind=["b", "a"] * 30).to_csv(path, index=False)
    study = write_study(folder, TABLE_STUDY.format(path=path))
    with _gathered():
        pipeline.run(load(study), folder / "run", workers=1)
    return folder / "run", path


@pytest.mark.parametrize("told", [True, False])
def test_samples_of_a_table_tell_their_units_and_names(
    of_table: tuple[Path, Path], tmp_path: Path, told: bool
) -> None:
    """Those of labels, and without labels where the table is gone."""
    run, table = of_table
    numbers = pd.read_csv(table).drop(columns="kind")
    path, trial = tmp_path / "own.npz", _id(run, "told" if told else "alone")
    elsewhere = None if told else table.rename(tmp_path / "cells.csv")
    try:
        said = _verb(str(run), "--trial", trial, "--to", str(path))
    finally:
        if elsewhere is not None:
            elsewhere.rename(table)
    assert ", complete), standardised: the same bits as" in said
    with np.load(path) as found:
        assert found["features"].tolist() == ["area", "ph"]
        assert ("label_names" in found) == told
        if told:
            assert found["label_names"].tolist() == ["a", "b"]
        own = found["samples"] * found["scale"] + found["mean"]
    # A generator that has hardly begun stays near the mean.
    width = numbers.to_numpy().std(axis=0)
    assert (np.abs(own.mean(axis=0) - numbers.mean()) < 2 * width).all()
    assert (own.std(axis=0) < 3 * width).all()


def test_labels_of_a_table_that_is_gone_cannot_be_drawn(
    of_table: tuple[Path, Path], tmp_path: Path
) -> None:
    run, table = of_table
    trial = _id(run, "told")
    elsewhere = table.rename(tmp_path / "cells.csv")
    try:
        with pytest.raises(RunError, match=r"takes labels, .*cells.csv is no longer there"):
            sample(run, trial)
        result = CliRunner().invoke(main, ["sample", str(run), "--trial", trial])
        ganstudy.load_generator(run, trial)
    finally:
        elsewhere.rename(table)
    assert result.exit_code == 2


@pytest.mark.slow
def test_an_onnx_file_of_a_table_tells_the_same(
    of_table: tuple[Path, Path], tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnxscript", reason="the extra `onnx` is not installed")
    run, _ = of_table
    trial = _id(run, "told")
    words = write_onnx(run, tmp_path / "own.onnx", trial)
    assert words.endswith("to samples, batch x 2, standardised")
    (held,) = onnx.load(tmp_path / "own.onnx").metadata_props
    about, legend = json.loads(held.value), sample(run, trial).legend
    assert {name: about[name] for name in legend} == {n: a.tolist() for n, a in legend.items()}
    assert set(legend) == {"features", "mean", "scale", "label_names"}


def test_points_in_the_plane(run: Path, tmp_path: Path) -> None:
    """As a scatter over the target; what cannot be drawn, or written, is refused."""
    path = tmp_path / "points.png"
    _verb(str(run), "--trial", _id(run, "plain"), "--to", str(path))
    with Pillow.open(io.BytesIO(path.read_bytes())) as picture:
        assert min(picture.size) > 400
        assert len(picture.convert("RGB").getcolors(10**6) or ()) > 5
    result = CliRunner().invoke(main, ["sample", str(run), "--to", str(tmp_path / "points.gif")])
    assert result.exit_code == 2
    assert ".npz or .png" in result.output


@pytest.mark.slow
@needs_portable
def test_the_portable_program_has_its_bits_in_a_process_of_its_own(tmp_path: Path) -> None:
    """This one was not started for it: means and roots of a batch, exponentials, convolutions."""
    cases = ("running", "labels", "dcgan")
    left_out = "|".join(case for case in CASES if case not in cases)
    text = re.sub(rf"      ({left_out}):.*\n", "", STUDY)
    study = load(write_study(tmp_path, text), ["engine.program=portable", "seeds=1"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "report", gather)
        pipeline.run(study, tmp_path / "run", workers=1)
    for case in cases:
        found = sample(tmp_path / "run", _id(tmp_path / "run", case), 9)
        assert found.words.endswith("the same bits as the stored ones")
