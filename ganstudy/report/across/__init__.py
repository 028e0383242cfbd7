"""What joined studies say of several targets, in sentences, each with the call of its numbers."""

from __future__ import annotations

import xarray as xr

from ganstudy.report import prose
from ganstudy.report.across.agreement import metrics, predicts
from ganstudy.report.across.first import first
from ganstudy.report.across.ranking import by_budget, on_targets, over_targets, verdict
from ganstudy.report.across.sharing import further_axes, shared
from ganstudy.report.prose import Sentence

__all__ = ["KEY", "sentences", "verdict"]

KEY = ("Whether one target predicts another", "What to try first")
"""Questions whose first sentence stands beside the verdict."""


def sentences(ds: xr.Dataset, name: str = "ds") -> dict[str, list[Sentence]]:
    """All that is said, by the question that it answers; `name` is what calls name the dataset."""
    lead, diverged = over_targets(ds, name)
    others = further_axes(ds)
    are = "is" if len(others) == 1 else "are"
    return {
        "Which objective on which target": [lead, *on_targets(ds, name), diverged],
        "At which budget": by_budget(ds, name),
        f"What is left once the {prose.listing(others).unescape()} {are} shared": shared(ds, name),
        "Whether one target predicts another": predicts(ds, name),
        "Which metric agrees with which": metrics(ds, name),
        "What to try first": first(ds, name),
    }
