"""Which arm on which target, over all of them, and at which budget."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from markupsafe import Markup

from ganstudy.analysis import (
    RecordedMetric,
    is_search,
    of_study,
    rank_over_studies,
    rank_studies,
    wins_by_budget,
)
from ganstudy.analysis.studies import tested
from ganstudy.report import prose
from ganstudy.report.across.words import (
    MOST_NAMED,
    few,
    share,
    stands,
    unit,
    value,
)
from ganstudy.report.prose import STRONG, Sentence

BUDGETS = (1, 2, 4, 8, 16, 32, 64)
"""Points of a search at which budgets are compared, as far as it has them."""


def verdict(ds: xr.Dataset, name: str = "ds") -> tuple[Sentence, str]:
    """Which arm wins most over all targets, and the grade of its lead over all others."""
    found = rank_over_studies(ds)
    grade = prose.least_sure(found["grade"].values[1:].tolist())
    return Sentence(_lead(ds, found), f"analysis.rank_over_studies({name})"), grade


def _lead(ds: xr.Dataset, found: xr.Dataset) -> Markup:
    count = int(found["equals_best"].sum())
    alone, others = count == 1, found.isel(arm=slice(count, None))
    return Markup("Over {}, {} {} against other arms on the same target: {}{}.").format(
        prose.plural(ds.sizes["study"], "target"),
        prose.listing(STRONG.format(arm) for arm in found["arm"].values[:count]),
        "wins most often" if alone else "win most often, equally,",
        share(found.isel(arm=0), "wins", unit=unit(ds))
        if alone
        else prose.percent(float(found["wins"][0])),
        stands(others["arm"].values.tolist(), others["grade"].values.tolist()),
    )


def over_targets(ds: xr.Dataset, name: str) -> tuple[Sentence, Sentence]:
    """The verdict with the arms that come next, and how many trials diverged."""
    found = rank_over_studies(ds)
    count = int(found["equals_best"].sum())
    rest = found.isel(arm=slice(count, count + MOST_NAMED))
    following = prose.listing(
        f"{prose.quoted(arm)} {share(rest.isel(arm=i), 'wins')}"
        for i, arm in enumerate(rest["arm"].values.tolist())
    )
    text = Markup("{}{} On its worst target {} is in place {} of {}.").format(
        _lead(ds, found),
        Markup(" Next {} {}.").format("comes" if rest.sizes["arm"] == 1 else "come", following)
        if rest.sizes["arm"]
        else "",
        "the first" if count == 1 else found["arm"].values[0],
        int(found.isel(arm=0)["worst_place"]),
        found.sizes["arm"],
    )
    call = f"analysis.rank_over_studies({name})"
    return Sentence(text, call), Sentence(_diverged(found), call)


def on_targets(ds: xr.Dataset, name: str) -> list[Sentence]:
    """The first of each target, a sentence each."""
    ranked, said = rank_studies(ds), []
    for study in ds["study"].values.tolist():
        own = ranked.sel(study=study).sortby("place")
        one = of_study(ds, study)
        fact = RecordedMetric.of(one)
        first = own.isel(arm=0)
        count = int(own["equals_best"].sum())
        others = own.isel(arm=slice(count, None))
        quality = float(first["quality"]) if count == 1 else math.nan
        text = Markup("On {} {} {} in {}{} with {}{}{}.").format(
            study,
            prose.listing(STRONG.format(arm) for arm in own["arm"].values[:count]),
            "is first" if count == 1 else "are first, equally,",
            fact.long_name,
            "" if fact.higher_is_better else " (lower is better)",
            value(one, fact, first)
            if count == 1
            else _means(one, fact, own.isel(arm=slice(count))),
            f" and {prose.percent(quality)} of samples of high quality"
            if math.isfinite(quality)
            else "",
            stands(others["arm"].values.tolist(), others["grade"].values.tolist()),
        )
        call = f"analysis.rank_studies({name}).sel(study={study!r})"
        said.append(Sentence(text, call))
    return said


def _means(one: xr.Dataset, fact: RecordedMetric, best: xr.Dataset) -> Markup:
    """Of arms that share the first place; where they do so by wins, means may differ."""
    rows = (best.isel(arm=i).assign(low=math.nan) for i in range(best.sizes["arm"]))
    return prose.listing(dict.fromkeys(value(one, fact, row) for row in rows))


def _diverged(found: xr.Dataset) -> Markup:
    """How many trials diverged, and of which arm most."""
    shares = found["diverged"]  # NaN of an arm of which no trial ran
    most = float(shares.max())
    if not most > 0:
        return Markup("No trial diverged.")
    arms = shares["arm"].values[np.isclose(shares, most, rtol=1e-12)].tolist()
    return Markup("On average over targets {}% of trials diverged, of {} most: {}%.").format(
        prose.number(100 * float(found["diverged_of_all"]), 1),
        few(arms),
        prose.number(100 * most, 1),
    )


def by_budget(ds: xr.Dataset, name: str) -> list[Sentence]:
    """Which arm wins most with so many points of a search; nothing for grids."""
    known = budgets(ds)
    if not known:
        return []
    found = wins_by_budget(ds, known)
    parts = []
    for k in known:
        own = found.sel(budget=k)
        best = own.isel(arm=np.flatnonzero(own["equals_best"]))
        won = share(best.isel(arm=0), "wins", inner=True)
        if best.sizes["arm"] > 1:
            won = prose.percent(float(best["wins"][0]))
        parts.append(Markup("{} with {} ({})").format(_equally(best), k, won))
    how = (
        "on seeds that did not choose the point"
        if found.attrs["scored"] == "held_out"
        else "as the search was told, which is optimistic, for all arms alike"
    )
    text = Markup("By points of each search, most comparisons are won by {}; scored {}.").format(
        prose.listing(parts), how
    )
    call = f"analysis.wins_by_budget({name}, {known})"
    return [
        Sentence(text, call),
        *(_firsts(found, own, call) for own in tested(ds)),
    ]


def _firsts(found: xr.Dataset, tested: xr.DataArray, call: str) -> Sentence:
    """The first of a target at every budget, and, of one that is tested, over how many others it at
    least leans ahead, if it is first alone."""
    study, parts, leads = tested["study"].item(), [], False
    for k in found["budget"].values.tolist():
        own = found.sel(budget=k, study=study)
        best = own.isel(arm=np.flatnonzero(own["study_equals_best"]))
        ahead = f" ({int(own['ahead'])})" if tested and best.sizes["arm"] == 1 else ""
        leads |= bool(ahead)
        parts.append(Markup("{} with {}{}").format(_equally(best), k, ahead))
    text = Markup("On {} first place goes to {}").format(study, prose.listing(parts))
    if leads:
        how = Markup("; in brackets, over how many of {} others its lead is clear or leans")
        text += how.format(int(found["others"]))
    text += Markup(".")
    return Sentence(text, f"{call}.sel(study={study!r})")


def _equally(best: xr.Dataset) -> Markup:
    """The first arm, or those that share its place."""
    arms = best["arm"].values.tolist()
    return few(arms) + (", equally," if len(arms) > 1 else "")


def budgets(ds: xr.Dataset) -> list[int]:
    """Numbers of points at which searches are compared, which all studies have; none for grids."""
    if not is_search(ds):
        return []
    least = min(of_study(ds, name).sizes["trial"] for name in ds["study"].values.tolist())
    return [k for k in BUDGETS if k <= least]
