"""Points of a study at which it is checked, and what some of them do not record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ganstudy import kinds
from ganstudy.metrics import family as metrics
from ganstudy.study.configuration import Assignment
from ganstudy.study.document import nearest
from ganstudy.study.wording import key_paths

__all__ = ["Corner", "unrecorded", "where"]

_CHOSEN = "record.metrics"


@dataclass(frozen=True, eq=False)
class Corner:
    """A point of a study, and what its trials are.

    index    on each axis
    labels   of each axis, by its name
    bundles  what each axis sets
    values   of each parameter of a search that takes part, by its name
    resolve  the study's own
    """

    index: tuple[int, ...]
    labels: Mapping[str, Any]
    bundles: Sequence[Mapping[str, Any]]
    values: Mapping[str, Any]
    configuration: kinds.Kind
    resolve: Callable[..., kinds.Kind]

    def with_set(self, *further: Assignment) -> kinds.Kind:
        """What its trials are with more set.

        Errors  `StudyError`.
        """
        return self.resolve(self.index, self.values, further)


def where(some: Sequence[Corner], others: Sequence[Corner]) -> str:
    """What the first of some corners has and none of the others, in words that follow on what is
    said of it; empty if there are no others.
    """
    if not others:
        return ""
    here = {**some[0].labels, **some[0].values}
    elsewhere = [{**own.labels, **own.values} for own in others]
    apart = {name: x for name, x in here.items() if all(at.get(name) != x for at in elsewhere)}
    return " where " + " and ".join(f"{name} is {x}" for name, x in (apart or here).items())


def unrecorded(metric: str, corners: Sequence[Corner]) -> str:
    """Where a metric is not recorded, and which are at all corners; empty if it is one of them."""
    lacking = [own for own in corners if metric not in own.configuration.readings]
    if not lacking:
        return ""
    others = [own for own in corners if metric in own.configuration.readings]
    common = set.intersection(*(set(own.configuration.readings) for own in corners))
    chosen = all(_CHOSEN in key_paths(type(own.configuration), {}) for own in lacking)
    if chosen and not others and metric in metrics.names:
        unfit = filter(None, (_unfit(metric, own.configuration) for own in lacking))
        advice = next((f": {why}" for why in unfit), f"; name it in {_CHOSEN}, beside the others")
    elif common:
        advice = nearest(metric, common)
    else:
        advice = "; no metric is recorded at all points"
    return f"{metric!r} is not recorded{where(lacking, others)}{advice}"


def _unfit(metric: str, configuration: Any) -> str:
    """Why a metric, by its defaults, cannot be recorded of trials that choose theirs, or ""."""
    with suppress(ValidationError):  # of one that has to be told more
        return metrics.from_config(metric).problem(configuration.target) or ""
    return ""
