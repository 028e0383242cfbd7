"""What to try first, and what that costs."""

from __future__ import annotations

import math

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
    still = (
        f", and still does {prose.percent(agreed)} of the times that a {words.one(ds)} is left out"
    )
    text = Markup("Try {} first: it wins most comparisons over all targets{}.").format(
        STRONG.format(found["arm"].item()), "" if math.isnan(agreed) else still
    )
    said = [Sentence(text, call)]
    for prefix, beginning in (
        ("", "Behind the best of each target it is"),
        ("new_", "Chosen on the other targets alone, the first choice is behind the best of"),
    ):
        parts, limited = [], False
        for study in ds["study"].values.tolist():
            own, one = found.sel(study=study), of_study(ds, study)
            fact = RecordedMetric.of(one)
            cost, most = (float(own[f"{prefix}{name}"]) for name in ("cost", "most"))
            if math.isfinite(cost):
                at, decimals = "on " if not prefix else "", decimals_of(one, fact)
                behind = f"{at}{study} by {prose.number(cost, decimals)}"
                if math.isfinite(most):
                    behind += f", at most {prose.number(most, decimals)}"
                    limited = True
                behind = f"{behind} {fact.units}".rstrip()
                parts.append(behind + ("" if prefix else _quality(own)))
        if parts:
            limits = "limits hold for all targets at once, and " if limited else ""
            ends = f"; {limits}estimates below zero are told as 0" if not prefix else ""
            said.append(
                Sentence(Markup("{} {}{}.").format(beginning, Markup("; ").join(parts), ends), call)
            )
    return said


def _quality(own: xr.Dataset) -> str:
    """Beside a number of modes, the share of samples on any."""
    mine, best = float(own["quality"]), float(own["best_quality"])
    if not math.isfinite(mine):
        return ""
    has, its = prose.percent(mine), prose.percent(best)
    return f", with {has} of samples of high quality where the first has {its}"
