"""What a dataset says about one of its metrics, so that analysis needs no code of the metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ganstudy.score import differing, worst
from ganstudy.variable import Variable

TARGETS = "target_settings"
"""The variable with the target of each point, as text."""


@dataclass(frozen=True)
class RecordedMetric:
    """A metric variable's name and the facts that its attributes state.

    `bounds` may be infinite; `perfect` is the value of a generator with q = p.
    """

    name: str
    long_name: str
    units: str
    higher_is_better: bool
    bounds: tuple[float, float]
    perfect: float

    @classmethod
    def of(cls, ds: xr.Dataset, name: str | None = None) -> RecordedMetric:
        """The metric `name` of a dataset, or its headline metric.

        Errors  `KeyError` if the dataset has no such metric; `ValueError` for an unknown direction.
        """
        name = str(ds.attrs["score"]) if name is None else name
        if name not in metric_names(ds):
            lost = " (a variable without the attributes of one)" if name in ds else ""
            known = ", ".join(metric_names(ds))
            raise KeyError(f"no metric {name!r}{lost}; the dataset has {known}")
        attrs = ds.variables[name].attrs
        if attrs["direction"] not in ("higher", "lower"):
            raise ValueError(f"{name}: direction is {attrs['direction']!r}, not higher or lower")
        low, high = (float(bound) for bound in attrs["bounds"])
        return cls(
            name=name,
            long_name=str(attrs["long_name"]),
            units=str(attrs.get("units", "")),
            higher_is_better=attrs["direction"] == "higher",
            bounds=(low, high),
            perfect=float(attrs["value_at_equality"]),
        )

    @property
    def sign(self) -> float:
        """`+1` if higher is better, else `-1`: `sign * value` grows with quality."""
        return 1.0 if self.higher_is_better else -1.0

    @property
    def direction(self) -> str:
        """Which values are better: `higher` or `lower`."""
        return "higher" if self.higher_is_better else "lower"

    @property
    def label(self) -> str:
        """Name with units, where it has some that the name does not say."""
        needed = self.units not in ("", "1") and self.units not in self.long_name
        return f"{self.long_name} ({self.units})" if needed else self.long_name

    @property
    def worst(self) -> float:
        """What a diverged trial scores: the worse bound if it is finite, else NaN."""
        return worst({"direction": self.direction, "bounds": self.bounds})

    def ends(self, ds: xr.Dataset) -> tuple[xr.Variable, xr.Variable]:
        """`worst` and `perfect` at each point, where targets differ by that of its own."""
        worst, perfect = (
            _filled(ds.variables[own.name], whole)
            if own.name in ds
            else xr.Variable((), whole, own.attributes)
            for own, whole in zip(Variable(self.name).ends, (self.worst, self.perfect), strict=True)
        )
        return worst, perfect

    @property
    def bounded(self) -> bool:
        """Whether both bounds are finite."""
        return all(math.isfinite(bound) for bound in self.bounds)


def metric_names(ds: xr.Dataset) -> list[str]:
    """Names of the dataset's metrics, in its order."""
    variables = ds.variables
    return [str(name) for name in ds.data_vars if variables[name].attrs.get("role") == "metric"]


def ends_at(
    name: str, targets: xr.Variable, known: Mapping[str, tuple[float, float]]
) -> dict[str, xr.Variable]:
    """The ends of a metric at each point, by the text of its target; NaN where it is not known."""
    nothing = (math.nan, math.nan)
    whole = np.array([known.get(str(text), nothing) for text in targets.values.ravel()])
    return {
        end.name: xr.Variable(targets.dims, values.reshape(targets.shape), end.attributes)
        for end, values in zip(Variable(name).ends, whole.T, strict=True)
    }


def with_ends(sets: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """The datasets with the ends of each metric at their points, if these are not all the same.

    A target has the same ends in all of them: those of a dataset that has none at its points, as
    it was gathered by an earlier version, hold for all of its targets, and are not the closest.
    """
    given: list[dict[str, xr.Variable]] = [{} for _ in sets]
    for name in dict.fromkeys(name for ds in sets for name in metric_names(ds)):
        pairs = zip(sets, given, strict=True)
        having = [(RecordedMetric.of(ds, name), ds, own) for ds, own in pairs if name in ds]
        names = [end.name for end in Variable(name).ends]
        at_points = any(names[0] in ds for _, ds, _ in having)
        stated = {place: (fact.worst, fact.perfect) for place, (fact, *_) in enumerate(having)}
        if not at_points and not differing(stated):
            continue
        closest = _closest([(fact, ds) for fact, ds, _ in having])
        for fact, ds, own in having:
            if names[0] in ds or TARGETS not in ds:
                own |= dict(zip(names, fact.ends(ds), strict=True))
            else:
                own |= ends_at(name, ds.variables[TARGETS], closest)
    return [ds.assign(own) for ds, own in zip(sets, given, strict=True)]


def _closest(having: Sequence[tuple[RecordedMetric, xr.Dataset]]) -> dict[str, tuple[float, float]]:
    """The ends of a metric by the text of each target: of those that hold for it the closest."""
    found: dict[str, tuple[float, float]] = {}
    for fact, ds in having:
        closer = np.fmax if fact.higher_is_better else np.fmin
        known = (ds.variables.get(TARGETS, xr.Variable((), "")), *fact.ends(ds))
        texts, *ends = (own.values.ravel() for own in xr.broadcast(*map(xr.DataArray, known)))
        for text, *own in zip(texts.tolist(), *ends, strict=True):
            worst, perfect = closer(found.get(text, (math.nan, math.nan)), own).tolist()
            found[text] = worst, perfect
    return found


def _filled(variable: xr.Variable, whole: float) -> xr.Variable:
    filled: xr.Variable = variable.fillna(whole)  # type: ignore[no-untyped-call]  # xarray has not typed it
    return filled.compute()
