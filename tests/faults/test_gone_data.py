"""Records outlive the data that their trials have seen: what is told of a run needs no data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result
from inline import trained_inline
from tiny import MODULE, PICTURES, TABLE, write_study
from unrendered import pageless, unrendered

from ganstudy import metrics, open_run, session, targets
from ganstudy.cli import main
from ganstudy.report import contours
from ganstudy.store import RunDirectory, records
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.targets import unchanged
from ganstudy.whole_file import sealed, unsealed

STUDY = """\
question: What does it make of my data?
trial:
  target: {target}
  generator: {{width: 4, depth: 1}}
  critic: {{width: 4, depth: 1}}
  steps: 4
  batch: 4
  record: {{every: 2, samples: 20, generator: true, metrics: [sliced_wasserstein, vendi_score]}}
search: {{grid: {{divergence: [minimax, wasserstein]}}}}
seeds: 2
"""
TARGETS = {
    "file": "{name: file, path: my.csv, label: group}",
    "images": "{name: images, path: my.npz, label: y}",
    "stacked_images": "{name: stacked_images, path: my.npz, label: y}",
}


def invoke(*arguments: object) -> Result:
    """A verb that ends in words, whatever happens."""
    result = CliRunner().invoke(main, [str(given) for given in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def trained(study: Path) -> Path:
    """The run of a study."""
    with trained_inline(), pageless():
        assert invoke("run", study, "--workers", 1).exit_code == 0
    return Path("runs") / study.stem


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """For each target the one folder in which a study of it has been run, for tests to copy."""

    @cache
    def folder(target: str) -> Path:
        made = tmp_path_factory.mktemp(target)
        shutil.copy(TABLE, made / "my.csv")
        shutil.copy(PICTURES, made / "my.npz")
        study = write_study(made, STUDY.format(target=TARGETS[target]))
        with chdir(made):
            trained(study)
        return made

    return folder


@pytest.fixture(params=["file", "images", pytest.param("stacked_images", marks=pytest.mark.slow)])
def run(
    request: pytest.FixtureRequest,
    folders: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A run of the user's own data, which then are moved; without its dataset."""
    shutil.copytree(folders(request.param), tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name in ("my.csv", "my.npz"):
        Path(name).rename(f"moved-{name}")
    return Path("runs/tiny")


@pytest.mark.slow
def test_a_run_tells_what_it_knows_when_its_data_are_gone(
    run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All verbs but those that train were refused: no such file."""
    with open_run(run) as opened:
        before = opened.load()
    for verb in ("status", "report"):
        with unrendered():
            told = invoke(verb, run)
        assert told.exit_code == 0, told.stderr
        assert f"no longer there ({Path.cwd()}" in caplog.text
        caplog.clear()
    assert "4 complete" in invoke("status", run).stdout
    xr.testing.assert_identical(open_run(run).load(), before)
    assert "4 trials added" in invoke("export", run, "csv").stdout
    assert "64 samples of trial" in invoke("sample", run, "--to", "made.npz").stdout
    for verb in ("retry", "verify", "run"):
        refused = invoke(verb, "tiny.yaml" if verb == "run" else run)
        assert refused.exit_code == 2
        assert "no such file" in refused.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("no_page")
def test_a_run_needs_no_module_of_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that had been moved was no such file, and one that is there ended in a traceback."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODULE, "my.pt")
    seen = "{name: precision, features: {name: module, path: my.pt}}"
    text = STUDY.format(target=f"{{name: images, path: {PICTURES}}}").replace("vendi_score", seen)
    run = trained(write_study(tmp_path, text.replace("samples: 20", "samples: 40")))
    with open_run(run) as opened:
        before = opened.load()
    assert "precision_in_module_perfect" in before
    module = Path("my.pt")
    # The last of them is there, as it was, and code: it is not run by those who only read.
    for why, change in (
        ("my.pt has changed since", lambda: module.write_bytes(b"else")),
        ("my.pt is no longer there", module.unlink),
        ("my.pt is code, and only read here", lambda: shutil.copy(MODULE, module)),
    ):
        change()
        for verb in ("status", "report"):
            told = invoke(verb, run)
            assert told.exit_code == 0, told.stderr
            assert why in caplog.text
            caplog.clear()
        assert "4 complete" in invoke("status", run).stdout
        xr.testing.assert_identical(open_run(run).load(), before)
    assert "4 trials added" in invoke("export", run, "csv").stdout
    assert invoke("status", run, "--plugins").stderr == ""
    module.unlink()
    for verb in ("retry", "verify", "run"):
        refused = invoke(verb, "tiny.yaml" if verb == "run" else run)
        assert refused.exit_code == 2
        assert "yaml:8: trial.record.metrics.1.features.path: no such file" in refused.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize("run", ["images"], indirect=True)
def test_a_run_that_was_never_gathered_needs_no_data_either(
    run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its records are all that is needed, and what is known of the data if it is not damaged."""
    shutil.rmtree(run / "results.zarr")
    assert invoke("report", run).exit_code == 0
    found = open_run(run)
    assert (found.status == "complete").all()
    assert found.vendi_score.attrs["value_at_equality"] > 1
    assert "vendi_score_perfect" not in found
    known = run / "data.json"
    known.write_bytes(known.read_bytes()[:-40])
    assert "no such file" in invoke("status", run).stderr
    assert f"{known}: " in caplog.text


@pytest.mark.slow
@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize("run", ["file"], indirect=True)
def test_data_that_have_changed_take_no_trial_away(
    run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A row more made all trials missing, and `report` replaced the dataset by nothing."""
    Path("my.csv").write_text(Path("moved-my.csv").read_text() + "1,2,3,a\n")
    told = invoke("report", run)
    assert told.exit_code == 0
    assert "my.csv has changed since" in caplog.text
    assert (open_run(run).status == "complete").all()
    refused = invoke("retry", run)
    assert refused.exit_code == 2
    assert "target.sha256" in refused.stderr
    assert (open_run(run).status == "complete").all()


@pytest.mark.slow  # workers, to which the file is new
def test_data_that_change_while_a_run_trains_blame_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They failed, and with the file back nothing was trained until `retry`."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(TABLE, "my.csv")
    study = write_study(tmp_path, STUDY.format(target=TARGETS["file"]), "mine.yaml")
    before, begin = Path("my.csv").read_bytes(), session.open_executor

    def edited(*given: Any) -> Any:
        with Path("my.csv").open("a", encoding="utf-8") as file:
            file.write("170.0,70.0,60.0,a\n")
        return begin(*given)

    with pageless():
        with monkeypatch.context() as patch:
            patch.setattr("ganstudy.pipeline.open_executor", edited)
            result = invoke("run", study, "--workers", 1)
        assert result.exit_code == 2
        assert "my.csv has changed since the study was read" in result.stderr
        assert RunDirectory(Path("runs/mine")).recorded() == {}
        Path("my.csv").write_bytes(before)
        assert invoke("run", study, "--workers", 1).exit_code == 0
    assert set(RunDirectory(Path("runs/mine")).recorded().values()) == {"complete"}


@pytest.mark.slow
@pytest.mark.usefixtures("no_page")
def test_points_that_a_search_has_found_need_no_data_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are resolved again when records are told, after the study has been read: refused."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(TABLE, "my.csv")
    text = STUDY.format(target=TARGETS["file"]).replace("seeds: 2", "seeds: 1")
    space = "space: {generator.width: {low: 2, high: 30}}"
    searched = (
        f"search: {{bayes: {{trials: 2, objective: {{minimize: sliced_wasserstein}}, {space}}}}}"
    )
    text = text.replace("search: {grid: {divergence: [minimax, wasserstein]}}", searched)
    run = trained(write_study(tmp_path, text))
    Path("my.csv").rename("moved-my.csv")
    assert "2 complete" in invoke("status", run).stdout
    assert invoke("report", run).exit_code == 0
    Path("moved-my.csv").rename("my.csv")
    monkeypatch.setattr(metrics.family["vendi_score"], "fewest", lambda *given: 50)
    assert "2 complete" in invoke("status", run).stdout


@pytest.mark.slow
@pytest.mark.usefixtures("no_page")
def test_a_search_over_data_needs_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Outlines were those of the first value of every parameter: other files were missed."""
    monkeypatch.chdir(tmp_path)
    for name in ("my.csv", "other.csv"):
        shutil.copy(TABLE, name)
    space = "{target.path: [my.csv, other.csv], target.held_out_share: {low: 0.2, high: 0.5}}"
    searched = f"{{trials: 3, objective: {{minimize: sliced_wasserstein}}, space: {space}}}"
    text = STUDY.format(target=TARGETS["file"]).replace("seeds: 2", "seeds: 1")
    text = text.replace("grid: {divergence: [minimax, wasserstein]}", f"bayes: {searched}")
    run = trained(write_study(tmp_path, text))
    for name in ("my.csv", "other.csv"):
        Path(name).rename(f"moved-{name}")
    assert "3 complete" in invoke("status", run).stdout
    assert "other.csv is no longer there" in caplog.text
    assert invoke("report", run).exit_code == 0
    assert (open_run(run).status == "complete").all()
    # Where an outline is missing all the same, the mistake has a place: it was an `OSError`.
    with pytest.raises(ValueError, match=r"my.csv: cannot be read: No such file"):
        targets.check_content("my.csv", "")


@pytest.mark.parametrize("run", ["file"], indirect=True)
def test_what_a_run_knows_of_its_data_stands_for_no_other_study(run: Path) -> None:
    """In one notebook: trials were planned on data that were gone, or had come back, and failed."""
    config = str(open_run(run)["target_settings"].item())
    digest = unchanged("moved-my.csv", None)
    known = f"{{name: file, path: my.csv, label: group, sha256: {digest}}}"
    study = write_study(Path(), STUDY.format(target=known), "known.yaml")
    with pytest.raises(StudyError, match="no such file"):
        load(study)
    Path("my.csv").write_text(Path("moved-my.csv").read_text() + "1,2,3,a\n")
    load(Path("tiny.yaml"))
    assert not contours.in_a_plane(config)
    assert "no longer there" in contours.gone(config)
    Path("moved-my.csv").rename("my.csv")
    target = targets.family.from_config(json.loads(config))
    load(study)
    assert target.gone == contours.gone(config) == ""
    assert contours.in_a_plane(config)


@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize("run", ["file"], indirect=True)
def test_a_report_of_another_study_is_refused(run: Path) -> None:
    """An edited study.yaml that plans none of the records emptied the dataset, too."""
    Path("moved-my.csv").rename("my.csv")
    study = run / "study.yaml"
    study.write_text(study.read_text().replace("steps: 4", "steps: 6"))
    for verb in ("report", "status", "retry"):
        refused = invoke(verb, run)
        assert refused.exit_code == 2
        assert "steps: 4 there, 6 asked" in refused.stderr
    assert (open_run(run).status == "complete").all()


@pytest.mark.slow
@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize("run", ["images"], indirect=True)
@pytest.mark.parametrize("outlined", [True, False])
def test_data_that_are_read_otherwise_are_not_mixed(run: Path, outlined: bool) -> None:
    """Of grey images that had been read as colours, more seeds were trained on one channel."""
    Path("moved-my.npz").rename("my.npz")
    known = run / "data.json"
    if outlined:
        said = unsealed(known.read_bytes())
        said["data"][0] |= {"dimension": 192, "image": [3, 8, 8]}
        known.write_bytes(sealed(said))
        told = invoke("report", run)
        assert told.exit_code == 0, told.stderr
    else:
        known.unlink()
        directory = RunDirectory(run)
        for path in directory.records.iterdir():
            found = [
                replace(own, values={**own.values, "samples": np.zeros((20, 192), np.float32)})
                for own in records.read(path)
            ]
            path.unlink()
            directory.write(found)
        assert "as 192 numbers a row" in invoke("report", run).stderr
    before = open_run(run).load()
    refused = invoke("run", "tiny.yaml", "seeds=3")
    assert refused.exit_code == 2
    for words in ("my.npz", "of 3 x 8 x 8" if outlined else "192 numbers", "--fresh"):
        assert words in refused.stderr
    xr.testing.assert_identical(open_run(run).load(), before)


@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize("run", ["file"], indirect=True)
def test_metrics_that_are_no_longer_measured_so_are_read(
    run: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Runs whose metrics had too few held-out rows were refused as a whole."""
    Path("moved-my.csv").rename("my.csv")
    vendi = metrics.family["vendi_score"]
    monkeypatch.setattr(vendi, "fewest", lambda *given: 50)
    told = invoke("report", run)
    assert told.exit_code == 0, told.stderr
    assert "needs 50 samples of file (got 20): what is recorded of it tells little" in caplog.text
    refused = invoke("run", "tiny.yaml", "seeds=3")
    assert (refused.exit_code, "needs 50 samples" in refused.stderr) == (2, True)
