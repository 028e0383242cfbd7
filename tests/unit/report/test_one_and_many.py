"""What there is one of is told as one; of what there is much, how much is not told."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from joined_studies import joined_of
from synthetic_dataset import filmed
from unrendered import undrawn, unrendered

from ganstudy import plural
from ganstudy.report import across, build
from ganstudy.report.look import Look
from ganstudy.report.searched import Searched
from ganstudy.report.sections.search import importances
from ganstudy.report.sections.search import section as search_section

Make = Callable[..., xr.Dataset]

ONE = r"(?<![\d.,])\b1 "
SINGULAR = r"(?!(?:is|was|has|does|makes|comes|less)\b)"
AS_MANY = re.compile(
    f"{ONE}(?:[a-z]+ )?{SINGULAR}[a-z]{{2,}}s\\b"
    f"|{ONE}(?:[a-z\\d,]+ ){{0,4}}(?:are|were|have|make)\\b"
)
"""`1 arms`, `1 diverged trials`, `1 of 40 trials have`."""


def words(ds: xr.Dataset, folder: Path, look: Look | None = None) -> str:
    """What a page says, alternative texts among it."""
    with unrendered():
        page = build(ds, {}, folder / "report", look=look).read_text(encoding="utf-8")
    alts = re.findall(r'alt="([^"]*)"', page)
    shown = re.sub(r"<(script|style|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>|\s+", " ", shown) + " ".join(alts))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("axes", "seeds", "status"),
    [
        ({"divergence": ["minimax"]}, 1, {}),
        ({"divergence": ["minimax"], "lr": [1, 2]}, 1, {(0, 0, 0): "diverged"}),
        ({"divergence": ["minimax", "b"]}, 2, dict.fromkeys([(0, 0), (1, 0), (1, 1)], "missing")),
    ],
)
def test_a_page_of_one_speaks_of_one(
    make_study: Make,
    tmp_path: Path,
    axes: dict[str, list[object]],
    seeds: int,
    status: dict[tuple[int, ...], str],
) -> None:
    ds = filmed(make_study(axes, seeds=seeds, steps=4, samples=9, status=status))
    said = words(ds, tmp_path)
    assert "planned trial" in said
    assert AS_MANY.findall(said) == []


def test_a_look_at_the_last_trial_speaks_of_one(make_study: Make, tmp_path: Path) -> None:
    ds = make_study({"divergence": ["a"]}, seeds=2, samples=1, status={(0, 1): "missing"})
    with undrawn():
        page = build(ds, {}, tmp_path, look=Look(1, 2, 0, "20")).read_text(encoding="utf-8")
    assert "1 of 2 trials had a record and 1 was still to come." in page


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("seed", "seeds"),
        ("search", "searches"),
        ("study", "studies"),
        ("capacity", "capacities"),
        ("decay", "decays"),
        ("loss", "losses"),
        ("critic.steps", "critic.steps"),
    ],
)
def test_nouns_of_many(noun: str, many: str) -> None:
    """An axis of a study is a noun, too."""
    assert plural.several(noun) == many


def test_a_search_says_how_many_more_arms_there_are(search: xr.Dataset) -> None:
    """Six of eight were listed as though they were all."""
    eight = search.isel(divergence=[0, 1] * 4).assign_coords(divergence=[*"abcdefgh"])
    said = str(search_section.sentence(Searched.of(eight)))
    held = said.partition("chosen on the other seeds: ")[2]
    assert len(re.findall(r"\b[a-h] \d", held)) == 6
    assert " and 2 more in the table below. Each was searched once." in held


def test_a_search_says_how_many_more_parameters_decide(
    search: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two arms and six parameters each."""
    shares = np.arange(1.0, 13).reshape(2, 6) / 21
    found = xr.Dataset({"share": (("divergence", "parameter"), shares), "by_chance": 0.4})
    for p, said in ((0.0, " and 6 more in the figure below. With the scores"), (1.0, "No param")):
        known = found.assign(p=xr.full_like(found["share"], p))
        monkeypatch.setattr("ganstudy.report.searched.importances", lambda ds, known=known: known)
        assert said in str(importances.sentence(Searched.of(search)))


def test_a_lost_trial_of_a_search_is_one(search: xr.Dataset) -> None:
    status = search["status"].copy()
    status[{"divergence": 0, "trial": 0, "seed": 0}] = "diverged"
    one = Searched.of(search.assign(status=status))
    assert "(1 diverged trial among all points)" in search_section.sentence(one)
    status[{"divergence": 0, "trial": 0, "seed": 1}] = "failed"
    two = Searched.of(search.assign(status=status))
    assert "(1 diverged and 1 failed trials among all points)" in search_section.sentence(two)


@pytest.mark.slow
def test_a_joined_page_counts_in_english() -> None:
    """Of arms that are capacities, under one further axis and under two; and one comes next."""
    scores = np.random.default_rng(0).uniform(0, 8, size=(2, 2, 2, 4))
    ds = joined_of(scores).rename(divergence="capacity")
    own = ds.attrs["own"].replace("divergence", "capacity")
    ds = ds.assign_attrs(compare="capacity", axes=["capacity", "constraint"], own=own)
    said = across.sentences(ds)
    texts = " ".join(sentence.text for those in said.values() for sentence in those)
    assert " the capacities are apart in score by " in texts
    assert " of capacities the lead is clear or leans " in texts
    assert "What is left once the constraint is shared" in said
    two = ds.expand_dims(rate=["slow", "fast"]).transpose("study", "capacity", ..., "seed", "step")
    axes = ["capacity", "constraint", "rate"]
    two = two.assign_attrs(axes=axes, own=own.replace('"constraint"]', '"constraint", "rate"]'))
    assert "What is left once the rate and constraint are shared" in across.sentences(two)
    pair = across.sentences(joined_of(scores[:, :, 0] + [[9], [0]]))
    assert " Next comes d" in pair["Which objective on which target"][0].text
