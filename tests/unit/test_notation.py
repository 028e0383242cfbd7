"""docs/notation.md has every name that a dataset can have."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import xarray as xr

from ganstudy import open_run, open_runs
from ganstudy.film import FILM, IMAGE_FILM
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.statuses import STATUSES

PAGE = Path(__file__).parents[2] / "docs" / "notation.md"


@pytest.fixture(scope="module")
def named() -> set[str]:
    """All that the page writes as code."""
    return set(re.findall(r"`([^`\n]+)`", PAGE.read_text(encoding="utf-8")))


def names(ds: xr.Dataset) -> set[str]:
    """Names in a dataset, a role in place of those that the role explains."""
    axes = set(ds.attrs["axes"]) - {"trial", "arm", "run"}
    variables = {
        str(variable.attrs.get("role", name))
        for name, variable in ds.variables.items()
        if name not in axes
    }
    attributes = {key for variable in ds.variables.values() for key in variable.attrs}
    return variables | attributes | {str(dim) for dim in ds.sizes} - axes | set(ds.attrs)


def test_every_name_of_a_dataset_is_on_the_page(
    named: set[str], tiny_run: Path, search: xr.Dataset, theory: xr.Dataset, tmp_path: Path
) -> None:
    """Of a grid, a search, a study of claims, and a comparison."""
    other = shutil.copytree(tiny_run, tmp_path / "other")
    for ds in (open_run(tiny_run), search, theory, open_runs(str(tiny_run), str(other))):
        assert names(ds) - named == set()


def test_every_name_of_what_is_optional_is_on_the_page(named: set[str]) -> None:
    """Films, labels, the game at the end, and every status."""
    game = Adversarial.model_validate({"record": {"equilibrium": {}}}).variables()
    kept = {key for variable in game for key in variable.attributes}
    filmed = {own.name for own in (*FILM, *IMAGE_FILM)}
    assert {"labels", *filmed, *STATUSES, *kept} - named == set()
