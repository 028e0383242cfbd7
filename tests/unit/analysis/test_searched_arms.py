"""Arms of a search by results: verbs, notebooks and the page tell the same of them."""

from __future__ import annotations

import csv
import hashlib
import inspect
import pydoc
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from searched import TEXT, search, study_of
from unrendered import undrawn

from ganstudy import analysis, open_run
from ganstudy.report import build
from ganstudy.search import search_of
from ganstudy.store import RunDirectory, gather
from ganstudy.trial import Trial

NOTEBOOK = Path(__file__).parents[3] / "analysis" / "paper_figure.py"
REPEATED = ("search.bayes.repeats=3", "search.bayes.fresh=2")


def steady_or_lucky(trial: Trial[Any]) -> float:
    """Minimax covers five modes at every point; reverse KL one at most points, and seven at some.

    Over all points minimax is better, and reverse KL at the best of them.
    """
    noise = 0.1 * np.random.default_rng(trial.seed).random()
    if trial.configuration.divergence.name == "minimax":
        return 5 + noise
    lucky = hashlib.sha256(str(trial.configuration.generator.lr).encode()).digest()[0] < 80
    return (7 if lucky else 1) + noise


def made_run(folder: Path, *overrides: str) -> Path:
    """Two arms, eight points each, three seeds."""
    text = TEXT.replace("    startup: 4\n", "    sampler: random\n")
    own = search_of(study_of(folder, "search.bayes.trials=8", "seeds=3", *overrides, text=text))
    directory = RunDirectory(folder / "run")
    directory.records.mkdir(parents=True)
    directory.write(list(search(own, steady_or_lucky)))
    directory.write_study(own)
    gather(directory, own)
    return directory.path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One search of each arm, and three of each with fresh seeds."""
    made = {"once": (), "repeated": REPEATED}
    return {how: made_run(tmp_path_factory.mktemp(how), *own) for how, own in made.items()}


@pytest.fixture(params=["once", "repeated"])
def run(request: pytest.FixtureRequest, runs: dict[str, Path]) -> Path:
    return runs[request.param]


@pytest.fixture(scope="module")
def opened(runs: dict[str, Path]) -> dict[str, tuple[xr.Dataset, xr.Dataset]]:
    """The dataset of each run, and its arms at their best points."""
    found = {how: open_run(run).compute() for how, run in runs.items()}
    return {how: (ds, analysis.tuned(ds)) for how, ds in found.items()}


@pytest.fixture
def notebook(run: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What is known at the end of the notebook of a figure, of this run."""
    monkeypatch.setenv("GANSTUDY_RUN", str(run))
    yield runpy.run_path(str(NOTEBOOK))
    plt.close("all")


@pytest.mark.slow
@pytest.mark.parametrize("run", ["once"], indirect=True)
def test_verb_notebook_and_page_name_one_leader(
    run: Path, notebook: dict[str, Any], tmp_path: Path
) -> None:
    """The verb averaged over all points, and paired those of one number; the page did not."""
    ds = open_run(run)
    scores = analysis.trial_scores(ds)["score"]
    over_points = scores.mean([dim for dim in scores.dims if dim != "divergence"])
    assert over_points.idxmax() == "minimax", "or this test says nothing"
    with undrawn():
        page = build(ds, {}, tmp_path / "report")
    ranking = list(csv.reader((page.parent / "ranking.csv").read_text().splitlines()))
    named = [ds.gan.rank_arms(), notebook["ranked"]]
    leaders = [str(own["divergence"].values[0]) for own in named]
    assert [*leaders, ranking[1][0]] == ["reverse_kl"] * 3
    limits = ("low", "high")
    assert [name for name in ranking[0] if name.endswith(limits)] == [], "columns without a number"


