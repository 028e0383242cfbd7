"""Spaces: parameters that a search sets, their ranges and values, and their conditions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganstudy.family import label
from ganstudy.study.document import Document, KeyPath, Problem
from ganstudy.study.names import label_problems

__all__ = [
    *("AnyParameter", "Choice", "Parameter", "Range"),
    *("at_random", "extremes", "labelled", "listed", "size", "values_at"),
]


@dataclass(frozen=True)
class Parameter:
    """One dimension of a space.

    when  labels that other parameters, or axes of the grid, must have for this one to take part
    """

    name: str
    place: KeyPath
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        condition = " and ".join(f"{k} is {' or '.join(map(str, v))}" for k, v in self.when.items())
        return self.extent + (f", where {condition}" if condition else "")

    @property
    def extent(self) -> str:
        """Its values in a few words."""
        return ""

    @property
    def dimension(self) -> str:
        """Name of the parameter in the dataset."""
        return self.name.replace(".", "_")

    def active(self, values: Mapping[str, Any]) -> bool:
        """Whether it takes part, given the labels of what stands before it."""
        return all(values.get(name) in labels for name, labels in self.when.items())


@dataclass(frozen=True)
class Range(Parameter):
    """Numbers from `low` to `high`, both included; whole numbers if both bounds are."""

    low: float = 0.0
    high: float = 1.0
    log: bool = False
    step: float | None = None

    @property
    def extent(self) -> str:
        """Its bounds, and how they are searched."""
        kind = ", whole numbers" if self.whole else ""
        log = ", by logarithm" if self.log else ""
        return f"{self.low} to {self.high}{kind}{log}"

    @property
    def whole(self) -> bool:
        """Whether it takes whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def count(self) -> float:
        """Number of values; infinite if it is continuous."""
        if self.low == self.high:
            return 1
        if not self.whole and self.step is None:
            return math.inf
        return math.floor((self.high - self.low) / (self.step or 1) + 1e-9) + 1

    @property
    def extremes(self) -> tuple[Any, ...]:
        """Values at which a mistake in the bounds shows."""
        return (self.low, self.high)

    def settings(self, value: Any) -> Iterator[tuple[KeyPath, Any, KeyPath]]:
        """What the value sets, and where that is written."""
        ends = {self.high: ("high",), self.low: ("low",)}
        yield tuple(self.name.split(".")), value, (*self.place, *ends.get(value, ()))

    def at(self, unit: float) -> Any:
        """The value at a share of the range; equal shares are equally likely."""
        unit = min(max(unit, 0.0), 1.0)
        if self.step is not None or self.whole:
            if self.log:
                low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
                nearest_whole = round(math.exp(low + unit * (high - low)))
                return int(min(max(nearest_whole, self.low), self.high))
            return self.numbered(int(min(int(unit * self.count), self.count - 1)))
        value = self.low + unit * (self.high - self.low)
        if self.log:
            value = self.low * (self.high / self.low) ** unit
        return float(min(max(value, self.low), self.high))

    def numbered(self, number: int) -> Any:
        """The value of this number, from 0, of those that it has if it is not continuous."""
        stepped = self.low + (self.step or 1) * number
        return int(stepped) if self.whole else float(min(stepped, self.high))

    def share(self, value: Any) -> float:
        """The inverse of `at`: for whole and stepped values, the middle of their shares."""
        if self.step is not None or self.whole:
            if self.log:
                low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
                return (math.log(value) - low) / (high - low)
            return float(((value - self.low) / (self.step or 1) + 0.5) / self.count)
        if self.high == self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return float((value - self.low) / (self.high - self.low))

    def holds(self, value: Any) -> bool:
        """Whether a value lies in the range and on its steps; 12.0 is a whole number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            return False
        steps = (value - self.low) / self.step if self.step is not None else 0.0
        return abs(steps - round(steps)) < 1e-9

    @property
    def attributes(self) -> dict[str, Any]:
        """What the dataset says of it."""
        step = self.step if self.step is not None else (1 if self.whole and not self.log else 0)
        return {
            "long_name": self.name,
            "role": "parameter",
            "low": self.low,
            "high": self.high,
            "log": int(self.log),
            "whole": int(self.whole),
            "step": step,
        }


@dataclass(frozen=True)
class Choice(Parameter):
    """One of several labels; bundles[i] maps key paths to the values they take at labels[i]."""

    labels: tuple[Any, ...] = ()
    bundles: tuple[Mapping[str, Any], ...] = ()
    places: tuple[KeyPath, ...] = ()

    @property
    def extent(self) -> str:
        """Its labels."""
        return ", ".join(map(str, self.labels))

    @property
    def extremes(self) -> tuple[Any, ...]:
        """Values at which a mistake shows: all of them."""
        return self.labels

    def settings(self, value: Any) -> Iterator[tuple[KeyPath, Any, KeyPath]]:
        """What the label sets, and where that is written."""
        index = self.labels.index(value)
        for key, setting in self.bundles[index].items():
            yield tuple(key.split(".")), setting, self.places[index]

    @property
    def count(self) -> float:
        """Number of labels."""
        return len(self.labels)

    def numbered(self, number: int) -> Any:
        """The label of this number, from 0."""
        return self.labels[number]

    def at(self, unit: float) -> Any:
        """The label at a share of the list; equal shares are equally likely."""
        return self.labels[min(max(int(unit * len(self.labels)), 0), len(self.labels) - 1)]

    def holds(self, value: Any) -> bool:
        """Whether it is one of the labels."""
        return value in self.labels

    @property
    def attributes(self) -> dict[str, Any]:
        """What the dataset says of it."""
        return {"long_name": self.name, "role": "parameter", "choices": list(self.labels)}


AnyParameter = Range | Choice


def values_at(
    space: Sequence[AnyParameter], unit: Sequence[float], arm: Mapping[str, Any]
) -> dict[str, Any]:
    """The point at a place of the unit cube, without the parameters that take no part there."""
    values: dict[str, Any] = {}
    for parameter, share in zip(space, unit, strict=True):
        if parameter.active({**arm, **values}):
            values[parameter.name] = parameter.at(float(share))
    return values


def at_random(
    space: Sequence[AnyParameter], rng: np.random.Generator, arm: Mapping[str, Any]
) -> dict[str, Any]:
    """A point drawn uniformly: over values, over logarithms where the study says so."""
    return values_at(space, rng.random(len(space)).tolist(), arm)


def listed(
    space: Sequence[AnyParameter],
    rng: np.random.Generator,
    arm: Mapping[str, Any],
    values: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """All points of a space, from one at random; each has its own draw of what is continuous."""
    chosen = dict(values or {})
    if not space:
        yield chosen
        return
    first, rest = space[0], space[1:]
    if not first.active({**arm, **chosen}):
        yield from listed(rest, rng, arm, chosen)
    elif math.isinf(first.count):
        yield from listed(rest, rng, arm, {**chosen, first.name: first.at(rng.random())})
    else:
        count = int(first.count)
        begin = int(rng.random() * count)
        for number in range(count):
            value = first.numbered((begin + number) % count)
            yield from listed(rest, rng, arm, {**chosen, first.name: value})


def size(
    space: Sequence[AnyParameter],
    arm: Mapping[str, Any],
    values: Mapping[str, Any] | None = None,
) -> float:
    """Number of different points; infinite if a parameter is continuous."""
    if not space:
        return 1
    first, rest, chosen = space[0], space[1:], values or {}
    if not first.active({**arm, **chosen}):
        return size(rest, arm, chosen)
    if isinstance(first, Range) or not any(first.name in below.when for below in rest):
        return first.count * size(rest, arm, chosen)
    return sum(size(rest, arm, {**chosen, first.name: label}) for label in first.labels)


def labelled(
    document: Document,
    place: KeyPath,
    name: str,
    values: list[Any] | dict[str, dict[str, Any]],
    problems: list[Problem],
) -> tuple[tuple[Any, ...], tuple[Mapping[str, Any], ...], tuple[KeyPath, ...]]:
    """Labels of the values of an axis or a list, what each sets, and where each stands."""
    if isinstance(values, dict):
        labels: list[Any] = list(values)
        bundles: list[Mapping[str, Any]] = list(values.values())
        places: list[KeyPath] = [(*place, key) for key in labels]
    else:
        labels = [label(value) for value in values]
        bundles = [{name: value} for value in values]
        places = [(*place, index) for index in range(len(values))]
    if not all(isinstance(x, int | float) for x in labels):
        labels = [str(x) for x in labels]
    problems += label_problems(document, place, labels)
    return tuple(labels), tuple(bundles), tuple(places)


def extremes(space: Sequence[AnyParameter], arm: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Points of a space that show every bound and every value once, its first point first."""

    def completed(chosen: Mapping[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for parameter in space:
            if parameter.extremes and parameter.active({**arm, **values}):
                values[parameter.name] = chosen.get(parameter.name, parameter.extremes[0])
        return values

    first = completed({})
    yield first
    for parameter in space:
        # What a conditional parameter waits for is put in its place.
        needed: dict[str, Any] = {}
        for above in reversed(space[: space.index(parameter) + 1]):
            if above.name in needed or above is parameter:
                needed = {**{k: v[0] for k, v in above.when.items() if v}, **needed}
        for value in parameter.extremes:
            values = completed({**needed, parameter.name: value})
            if parameter.name in values and values != first:
                yield values
