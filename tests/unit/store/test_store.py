"""The store: records on disk, what is missing, and the gathered dataset."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from stored import STEPS, made_up
from tiny import STUDY, differences, write_study

from ganstudy import existing, open_run
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, RunError, gather, records
from ganstudy.study import load

TEXT = STUDY.replace(
    "seeds: 2", "  exclude: [{divergence: wasserstein, critic.steps: 1}]\nseeds: [5, 3]"
)


def gathered(directory: RunDirectory, plan: Grid) -> xr.Dataset:
    """The dataset of a plan that has been told what is recorded."""
    plan.tell(directory.read())
    return gather(directory, plan)


@pytest.fixture
def run(tmp_path: Path) -> tuple[RunDirectory, Grid]:
    """A run of six planned trials: complete, diverged, failed, and three missing."""
    study = load(write_study(tmp_path, TEXT))
    plan = Grid(study)
    directory = RunDirectory(tmp_path / "run")
    with directory.locked():
        directory.write_study(Grid(study))
        by_index = plan.trials
        directory.write([made_up(by_index[0, 0, 0]), made_up(by_index[0, 0, 1], "diverged")])
        directory.write([made_up(by_index[0, 1, 0], "failed")])
        directory.write_session({"seconds": 1.0}, "tiny")
    return directory, plan


def test_records_survive_the_disk(run: tuple[RunDirectory, Grid]) -> None:
    """What is read is what was written, bit for bit, failures and empty curves included."""
    directory, plan = run
    written = {
        r.id: r
        for r in (
            made_up(plan.trials[0, 0, 0]),
            made_up(plan.trials[0, 0, 1], "diverged"),
            made_up(plan.trials[0, 1, 0], "failed"),
        )
    }
    found = list(directory.read())
    assert {r.id for r in found} == set(written)
    for record in found:
        assert differences(record, written[record.id]) == []
        assert json.loads(record.settings)["name"] == "adversarial"
    assert directory.recorded() == {i: r.status for i, r in written.items()}


def test_each_record_file_opens_with_xarray(run: tuple[RunDirectory, Grid]) -> None:
    """netCDF, with nothing of ours needed to read it."""
    for path in (run[0].path / "records").iterdir():
        assert path.suffix == ".nc"
        with xr.open_dataset(path) as dataset:
            assert dataset.sizes["trial"] >= 1


def test_a_crash_while_writing_leaves_no_record(
    run: tuple[RunDirectory, Grid], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a file never bears the name of a record, and what was there stays."""
    directory, plan = run
    before = directory.recorded()

    def crash(file: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", crash)
        for own in (plan.trials[0, 1, 1], plan.trials[0, 1, 0]):
            with pytest.raises(KeyboardInterrupt):
                directory.write([made_up(own)])
    assert directory.recorded() == before
    directory.write([made_up(plan.trials[0, 1, 1])])
    assert len(directory.recorded()) == len(before) + 1


def test_forget_drops_the_records_of_some_trials_only(run: tuple[RunDirectory, Grid]) -> None:
    """One alone, then one out of a pack whose other record stays as it is."""
    directory, plan = run
    complete, diverged = plan.trials[0, 0, 0].id, plan.trials[0, 0, 1].id
    (failed,) = directory.recorded().keys() - {complete, diverged}
    directory.forget({failed})
    assert directory.recorded() == {complete: "complete", diverged: "diverged"}
    directory.forget({diverged, failed})
    assert directory.recorded() == {complete: "complete"}
    (record,) = directory.read()
    assert differences(record, made_up(plan.trials[0, 0, 0])) == []
    directory.forget({complete})
    assert directory.recorded() == {}


def test_of_two_records_of_a_trial_that_counts_which_says_more(
    run: tuple[RunDirectory, Grid],
) -> None:
    """As a kill may leave them while one takes the place of the other, whichever file is last."""
    directory, plan = run
    trials = {own.id: own for own in plan.trials.values()}
    directory.forget(trials)
    for own, beside in itertools.pairwise([*trials.values(), plan.trials[0, 0, 0]]):
        directory.write([made_up(own), made_up(beside, "failed")])
    assert directory.recorded() == dict.fromkeys(trials, "complete")
    found = list(directory.read())
    assert len(found) == len(trials)
    for record in found:
        assert differences(record, made_up(trials[record.id])) == []
    assert len(list(directory.read(trials={found[0].id, found[1].id}))) == 2


@pytest.mark.parametrize("what", ["index", "read"])
def test_what_is_replaced_while_it_is_read_is_there(
    run: tuple[RunDirectory, Grid],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    """By a retry beside `status`, `export` and pages: whole records were told to be damaged."""
    directory, plan = run
    trials = [plan.trials[0, 0, number] for number in (0, 1)]
    plainly, before = getattr(records, what), directory.recorded()
    reader, replaced = RunDirectory(directory.path), list[Path]()

    def while_it_is_replaced(path: Path, *arguments: Any) -> Any:
        if len(replaced) < 2:
            replaced.append(path)
            anew = [dataclasses.replace(made_up(own), seconds=len(replaced)) for own in trials]
            with monkeypatch.context() as patch:
                patch.setattr(records, what, plainly)
                directory.write(anew, {own.id for own in trials})
        return plainly(path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(records, what, while_it_is_replaced)
        found = {own.id: own.seconds for own in reader.read()}
    assert found.keys() == before.keys()
    assert {found[own.id] for own in trials} == {2.0}
    assert len(replaced) == 2
    assert not caplog.records


@pytest.mark.slow
@pytest.mark.parametrize("what", ["index", "read"])
def test_a_run_is_whole_however_many_files_are_replaced_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """Trials that have failed have a file each, and one pack of a retry replaces many."""
    trials = [*Grid(load(write_study(tmp_path, TEXT), ["seeds=20"])).trials.values()]
    directory, plainly, asked = RunDirectory(tmp_path / "run"), getattr(records, what), [0]
    directory.records.mkdir(parents=True)
    failed = {records.write([made_up(own, "failed")], directory.records): own for own in trials}

    def while_others_are_replaced(path: Path, *arguments: Any) -> Any:
        asked[0] += 1
        ahead = min((own for own in failed if own > path), default=path)
        if ahead != path and asked[0] % 4 == 0:
            records.write([made_up(failed.pop(ahead))], directory.records)
            ahead.unlink()
        return plainly(path, *arguments)

    monkeypatch.setattr(records, what, while_others_are_replaced)
    found = [own.id for own in directory.read()]
    assert sorted(found) == sorted(own.id for own in trials)
    assert len(trials) == 60
    assert len(failed) < 50
    assert not caplog.records


@pytest.mark.parametrize("damage", ["cut", "emptied", "one bit"])
def test_a_damaged_record_is_named_and_missing(
    run: tuple[RunDirectory, Grid], caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    """Cut short, emptied, or one bit of it flipped: its trials are missing, and no others."""
    directory, plan = run
    (path,) = (p for p in directory.records.glob("*.nc") if len(records.index(p)) == 2)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[-300:]
    elif damage == "emptied":
        content.clear()
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(content)
    left = {plan.trials[0, 1, 0].id: "failed"}
    assert directory.recorded() == left
    assert path.name in caplog.text
    assert [record.id for record in directory.read()] == list(left)
    assert set(np.unique(gathered(directory, plan)["status"])) == {"missing", "failed", "excluded"}
    (aside,) = directory.set_damaged_aside()
    assert aside.read_bytes() == content
    assert directory.recorded() == left
    assert directory.set_damaged_aside() == []


def test_a_pack_of_different_metrics_survives_the_disk(tmp_path: Path) -> None:
    """Trials of one pack may record different curves; none gains one by being stored."""
    text = STUDY.replace("record:", "divergence: minimax\n  record:").replace(
        "divergence: [minimax, wasserstein]",
        "record.metrics: [[modes_covered, mode_kl], [modes_covered, high_quality]]",
    )
    plan = Grid(load(write_study(tmp_path, text)))
    pack = [made_up(plan.trials[0, 0, 0]), made_up(plan.trials[1, 0, 0])]
    found = list(records.read(records.write(pack, tmp_path)))
    for record, original in zip(found, pack, strict=True):
        kept = {k: v for k, v in record.values.items() if not np.isnan(v).all()}
        assert differences(dataclasses.replace(record, values=kept), original) == []


def test_dataset_has_a_dimension_for_each_axis(run: tuple[RunDirectory, Grid]) -> None:
    """Dimensions, coordinates and attributes as DESIGN.md section 6 promises."""
    directory, plan = run
    dataset = gathered(directory, plan)
    assert dataset["status"].dims == ("divergence", "critic_steps", "seed")
    assert dataset["generator_loss"].dims == ("divergence", "critic_steps", "seed", "step")
    assert dataset["samples"].dims[-2:] == ("sample", "feature")
    assert dataset["divergence"].values.tolist() == ["minimax", "wasserstein"]
    assert dataset["critic_steps"].values.tolist() == [1, 2]
    assert dataset["seed"].values.tolist() == [5, 3]
    assert dataset["step"].values.tolist() == STEPS.tolist()
    assert dataset.attrs["compare"] == "divergence"
    assert dataset.attrs["score"] == "modes_covered"
    assert dataset.attrs["question"] == "Which divergence keeps all modes?"
    assert list(dataset.attrs["axes"]) == ["divergence", "critic_steps"]
    assert json.loads(str(dataset["target_settings"].item()))["modes"] == 4
    for name, variable in dataset.variables.items():
        if name not in ("sample", "feature", "seed"):
            assert variable.attrs["long_name"], name
    metrics = [n for n, v in dataset.data_vars.items() if v.attrs.get("role") == "metric"]
    assert sorted(map(str, metrics)) == ["high_quality", "mode_kl", "modes_covered"]
    for name in metrics:
        assert dataset[name].attrs["direction"] in ("higher", "lower")
        low, high = dataset[name].attrs["bounds"]
        assert low < high


def test_status_tells_five_fates_apart(run: tuple[RunDirectory, Grid]) -> None:
    """Missing is never confused with diverged, and a gap in numbers is NaN."""
    directory, plan = run
    dataset = gathered(directory, plan)
    expected = {
        ("minimax", 1, 5): "complete",
        ("minimax", 1, 3): "diverged",
        ("minimax", 2, 5): "failed",
        ("minimax", 2, 3): "missing",
        ("wasserstein", 1, 5): "excluded",
        ("wasserstein", 1, 3): "excluded",
        ("wasserstein", 2, 5): "missing",
        ("wasserstein", 2, 3): "missing",
    }
    for (divergence, critic_steps, seed), status in expected.items():
        point = dataset.sel(divergence=divergence, critic_steps=critic_steps, seed=seed)
        assert str(point["status"].item()) == status
        finite = np.isfinite(point["mode_kl"].to_numpy())
        share = {"complete": 1.0, "diverged": 1 / 3}.get(status, 0.0)
        assert finite.mean() == pytest.approx(share)
        assert bool(np.isfinite(point["diverged_at"])) == (status == "diverged")
        assert bool(np.isfinite(point["samples"]).all()) == (status in ("complete", "diverged"))
    found = existing.status(directory.path)
    assert found["status"] == {"complete": 1, "diverged": 1, "failed": 1, "missing": 3}
    (failure,) = found["failures"]
    assert (failure["trial"], failure["seed"]) == (plan.trials[0, 1, 0].id, 5)
    assert failure["cause"].endswith("MemoryError: zu groß")
    assert found["running"] is None
    assert found["slowest"]["seconds"] == 0.5


def test_numbers_stand_where_they_belong(run: tuple[RunDirectory, Grid]) -> None:
    """Each record's numbers are found at its own labels."""
    directory, plan = run
    dataset = gathered(directory, plan)
    for seed, status in ((5, "complete"), (3, "diverged")):
        own = plan.trials[0, 0, [5, 3].index(seed)]
        record = made_up(own, "diverged" if status == "diverged" else "complete")
        point = dataset.sel(divergence="minimax", critic_steps=1, seed=seed)
        for name, values in record.along("step").items():
            np.testing.assert_array_equal(point[name], values)
        np.testing.assert_array_equal(point["samples"], record.values["samples"])
        assert str(point["trial_id"].item()) == own.id


def test_dataset_survives_zarr(run: tuple[RunDirectory, Grid]) -> None:
    """What `open_run` returns is what was gathered, attributes included; twice is the same."""
    directory, plan = run
    for _ in range(2):
        dataset = gathered(directory, plan)
        reopened = open_run(directory.path)
        assert list(reopened.data_vars) == list(dataset.data_vars)
        assert list(reopened.coords) == list(dataset.coords)
        for name in dataset.variables:
            left, right = dataset[name], reopened[name]
            assert left.dims == right.dims
            if left.dtype.kind == "f":
                np.testing.assert_array_equal(left.to_numpy(), right.to_numpy())
            else:
                assert left.to_numpy().tolist() == right.to_numpy().tolist()
            assert _plain(left.attrs) == _plain(right.attrs)
        assert _plain(dataset.attrs) == _plain(reopened.attrs)
        json.dumps(_plain(reopened.attrs))


def _plain(attributes: Any) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, list | tuple) else v for k, v in attributes.items()}


def test_a_run_without_records_can_be_gathered(tmp_path: Path) -> None:
    """All missing is a dataset too."""
    study = load(write_study(tmp_path, TEXT))
    directory = RunDirectory(tmp_path / "run")
    with directory.locked():
        directory.write_study(Grid(study))
    dataset = gathered(directory, Grid(study))
    assert set(np.unique(dataset["status"])) == {"missing", "excluded"}
    assert set(open_run(directory.path).variables) == set(dataset.variables)


def test_open_run_says_what_is_wrong(tmp_path: Path) -> None:
    """No directory, no run, no results: each says so."""
    with pytest.raises(RunError, match="not a run directory"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(RunError, match="not a run directory"):
        open_run(tmp_path)
    (tmp_path / "study.yaml").write_text("question: x\n")
    with pytest.raises(RunError, match="not a run directory"):
        open_run(tmp_path)
    (tmp_path / "resolved.yaml").touch()
    with pytest.raises(RunError, match="ganstudy report"):
        open_run(tmp_path)


def test_a_run_is_held_by_one_process(tmp_path: Path) -> None:
    """A second writer is turned away, and the lock is free again afterwards."""
    directory = RunDirectory(tmp_path / "run")
    other = RunDirectory(tmp_path / "run")
    with directory.locked(), pytest.raises(RunError, match="another"), other.locked():
        pass
    with directory.locked():
        pass


@pytest.mark.parametrize(
    "overrides",
    [(), ("trial.batch=8", "question=on or off?", "trial.generator.lr=5e-5")],
)
def test_the_kept_study_means_the_same(tmp_path: Path, overrides: tuple[str, ...]) -> None:
    """study.yaml of a run, overrides included, plans the same trials."""
    study = load(write_study(tmp_path, TEXT), overrides)
    directory = RunDirectory(tmp_path / "run")
    with directory.locked():
        directory.write_study(Grid(study))
        directory.write_session({"seconds": 1.0}, study.name)
    _, again = existing.reopen(directory.path)
    assert again.study.name == "tiny"
    assert again.study.file == study.file
    ids = [[t.id for t in search.trials.values()] for search in (Grid(study), again)]
    assert ids[0] == ids[1]
    assert (directory.path / "resolved.yaml").read_text().startswith("question: ")
