"""Which trial of a run a name means: an id, the beginning of one, or the best."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.store import RunError

if TYPE_CHECKING:
    from ganstudy.kinds import Kind
    from ganstudy.search import Search
    from ganstudy.store import RunDirectory
    from ganstudy.trial import Trial

__all__ = ["BEST", "named_trial"]

BEST = "best"
"""What stands for the complete trial with the best score by the headline metric."""


def named_trial(directory: RunDirectory, search: Search, name: str) -> Trial[Kind]:
    """The trial of an id, of the beginning of one, or the best one.

    Errors  `RunError` if there is none, or several; `TypeError` for what is no text.
    """
    if not isinstance(name, str):  # the number of a point, for one, is no beginning of an id
        raise TypeError(f"trial is an id, the beginning of one, or {BEST!r}, and not {name!r}")
    path = directory.path
    name = _best(path) if name == BEST else name
    recorded = directory.recorded()
    fitting = [own for own in search.by_id if own in recorded and own.startswith(name)]
    if len(fitting) == 1:
        return search.by_id[fitting[0]]
    if fitting:
        shown = ", ".join(fitting[:3]) + ", ..." * (len(fitting) > 3)
        raise RunError(f"{path}: {len(fitting)} trials begin with {name!r}: {shown}")
    if any(trial.startswith(name) for trial in recorded):
        raise RunError(f"{path}: trial {name} is not one of its study any more")
    raise RunError(
        f"{path}: no recorded trial {name!r}; `trial_id` of the dataset has them all,"
        f" and {BEST!r} stands for the best one"
    )


def _best(path: Path) -> str:
    """The id of the trial with the best score, the first of equal ones, at a point that a search
    may choose.

    Errors  `RunError` where nothing is gathered, or no such trial is complete.
    """
    from ganstudy.analysis import eligible, is_search, trial_scores
    from ganstudy.analysis.metric import RecordedMetric
    from ganstudy.store import open_run

    dataset = open_run(path)
    scores = trial_scores(dataset)["score"].where(dataset["status"] == "complete")
    which = "no trial is complete"
    if is_search(dataset):
        scores = scores.where(eligible(dataset))
        which += " at a point that keeps the constraints and could be measured"
    worth = (RecordedMetric.of(dataset).sign * scores).transpose(*dataset["status"].dims, ...)
    values = worth.values.reshape(dataset["status"].shape)
    if not np.isfinite(values).any():
        raise RunError(f"{path}: {which}, and so none is the best; name one")
    return str(dataset["trial_id"].values.flat[int(np.nanargmax(values))])
