"""A run directory is made or recognised, and each of its files is whole, or made again, or said."""

from __future__ import annotations

import errno
import functools
import json
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result
from filled import filled
from tiny import STUDY, write_study

from ganstudy import open_run
from ganstudy.asked import asked_study
from ganstudy.cli import main
from ganstudy.search.grid import Grid
from ganstudy.store import RunDirectory, RunError, digests, runs_at
from ganstudy.store.gathering import on_disk
from ganstudy.store.place import FILES, FOLDERS, is_run
from ganstudy.study import load
from ganstudy.whole_file import sealed

pytestmark = pytest.mark.usefixtures("no_page")

SMALL = STUDY.replace("[minimax, wasserstein]", "[minimax]").replace("[1, 2]", "[1]")


def invoke(*arguments: object) -> Result:
    """A verb that ends in words, whatever happens."""
    result = CliRunner().invoke(main, [str(given) for given in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- made or recognised --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["study.yaml", "notes.txt", "records/mine.csv", ".git/config"])
@pytest.mark.parametrize("fresh", [[], ["--fresh"]])
def test_a_folder_of_somebody_else_is_left_alone(
    tmp_path: Path, name: str, fresh: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--out .` beside one's own study overwrote it, and `--fresh` renamed the folder away."""
    (tmp_path / "mine" / name).parent.mkdir(parents=True)
    (tmp_path / "mine" / name).write_text(SMALL)
    study = write_study(tmp_path, SMALL)
    monkeypatch.chdir(tmp_path / "mine")
    before = contents(tmp_path)
    for out in (".", tmp_path / "mine", "../mine"):
        result = invoke("run", study, "--out", out, *fresh)
        assert result.exit_code == 2
        assert "is no run" in result.stderr
        assert name.split("/")[0] in result.stderr
    for verb in ("report", "status", "retry"):
        assert "not a run directory" in invoke(verb, tmp_path / "mine").stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "name", ["checkpoints/best.checkpoint", "resolved.yaml", "data.json", "heartbeat.json"]
)
def test_a_run_that_has_only_begun_is_known_by_its_seals(tmp_path: Path, name: str) -> None:
    """By their names alone a model, settings and notes of one's own were taken for a run's."""
    study, out = write_study(tmp_path, SMALL), tmp_path / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("mine: 1\n")
    before = contents(out)
    result = invoke("run", study, "--out", out, "--workers", 1)
    assert (result.exit_code, contents(out)) == (2, before)
    assert f"holds somebody else's files ({name.split('/')[0]})" in result.stderr


def test_settings_of_that_name_beside_a_study_make_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were replaced, and a page and notes of the machine with them."""
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "mine"
    own.mkdir()
    write_study(own, SMALL, "study.yaml")
    for name in ("resolved.yaml", "environment.json", "report/index.html"):
        (own / name).parent.mkdir(exist_ok=True)
        (own / name).write_text("mine: 1\n")
    before = contents(own)
    for verb in (["report"], ["run", write_study(tmp_path, SMALL), "--workers", 1, "--out"]):
        result = invoke(*verb, own)
        assert (result.exit_code, contents(own)) == (2, before)
        assert re.search("is no run, .*environment.json|not a run directory", result.stderr)
    _, place = asked_study(own / "study.yaml", (), None)
    assert place == Path("runs/study")
    (own / "environment.json").write_text("")
    assert not is_run(own)


@pytest.mark.parametrize("lost", ["resolved.yaml", "study.yaml"])
def test_a_run_that_has_only_begun_is_taken_up(tmp_path: Path, lost: str) -> None:
    """What it has written by then is its own, and so is what it was just writing."""
    run = RunDirectory(tmp_path / "out")
    with run.locked():
        run.write_study(Grid(load(write_study(tmp_path, SMALL))))
        run.write_heartbeat({"doing": "starting"})
    run.checkpoints.mkdir()
    begun = sealed({"trials": [], "step": 1, "identity": {}, "state": ""}) + b"\0\xff"
    (run.checkpoints / f"{1:016x}.checkpoint").write_bytes(begun)
    (run.path / ".data.json.17.partial").touch()
    run.study.unlink()
    (run.path / lost).unlink(missing_ok=True)
    with run.locked():
        assert (run.checkpoints / f"{1:016x}.checkpoint").is_file()
        assert not list(run.path.glob("*.partial"))


def test_a_run_whose_records_are_elsewhere_is_no_study_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk of its records was away, all was trained again, in runs/study."""
    monkeypatch.chdir(tmp_path)
    filled(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "records")
    (tmp_path / "run" / "records").symlink_to(tmp_path / "unmounted")
    for verb in (["status", "run"], ["run", "run/study.yaml", "--workers", 1]):
        result = invoke(*verb)
        assert result.exit_code == 2
        assert "run/records: is a link that leads nowhere, where a run has a" in result.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("named", ["tiny", "tiny.yaml", "runs/tinny"])
def test_a_run_that_is_not_there_may_be_in_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """By the name of its study, as those who read `ganstudy run tiny.yaml` may guess."""
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path, SMALL)
    filled(tmp_path / "runs" / "tiny")
    for verb in ("status", "report"):
        said = invoke(verb, named)
        assert said.exit_code == 2
        assert "did you mean runs/tiny?" in said.stderr


@pytest.mark.parametrize("place", ["file", "file/below", "link"])
def test_a_file_is_no_folder(tmp_path: Path, place: str) -> None:
    study = write_study(tmp_path, SMALL)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for fresh in ([], ["--fresh"]):
        result = invoke("run", study, "--out", tmp_path / place, *fresh)
        assert result.exit_code == 2
        assert "cannot hold a run" in result.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_a_link_to_a_run_stays_when_the_run_is_set_aside(tmp_path: Path) -> None:
    """The link was renamed, and the new run filled the disk that it led away from."""
    run, link = tmp_path / "scratch" / "run", tmp_path / "link"
    filled(run)
    link.symlink_to(run)
    aside = RunDirectory(link).set_aside()
    assert aside == run.with_name("run.aside-1")
    assert RunDirectory(aside).recorded()
    assert link.resolve() == run
    assert not any(run.iterdir())


def test_a_run_named_like_another_is_not_one_that_was_set_aside(tmp_path: Path) -> None:
    """`v1.1` beside `v1` was left out of all that was told of a folder, without a word."""
    for name in ("v1", "v1.1"):
        filled(tmp_path / "runs" / name)
    aside = RunDirectory(tmp_path / "runs" / "v1").set_aside()
    filled(tmp_path / "runs" / "v1")
    assert runs_at(tmp_path / "runs") == [tmp_path / "runs" / name for name in ("v1", "v1.1")]
    assert runs_at(aside) == [aside]


@pytest.mark.skipif(sys.platform != "linux", reason="a name there is text, or is refused")
def test_a_name_that_is_no_text_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    """An old archive has names in Latin-1; all was trained, and the page died of them."""
    study = write_study(tmp_path, SMALL).rename(tmp_path / "study\udcfc.yaml")
    assert load(study).name == r"study\udcfc"
    out = tmp_path / "run\udcfc"
    result = invoke("run", study, "--out", out)
    assert result.exit_code == 2
    assert r"run\udcfc: is no text in utf-8" in result.stderr
    assert not out.exists()
    filled(tmp_path / "run")
    (tmp_path / "run").rename(out)
    assert invoke("status", out).exit_code == 0
    for asked in (["report", out], ["export", out, "csv"]):
        result = invoke(*asked)
        assert result.exit_code == 2
        assert "is no text" in result.stderr


@pytest.mark.parametrize(
    "made",
    [
        [],
        ["records"],
        [".lock", "records", "heartbeat.json"],
        [".lock", "records", "heartbeat.json", "resolved.yaml", "data.json"],
    ],
)
def test_an_empty_folder_and_one_that_has_only_begun_are_filled(
    tmp_path: Path, made: list[str]
) -> None:
    """A run that was killed at its very start can be started again."""
    (tmp_path / "run").mkdir()
    for name in made:
        (tmp_path / "run" / name).touch() if "." in name else (tmp_path / "run" / name).mkdir()
    filled(tmp_path / "run")
    assert open_run(tmp_path / "run").sizes["seed"] == 2


@pytest.mark.parametrize("out", [".", "../run"])
def test_the_current_folder_is_not_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    filled(tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    result = invoke("run", tmp_path / "tiny.yaml", "--out", out, "--fresh")
    assert result.exit_code == 2
    assert "current folder" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "tiny.yaml"]


def test_a_comparison_takes_no_folder_of_somebody_else(tmp_path: Path) -> None:
    """Its report would have replaced theirs."""
    for name in ("a", "b"):
        filled(tmp_path / name / "run")
    (tmp_path / "mine" / "report").mkdir(parents=True)
    (tmp_path / "mine" / "thesis.tex").write_text("mine")
    before = contents(tmp_path / "mine")
    result = invoke("compare", tmp_path / "a/run", tmp_path / "b/run", "--out", tmp_path / "mine")
    assert result.exit_code == 2
    assert contents(tmp_path / "mine") == before


@pytest.mark.parametrize("name", [*FOLDERS, *FILES])
def test_a_file_for_a_folder_or_the_reverse_is_said(tmp_path: Path, name: str) -> None:
    out = tmp_path / "run"
    filled(out)
    path = out / name
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.mkdir() if name in FILES else path.touch()
    for arguments in (
        ["run", tmp_path / "tiny.yaml", "--out", out],
        ["report", out],
        ["status", out],
        ["retry", out],
    ):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert str(path) in result.stderr or "not a run directory" in result.stderr


@pytest.mark.parametrize("where", ["existing.open_runs", "existing.check_new"])
def test_a_file_that_is_not_ours_to_read_or_write_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """By verbs that hold no run, too."""
    for name in ("a", "b"):
        filled(tmp_path / name / "run")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "theirs"))

    target = "analysis.open_runs" if where == "existing.open_runs" else where
    monkeypatch.setattr(f"ganstudy.{target}", refuse)
    result = invoke("compare", tmp_path / "a/run", tmp_path / "b/run", "--out", tmp_path / "c")
    assert result.exit_code == 2
    assert f"{tmp_path / 'theirs'}: Permission denied" in result.stderr


def test_records_that_are_not_ours_to_see_are_not_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder in which nothing may be looked up seemed empty: all of a run's trials, missing."""
    filled(tmp_path / "run")
    seen = {name: getattr(os, name) for name in ("scandir", "listdir")}

    def look(name: str, path: Any = ".") -> Any:
        if Path(path).name == "records":
            raise PermissionError(13, "Permission denied", str(path))
        return seen[name](path)

    for name in seen:
        monkeypatch.setattr(os, name, functools.partial(look, name))
    result = invoke("status", tmp_path / "run")
    assert result.exit_code == 2
    assert f"{tmp_path / 'run' / 'records'}: Permission denied" in result.stderr


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ETIMEDOUT, errno.ESTALE])
@pytest.mark.parametrize("name", ["records/*.nc", "environment.json", "data.json", "resolved.yaml"])
def test_a_file_that_cannot_be_read_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    """It was set aside, and its trials were trained again; what was known of data was forgotten."""
    out, said = tmp_path / "run", os.strerror(number)
    filled(out)
    if name == "data.json":
        (out / name).write_bytes(sealed({"data": [], "modules": [], "metrics": []}, indent=1))
    before, theirs = contents(out), next(out.glob(name))
    ways = {way: getattr(Path, way) for way in ("read_bytes", "open")}

    def look(way: str, path: Path, *how: Any, **options: Any) -> Any:
        if path == theirs:
            raise OSError(number, said, str(path))
        return ways[way](path, *how, **options)

    for way in ways:
        monkeypatch.setattr(Path, way, functools.partialmethod(functools.partial(look, way)))
    for verb in (["status", out], ["report", out], ["run", tmp_path / "tiny.yaml", "--out", out]):
        result = invoke(*verb)
        assert (result.exit_code, said in result.stderr) == (2, True), verb
        assert str(theirs) in result.stderr
        assert "damaged" not in result.stderr
    assert "Mend that and run the same command to continue" in result.stderr
    monkeypatch.undo()
    after = contents(out)
    assert {key: after[key] for key in before} == before
    assert not (out / "damaged").exists()


def test_a_record_that_another_host_replaces_is_read_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk of a network what is open goes with its file: it counted as damaged."""
    filled(tmp_path / "run")
    (theirs,) = (tmp_path / "run" / "records").glob("*.nc")
    way, tried = Path.open, list[Path]()

    def stale_at_first(path: Path, *how: Any, **options: Any) -> Any:
        tried.append(path)
        if path == theirs and tried.count(path) == 1:
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return way(path, *how, **options)

    monkeypatch.setattr(Path, "open", stale_at_first)
    assert len(RunDirectory(tmp_path / "run").entries()) == 8
    assert tried.count(theirs) == 2


def test_a_dataset_that_cannot_be_read_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counted as damaged, as one that holds no trials whose records have gone."""
    out = tmp_path / "run"
    filled(out)
    next((out / "records").glob("*.nc")).unlink()
    before, way = contents(out / "results.zarr"), Path.open

    def look(path: Path, *how: Any, **options: Any) -> Any:
        if path.name == "digests.json":
            raise OSError(errno.EIO, "Input/output error", str(path))
        return way(path, *how, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", look)
        assert "Input/output error" in invoke("report", out).stderr
        with pytest.raises(OSError, match="Input/output error"):
            open_run(out)
    assert contents(out / "results.zarr") == before


def test_what_stands_in_the_way_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock of somebody else's in a folder of ours, and a dataset that could not be removed."""
    out = tmp_path / "run"
    filled(out)
    (out / "results.zarr.ganstudy-old").mkdir()
    (out / "results.zarr.ganstudy-old" / "theirs").touch()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        assert f"-> {out / 'results.zarr.ganstudy-old'}" in invoke("report", out).stderr
    assert not invoke("report", out).exit_code
    (out / ".lock").unlink(missing_ok=True)
    (out / ".lock").mkdir()
    assert f"{out / '.lock'}" in invoke("report", out).stderr


def test_a_dataset_is_where_a_link_leads(tmp_path: Path) -> None:
    """It was written on the run's own disk, and the next one met the link that had been moved."""
    results, there = tmp_path / "run" / "results.zarr", tmp_path / "scratch" / "data.1"
    filled(tmp_path / "run")
    there.parent.mkdir()
    (there.parent / "data.old").mkdir()
    results.rename(there)
    results.symlink_to(there)
    for _ in range(2):
        (there / "mark").touch()
        assert invoke("report", tmp_path / "run").exit_code == 0
        assert not (there / "mark").exists()
    assert results.is_symlink()
    assert sorted(own.name for own in there.parent.iterdir()) == ["data.1", "data.old"]
    assert open_run(tmp_path / "run").sizes["seed"] == 2


# --- nothing is lost -----------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["all", "folder", "one"])
def test_a_dataset_is_not_replaced_by_one_of_less(tmp_path: Path, gone: str) -> None:
    """A report on records that have gone would keep nothing of them."""
    out = tmp_path / "run"
    search = filled(out)
    run = RunDirectory(out)
    if gone == "one":
        run.forget({next(iter(search.trials.values())).id})
    else:
        shutil.rmtree(run.records)
    if gone == "all":
        run.records.mkdir()
    before = contents(run.results)
    for verb in ("report", "retry"):
        result = invoke(verb, out)
        assert result.exit_code == 2
        assert f"{1 if gone == 'one' else 8} trials" in result.stderr
        assert "remove results.zarr" in result.stderr
    assert contents(run.results) == before
    assert set(open_run(out)["status"].to_numpy().ravel()) == {"complete"}
    shutil.rmtree(run.results)
    assert invoke("report", out).exit_code == 0
    assert "missing" in open_run(out)["status"].to_numpy()


def test_a_study_that_shrinks_loses_nothing(tmp_path: Path) -> None:
    """The records of what it no longer asks are there, and the dataset has a reason to be less."""
    filled(tmp_path / "run")
    arguments = ["run", write_study(tmp_path, SMALL), "--out", tmp_path / "run"]
    assert invoke(*arguments).exit_code == 0
    assert open_run(tmp_path / "run")["status"].size == 2
    assert invoke("report", tmp_path / "run").exit_code == 0


# --- each file is as it was written --------------------------------------------------------------

Damage = Callable[[Path], None]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    """One bit of the first digit or letter of the second half."""
    content = bytearray(path.read_bytes())
    half = range(len(content) // 2, len(content))
    content[next((i for i in half if chr(content[i]).isalnum()), half[0])] ^= 1
    path.write_bytes(bytes(content))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """What is in the dataset of a run that nobody has damaged."""
    out = tmp_path_factory.mktemp("whole") / "run"
    filled(out)
    return open_run(out).load()


@pytest.mark.parametrize("damage", [cut, emptied, flipped, Path.unlink])
@pytest.mark.parametrize(
    "name", ["modes_covered/0.0.0.0", ".zmetadata", "seed/0", "digests.json", "samples/.zarray"]
)
def test_a_damaged_dataset_is_gathered_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, whole: xr.Dataset, name: str, damage: Damage
) -> None:
    out = tmp_path / "run"
    filled(out)
    damage(next(out.glob(f"results.zarr/{name}*")))
    assert open_run(out).load().identical(whole)
    assert "gathered from the records again" in caplog.text
    caplog.clear()
    assert open_run(out).load().identical(whole)
    assert not caplog.records


def test_a_damaged_dataset_without_records_is_no_dataset(tmp_path: Path) -> None:
    out = tmp_path / "run"
    filled(out)
    shutil.rmtree(out / "records")
    flipped(next(out.glob("results.zarr/modes_covered/0*")))
    with pytest.raises(RunError, match="its records are gone"):
        open_run(out)


def test_a_damaged_dataset_is_not_gathered_by_another_study(tmp_path: Path) -> None:
    """In its place was one of trials that are all missing."""
    out = tmp_path / "run"
    filled(out)
    flipped(next(out.glob("results.zarr/modes_covered/0*")))
    (out / "study.yaml").write_text(STUDY.replace("steps: 6", "steps: 16"))
    before = contents(out)
    with pytest.raises(RunError, match=r"with no trial of this one(?s:.*)Put study.yaml"):
        open_run(out)
    assert contents(out) == before


@pytest.mark.parametrize("why", [errno.EACCES, errno.EROFS])
def test_many_records_of_a_run_that_is_only_read_are_gathered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    """Bulky values wait on a disk for the others: on that of the machine, then."""

    def refused(dir: Path | None = None) -> Any:
        if dir == tmp_path:
            raise OSError(why, os.strerror(why), str(dir))
        return TemporaryFile(dir=dir)

    monkeypatch.setattr("ganstudy.store.gathering.TemporaryFile", refused)
    values = on_disk(tmp_path)((2, 3), np.dtype(np.float32))
    values[1] = 7
    np.testing.assert_array_equal(values, [3 * [np.nan], 3 * [7]])


def test_a_dataset_is_gathered_in_memory_while_the_run_is_held(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "run"
    filled(out)
    whole = open_run(out).load()
    flipped(next(out.glob("results.zarr/modes_covered/0*")))
    before = contents(out / "results.zarr")
    with RunDirectory(out).locked():
        assert open_run(out).load().identical(whole)
    assert contents(out / "results.zarr") == before
    assert "not kept" in caplog.text


@pytest.mark.parametrize("large", [False, True])
def test_what_was_opened_before_is_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """The same values when they were gathered again; words, and not NaN, when others were."""
    monkeypatch.setattr(digests, "CHECKED_ON_OPEN", 0 if large else 2**30)
    out = tmp_path / "run"
    filled(out)
    lazy, whole = open_run(out), open_run(out).load()
    assert invoke("report", out).exit_code == 0
    xr.testing.assert_identical(lazy["modes_covered"].load(), whole["modes_covered"])
    lazy = open_run(out)
    assert invoke("run", write_study(tmp_path, SMALL), "--out", out).exit_code == 0
    with pytest.raises(RunError, match="open it again"):
        lazy["samples"].load()
    lazy = open_run(out)
    flipped(next(out.glob("results.zarr/samples/0*")))
    with pytest.raises(RunError, match="open it again"):
        lazy["samples"].load()
    shutil.rmtree(out / "results.zarr")
    with pytest.raises(RunError, match="open it again"):
        lazy["modes_covered"].load()


@pytest.mark.parametrize("damage", [cut, emptied, flipped, Path.unlink])
def test_a_damaged_meaning_is_told_from_the_study(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Damage
) -> None:
    """resolved.yaml says how runs differ, and is written again by the next `run`."""
    out = tmp_path / "run"
    filled(out)
    whole = RunDirectory(out).asked.read_resolved()
    text = (out / "resolved.yaml").read_bytes()
    damage(out / "resolved.yaml")
    found = RunDirectory(out).asked.read_resolved()
    assert (found.seeds, found.points) == (whole.seeds, whole.points)
    assert "told from study.yaml" in caplog.text
    assert invoke("run", tmp_path / "tiny.yaml", "--out", out).exit_code == 0
    assert (out / "resolved.yaml").read_bytes() == text


def test_a_dataset_without_its_records_is_opened_though_the_meaning_is_damaged(
    tmp_path: Path,
) -> None:
    """It was no run any more, and somebody else's files."""
    out = tmp_path / "run"
    filled(out)
    whole = open_run(out).load()
    shutil.rmtree(out / "records")
    flipped(out / "resolved.yaml")
    assert invoke("status", out).exit_code == 0
    xr.testing.assert_identical(open_run(out).load(), whole)


def test_a_study_that_has_changed_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever changed it, a hand, a disk, or a run that had written the other of the two files."""
    out = tmp_path / "run"
    filled(out)
    invoke("status", out)
    assert not caplog.records
    (out / "study.yaml").write_text(STUDY.replace("modes?", "modos?"))
    for verb in ("status", "report", "retry"):
        caplog.clear()
        invoke(verb, out)
        assert "is not the one that resolved.yaml tells of" in caplog.text


@pytest.mark.parametrize("damage", [cut, emptied, flipped])
def test_a_damaged_environment_costs_itself_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Damage
) -> None:
    """It was read after all trials had been trained, and ended each run without a dataset."""
    out = tmp_path / "run"
    filled(out)
    whole = RunDirectory(out).read_environment()
    damage(out / "environment.json")
    for verb in ("status", "report"):
        assert invoke(verb, out).exit_code == 0
        assert "environment.json" in caplog.text
        caplog.clear()
    damaged = (out / "environment.json").read_bytes()
    assert invoke("run", tmp_path / "tiny.yaml", "--out", out).exit_code == 0
    (out / "environment.json").write_text("damaged again")
    RunDirectory(out).set_damaged_aside()
    kept = {own.read_bytes() for own in (out / "damaged").glob("environment-*.json")}
    assert kept == {damaged, b"damaged again"}
    run = RunDirectory(out)
    run.write_session(whole["sessions"][0], "tiny")
    assert RunDirectory(out).read_environment()["sessions"][0]["command"] == "ganstudy run"


def test_an_environment_of_before_there_were_seals_is_read(tmp_path: Path) -> None:
    old = {"study": "tiny", "schema": 2, "sessions": [{"command": "ganstudy run"}]}
    (tmp_path / "environment.json").write_text(json.dumps(old, indent=2))
    assert RunDirectory(tmp_path).read_environment() == old


def test_the_checksum_comes_before_the_schema(tmp_path: Path) -> None:
    """One bit of that number made every verb ask for another version of ganstudy."""
    out = tmp_path / "run"
    filled(out)
    (path,) = (out / "records").glob("*.nc")
    with h5py.File(path, "r+") as file:
        file.attrs.modify("schema", 6)
    result = invoke("status", out)
    assert "8 missing" in result.stdout
    assert "schema" not in result.stderr


# --- who is at a run -----------------------------------------------------------------------------


def _beat(out: Path, **changed: Any) -> None:
    """A heartbeat of this process, with something changed."""
    run = RunDirectory(out)
    run.write_heartbeat({"doing": "training"})
    content = run.read_heartbeat()
    assert content is not None
    (out / "heartbeat.json").write_bytes(sealed({**content, **changed}))


@pytest.mark.parametrize("damage", [cut, emptied, flipped])
def test_a_damaged_heartbeat_is_nobody(tmp_path: Path, damage: Damage) -> None:
    """As after a power cut."""
    filled(tmp_path / "run")
    _beat(tmp_path / "run")
    damage(tmp_path / "run" / "heartbeat.json")
    assert "not running" in invoke("status", tmp_path / "run").stdout


def test_results_that_are_not_there_yet_come_as_training_ends(tmp_path: Path) -> None:
    """`ganstudy report`, which was advised, is refused while a run is trained."""
    filled(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "results.zarr", ignore_errors=True)
    with pytest.raises(RunError, match=f"`ganstudy report {tmp_path / 'run'}` gathers"):
        open_run(tmp_path / "run")
    _beat(tmp_path / "run")
    with pytest.raises(RunError, match="its training, as it ends, gathers"):
        open_run(tmp_path / "run")


def test_results_from_before_a_training_that_goes_on_are_said_to_be_that(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled(tmp_path / "run")
    invoke("report", tmp_path / "run")
    open_run(tmp_path / "run")
    assert not caplog.text
    _beat(tmp_path / "run")
    open_run(tmp_path / "run")
    assert "run is in training; its results are as they were gathered last" in caplog.text


def test_a_copy_of_a_run_does_not_run(tmp_path: Path) -> None:
    filled(tmp_path / "run")
    _beat(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    assert RunDirectory(tmp_path / "run").read_heartbeat() is not None
    assert RunDirectory(tmp_path / "copy").read_heartbeat() is None


@pytest.mark.parametrize(("minutes", "believed"), [(0, True), (9.8, True), (10.2, False)])
def test_another_machine_is_believed_for_a_while(
    tmp_path: Path, minutes: float, believed: bool
) -> None:
    """Its processes cannot be looked for; ten minutes are what docs/faults.md says."""
    filled(tmp_path / "run")
    assert socket.gethostname() != "elsewhere"
    _beat(tmp_path / "run", host="elsewhere", said=time.time() - 60 * minutes)
    assert (RunDirectory(tmp_path / "run").read_heartbeat() is not None) == believed


@pytest.mark.parametrize("number", ["EACCES", "ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    """And a `.lock` that lies there holds nobody off for ever."""
    import errno

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(getattr(errno, number), os.strerror(getattr(errno, number)))

    filled(tmp_path / "run")
    monkeypatch.setattr("fcntl.flock", refuse)
    result = invoke("run", tmp_path / "tiny.yaml", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "locks" in result.stderr or os.strerror(getattr(errno, number)) in result.stderr


@pytest.mark.parametrize("where", ["report.build", "pipeline.gather", "pipeline.heartbeat"])
def test_what_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A folder or a file of another user within a run of one's own."""
    out = tmp_path / "run"
    filled(out)
    before = contents(out / "records")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(out / "theirs"))

    monkeypatch.setattr(f"ganstudy.{where}", refuse)
    result = invoke("run", tmp_path / "tiny.yaml", "--out", out)
    assert result.exit_code == 2
    assert f"Permission denied: {out / 'theirs'}" in result.stderr
    assert "run the same command to continue" in result.stderr
    assert contents(out / "records") == before


def test_a_plan_is_what_the_run_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It promised trials where the run is refused, and nothing to train before `--fresh`."""
    monkeypatch.chdir(tmp_path)
    filled(tmp_path / "runs/tiny")
    assert "8 recorded, 0 to train" in invoke("plan", "runs/tiny.yaml").stdout
    assert (
        "0 recorded, 8 to train" in invoke("run", "runs/tiny.yaml", "--fresh", "--dry-run").stdout
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    other = write_study(tmp_path, STUDY.replace("steps: 6", "steps: 8"), "other.yaml")
    for out, words in (("mine", "is no run"), ("runs/tiny", "holds another study")):
        for verb in (["plan"], ["run", "--dry-run"]):
            refused = invoke(*verb, other, "--out", out)
            assert (refused.exit_code, words in refused.stderr) == (2, True)
    fewer = invoke("plan", "runs/tiny.yaml", "seeds=1")
    assert "4 trials, 4 recorded" in fewer.stdout
    assert "records of 4 trials that this study does not plan" in caplog.text


def test_a_moved_run_continues_by_its_own_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is looked for below the current folder; which nobody was told."""
    filled(tmp_path / "runs/tiny")
    (tmp_path / "runs").rename(tmp_path / "archive")
    monkeypatch.chdir(tmp_path)
    assert "0 recorded, 8 to train" in invoke("plan", "archive/tiny.yaml").stdout
    assert "8 recorded, 0 to train" in invoke("plan", "archive/tiny/study.yaml").stdout
    told = " ".join(invoke("run", "--help").stdout.split())
    assert "RUN/study.yaml, STUDY continues that run, wherever it has been moved" in told


@pytest.mark.parametrize("out", ["theirs", "theirs/below/run"])
def test_a_plan_for_a_folder_that_cannot_be_written_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    """As the run is."""
    study = write_study(tmp_path)
    (theirs := tmp_path / "theirs").mkdir()
    access = os.access

    def refuse(path: Any, mode: int, **further: Any) -> bool:
        return not (Path(path) == theirs and mode & os.W_OK) and access(path, mode, **further)

    monkeypatch.setattr(os, "access", refuse)
    for verb in (["plan"], ["run", "--dry-run"], ["run", "--fresh", "--dry-run"]):
        refused = invoke(*verb, study, "--out", tmp_path / out)
        assert refused.exit_code == 2
        words = f"{tmp_path / out}: cannot hold a run: nothing can be written in {theirs}"
        assert words in refused.stderr
    assert invoke("plan", study, "--out", tmp_path / "ours" / "run").exit_code == 0


def test_what_a_worker_had_begun_when_it_was_killed_is_removed_at_the_end(tmp_path: Path) -> None:
    """It may be killed in its last write, of a run that nobody continues."""
    run = RunDirectory(tmp_path / "run")
    with run.locked():
        begun = run.checkpoints / ".728c1dca.checkpoint.27300.partial"
        begun.parent.mkdir(exist_ok=True)
        begun.write_bytes(b"half")
    assert not begun.exists()
