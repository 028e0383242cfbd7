"""Tables as people write them: read as they are meant, or refused with what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from inline import trained_inline
from tiny import write_study
from unrendered import unrendered

from ganstudy import open_run, pipeline, targets
from ganstudy.cli import main
from ganstudy.study import load
from ganstudy.targets.file import File

RNG = np.random.default_rng(7)
VALUES = np.round(RNG.normal(size=(40, 3)), 3)
FRAME = pd.DataFrame(VALUES, columns=["a", "b", "c"])


def _text(separator: str = ",", decimal: str = ".", **options: Any) -> str:
    return str(FRAME.to_csv(sep=separator, decimal=decimal, **{"index": False, **options}))


def _read(folder: Path, text: str | bytes, name: str = "data.csv", **settings: Any) -> File:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    target = targets.from_config({"name": "file", "path": str(path), **settings})
    assert isinstance(target, File)
    return target


def _in_file(target: File) -> np.ndarray[Any, Any]:
    """The rows, back in the units of the file, sorted."""
    rows, features = target.rows(), target.features
    assert features is not None
    both = np.concatenate([rows.train, rows.held_out])
    values = both.astype(np.float64) * features.scale + features.mean
    return values[np.lexsort(values.T)]


WRITTEN: dict[str, tuple[str | bytes, dict[str, Any]]] = {
    "commas": (_text(), {}),
    "semicolons": (_text(";"), {}),
    "semicolons and decimal commas": (_text(";", ","), {}),
    "quoted decimal commas": (_text(",", ",", quoting=1), {}),
    "tabs": (_text("\t"), {}),
    "tabs and decimal commas": (_text("\t", ","), {}),
    "spaces": (_text(" "), {}),
    "bars": (_text("|"), {}),
    "told": (_text("!", ","), {"separator": "!", "decimal": ","}),
    "windows": (_text().replace("\n", "\r\n").encode("utf-8-sig"), {}),
    "utf-16": (_text().encode("utf-16"), {}),
    "marked": (_text().encode("utf-8-sig"), {"encoding": "utf-8"}),
    "utf-16 by its order": (f"\ufeff{_text()}".encode("utf-16-be"), {"encoding": "utf-16-be"}),
    "latin-1": (_text().replace("a", "größe", 1).encode("latin-1"), {"encoding": "latin-1"}),
    "no header": (_text(header=False), {}),
    "no header, told": (_text(header=False), {"header": False}),
    "no header, decimal commas": (_text(";", ",", header=False), {}),
    "header of numbers, told": (_text(header=["2019", "2020", "2021"]), {"header": True}),
    "index": (_text(index=True), {}),
    "index from 1": (
        str(FRAME.set_index(np.arange(1, 41)).to_csv()),
        {},
    ),
    "index, told": (_text(index=True), {"columns": ["a", "b", "c"]}),
    "empty last column": (_text().replace("\n", ",\n"), {}),
    "lines above": (f"measured on Monday\n{_text()}", {"skip": 1}),
    "blank lines": (_text().replace("\n", "\n\n", 9), {}),
    "a header over two lines": (_text().replace("a", '"a\n(kg)"', 1), {}),
    "a mark of inches in the header": (_text().replace("a", 'a"', 1), {}),
    "marks of inches in two rows": (
        _text().replace("\n", ",flat\n").replace("flat", 'label"', 1).replace("flat", '15"', 1),
        {"columns": ["a", "b", "c"]},
    ),
    "words with a space between spaces": (
        _text(" ").replace("\n", ' "dark red"\n').replace("dark red", "colour", 1),
        {"columns": ["a", "b", "c"]},
    ),
    "a row with a gap, dropped": (f"{_text()}1.0,NA,2.0\n", {"missing": "drop"}),
    "a row with a question mark, dropped": (f"{_text()}1.0,?,2.0\n", {"missing": "drop"}),
    "a column of words, left out": (
        _text().replace("\n", ",red\n").replace("red", "colour", 1),
        {"columns": ["a", "b", "c"]},
    ),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_the_same_rows_however_they_are_written(tmp_path: Path, written: str) -> None:
    """Separator, decimal mark, encoding, header and index: the numbers are those of the frame."""
    text, settings = WRITTEN[written]
    target = _read(tmp_path, text, **settings)
    assert target.dimension == 3
    assert target.features is not None
    assert not any("\ufeff" in name for name in target.features.names)
    np.testing.assert_allclose(_in_file(target), VALUES[np.lexsort(VALUES.T)], atol=2e-6)


@pytest.mark.parametrize("name", ["data.CSV", "data.tsv", "data.txt", "data.Txt"])
def test_suffixes(tmp_path: Path, name: str) -> None:
    assert _read(tmp_path, _text(), name).dimension == 3


def test_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the user's home, as in a shell."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.csv").write_text(_text())
    assert targets.from_config({"name": "file", "path": "~/mine.csv"}).dimension == 3
    with pytest.raises(ValueError, match=r"no such file|nobody"):
        targets.from_config({"name": "file", "path": "~nobody_of_this_name/mine.csv"})


WINE = "4,3,class_0,class_1\n" + "14.2,1.7,2.4,15.6,0\n13.2,1.8,2.1,11.2,1\n13.9,1.9,2.0,12.1,2\n"
REFUSED: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "rows longer than the header": (WINE, {}, r"line 1 has 4 cells, .* have 5.*`skip: 1`"),
    "a longer row": (f"{_text()}1,2,3,4\n", {}, r"line 42 has 4 cells, where most rows have 3"),
    "a shorter row": (f"{_text()}1,2\n", {}, r"line 42 has 2 cells"),
    "a line above": (f"measured on Monday\n{_text()}", {}, r"line 1 has 1 cells.*`skip: 1`"),
    "decimal commas between commas": (_text(";", ",").replace(";", ","), {}, r"line 1 has 3 cells"),
    "two decimal marks": ("a;b\n1,5;2\n2.5;3\n3,5;4\n", {}, r"comma .* point .*`decimal`"),
    "fractions or thousands": ("a;b\n1,500;2\n2,250;3\n3,125;5\n", {}, r"1,500 .*`decimal: ','`"),
    "a header of pandas' own": (
        _text(header=["0", "1", "2"]),
        {},
        r"counts from 0; is it a header",
    ),
    "a header of years": (_text(header=["2019", "2020", "2021"]), {}, r"from 2019; is it a header"),
    "a header beside a saved index": (
        _text(header=["0", "1", "2"], index=True),
        {},
        r"counts from 0; is it a header.*`header: true`",
    ),
    "a header of one column": ("0\n1.5\n-2.5\n0.25\n", {}, r"counts from 0; is it a header"),
    "a header of pixels": ("0,1,2,3\n0,7,9,0\n0,0,3,8\n5,4,0,0\n", {}, r"counts from 0; is it"),
    "header or row": ("1.5,x,2.5\n1,2,3\n4,6,6\n9,8,9\n", {}, r"is it a header.*`header: true`"),
    "latin-1": (_text().replace("a", "größe", 1).encode("latin-1"), {}, r"line 1 .*latin-1"),
    "no such encoding": (_text(), {"encoding": "latin_9000"}, r"no such encoding: 'latin_9000'"),
    "a gap": (f"{_text()}1.0,,2.0\n", {}, r"column 'b' has 1 .* missing, .*`missing: drop`"),
    "a gap without a header": (f"{_text(header=False)}1.0,NA,2.0\n", {}, r"column 1 has 1 "),
    "words": ("a,b\nred,1\nblue,2\nred,4\n", {}, r"column 'a' is not of numbers .*'red'"),
    "words in two columns": (
        "a,b,c\nred,1,no\nblue,2,yes\nred,4,no\n",
        {},
        r"columns 'a' \('red'\), 'c' \('no'\) are not of numbers; leave .* one the `label`",
    ),
    "dates": ("a,b\n2020-01-01,1\n2020-01-02,2\n2020-01-03,4\n", {}, r"'2020-01-01'"),
    "thousands": ("a;b\n1 000;1\n2 500;2\n9;4\n", {}, r"column 'a' is not of numbers"),
    "underscores": ("a,b\n1_000,1\n2_500,2\n9_5,4\n", {}, r"column 'a' is not of numbers"),
    "infinity": (f"{_text()}1.0,inf,2.0\n", {}, r"'b' has 1 value that is not finite"),
    "a named counter": (_text(index=True, index_label="t"), {}, r"'t' counts the rows.*`columns`"),
    "a nameless column": (",b\n3,1\n1,2\n2,4\n", {}, r"column 0 has no name"),
    "one name twice": ("a,a\n3,1\n1,2\n2,4\n", {}, r"several columns are named 'a'"),
    "one column twice": (_text(), {"columns": ["a", "a"]}, r"columns repeats a"),
    "a code among numbers": (
        _text() + 9 * "1e30,1.0,2.0\n",
        {},
        r"'a', \d+ can be told apart.*1e\+30",
    ),
    "a code beyond single precision": (
        f"{_text()}1e200,1.0,3.0\n",
        {"held_out_share": 0.9},
        r"'a', \d+ can be told apart.*1e\+200|overflow",
    ),
    "nothing": ("\n\n", {}, r"no rows"),
    "a header alone": ("a,b\n", {}, r"no values|rows"),
    "no text": (b"a,b\n1\x00,2\n", {}, r"NUL"),
    "text options for others": (_text(), {"key": "x"}, r"names an array of an .npz"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_be_read_in_two_ways_is_refused(tmp_path: Path, case: str) -> None:
    """With the file, the line or the column, and what to write into the study."""
    text, settings, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        _read(tmp_path, text, **settings)


def test_huge_numbers_are_no_constant(tmp_path: Path) -> None:
    """Squares of 1e300 overflow; their ratios do not."""
    huge = _read(tmp_path, str((FRAME * 1e300).to_csv(index=False)))
    plain = _read(tmp_path, _text(), "plain.csv")
    np.testing.assert_allclose(huge.rows().train, plain.rows().train, atol=1e-6)


def test_arrays_that_are_no_numbers(tmp_path: Path) -> None:
    """Imaginary parts, dates and times are not dropped or counted in nanoseconds."""
    for name, array in {
        "complex": VALUES + 1j,
        "dates": np.datetime64("2020-01-01") + RNG.permutation(40),
        "words": VALUES.astype(str),
    }.items():
        path = tmp_path / f"{name}.npy"
        np.save(path, array)
        with pytest.raises(ValueError, match="not of numbers"):
            targets.from_config({"name": "file", "path": str(path)})


def test_fields_of_an_array_are_columns(tmp_path: Path) -> None:
    records = FRAME.to_records(index=False)
    np.save(tmp_path / "fields.npy", records)
    target = targets.from_config({"name": "file", "path": str(tmp_path / "fields.npy")})
    assert target.features.names == ("a", "b", "c")


def test_settings_that_are_not_set_change_no_id(tmp_path: Path) -> None:
    """Options of text came after studies had been run."""
    dumped = _read(tmp_path, _text()).model_dump()
    assert set(dumped) == {"name", "path", "key", "columns", "label", "held_out_share", "sha256"}
    assert "header" in _read(tmp_path, _text(), header=True).model_dump()
    assert _read(tmp_path, _text(header=False), header=False).model_dump()["header"] is False


STUDY = """\
question: What do the columns say?
trial:
  target: {{name: file, path: {path}, held_out_share: 0.3}}
  generator: {{width: 4, depth: 1}}
  critic: {{width: 4, depth: 1}}
  steps: 2
  batch: 16
  record: {{every: 1, samples: 30, metrics: [sliced_wasserstein], frames: 0}}
