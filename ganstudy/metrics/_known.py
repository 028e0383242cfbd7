"""How metrics were to be read of data and modules that are gone, as runs say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganstudy.metrics._base import Metric
    from ganstudy.targets import Target
    from ganstudy.variable import Variable

__all__ = ["are_measured", "is_new", "know_variable", "known_variable", "measured_already"]

_measured: ContextVar[set[str] | None] = ContextVar("_measured", default=None)
"""While the study of a run is read, what has been told of its metrics."""


@contextmanager
def measured_already() -> Iterator[None]:
    """While the study of a run is read: its metrics have been measured, for what they are worth."""
    token = _measured.set(set())
    try:
        yield
    finally:
        _measured.reset(token)


def are_measured() -> bool:
    """Whether metrics have been measured, so that it is too late to refuse them."""
    return _measured.get() is not None


def is_new(trouble: str) -> bool:
    """Whether it has not been told of the run that is read, of whatever other point."""
    told = _measured.get()
    if told is None or trouble in told:
        return False
    told.add(trouble)
    return True


_known: dict[tuple[str, str], Variable] = {}
"""By the settings of targets and the names of metrics."""


def know_variable(target: str, variable: Variable) -> None:
    """Say how a metric of a target with these settings is read."""
    _known[target, variable.name] = variable


def known_variable(metric: Metric, target: Target) -> Variable | None:
    """How a metric that cannot be measured any more is read; None if it can, or nobody knows."""
    return _known.get((target.settings, metric.recorded_as)) if metric.gone(target) else None
