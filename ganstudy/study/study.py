"""A study: what its file asks, validated, with every setting of every trial in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ganstudy import kinds
from ganstudy.family import label
from ganstudy.study.configuration import Assignment, configure
from ganstudy.study.document import Document, KeyPath
from ganstudy.study.file import StudyFile
from ganstudy.study.search_keys import SearchKeys
from ganstudy.study.space import AnyParameter, extremes
from ganstudy.study.until_settled import SettledSeeds

__all__ = ["Axis", "Study", "claims_of"]

FACTORS = 3
"""Axes from which a study that does not say what it compares asks which of them decides."""


@dataclass(frozen=True)
class Axis:
    """One dimension of a search.

    settings[i] maps key paths to the values they take at labels[i].
    """

    name: str
    labels: tuple[Any, ...]
    settings: tuple[Mapping[str, Any], ...]
    places: tuple[KeyPath, ...]

    @property
    def dimension(self) -> str:
        """Name of the axis in the dataset."""
        return self.name.replace(".", "_")

    def label_of(self, value: Any) -> Any:
        """The label of a value of this axis, 8 and "8" being one; None for no value."""
        texts = {str(label(value)), "null"} if value is None else {str(label(value))}
        return next((x for x in self.labels if x == label(value) or str(x) in texts), None)


@dataclass(frozen=True)
class Study:
    """A validated study.

    points   the configuration at each point of the grid, by its index on each axis; in a search by
             results, that of each arm with the first value of every parameter
    space    the parameters of a search by results
    plugins  what the files of its plug-ins hold, by their names
    read_in  what counted as the study was read, such as what a run knows of its data: later points
             are made in it, too
    """

    name: str
    document: Document
    file: StudyFile
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    points: Mapping[tuple[int, ...], kinds.Kind]
    space: tuple[AnyParameter, ...] = ()
    plugins: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    read_in: Context = field(default_factory=copy_context, repr=False, compare=False)

    @property
    def compare(self) -> str:
        """Dimension of the arms; empty if the study has no axis."""
        name = self.file.compare or (self.axes[0].name if self.axes else "")
        return name.replace(".", "_")

    @property
    def arm_axis(self) -> int:
        """Which of the axes has the arms; `ValueError` if the study has no axis."""
        return [axis.dimension for axis in self.axes].index(self.compare)

    def arm(self, index: Sequence[int]) -> str:
        """Label of the arm at a place of the dataset; empty if the study has no axis."""
        return str(self.axes[self.arm_axis].labels[index[self.arm_axis]]) if self.axes else ""

    @property
    def given(self) -> list[str]:
        """Dimensions of the axes that change what there is to learn, or how that is measured."""
        keys = {key for point in self.points.values() for key in point.given}
        return [
            axis.dimension
            for axis in self.axes
            if any(path.partition(".")[0] in keys for own in axis.settings for path in own)
        ]

    @property
    def uses_device(self) -> bool:
        """Whether any of its trials computes on another device than a processor, if it is given."""
        portable = self.file.engine.program == "portable"
        return not portable and any(point.uses_device for point in self.points.values())

    @property
    def score(self) -> str:
        """Name of the metric that ranks the arms."""
        first = next(iter(self.points.values()))
        return self.file.score or (self.keys.metrics or [*first.readings])[0]

    @property
    def answer(self) -> str:
        """What the report answers first: `ranking`, `effects`, `claims` or `budget`."""
        first = next(iter(self.points.values()))
        default = "ranking"
        if claims_of(first):
            default = "claims"
        elif self.space:
            default = "budget"
        elif self.file.compare is None and len(self.axes) >= FACTORS:
            default = "effects"
        return self.file.answer or default

    @property
    def search(self) -> str:
        """Name of the search that the study asks for."""
        if isinstance(self.file.seeds, SettledSeeds):
            return self.file.seeds.until
        return self.file.search.asked[0]

    @property
    def keys(self) -> SearchKeys:
        """What it asks of that search."""
        if isinstance(self.file.seeds, SettledSeeds):
            return self.file.seeds
        return self.file.search.asked[1]

    @property
    def fixed(self) -> dict[str, Any]:
        """What a run keeps of how its trials came to be, as plain values: of a search what is fixed
        for it; where seeds are added what stays once scores have been seen.

        arms      the labels that are compared
        settings  labels of all other axes, for each point that every arm has
        """
        if not isinstance(self.file.seeds, SettledSeeds):
            return dict(self.keys.fixed)
        compared = self.axes[self.arm_axis].name
        arms: dict[str, set[str]] = {}
        for labels in map(self.labels, self.points):
            arm = str(labels.pop(compared))
            setting = ", ".join(f"{name} {label}" for name, label in labels.items())
            arms.setdefault(setting, set()).add(arm)
        every = set[str]().union(*arms.values())
        return {
            **self.file.seeds.fixed,
            "score": self.score,
            "compare": compared,
            "arms": sorted(every),
            "settings": sorted(setting for setting, own in arms.items() if own == every),
        }

    @cached_property
    def excluded(self) -> list[dict[str, Any]]:
        """The labels that the points of each entry of `exclude` have on the axes that it names."""
        axes = {axis.name: axis for axis in self.axes}
        entries = (
            {name: axes[name].label_of(x) for name, x in entry.items() if name in axes}
            for entry in self.file.search.exclude
        )
        return [*filter(None, entries)]

    def excludes(self, labels: Mapping[str, Any]) -> bool:
        """Whether a point with these labels is left out."""
        return any(own.items() <= labels.items() for own in self.excluded)

    def labels(self, index: Sequence[int]) -> dict[str, Any]:
        """The label on each axis at a point of the grid."""
        return {axis.name: axis.labels[i] for axis, i in zip(self.axes, index, strict=True)}

    def bundles(self, index: Sequence[int]) -> list[Mapping[str, Any]]:
        """What each axis sets at a point of the grid."""
        return [axis.settings[i] for axis, i in zip(self.axes, index, strict=True)]

    def resolve(
        self,
        index: Sequence[int],
        values: Mapping[str, Any] | None = None,
        further: Sequence[Assignment] = (),
    ) -> kinds.Kind:
        """The configuration at a point of the grid.

        `values` are those of the parameters of a search; what it sets besides comes last.

        Errors  `StudyError`, placed where the offending setting is written.
        """
        assignments = [*self.assignments(index, values or {}), *further]
        # A copy, since no context can be entered twice, as by another thread.
        return self.read_in.copy().run(configure, self.document, self.file.trial, assignments)

    def assignments(self, index: Sequence[int], values: Mapping[str, Any]) -> list[Assignment]:
        """What is set at a point beside the shared settings, in the order of `resolve`."""
        assignments: list[Assignment] = [
            (tuple(key.split(".")), value, axis.places[at])
            for axis, at in zip(self.axes, index, strict=True)
            for key, value in axis.settings[at].items()
        ]
        for parameter in self.space:
            if parameter.name in values:
                assignments += parameter.settings(values[parameter.name])
        return assignments

    def corners(self) -> Iterator[kinds.Kind]:
        """Configurations that show every value of a list and both ends of every range."""
        for index in self.points:
            for values in extremes(self.space, self.labels(index)):
                yield self.resolve(index, values)


def claims_of(configuration: kinds.Kind) -> list[str]:
    """Names of the claims that trials of a configuration check."""
    return [own.name for own in configuration.variables() if own.role == "claim"]
