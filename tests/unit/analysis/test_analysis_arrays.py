"""The layer of the analysis that knows only NumPy arrays."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ganstudy.analysis.intervals import holm, jackknife, paired_t, t_interval
from ganstudy.analysis.paths import drawdown, falls, last
from ganstudy.score import tail_mean

NAN = np.nan


def test_t_interval_is_scipys() -> None:
    values = np.random.default_rng(0).normal(size=(3, 5))
    mean, low, high, count = t_interval(values, 0.9)
    scipys = [stats.ttest_1samp(row, 0).confidence_interval(confidence_level=0.9) for row in values]
    expected = np.array([[float(interval.low), float(interval.high)] for interval in scipys])
    assert_allclose(mean, values.mean(axis=1))
    assert_allclose(np.stack([low, high], axis=1), expected)
    assert_array_equal(count, [5, 5, 5])


def test_t_interval_leaves_out_nan() -> None:
    with_gap, without = (
        t_interval(np.array([1.0, NAN, 4.0, 2.0])),
        t_interval(np.array([1, 4, 2.0])),
    )
    assert_allclose(with_gap, without)


def test_the_jackknife_of_a_mean_is_students_interval() -> None:
    values = np.random.default_rng(0).normal(size=(3, 5))
    without = np.array([np.delete(values, unit, axis=1).mean(axis=1) for unit in range(5)])
    assert_allclose(jackknife(values.mean(axis=1), without, 0.9), t_interval(values, 0.9))
    _, low, high, _ = jackknife(np.ones(2), np.array([[0.0, 2.0], [1.0, 1.5]]), 0.9, np.arange(2.0))
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, False]


def test_t_interval_of_few_values() -> None:
    mean, low, high, count = t_interval(np.array([[NAN, NAN], [3.0, NAN], [3.0, 3.0]]))
    assert_array_equal(mean, [NAN, 3, 3])
    assert_array_equal(low, [NAN, NAN, 3])
    assert_array_equal(high, [NAN, NAN, 3])
    assert_array_equal(count, [0, 1, 2])


def test_paired_t_is_scipys() -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 4, 6))
    expected = stats.ttest_rel(first, second, axis=1).pvalue
    assert_allclose(paired_t(first - second), expected)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([0.0, 0.0, 0.0], 1.0),
        ([8.0, 8.0, 8.0], 2 / 4**3),
        ([8.0, 8.0, NAN], 2 / 4**2),
        # By t alone 1e-6: three seeds that collapse in one arm alike, but for jitter.
        ([0.78, 0.781, 0.779], 2 / 4**3),
        ([1.0, 0.5, NAN], stats.ttest_1samp([1.0, 0.5], 0).pvalue),
        ([-2.0, NAN, NAN], NAN),
    ],
)
def test_paired_t_without_variance_or_pairs(differences: list[float], p: float) -> None:
    assert_allclose(paired_t(np.array(differences)), p)


def test_holm_published_examples() -> None:
    # Wikipedia, "Holm-Bonferroni method", example; then the second line of R's p.adjust.
    assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    assert_allclose(holm(np.array([0.01, 0.02, 0.03, 0.04, 0.05])), [0.05, 0.08, 0.09, 0.09, 0.09])


def test_holm_counts_only_tests_that_were_made() -> None:
    assert_allclose(holm(np.array([NAN, 0.01, 0.5, NAN])), [NAN, 0.02, 0.5, NAN])
    assert_array_equal(holm(np.array([NAN])), [NAN])
    assert_array_equal(holm(np.array([])), [])


def test_tail_mean_is_of_recorded_steps() -> None:
    ten = np.arange(10.0)
    cut = np.where(ten < 6, ten, NAN)
    assert_allclose(tail_mean(np.stack([ten, cut])), [(8 + 9) / 2, (4 + 5) / 2])
    assert_array_equal(tail_mean(np.array([[NAN, NAN], [NAN, 7.0]])), [NAN, 7.0])


def test_last_is_the_last_recorded_value() -> None:
    assert_array_equal(last(np.array([[1.0, 2, NAN], [NAN, NAN, NAN]])), [2.0, NAN])


def test_falls_are_strict_and_bridge_gaps() -> None:
    curve = np.array([[8.0, 7.0, 7.0, NAN, 5.0, 8.0], [NAN, 1.0, 2.0, 3.0, NAN, NAN]])
    assert_array_equal(falls(curve, 1.0), [1, 0])
    assert_array_equal(falls(curve, 0.9), [2, 0])


def test_drawdown_is_from_the_running_maximum() -> None:
    curve = np.array([[2.0, 6.0, 5.0, 8.0, 7.0], [1.0, 2.0, 3.0, 4.0, NAN], [NAN] * 5])
    assert_array_equal(drawdown(curve), [1.0, 0.0, NAN])
    assert_array_equal(drawdown(np.array([5.0, 1.0, 8.0, 6.0])), 4.0)


LOWER = [
    *("blocks", "bounded", "grades", "intervals", "paths", "periods", "resampling", "variance"),
]


@pytest.mark.parametrize("module", LOWER)
def test_lower_layer_knows_only_arrays(module: str) -> None:
    found = importlib.util.find_spec(f"ganstudy.analysis.{module}")
    assert found is not None
    assert found.origin is not None
    tree = ast.parse(Path(found.origin).read_text())
    imported = {
        name if name.startswith("ganstudy") else name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    plain = {"__future__", "collections", "functools", "itertools", "math", "typing"}
    lower = {f"ganstudy.analysis.{name}" for name in LOWER}
    assert imported <= plain | lower | {"numpy", "scipy"}
