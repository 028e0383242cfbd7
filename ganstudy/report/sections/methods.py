"""How the numbers of the page are made, and how to cite the software."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import xarray as xr
from markupsafe import Markup

from ganstudy.analysis import RecordedMetric, along_studies, is_search, of_study, study_scores
from ganstudy.analysis.budget_curve import in_any_order
from ganstudy.analysis.design import computed, seeds_added
from ganstudy.analysis.studies import grid_axes, tested
from ganstudy.report import prose, reference
from ganstudy.report.across.ranking import budgets
from ganstudy.report.across.sharing import further_axes
from ganstudy.report.sections._base import Section

GAME = {
    Markup("the critic's distance from 1/2"): ("trial_critic_gap",),
    Markup("the strength of cycles"): (
        "trial_critic_loss_strength",
        "trial_generator_loss_strength",
    ),
}
"""Of `analysis.equilibrium`, what has a mean with limits on the page, where it is known."""


@dataclass(frozen=True)
class Joined:
    """What studies that were joined along `study` have in common, and in what they differ.

    unit     what is drawn anew, and `count`, how many there are: searches, or seeds of grids
    axes     those of the grid, of whose points arms are made; `further` is that beside the compared
    scored   `fresh`, `told` or `seeds`: on what an arm is scored
    budgets  points of a search at which arms are compared; `by_chance` where none was learned
    untested studies in which nothing has limits or grades
    bounded  targets of which the score has a worst value, and `unbounded`, the others
    common   settings that all trials of all studies share
    rows     of text: a name, and what each study has; sizes, and settings in which they differ
    """

    unit: str
    count: int
    arms: int
    axes: list[str]
    further: list[str]
    scored: str
    budgets: list[int]
    by_chance: bool
    names: list[str]
    untested: list[str]
    bounded: list[str]
    unbounded: list[str]
    common: int
    rows: list[list[str]]

    @classmethod
    def of(cls, ds: xr.Dataset) -> Joined:
        """What is to be said of a joined dataset."""
        names = ds["study"].values.tolist()
        each = [of_study(ds, name) for name in names]
        facts = [RecordedMetric.of(own) for own in each]
        settings = [
            {key: value for key, value, *_ in json.loads(own.attrs.get("shared", "[]"))}
            for own in each
        ]
        values = {
            key: [own.get(key, prose.MISSING) for own in settings]
            for key in dict.fromkeys(key for own in settings for key in own)
        }
        differing = {key: own for key, own in values.items() if any(x != own[0] for x in own)}
        better = [fact.direction for fact in facts]
        scores, searched = study_scores(ds), is_search(ds)
        bounded = [n for n, fact in zip(names, facts, strict=True) if math.isfinite(fact.worst)]
        return cls(
            unit="search" if searched else "seed",
            count=scores.sizes["repeat"],
            arms=scores.sizes["arm"],
            axes=grid_axes(ds),
            further=further_axes(ds),
            scored=str(scores.attrs["scored"]),
            budgets=budgets(ds),
            by_chance=searched and all(map(in_any_order, each)),
            names=names,
            untested=[n for n, known in zip(names, tested(ds).values, strict=True) if not known],
            bounded=bounded,
            unbounded=[name for name in names if name not in bounded],
            common=len(values) - len(differing),
            rows=[
                ["score", *(fact.long_name for fact in facts)],
                ["the better", *better],
                *([words, *sizes] for words, *sizes in _sizes(each)),
                *([key, *_shortened(own)] for key, own in differing.items()),
            ],
        )


def _shortened(values: Sequence[Any]) -> list[str]:
    """Values of a setting: of members of a family their names, where these differ."""
    names = [
        ", ".join(own["name"] for own in value)
        if isinstance(value, list) and all(isinstance(own, dict) and "name" in own for own in value)
        else f"{value:.6g}"
        if isinstance(value, float)
        else prose.written(value)
        for value in values
    ]
    return names if len(set(names)) > 1 else [prose.written(value) for value in values]


def _sizes(each: Sequence[xr.Dataset]) -> Iterator[list[str]]:
    """How large each study is: a name, and a number of each."""
    fresh = [int(own["fresh"].sum()) if "fresh" in own else 0 for own in each]
    searched = is_search(each[0])
    for dim, words in (("repeat", "searches of an arm"), ("trial", "points of a search")):
        if searched:
            yield [words, *(f"{own.sizes.get(dim, 1):,}" for own in each)]
    seeds = [f"{own.sizes['seed'] - n:,}" for own, n in zip(each, fresh, strict=True)]
    yield ["seeds of a point" if searched else "seeds", *seeds]
    if any(fresh):
        yield ["fresh seeds of the best point", *map(str, fresh)]


class Methods(Section):
    """Scores, intervals, comparisons and searches, in words."""

    place = 170
    label = "Methods"
    several = True

    def facts(self) -> dict[str, Any]:
        """What joined studies have in common, None of one study, which the template words alone,
        and its worst value; whether all is computed, whether seeds were added as results came in,
        and which means of the game the page has."""
        ds, own = self.findings.gathered, self.findings.ds
        joined = Joined.of(ds) if along_studies(ds) else None
        return {
            "joined": joined,
            "worst": "" if joined else reference.worst(self.findings),
            "some_lack_worst": not joined and reference.some_lack_worst(self.findings),
            "computed": computed(own),
            "seeds_added": seeds_added(own),
            "game": [] if joined or self.findings.theory else self._game(),
        }

    def _game(self) -> list[str]:
        found = self.findings.equilibrium
        known = {name for name in found if bool(found[name].notnull().any())}
        return [words for words, names in GAME.items() if known.intersection(names)]
