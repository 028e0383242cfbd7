"""Data of the user's own on the page: marginals in their units, and correlations."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import ks_2samp
from tiny import TABLE
from unrendered import unrendered

import ganstudy
from ganstudy import plot
from ganstudy.report import build
from ganstudy.report.findings import Findings
from ganstudy.report.sections.columns import Columns, ColumnsSection
from ganstudy.targets import RowsTarget, target_of

NAMES = ["height", "weight", "pulse"]


def test_columns_are_in_the_units_of_the_file(table_study: xr.Dataset) -> None:
    """Training rows as pandas reads them; samples of rows are among these."""
    columns = Columns(Findings.of(table_study))
    written = pd.read_csv(TABLE)
    assert columns.names == NAMES
    for k, name in enumerate(NAMES):
        known = written[name].to_numpy()
        for own in (columns.real[:, k], columns.pooled(0, k)):
            told = columns.in_units(own, k)
            assert np.abs(told[:, None] - known).min(axis=1).max() < 1e-4


def test_samples_of_one_of_several_files_have_the_units_of_that_file(
    table_study: xr.Dataset, tmp_path: Path
) -> None:
    """The dataset of a run on several keeps none, and as many features as the widest has."""
    (tmp_path / "two.csv").write_text("a,b\n" + "".join(f"{k},{k * k}\n" for k in range(2, 12)))
    two = json.dumps({"name": "file", "path": str(tmp_path / "two.csv")})
    target = target_of(two)
    assert isinstance(target, RowsTarget)
    plain = table_study.drop_vars(["feature_mean", "feature_scale", "feature"])
    rows = plain["samples"].copy(data=np.full(plain["samples"].shape, np.nan))
    rows[..., :2] = np.resize(target.rows().train, (400, 2))
    axis = pd.Index(["table.csv", "two.csv"], name="target_path")
    both = plain.assign(
        samples=xr.concat([plain["samples"], rows], axis),
        target_settings=("target_path", [str(plain["target_settings"].values), two]),
    )
    own = both.sel(target_path="table.csv").gan.original_units()
    xr.testing.assert_allclose(own.drop_vars("target_path"), table_study.gan.original_units())
    told = both.sel(target_path="two.csv").gan.original_units()
    assert told["feature"].values.tolist() == ["a", "b"]
    np.testing.assert_allclose(told.sel(feature="b"), told.sel(feature="a") ** 2, rtol=1e-5)
    assert set(np.round(told.sel(feature="a").values.ravel())) <= set(range(2, 12))
    with pytest.raises(ValueError, match="of several targets select one, as by `sel`"):
        both.gan.original_units()


@pytest.mark.slow
def test_the_table_tells_which_column_is_wrong(table_study: xr.Dataset, tmp_path: Path) -> None:
    """Marginals of the sorted arm are right, and its correlations are not; a shift is seen."""
    with unrendered() as figures:
        build(table_study, {}, tmp_path)
    with (tmp_path / "columns.csv").open() as file:
        rows = {row["column"]: row for row in csv.DictReader(file)}
    columns = Columns(Findings.of(table_study))
    for k, name in enumerate(NAMES):
        near = [float(rows[name][arm]) for arm in ("rows", "sorted")]
        # A hundred training rows, drawn 800 times: 1.63 / sqrt(800) at the level of 1 %.
        assert max(near) < 0.06
        assert (float(rows[name]["shifted"]) > 0.5) == (name == "pulse")
        own = ks_2samp(columns.real[:, k], columns.pooled(2, k)).statistic
        assert float(rows[name]["shifted"]) == pytest.approx(own)
    real = np.corrcoef(columns.real, rowvar=False)
    assert columns.correlations(0) == pytest.approx(real, abs=0.15)
    assert columns.correlations(1).min() > 0.8
    assert real.min() < 0.0
    assert {"marginals", "correlations"} <= set(figures)


@pytest.mark.slow
def test_huge_numbers_and_a_collapse_are_told_as_they_are(
    table_study: xr.Dataset, tmp_path: Path
) -> None:
    """Squares do not overflow; what is the same for every sample has no correlation."""
    factor = xr.where(table_study["feature"] == "pulse", 1e300, 1.0)
    huge = {name: table_study[name] * factor for name in ("feature_mean", "feature_scale")}
    collapsed = table_study["samples"].where(table_study["divergence"] != "sorted", 0.5)
    ds = table_study.assign(**huge, samples=collapsed)
    before, after = (Columns(Findings.of(own)) for own in (table_study, ds))
    assert np.array_equal(after.correlations(0), before.correlations(0))
    assert np.isnan(after.correlations(1)).all()
    with unrendered():
        page = build(ds, {}, tmp_path).read_text()
    pulse = dict(zip(NAMES, table_study["feature_mean"].values.tolist(), strict=True))["pulse"]
    assert f"<td>{pulse * 1e300:.3g}</td>" in page
    assert ", sorted \N{EN DASH}, " in page


def test_one_column_is_correlated_with_none(table_study: xr.Dataset) -> None:
    """It ended in an assertion."""
    with pytest.raises(ValueError, match="one column alone"):
        plot.correlations(table_study.isel(feature=[0]))


def test_other_targets_have_no_columns(make_study: Callable[..., xr.Dataset]) -> None:
    """A ring has features without names."""
    assert not ColumnsSection.applies(Findings.of(make_study()))


def test_a_study_of_one_arm_has_its_columns(table_study: xr.Dataset) -> None:
    """Of seeds alone, without an axis; what is told of the table is not told of each arm."""
    alone = table_study.isel(divergence=0, drop=True).assign_attrs(compare="")
    own, among = (Columns(Findings.of(ds)) for ds in (alone, table_study))
    assert own.scale.tolist() == among.scale.tolist()
    assert np.array_equal(own.pooled(0, 1), among.pooled(0, 1))
    ganstudy.plot.marginals(alone)