search: {{grid: {{critic.steps: [1, 2]}}}}
seeds: 1
"""


def test_check_prints_what_it_read(tmp_path: Path) -> None:
    """Rows, columns by name and kind, some values, what was left out."""
    path = tmp_path / "data.csv"
    path.write_text(_text(index=True))
    result = CliRunner().invoke(
        main, ["check", str(write_study(tmp_path, STUDY.format(path=path)))]
    )
    assert result.exit_code == 0, result.output
    assert "40 rows of 3 columns" in result.output
    assert f"  b: numbers from {VALUES[:, 1].min():g}" in result.output
    assert "left out: column 0, which has no name and counts the rows" in result.output


@pytest.mark.parametrize(
    "names",
    [
        *(("a", "b"), ("2", "10"), ("10", "x"), ("2.5", "10.0"), ("007", "7"), ("100", "1e2")),
        ("9007199254740992", "9007199254740993"),
    ],
)
def test_labels_keep_their_names(tmp_path: Path, names: tuple[str, str]) -> None:
    """Numbers by size, others by their text, whatever stands first in the file."""
    first, second = names
    frame = FRAME.assign(type=[second, first, first, first] * 10)
    target = _read(tmp_path, str(frame.to_csv(index=False)), label="type")
    assert target.label_names == names
    assert target.account()[0].endswith("40 rows of 3 columns, 2 labels")
    assert f"  labels: {first} (30), {second} (10)" in target.account()
    parts = target.rows().labels, target.rows().held_out_labels
    counts = [np.bincount(own, minlength=2) for own in parts if own is not None]
    assert sum(counts).tolist() == [30, 10]


def test_labels_are_cells_without_the_blanks_around(tmp_path: Path) -> None:
    """Beside one that is missing, 1 was 1.0; and a blank behind it made another label."""
    rows = [f"{x},{y}, {own}" for (x, y), own in zip(VALUES[:, :2], ["1", "2 "] * 20, strict=True)]
    target = _read(tmp_path, "\n".join(["a,b,type", *rows, "1,2,"]), label="type", missing="drop")
    assert target.label_names == ("1", "2")


def test_copies_among_the_rows_that_are_held_out_are_told(tmp_path: Path) -> None:
    """Discrete data have some, by right."""
    corners = [f"{x},{y}" for x in (0, 5) for y in (1, 2)] * 10
    account = _read(tmp_path, "\n".join(["a,b", *corners, "3,1", "3,2"])).account()
    assert account[-1] == "  8 of the 8 held-out rows are also among the training rows"


@pytest.mark.slow
def test_the_dataset_names_its_features_and_knows_their_units(tmp_path: Path) -> None:
    """Samples by column, and in the units of the file; a page of them too."""
    path = tmp_path / "data.csv"
    (FRAME * [1, 10, 100] + [0, 5, 500]).to_csv(path, index=False)
    with trained_inline(), unrendered():
        study = load(write_study(tmp_path, STUDY.format(path=path)))
        pipeline.run(study, tmp_path / "run", workers=1)
    ds = open_run(tmp_path / "run")
    assert ds["feature"].values.tolist() == ["a", "b", "c"]
    own = ds["samples"].sel(feature="c") * ds["feature_scale"][2] + ds["feature_mean"][2]
    np.testing.assert_allclose(ds.gan.original_units().sel(feature="c"), own)
    assert abs(float(ds["feature_mean"].sel(feature="c")) - 500) < 50
    assert 50 < float(ds["feature_scale"].sel(feature="c")) < 200


@pytest.mark.parametrize("separator", [",", " "])
@pytest.mark.parametrize("rows_below", [3, 40_000])
@pytest.mark.parametrize("skip", [0, 2])
def test_a_quote_that_is_left_open_is_told_with_its_line(
    tmp_path: Path, separator: str, rows_below: int, skip: int
) -> None:
    """It took all rows below it along: other programs tell the last line, or that of a row."""
    whole = "about\n" * skip + _text(separator)
    text = f"{whole}\n{separator.join(['1', chr(34) + '2', '3'])}\n"
    text += f"{separator.join('456')}\n" * rows_below
    line = whole.count("\n") + 2
    why = "a quote in it is left open" if rows_below == 3 else ".*quote left open"
    told = rf"begins on line {line} cannot be read: {why}"
    with pytest.raises(ValueError, match=told):
        _read(tmp_path, text, skip=skip)


@pytest.mark.parametrize("separator", [",", " "])
@pytest.mark.parametrize("closes", ['"2', '"2"x', '2 "'])
def test_two_quotes_that_are_left_open_make_no_cell(
    tmp_path: Path, separator: str, closes: str
) -> None:
    """The second closed the first: a row had the right number of cells, and those between went."""
    whole = _text(separator)
    opened = separator.join(["1", '"2', "3"])
    between = f"{separator.join('456')}\n" * 3
    text = f"{whole}\n{opened}\n{between}{separator.join(['7', closes, '9'])}\n"
    line = whole.count("\n") + 2
    with pytest.raises(ValueError, match=rf"begins on line {line} cannot .* quote left open"):
        _read(tmp_path, text)


def test_a_cell_of_several_lines_is_one(tmp_path: Path) -> None:
    """As programs write a text with line ends; a quote within a line is left as it is."""
    rows = [f'{x},{y},"of two,\n1, or more lines" ' for x, y in FRAME.iloc[:, :2].values]
    text = "\n".join(["a,b,note", *rows[:-1], '1,2,"told" twice'])
    assert _read(tmp_path, text, columns=["a", "b"]).dimension == 2
