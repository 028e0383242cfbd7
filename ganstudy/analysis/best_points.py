"""Arms of a search at the best of their points, for analyses that compare arms."""

from __future__ import annotations

from functools import wraps
from inspect import getdoc
from typing import Any, cast

import numpy as np
import xarray as xr

from ganstudy.analysis.budget import tuned
from ganstudy.analysis.design import drawn
from ganstudy.analysis.handling import FindT, along_studies, is_search, taking, whole

__all__ = ["limits_of", "of_arms"]


def of_arms(find: FindT) -> FindT:
    """An analysis of the arms of a run; those of a search stand at the best of their points.

    Points of one number have nothing in common between arms, as settings have. Limits that would
    not say how far chance reaches are NaN; see `drawn`.
    """

    @wraps(find)
    def found(ds: xr.Dataset, *args: Any, **kwargs: Any) -> Any:
        answer = find(ds, *args, **kwargs)
        if drawn(ds) or not isinstance(answer, xr.Dataset):
            return answer
        nowhere = {name: xr.full_like(answer[name], np.nan) for name in limits_of(answer)}
        return answer.assign(nowhere)

    found.__doc__ = f"{getdoc(find)}\n\n{_OF_A_SEARCH}"
    return taking(_at_best, cast("FindT", found))


_OF_A_SEARCH = "Arms of a search stand at the best of their points, as `tuned` has them."


def limits_of(answer: xr.Dataset) -> list[str]:
    """Names of the variables that say how far chance reaches."""
    return [name for name in map(str, answer) if name.endswith(("low", "high"))]


def _at_best(ds: xr.Dataset) -> xr.Dataset:
    if not is_search(ds):
        return whole(ds)
    if along_studies(ds):
        raise ValueError(
            "these are searches on several targets: analysis.rank_over_studies compares their arms,"
            " and analysis.of_study(ds, name) is one of them"
        )
    return tuned(ds)
