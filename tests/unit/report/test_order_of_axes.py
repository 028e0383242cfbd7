"""What a study says does not depend on which axis of its grid is written first."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from searched import bayes, search
from unrendered import unrendered

from ganstudy import analysis
from ganstudy.report import build
from ganstudy.report.searched import Searched
from ganstudy.store import RunDirectory, gather
from ganstudy.trial import Trial

Make = Callable[..., xr.Dataset]


def _swapped(first: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Arms along the first axis, and the same dataset with them along the second."""
    arm, other, *rest = first.attrs["axes"]
    swapped = first.transpose(other, arm, ...)
    return first, swapped.assign_attrs(axes=[other, arm, *rest], compare=arm)


def _grid(make_study: Make, folder: Path) -> xr.Dataset:
    return make_study({"divergence": ["a", "b", "c"], "lr": [0.1, 0.2]}, steps=60, samples=50)


def _search(make_study: Make, folder: Path) -> xr.Dataset:
    """Of three settings, in which other parameters matter."""
    grid = "search.grid={divergence: [minimax, hinge], generator.depth: [1, 2, 3]}"
    rate = "{low: 1e-5, high: 1e-1, log: true}"
    space = f"search.bayes.space={{generator.lr: {rate}, critic.lr: {rate}}}"
    own = bayes(folder, grid, space, "search.bayes.sampler=random", "search.bayes.trials=20")
    (directory := RunDirectory(folder / "run")).records.mkdir(parents=True)

    def score(trial: Trial[Any]) -> float:
        given = trial.configuration
        decides = given.critic if given.generator.depth == 1 else given.generator
        return 6 + math.log10(decides.lr) + 0.1 * given.generator.depth

    directory.write(list(search(own, score)))
    return gather(directory, own).compute()


@pytest.fixture(params=[_grid, _search])
def both(
    request: pytest.FixtureRequest, make_study: Make, tmp_path: Path
) -> tuple[xr.Dataset, xr.Dataset]:
    return _swapped(request.param(make_study, tmp_path))


def _answer(name: str, ds: xr.Dataset) -> Any:
    """What an analysis says of a dataset alone; None where it asks for more, or for another."""
    function = getattr(analysis, name)
    if not inspect.isfunction(function) or "ds" not in inspect.signature(function).parameters:
        return None
    try:
        found = function(ds)
        return found.to_dataset(name="itself") if isinstance(found, xr.DataArray) else found
    except (KeyError, TypeError, ValueError):
        return None


def test_analyses(both: tuple[xr.Dataset, xr.Dataset]) -> None:
    """Values, and what is told to have the arms first has them first."""
    arms_first = set()
    for name in analysis.__all__:
        one, other = (_answer(name, ds) for ds in both)
        assert (one is None) == (other is None), name
        if isinstance(one, xr.Dataset):
            for key, own in one.variables.items():
                told = other[key].variable.transpose(*own.dims)
                xr.testing.assert_allclose(own, told)
            if all(own.dims == other[key].dims for key, own in one.data_vars.items()):
                arms_first.add(name)
    assert {"arm_scores", "equilibrium", "stability", "status_counts"} <= arms_first


def test_the_page(both: tuple[xr.Dataset, xr.Dataset], tmp_path: Path) -> None:
    """It had numbers of settings under the names of arms, or lacked the section."""
    pages = []
    for place, ds in enumerate(both):
        with unrendered():
            page = build(ds, {}, tmp_path / str(place))
        pages.append(re.sub(r'data:[^"]+', "", page.read_text(encoding="utf-8")))
    assert pages[0] == pages[1]


def test_groups_of_a_search(make_study: Make, tmp_path: Path) -> None:
    """Importances were those of other arms."""
    one, other = map(Searched.of, _swapped(_search(make_study, tmp_path)))
    shares = [own.by_group(own.importances["share"]) for own in (one, other)]
    assert one.groups == other.groups
    np.testing.assert_allclose(*shares)
    assert shares[0].std(axis=0).min() > 0.2
    told = [own.by_row(own.told.transpose("generator_depth", ...)) for own in (one, other)]
    np.testing.assert_allclose(*told)
