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
from ganstudy.report.across.words import STRONG, value
from ganstudy.report.prose import Sentence


def first(ds: xr.Dataset, name: str) -> list[Sentence]:
    """The arm to begin with, and how far it is behind the best of each target."""
    found = first_choice(ds)
    call = f"analysis.first_choice({name})"
    agreed = float(found["agreed"])
    text = Markup("Try {} first: it wins most comparisons over all targets{}.").format(
        STRONG.format(found["arm"].item()),
        ""
        if math.isnan(agreed)
        else f", and still does in {100 * agreed:.0f}% of cases without one search",
    )
    said = [Sentence(text, call)]
    for prefix, words in (
        ("", "Behind the best of each target it is"),
        ("new_", "Chosen on the other targets alone, the first choice is behind the best of"),
    ):
        parts = []
        for study in ds["study"].values.tolist():
            own, one = found.sel(study=study), of_study(ds, study)
            fact = RecordedMetric.of(one)
            row = own.rename({f"{prefix}cost": "mean"}).assign(
                low=own[f"{prefix}low"], high=own[f"{prefix}high"]
            )
            if math.isfinite(float(row["mean"])):
                at = "on " if not prefix else ""
                parts.append(f"{at}{study} by {value(one, fact, row)} {fact.units}".rstrip())
        if parts:
            ends = "; limits hold for all targets at once" if not prefix else ""
            said.append(
                Sentence(Markup("{} {}{}.").format(words, prose.listing(parts), ends), call)
            )
    return said
