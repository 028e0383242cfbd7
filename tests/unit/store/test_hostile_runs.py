"""Runs and names that somebody else has made: reading them executes nothing."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import xarray as xr

from ganstudy import open_run
from ganstudy.report import latex
from ganstudy.report.data_tables import DataTable, trial_table
from ganstudy.report.findings import Findings
from ganstudy.store import RunError, digests


class Bomb:
    """Runs when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return (Path.write_text, (self.mark, "ran"))  # type: ignore[return-value]


@pytest.fixture
def somebodys(tiny_run: Path, tmp_path: Path) -> Path:
    """A copy of a run, to be tampered with."""
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))


@pytest.mark.parametrize("where", ["compressor", "filters"])
def test_a_codec_that_unpickles_is_not_opened(somebodys: Path, tmp_path: Path, where: str) -> None:
    """Sealed with digests of its own, as an attacker can: the codec itself is refused."""
    mark, store = tmp_path / "mark", somebodys / "results.zarr"
    codec = {"id": "pickle", "protocol": 5}
    described = json.loads((store / ".zmetadata").read_text())
    array = described["metadata"]["seconds/.zarray"]
    array["dtype"], array["fill_value"] = "|O", None
    array["compressor"], array["filters"] = (
        (codec, None) if where == "compressor" else (None, [codec])
    )
    (store / ".zmetadata").write_text(json.dumps(described))
    (store / "seconds" / ".zarray").write_text(json.dumps(array))
    for chunk in (store / "seconds").glob("[0-9]*"):
        chunk.write_bytes(bytes(numcodecs.Pickle().encode(np.array([Bomb(mark)], object))))
    mark.unlink(missing_ok=True)
    (store / "digests.json").unlink()
    digests.seal(store)
    with pytest.raises(RunError, match="the codec 'pickle', which may run code"):
        open_run(somebodys).compute()
    assert not mark.exists()


@pytest.mark.parametrize("text", ["[]", "{", "[" * 5000])
def test_a_store_that_describes_nothing(somebodys: Path, text: str) -> None:
    """Refused, or gathered from the records again; never an exception of some library."""
    store = somebodys / "results.zarr"
    (store / ".zmetadata").write_text(text)
    for path in store.rglob(".zarray"):
        path.write_text(text)
    (store / "digests.json").unlink()
    digests.seal(store)
    with suppress(RunError):
        assert set(open_run(somebodys).compute()["status"].values.flat) == {"complete"}


NAMES = ["=1+1", "+SUM(A1)", "-x", "@import", "  =1+1", "[1em]", "*", "-0.5", "plain"]


def test_tables_are_inert(make_study: Callable[..., xr.Dataset]) -> None:
    """Cells that a spreadsheet would evaluate are text; numbers stay numbers."""
    findings = Findings.of(make_study({"divergence": NAMES}, samples=1))
    rows = list(csv.reader(io.StringIO(trial_table(findings).csv())))
    shown = {row[0] for row in rows[1:]}
    assert shown == {
        *("'=1+1", "'+SUM(A1)", "'-x", "'@import", "'  =1+1"),
        *("[1em]", "*", "-0.5", "plain"),
    }
    headings = DataTable(["=HYPERLINK()", "b"], [None, 1], [["a", -0.5]]).csv().splitlines()
    assert headings == ["'=HYPERLINK(),b", "a,-0.5"]


def test_a_row_has_a_cell_for_each_heading() -> None:
    """One of a plug-in had not: jinja's words told of no table and no line."""
    with pytest.raises(ValueError, match=r"row 1 .* has 1 cell under 2 headings \(arm, euros\)"):
        DataTable(["arm", "euros"], [None, 1], [["a", 1.0], ["b"]])


def test_rows_of_latex_are_no_arguments(make_study: Callable[..., xr.Dataset]) -> None:
    """A row that began with a bracket would be the length of the space above it."""
    text = latex.ranking(Findings.of(make_study({"divergence": NAMES}, samples=1)))
    lines = text.splitlines()
    assert any(line.startswith("{}[1em]") for line in lines)
    assert any(line.startswith("{}*") for line in lines)
    assert not any(line.startswith(("[", "*")) for line in lines)
