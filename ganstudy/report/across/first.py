"""What to try first, and what that costs."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from markupsafe import Markup

from ganstudy.analysis import (
    RecordedMetric,
    first_choice,
    of_study,
)
from ganstudy.report import prose
from ganstudy.report.across import words
from ganstudy.report.prose import STRONG, Sentence, decimals_of


def first(ds: xr.Dataset, name: str) -> list[Sentence]:
    """The arm to begin with, and how far it is behind the best of each target."""
    found = first_choice(ds)
    call = f"analysis.first_choice({name})"
    agreed = float(found["agreed"])
    ties = int(found["ties"])
    wins, still = "it wins", "still does"
    if ties > 1:
        wins, still = f"it is one of {ties} arms that win", "is still chosen"
    still = f", and {still} {prose.percent(agreed)} of the times that a {words.one(ds)} is left out"
    text = Markup("Try {} first: {} most comparisons over all targets{}.").format(
        STRONG.format(found["arm"].item()), wins, "" if math.isnan(agreed) else still
    )
    said = [Sentence(text, call)]
    for prefix, beginning in (
        ("", "Behind the best of each target it is"),
        ("new_", "Chosen on the other targets alone, the first choice is behind the best of"),
    ):
        parts = []
        for study in ds["study"].values.tolist():
            own = found.sel(study=study)
            if behind := _behind(own, of_study(ds, study), prefix, words.one(ds)):
                parts.append(
                    f"{study} {behind}" if prefix else f"on {study} {behind}{_quality(own)}"
                )
        if parts:
            limited = np.isfinite(found[f"{prefix}most"]).any()
            limits = "limits hold for all targets at once, and " if limited else ""
            ends = f"; {limits}estimates below zero are told as 0" if not prefix else ""
            said.append(
                Sentence(Markup("{} {}{}.").format(beginning, Markup("; ").join(parts), ends), call)
            )
    return said


def _behind(own: xr.Dataset, one: xr.Dataset, prefix: str, unit: str) -> str:
    """By how much the choice is behind the best of a target; empty where nothing is known."""
    fact = RecordedMetric.of(one)
    cost, most, lost = (float(own[f"{prefix}{name}"]) for name in ("cost", "most", "lost"))
    told, decimals = [], decimals_of(one, fact)
    if math.isfinite(cost):
        limit = f", at most {prose.number(most, decimals)}" if math.isfinite(most) else ""
        told.append(f"by {prose.number(cost, decimals)}{limit} {fact.units}".rstrip())
    if lost:
        of = prose.plural(int(own["searches"]), unit)
        told.append(f"by more than any number in {lost:.0f} of {of}")
    return ", and ".join(told) + (", with no limit" if math.isinf(most) else "")


def _quality(own: xr.Dataset) -> str:
    """Beside a number of modes, the share of samples on any."""
    mine, best = float(own["quality"]), float(own["best_quality"])
    if not math.isfinite(mine):
        return ""
    has, its = prose.percent(mine), prose.percent(best)
    return f", with {has} of samples of high quality where the first has {its}"
