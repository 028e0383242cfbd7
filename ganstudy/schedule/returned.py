"""What a kind returns of a pack, held to what the store and all after it build on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ganstudy.trial import Record, Status
from ganstudy.variable import LABELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.family import Member
    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

__all__ = ["records_of"]


def records_of(trials: Sequence[Trial[Member]], returned: Any) -> list[Record]:
    """What a kind has returned of trials that were trained together, which is one record of each.

    Whole numbers and truths become floats, among which NaN says that there is nothing; coordinates,
    which have no gaps, and labels, which have a number for none, stay whole.

    Errors  `ValueError` for anything else, and for values that cannot be kept: other than arrays of
            numbers and truths, or of texts that are coordinates, in the dimensions of their
            variables, whose lengths are the same in all records of a pack, and so are coordinates.
    """
    kind = trials[0].configuration.name
    records: list[Any] = list(returned) if isinstance(returned, Iterable) else [returned]
    for record in records:
        if not isinstance(record, Record):
            got = type(record).__name__
            raise ValueError(f"kind {kind}: train should return a list of records (got {got})")
    made = [(own.id, own.seed, own.settings) for own in records]
    if sorted(made) != sorted((own.id, own.seed, own.settings) for own in trials):
        told = ", ".join(own.id for own in records) or "nothing"
        wanted = ", ".join(own.id for own in trials)
        raise ValueError(f"kind {kind}: train returns records of {told}, and should of {wanted}")
    first: dict[str, NDArray[Any]] = {}
    lengths: dict[str, int] = {}
    for record in records:
        status, *times = record.status, record.seconds, record.diverged_at
        if status not in get_args(Status) or not all(isinstance(own, Real) for own in times):
            said = f"are {status}, {times[0]}, {times[1]}"
            raise ValueError(f"kind {kind}: status, seconds and diverged_at of a record {said}")
        for name, values in record.values.items():
            if why := _unkept(values, record.variables.get(name), lengths, first):
                raise ValueError(f"kind {kind}: {name!r} of a record {why}")
    return [replace(record, values=dict(_with_gaps(record))) for record in records]


def _with_gaps(record: Record) -> Iterator[tuple[str, NDArray[Any]]]:
    """Values of types that files hold, and that say where there are none."""
    for name, values in record.values.items():
        own: Any = np.int64 if name == LABELS.name else np.float64
        if values.dtype.kind == "f":
            own = f"f{min(values.dtype.itemsize, 8)}"
        elif record.variables[name].is_coordinate:
            own = values.dtype
        yield name, values.astype(own, copy=False)


def _unkept(
    values: object,
    variable: Variable | None,
    lengths: dict[str, int],
    first: dict[str, NDArray[Any]],
) -> str:
    """Why values cannot be kept beside those of `first`; empty where they can."""
    if variable is None:
        return "is of none of its variables"
    if not isinstance(values, np.ndarray | np.generic):
        return f"should be an array of numbers or truths (got {type(values).__name__})"
    if values.dtype.kind not in ("fiubU" if variable.is_coordinate else "fiub"):
        return f"should be numbers or truths (got an array of {values.dtype.name})"
    if values.dtype.kind == "U" and not all(map(str.isprintable, values.ravel().tolist())):
        return "has texts with characters that are none"
    if values.ndim != len(variable.dims):
        return f"has shape {values.shape}, and its variable the dimensions {variable.dims}"
    for dim, length in zip(variable.dims, values.shape, strict=True):
        if lengths.setdefault(dim, length) != length:
            return f"has length {length} along {dim!r}, where others have {lengths[dim]}"
    if not variable.is_coordinate:
        return ""
    other = first.setdefault(variable.name, np.asarray(values))
    both_may_be_nan = other.dtype.kind == values.dtype.kind == "f"
    if not np.array_equal(other, values, equal_nan=both_may_be_nan):
        return "is a coordinate, and differs from that of a trial beside it"
    return ""
