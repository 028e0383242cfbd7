"""The atlas: a small file, a page whose claims are computed from it, and sentences in general."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import xarray as xr
from recomputed import unexplained

import ganstudy
from ganstudy import analysis, atlas
from ganstudy.analysis.remembered import remembering
from ganstudy.atlas import packed
from ganstudy.atlas.__main__ import BEGIN, END, PAGE, written
from ganstudy.report import across


@pytest.fixture
def runs(targets: list[Path]) -> Path:
    return targets[0].parent


def unfounded(ds: xr.Dataset) -> list[str]:
    """Sentences with numbers that the call beside them does not return."""
    arms = analysis.study_scores(ds)["arm"].values
    labels = [x for dim in ds.dims if dim in ds.coords for x in ds[dim].values]
    names = {str(x) for x in (*arms, *labels) if isinstance(x, str)} | {"Spearman's"}
    found = cache(lambda call: eval(call, {"ds": ds, "analysis": analysis}))
    left = []
    with remembering():
        for said in across.sentences(ds).values():
            for sentence in said:
                if numbers := unexplained(str(sentence.text), found(sentence.call), names):
                    left.append(f"{numbers} of {sentence.text}: {sentence.call}")
    return left


@pytest.mark.slow
def test_the_file_holds_every_number_as_it_is(runs: Path, tmp_path: Path) -> None:
    """And what made them, without where that was."""
    ds = packed.pack_runs([runs], tmp_path / "atlas.nc")
    joined = ganstudy.open_runs(runs, along="study")
    joined.attrs |= {key: ds.attrs[key] for key in ("runs", "made", "licence")}
    xr.testing.assert_identical(ds, joined)
    assert ds.attrs["runs"] == [f"runs/{runs.name}/{name}" for name in ("ring", "roll")]
    assert str(runs.parent) not in str(ds.attrs)
    assert '"torch": "2"' in ds.attrs["made"]


@pytest.mark.slow
def test_a_file_that_is_too_large_is_not_written(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "LARGEST", 1000)
    with pytest.raises(ValueError, match="bytes are more than 1,000"):
        packed.pack_runs([runs], tmp_path / "atlas.nc")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_every_number_of_a_sentence_is_in_what_its_call_returns(runs: Path) -> None:
    assert unfounded(ganstudy.open_runs(runs, along="study")) == []


@pytest.mark.slow
def test_the_page_of_several_targets(runs: Path, tmp_path: Path) -> None:
    from ganstudy.existing import compare

    page = compare([runs], tmp_path / "out", "ganstudy compare", along="study")
    text = page.read_text(encoding="utf-8")
    assert "could not be made" not in text
    assert "What to try first" in text
    (call,) = re.findall(r"searched = (ganstudy\.open_runs\([^<]*?\));", text)
    ds = eval(call, {"ganstudy": ganstudy})
    assert analysis.first_choice(ds)["arm"].item() in text
    for name in ("places", "budgets", "alike"):
        assert (page.parent / f"{name}.svg").is_file()
        assert getattr(ganstudy.plot, name)(ds).has_data()


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        written("no marks", xr.Dataset())


def test_dataset_and_claims_are_there_or_neither() -> None:
    """Claims without the dataset would be anybody's."""
    page = PAGE.read_text(encoding="utf-8")
    said = page.partition(BEGIN)[2].partition(END)[0].strip()
    assert bool(said) == atlas.FILE.is_file()


@pytest.mark.slow
@pytest.mark.skipif(not atlas.FILE.is_file(), reason="the atlas has not been trained")
def test_every_claim_of_the_page_is_computed_from_the_dataset() -> None:
    """Text and numbers, by the sentences; and each number is in what its call returns."""
    page, ds = PAGE.read_text(encoding="utf-8"), ganstudy.open_atlas()
    with remembering():
        assert written(page, ds) == page, "python -m ganstudy.atlas"
        assert unfounded(ds) == []
    assert atlas.FILE.stat().st_size <= packed.LARGEST
    assert set(ds.attrs["runs"]) == {f"runs/atlas/{name}" for name in ds["study"].values}