@pytest.mark.slow
def test_the_caption_says_what_its_interval_is_over(
    notebook: dict[str, Any], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    runpy.run_path(str(NOTEBOOK))
    (said,) = [line for line in capsys.readouterr().out.splitlines() if "is first in" in line]
    assert ("95% interval over 3 searches" in said) is ("repeat" in open_run(run).dims)
    assert ("over 3 seeds, without an interval" in said) is ("repeat" not in open_run(run).dims)
    assert "nan" not in said


OF_TRIALS = {
    *("trial_scores", "charged_curves", "measured", "original_units", "perfect_sampler", "seen"),
    *("setting_dims", "planned", "in_comparison", "status_counts", "settlement", "label_scores"),
}
"""Functions of the trials of a run, and of what is to learn, which have every point."""

OF_LESS = {
    *("along_studies", "arm_dim", "is_search", "is_settled_by_seeds", "metric_names", "with_arms"),
}
"""Functions that ask for less than a run, and are of no arms."""

GIVEN = {"marginal_means": {"axis": "divergence"}}
"""What a function has to be told beside the dataset."""


def of_arms() -> Iterator[str]:
    """All other functions that take the dataset of a run, and not that of a search alone."""
    for name, function in inspect.getmembers(analysis, inspect.isfunction):
        parameters = list(inspect.signature(function).parameters.values())
        other = name not in analysis.__all__ or parameters[0].name != "ds"
        if other or name in OF_TRIALS | OF_LESS:
            continue
        required = {own.name: None for own in parameters[1:] if own.default is own.empty}
        try:
            function(xr.Dataset(), **required)
        except ValueError as why:
            if "no dataset of a run" in str(why):
                yield name
        else:
            raise AssertionError(f"{name} answers of what is no run: is it of arms, or of trials?")


@pytest.mark.parametrize("name", [*of_arms()])
@pytest.mark.parametrize("how", ["once", "repeated"])
def test_what_is_of_arms_is_of_their_best_points(
    name: str, how: str, opened: dict[str, tuple[xr.Dataset, xr.Dataset]]
) -> None:
    function, given = getattr(analysis, name), GIVEN.get(name, {})
    found, expected = (function(own, **given) for own in opened[how])
    if isinstance(expected, xr.Dataset | xr.DataArray):
        xr.testing.assert_identical(found, expected)
    else:
        assert found == expected


def test_functions_of_arms_are_found() -> None:
    """Else the test above could pass without looking at anything."""
    assert {*LIMITED, "factor_effects", "marginal_means", "stability", "rank_table"} <= {*of_arms()}


@pytest.mark.parametrize("name", ["rank_arms", "arm_scores", "factor_effects"])
def test_help_says_where_arms_of_a_search_stand(name: str) -> None:
    """Of a function, and of the verb of a dataset."""
    verb = getattr(xr.Dataset().gan, name)
    for own in (getattr(analysis, name), verb):
        lines = pydoc.render_doc(own, renderer=pydoc.plaintext).splitlines()
        assert lines[-1].strip() == (
            "Arms of a search stand at the best of their points, as `tuned` has them."
        )


LIMITED = ["rank_arms", "compare_arms", "arm_scores", "setting_scores", "best_setting_scores"]


@pytest.mark.parametrize("name", [*LIMITED, "rank_table"])
def test_one_search_has_no_limits_and_tests_nothing(
    name: str, opened: dict[str, tuple[xr.Dataset, xr.Dataset]]
) -> None:
    """The seeds that score a point have chosen it; of repeated searches they have not."""
    named = ("low", "high", "p", "critical_difference")
    for how, both in opened.items():
        for own in both:
            found = getattr(analysis, name)(own)
            limits = [variable for variable in found if str(variable).endswith(named)]
            assert limits
            known = [bool(found[limit].notnull().any()) for limit in limits]
            assert known == [how == "repeated"] * len(limits)


def test_searches_on_several_targets_have_verbs_of_their_own(joined: xr.Dataset) -> None:
    """Their points were chosen by a score that not all of them have."""
    with pytest.raises(ValueError, match="rank_over_studies compares their arms"):
        analysis.rank_arms(joined)
    one = analysis.of_study(joined, str(joined["study"].values[0]))
    assert analysis.rank_arms(one).sizes["divergence"] == joined.sizes["divergence"]


def test_points_in_chunks_have_the_same_best(runs: dict[str, Path]) -> None:
    """As `xr.open_zarr` has them: it was a traceback."""
    pytest.importorskip("dask.array", reason="needs dask")
    for run in runs.values():
        ds = open_run(run).compute()
        xr.testing.assert_equal(analysis.rank_arms(ds.chunk()), analysis.rank_arms(ds))
    fresh = analysis.fresh_scores(ds)
    xr.testing.assert_equal(analysis.fresh_scores(ds.chunk()), fresh)


def test_without_a_point_none_is_the_best(runs: dict[str, Path]) -> None:
    ds = open_run(runs["once"]).compute().isel(trial=[])
    with pytest.raises(ValueError, match="no point to choose from along 'trial'"):
        analysis.rank_arms(ds)
