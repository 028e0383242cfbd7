"""The target `file`: the user's own data, and every mistake in it in words."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny import TABLE, trial, write_study

from ganstudy import targets
from ganstudy.study import load
from ganstudy.study.document import StudyError
from ganstudy.targets import ChangedDataError, RowsTarget, check_content

STUDY = """\
question: What do my data say?
trial:
  target:
    name: file
    path: {path}
    {more}
  generator: {{width: 4, depth: 1}}
  critic: {{width: 4, depth: 1}}
  steps: 2
seeds: 1
"""


def _target(**settings: Any) -> RowsTarget:
    target = targets.from_config({"name": "file", **settings})
    assert isinstance(target, RowsTarget)
    return target


def _table(folder: Path) -> pd.DataFrame:
    frame = pd.read_csv(TABLE)
    numbers = frame.drop(columns="group").to_numpy()
    frame.to_parquet(folder / "table.parquet")
    np.save(folder / "table.npy", numbers)
    np.savez(folder / "table.npz", numbers=numbers, groups=frame["group"].to_numpy(str))
    return frame


@pytest.mark.parametrize(
    ("file", "settings"),
    [
        ("table.csv", {"label": "group"}),
        ("table.parquet", {"label": "group"}),
        ("table.npz", {"label": "groups"}),
        ("table.npz", {"key": "numbers", "label": "groups"}),
        ("table.csv", {"columns": ["height", "weight", "pulse"], "label": "group"}),
        ("table.npy", {}),
        ("table.npy", {"columns": [0, 1, 2]}),
    ],
)
def test_every_format_holds_the_same_rows(
    tmp_path: Path, file: str, settings: dict[str, Any]
) -> None:
    """Standardised over the training rows, which are the same in every format; labels in order."""
    frame = _table(tmp_path)
    (tmp_path / "table.csv").write_bytes(TABLE.read_bytes())
    rows = _target(path=str(tmp_path / file), **settings).rows()
    assert (len(rows.train), len(rows.held_out)) == (96, 24)
    np.testing.assert_allclose(rows.train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(rows.train.std(axis=0), 1, atol=1e-6)
    both = np.concatenate([rows.train, rows.held_out]).astype(np.float64)
    numbers = frame.drop(columns="group").to_numpy()
    # Standardising keeps order and correlations of a column whatever its scale.
    np.testing.assert_allclose(np.corrcoef(both.T), np.corrcoef(numbers.T), atol=1e-6)
    if settings.get("label"):
        assert rows.labels is not None
        heights = rows.train[:, 0] * frame["height"].std() + frame["height"].mean()
        means = [heights[rows.labels == index].mean() for index in range(3)]
        expected = frame.groupby("group")["height"].mean()
        np.testing.assert_allclose(means, expected, atol=2)
        assert means == sorted(means)


def test_held_out_rows_are_never_drawn() -> None:
    """Training and held-out rows are different rows, and both are drawn in full."""
    target = _target(path=str(TABLE), label="group", held_out_share=0.25)
    rng = np.random.default_rng(0)
    drawn, held_out = ({tuple(x) for x in f(rng, 3000)} for f in (target.sample, target.held_out))
    assert len(drawn) == 90
    assert len(held_out) == 30
    assert not drawn & held_out
    assert "90 training and 30 held-out rows of 3 features" in target.description
    rows = target.rows()
    for part in (rows.labels, rows.held_out_labels):
        assert set(part) == {0, 1, 2}
    unseen, labels = target.held_out_labelled(rng, 100)
    known = {tuple(x): own for x, own in zip(rows.held_out, rows.held_out_labels, strict=True)}
    assert [known[tuple(x)] for x in unseen] == labels.tolist()


def _bad(folder: Path) -> Path:
    frame = _table(folder)
    frame.assign(pulse=np.where(np.arange(120) == 7, np.nan, 1.0)).to_csv(
        folder / "gap.csv", index=False
    )
    frame.assign(pulse=1.0).to_csv(folder / "flat.csv", index=False)
    frame.assign(pulse=1.0, age=2).to_csv(folder / "flatter.csv", index=False)
    frame[:2].to_csv(folder / "short.csv", index=False)
    (folder / "table.csv").write_bytes(TABLE.read_bytes())
    (folder / "broken.npz").write_bytes(b"no archive")
    np.save(folder / "cube.npy", np.zeros((2, 2, 2)))
    np.savez(folder / "empty.npz")
    np.savez(folder / "lone.npz", groups=np.arange(9))
    (folder / "text.npy").write_bytes(TABLE.read_bytes())
    np.save(folder / "objects.npy", np.array([[{}], [1]]))
    (folder / "elsewhere.csv").symlink_to("gone.csv")
    return folder


@pytest.mark.parametrize(
    ("file", "more", "line", "message"),
    [
        ("tabel.csv", "label: group", 5, "trial.target.path: no such file: .*mean 'table.csv'"),
        ("elsewhere.csv", "label: group", 5, r"a link that leads nowhere: \S*elsewhere\.csv$"),
        ("table.xls", "label: group", 5, "trial.target.path: .*not one of .npz, .npy, .csv"),
        ("table.csv", "label: grupp", 3, "trial.target: .*no column 'grupp'; did you mean 'group'"),
        ("table.csv", "label: Gruppe", 3, "no column 'Gruppe'; it has height, weight"),
        ("table.csv", "columns: [hight]", 3, "no column 'hight'; did you mean 'height'"),
        ("table.csv", "columns: [height, group]", 3, "column 'group' is not of numbers"),
        ("table.csv", "key: numbers", 3, "key 'numbers' names an array of an .npz file"),
        ("table.npz", "key: letters", 3, "no array 'letters'; it has numbers, groups"),
        ("table.npz", "held_out_share: 0.2", 3, "key is needed, one of numbers, groups"),
        ("table.npy", "columns: [0, 3]", 3, "no column 3; it has 0, 1, 2"),
        ("gap.csv", "label: group", 3, "'pulse' has 1 value.* the first in row 7"),
        ("flat.csv", "label: group", 3, "column 'pulse' is constant"),
        ("flatter.csv", "label: group", 3, "columns 'pulse', 'age' are constant .*`columns`"),
        ("short.csv", "label: group", 3, "2 rows; a target needs three"),
        ("broken.npz", "key: numbers", 3, "broken.npz: cannot be read"),
        ("cube.npy", "held_out_share: 0.2", 3, "an array of 3 dimensions"),
        ("empty.npz", "held_out_share: 0.2", 3, "empty.npz: has no array$"),
        ("lone.npz", "label: groups", 3, "lone.npz: has no array but the label$"),
        ("text.npy", "columns: [0]", 3, "holds no numbers that NumPy.*, or text under another"),
        ("objects.npy", "columns: [0]", 3, "read: it holds no numbers that NumPy has written, but"),
        ("table.csv", "sha256: abc", 6, "table.csv has changed: its SHA-256 is"),
    ],
)
def test_mistakes_name_file_line_and_key(
    tmp_path: Path, file: str, more: str, line: int, message: str
) -> None:
    """A study of data that cannot be read is an error of the study."""
    text = STUDY.format(path=_bad(tmp_path) / file, more=more)
    study = write_study(tmp_path, text)
    with pytest.raises(StudyError, match=message) as caught:
        load(study)
    assert f"{study}:{line}: " in str(caught.value)


@pytest.mark.parametrize("rare", ["a", "m", "z"])
def test_a_label_that_no_training_row_has_is_refused(tmp_path: Path, rare: str) -> None:
    """The first, a middle or the last one: no trial could be told what it is like."""
    path = tmp_path / "rare.csv"
    frame = pd.DataFrame({"x": np.arange(60) ** 2, "label": ["f", "r"] * 30})

    def read() -> RowsTarget:
        frame.to_csv(path, index=False)
        return _target(path=str(path), label="label")

    rows, units = read().rows(), read().features
    assert units is not None
    unseen, seen = (
        np.flatnonzero(np.isin(frame["x"], np.round(own[:, 0] * units.scale + units.mean)))
        for own in (rows.held_out, rows.train)
    )
    assert (len(unseen), len(seen)) == (12, 48)
    frame.loc[unseen[:2], "label"] = rare
    target, record = read().model_dump(), {"metrics": ["sliced_wasserstein"]}
    for told in ({"condition": True}, {"training_set": {"size": 16, "balanced": True}}):
        with pytest.raises(ValueError, match=f"all rows with label '{rare}' are held out"):
            trial(target=target, record=record, **told)
    trial(target=target, record=record)
    frame.loc[seen[0], "label"] = rare
    assert read().labels == 3


def test_other_content_makes_other_trials(tmp_path: Path) -> None:
    """The same path with other data is another configuration; a copy elsewhere is not read."""
    path = tmp_path / "mine.csv"
    path.write_bytes(TABLE.read_bytes())

    def ids() -> set[str]:
        target = {"name": "file", "path": str(path), "label": "group"}
        return {trial(target=target, record={"metrics": ["sliced_wasserstein"]}).id}

    before = ids()
    assert ids() == before
    with path.open("a", encoding="utf-8") as file:
        file.write("170.0,70.0,60.0,a\n")
    assert not ids() & before


def test_data_that_change_under_a_study_are_noticed(tmp_path: Path) -> None:
    """What a worker reads is what the study was checked with."""
    path = tmp_path / "mine.csv"
    path.write_bytes(TABLE.read_bytes())
    target = _target(path=str(path), label="group")
    path.write_text(TABLE.read_text().replace("176.5", "176.6"), encoding="utf-8")
    sample = "import pickle, sys; pickle.load(sys.stdin.buffer).rows()"
    worker = [sys.executable, "-c", sample]
    done = subprocess.run(worker, input=pickle.dumps(target), capture_output=True, check=False)
    assert done.returncode == 1
    assert b"has changed since the study was read" in done.stderr


def test_a_worker_says_where_its_relative_paths_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of another machine need not stand where the study does."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ChangedDataError, match=r"No such file or directory$"):
        check_content(str(tmp_path / "my.csv"), "")
    with pytest.raises(ChangedDataError) as told:
        check_content("my.csv", "")
    assert str(told.value).endswith(f"No such file or directory; the path starts at {tmp_path}")
