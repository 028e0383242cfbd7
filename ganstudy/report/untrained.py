"""The page of a study of which no trial has a result: what failed, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from markupsafe import Markup

__all__ = ["Failure", "failures", "words"]

_NEXT = {
    "failed": Markup(
        "Mend what is said below; <code>ganstudy retry RUN</code> then trains these trials again."
    ),
    "missing": Markup("<code>ganstudy run</code> trains what is missing."),
}
"""What to do of a run at rest."""


@dataclass(frozen=True)
class Failure:
    """Trials that failed of one cause, and the labels of one of them."""

    cause: str
    trials: int
    example: str


def words(dataset: xr.Dataset, trains: bool) -> Mapping[str, Any]:
    """What the page says in place of an answer, of a run that trains or is at rest."""
    statuses, counts = np.unique(dataset["status"].values, return_counts=True)
    known = {s: int(n) for s, n in zip(statuses.tolist(), counts.tolist(), strict=True)}
    known.pop("excluded", None)
    named = {"missing": "still to come"} if trains else {}
    said = ", ".join(f"{n} {named.get(status, status)}" for status, n in known.items())
    what = "Every trial failed" if known.keys() == {"failed"} else "No trial has a result yet"
    return {
        "lead": f"{what}, so that there is no answer: {said}.",
        "advice": "" if trains else _NEXT["failed" if "failed" in known else "missing"],
        "failures": failures(dataset),
    }


def failures(dataset: xr.Dataset) -> list[Failure]:
    """The causes for which trials failed, the commonest first."""
    if "failure" not in dataset:
        return []
    dims = dataset["failure"].dims
    found: dict[str, list[str]] = {}
    for index in zip(*np.nonzero(dataset["failure"].values != ""), strict=True):
        place = {dim: int(at) for dim, at in zip(dims, index, strict=True)}
        labels = (
            f"{dim} {dataset[dim].values[at] if dim in dataset.coords else at}"
            for dim, at in place.items()
        )
        found.setdefault(str(dataset["failure"].values[index]), []).append(", ".join(labels))
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return [Failure(cause, len(examples), examples[0]) for cause, examples in ordered]
