"""docs/notation.md has every name that a dataset can have, in the table where it belongs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
import xarray as xr
from searched import study_of

from ganstudy import open_run, open_runs, plugins
from ganstudy.analysis import tuned
from ganstudy.film import FILM, IMAGE_FILM, PLACES
from ganstudy.kinds import family as kinds
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.search import search_of
from ganstudy.statuses import STATUSES
from ganstudy.study import load
from ganstudy.variable import OF_A_DATASET, Variable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "notation.md").read_text(encoding="utf-8")


@cache
def listed(heading: str) -> list[str]:
    """What is written as code in the first column of the tables that have this heading there."""
    found, within = [], False
    for line in PAGE.splitlines():
        first = line.split("|")[1].strip() if line.startswith("|") else ""
        if within and first:
            found += re.findall(r"`([^`]+)`", first)
        within = bool(first) and (within or first == heading)
    return found


def unlisted(variables: Iterable[Variable], attributes: Iterable[str] = ()) -> set[tuple[str, str]]:
    """What the tables lack; of a variable with a role, the role explains it."""
    found = {("attribute of the dataset", name) for name in attributes}
    for own in variables:
        heading = "`role`" if own.role else "dimension" if own.is_coordinate else "variable"
        found.add((heading, own.role or own.name))
        found |= {("dimension", dim) for dim in own.dims}
        found |= {("attribute of a variable", key) for key in own.attributes}
    return {(heading, name) for heading, name in found if name not in listed(heading)}


def held(ds: xr.Dataset) -> Iterator[Variable]:
    """The variables of a dataset, without its axes, whose names are the study's."""
    axes = {*map(str, ds.attrs["axes"])} - {*listed("dimension")}
    for name, own in ds.variables.items():
        if name not in axes:
            dims = tuple(str(dim) for dim in own.dims if dim not in axes)
            role = own.attrs.get("role", "")
            yield Variable(str(name), dims=dims, role=role, about=own.attrs)


def test_every_name_of_a_dataset_is_on_the_page(
    tiny_run: Path, search: xr.Dataset, theory: xr.Dataset, tmp_path: Path
) -> None:
    """Of a grid, a search, a study of claims, and a comparison."""
    other = shutil.copytree(tiny_run, tmp_path / "other")
    for ds in (open_run(tiny_run), search, theory, open_runs(tiny_run, other)):
        assert unlisted(held(ds), map(str, ds.attrs)) == set()


def test_every_name_of_what_is_made_of_runs_is_on_the_page(
    tiny_run: Path, search: xr.Dataset, tmp_path: Path
) -> None:
    """The best points of a search, and a comparison along targets."""
    other = shutil.copytree(tiny_run, tmp_path / "other")
    for ds in (tuned(search), open_runs(tiny_run, other, along="study")):
        assert unlisted(held(ds), map(str, ds.attrs)) == set()


def test_every_name_that_is_stated_beforehand_is_on_the_page() -> None:
    """Of what each dataset may hold, each kind records, each metric says and each search adds."""
    settings = {"metrics": ["coverage"], "equilibrium": {}}  # a metric that was audited
    own = Adversarial.model_validate({"generator": {"average": 0.9}, "record": settings})
    recorded = [*own.variables(), *(v for kind in kinds for v in kind().variables())]
    added = [variable for form in plugins.family("search") for variable in form.adds]
    derived = [other for v in recorded if v.role == "metric" for other in (v.perfect, *v.ends)]
    known = [*OF_A_DATASET, *FILM, *IMAGE_FILM, *PLACES, *recorded, *derived, *added]
    assert "audit" in {key for variable in known for key in variable.attributes}
    assert unlisted(known) == set(), "add their rows to docs/notation.md"
    assert set(STATUSES) <= set(re.findall(r"`([^`\n]+)`", PAGE))


@pytest.mark.parametrize(
    "changes", [[], ["search.bayes.repeats=2"], ["search.bayes.fresh=3"]], ids=str
)
def test_a_search_has_its_dimensions_in_the_order_of_the_page(
    changes: list[str], tmp_path: Path
) -> None:
    own = search_of(study_of(tmp_path, *changes))
    axes = [axis.dimension for axis in own.study.axes]
    found = [dim for dim in own.dimensions if dim not in axes]
    assert list(own.dimensions) == axes + found
    assert found == [dim for dim in listed("dimension") if dim in found]


def test_what_a_study_that_adds_seeds_says_is_on_the_page() -> None:
    own = search_of(load(ROOT / "studies" / "settled.yaml"))
    assert unlisted([], own.attributes()) == set()
