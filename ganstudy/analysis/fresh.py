"""What the point that a search chose is worth on seeds that chose nothing."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis.arms import interval_over_seeds
from ganstudy.analysis.budget import chosen_points
from ganstudy.analysis.handling import of_search
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.analysis.scores import trial_scores


@of_search
def fresh_scores(
    ds: xr.Dataset, metric: str | None = None, *, confidence: float = 0.95
) -> xr.Dataset:
    """Score of the point at which each search stands on fresh seeds, which have chosen nothing.

    Returns  variables (axes...), of each repeat: `mean`, `low`, `high`, `seeds`, as
             `interval_over_seeds` has them.

    Errors   `ValueError` for a search without fresh seeds.
    """
    if "fresh" not in ds:
        raise ValueError("the search has no fresh seeds; search.bayes.fresh asks for some")
    fact, chosen = RecordedMetric.of(ds, metric), chosen_points(ds)
    fresh = ds.isel(seed=np.flatnonzero(ds["fresh"].values))
    score = trial_scores(fresh, metric)["score"].isel(trial=chosen).drop_vars("trial")
    scores = interval_over_seeds(score, fact, confidence)
    return scores.assign_attrs(metric=fact.name, confidence=confidence)
