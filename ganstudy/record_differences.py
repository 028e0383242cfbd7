"""How two records of one trial differ in their numbers, and in which of them they are compared."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.cause import unmeasured
from ganstudy.film import FILM, IMAGE_FILM
from ganstudy.variable import STEP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds import Kind
    from ganstudy.trial import Record, Trial

__all__ = ["Difference", "comparable", "differences"]

_NO_RESULT = (
    *("seconds", "cause", "finished", "arithmetic", "variables"),
    *("generator", "generator_digest"),
)
"""What two records of one trial may differ in, and be equal."""


@dataclass(frozen=True)
class Difference:
    """How a stored variable differs: its largest difference, and the M-step of the first one.

    largest  infinite where only one of the two is a number, or there is nothing to subtract
    since    NaN for what is not recorded along the steps
    """

    largest: float
    since: float = float("nan")


def comparable(
    stored: Record, anew: Record, trial: Trial[Kind]
) -> tuple[Record, Record, dict[str, str]]:
    """Two records of a trial without what says nothing of its bits; and what was left out, and why.

    That is what only an earlier version states of it, a film of another number of frames, and
    numbers of a metric that could not be measured both times.
    """
    stated = trial.configuration.variables()
    known = {STEP.name, *(own.name for own in stated)}
    first = {name: own for name, own in stored.values.items() if name in known}
    second, left_out = dict(anew.values), dict[str, str]()
    if _frames(stored) != _frames(anew):
        left_out["film"] = f"of {_frames(stored)} frames then, and {_frames(anew)} now"
        for variable in (*FILM, *IMAGE_FILM):
            first.pop(variable.name, None)
            second.pop(variable.name, None)
    metrics = {own.name for own in stated if own.role == "metric"} & first.keys() & second.keys()
    for name in {n for own in (stored, anew) for n in unmeasured(own.cause, metrics)}:
        then, now = np.isnan(first[name]), np.isnan(second[name])
        if then.shape == now.shape and (then != now).any():
            left_out[name] = "where it could not be measured both times"
            first[name] = np.where(now, np.nan, first[name])
            second[name] = np.where(then, np.nan, second[name])
    return replace(stored, values=first), replace(anew, values=second), left_out


def _frames(record: Record) -> int:
    return int(np.isfinite(record.values.get("frame_step", np.empty(0))).sum())


def differences(stored: Record, anew: Record) -> dict[str, Difference]:
    """Stored variables in which two records of a trial differ; time is no result."""
    steps = np.asarray(stored.values.get(STEP.name, ()), float)
    first, second = _numbers(stored), _numbers(anew)
    found = {}
    for name in first.keys() | second.keys():
        if name not in first or name not in second:
            if not _nothing(first.get(name, second.get(name))):
                found[name] = Difference(float("inf"))
        elif (difference := _difference(first[name], second[name], steps)) is not None:
            found[name] = difference
    digests = stored.generator_digest, anew.generator_digest
    if all(digests) and digests[0] != digests[1]:
        found["generator"] = Difference(float("inf"))
    return found


def _nothing(values: NDArray[Any] | None) -> bool:
    """Whether a variable says no more than if it were absent, as it is where its pack has none."""
    return values is None or (values.dtype.kind == "f" and bool(np.isnan(values).all()))


def _difference(a: NDArray[Any], b: NDArray[Any], steps: NDArray[np.float64]) -> Difference | None:
    if a.shape != b.shape:
        return Difference(float("inf"))
    if a.dtype.kind not in "fiub":
        return None if np.array_equal(a, b) else Difference(float("inf"))
    one, other = a.astype(float), b.astype(float)
    differ = ~((one == other) | (np.isnan(one) & np.isnan(other)))
    if not differ.any():
        return None
    with np.errstate(invalid="ignore"):
        apart = np.abs(one - other)[differ]
    largest = float(np.where(np.isnan(apart), np.inf, apart).max())
    along = a.ndim == 1 and len(a) == len(steps)
    return Difference(largest, float(steps[differ][0]) if along else float("nan"))


def _numbers(record: Record) -> dict[str, NDArray[Any]]:
    """All that a record stores of a trial's results, by name."""
    found: dict[str, NDArray[Any]] = {}
    for name in (own.name for own in fields(record) if own.name not in _NO_RESULT):
        value = getattr(record, name)
        if isinstance(value, dict):
            found.update((key, np.asarray(inner)) for key, inner in value.items())
        elif value is not None:
            found[name] = np.asarray(value)
    return found
