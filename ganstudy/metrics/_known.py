"""How metrics were to be read of data that are gone, as runs say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganstudy.metrics._base import Metric
    from ganstudy.targets import Target
    from ganstudy.variable import Variable

__all__ = ["know_variable", "known_variable"]

_known: dict[tuple[str, str], Variable] = {}
"""By the settings of targets and the names of metrics."""


def know_variable(target: str, variable: Variable) -> None:
    """Say how a metric of a target with these settings is read."""
    _known[target, variable.name] = variable


def known_variable(metric: Metric, target: Target) -> Variable | None:
    """How a metric of data that are gone is read; None where they are not, or nobody knows."""
    return _known.get((target.settings, metric.recorded_as)) if target.gone else None
