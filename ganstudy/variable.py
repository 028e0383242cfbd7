"""Variables: the only description of what a dataset holds.

Kinds state what they record, metrics what they measure, and the dataset what it holds of every
trial. Records are written, read and gathered by these, and the names that an axis cannot take
follow from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "FEATURES",
    "LABELS",
    "OF_ANALYSES",
    "OF_A_DATASET",
    "OF_EVERY_TRIAL",
    "SAMPLES",
    "SETTINGS",
    "SETTINGS_OF",
    "STEP",
    "Reading",
    "Variable",
    "absent",
    "names_of",
]


@dataclass(frozen=True)
class Reading:
    """How a metric is to be read, for a given target; it travels with the data as attributes.

    estimate  how samples stand for laws, where there is a choice: exact, by neighbours, a kernel
    """

    long_name: str
    units: str
    direction: Literal["higher", "lower"]
    bounds: tuple[float, float]
    value_at_equality: float
    estimate: str = ""

    def __post_init__(self) -> None:
        """A reading is read by many: what makes no sense is refused here.

        Errors  `ValueError` for an unknown direction, bounds that are none, or a value at p = q
                outside them.
        """
        low, high = self.bounds
        if not self.long_name or not isinstance(self.units, str):
            raise ValueError("a reading has a long_name, and units, which may be empty")
        if self.direction not in ("higher", "lower"):
            raise ValueError(f"direction should be 'higher' or 'lower' (got {self.direction!r})")
        if not low <= high:
            raise ValueError(f"bounds should be a lowest and a highest value (got {self.bounds})")
        if not (low <= self.value_at_equality <= high or isnan(self.value_at_equality)):
            message = f"value_at_equality should be within {self.bounds}, or NaN"
            raise ValueError(f"{message} (got {self.value_at_equality})")


@dataclass(frozen=True)
class Variable:
    """One thing that a dataset holds.

    dims   dimensions behind those of the trials; a variable along itself alone is a coordinate,
           and has the same values for all trials that train together
    role   what its readers may do with it, as docs/notation.md says; empty if nothing by itself
    about  further attributes, such as a metric's reading
    bulky  whether it is too large to be read where it is not asked for; its numbers are packed
    once   whether it is kept once where it is the same for all trials that have it
    """

    name: str
    long_name: str = ""
    dims: tuple[str, ...] = ("step",)
    role: str = ""
    units: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    bulky: bool = False
    once: bool = False

    @classmethod
    def of_metric(cls, name: str, reading: Reading, **about: Any) -> Variable:
        """A metric with its reading."""
        own: dict[str, Any] = {
            "direction": reading.direction,
            "bounds": reading.bounds,
            "value_at_equality": reading.value_at_equality,
        }
        return cls(name, reading.long_name, role="metric", units=reading.units, about=own | about)

    @property
    def perfect(self) -> Variable:
        """Of a metric: the same of samples of p itself, along draws of them."""
        long_name = f"{self.name} of samples of p, as many as of a trial"
        return Variable(f"{self.name}_perfect", long_name, ("draw",), role="perfect")

    @property
    def ends(self) -> tuple[Variable, Variable]:
        """Of a metric: its worst value and that at p = q, where they differ between points."""
        return (
            Variable(f"{self.name}_worst", f"worst value of {self.name}", (), role="end"),
            Variable(f"{self.name}_at_equality", f"{self.name} at p = q", (), role="end"),
        )

    @property
    def is_coordinate(self) -> bool:
        """Whether it says where the values of others stand."""
        return self.dims == (self.name,)

    @property
    def attributes(self) -> dict[str, Any]:
        """What the dataset says of it."""
        named = {"long_name": self.long_name, "role": self.role}
        units = {} if self.units is None else {"units": self.units}
        return {**{key: text for key, text in named.items() if text}, **units, **self.about}


STEP = Variable("step", "M-steps", ("step",))
"""The recorded steps of a trial."""

OF_EVERY_TRIAL = (
    Variable(
        "status",
        "what became of the trial",
        (),
        about={"values": "complete, diverged, failed, pruned, missing, or excluded by the study"},
    ),
    Variable("diverged_at", "M-step at which a loss or gradient was not finite", ()),
    Variable("failure", "why a trial failed or a metric is missing, in a line; else empty", ()),
    Variable("seconds", "training time, an equal share of the pack's", (), units="s"),
    Variable("trial_id", "trial id", ()),
    Variable("arithmetic", "what the trial was computed with, in words", ()),
)
"""What the dataset says of each trial, whatever its kind; their dimensions are those of trials."""


FEATURES = (
    Variable(
        "feature_mean",
        "mean over the training rows, in original units",
        ("feature",),
        role="units",
    ),
    Variable("feature_scale", "standard deviation, in original units", ("feature",), role="units"),
)
"""Samples times scale plus mean are in the units of the data."""

SAMPLES = Variable("samples", "final samples of the generator", ("sample", "feature"))
LABELS = Variable(
    "labels", "label that each sample was generated under; -1 without one", ("sample",)
)

SETTINGS_OF = ("target", "divergence")
"""Fields of a configuration whose member the dataset names, of the kinds that have one."""

SETTINGS = tuple(f"{field}_settings" for field in SETTINGS_OF)
"""What the dataset calls these."""

OF_A_DATASET = (
    *OF_EVERY_TRIAL,
    STEP,
    Variable("seed", dims=("seed",)),
    *FEATURES,
    SAMPLES,
    LABELS,
    Variable("target_settings", "target distribution, as JSON", ()),
    Variable("divergence_settings", "divergence, as JSON", ()),
)
"""What every dataset may hold besides what its trials record."""


OF_ANALYSES = frozenset(
    [
        "arm",
        "at_equality",
        "best",
        "blocks",
        "by_chance",
        "charged",
        "claim",
        "critic_gap",
        "critical_difference",
        "detectable",
        "difference",
        "difference_high",
        "difference_low",
        "diverged",
        "drawdown",
        "drops",
        "effect",
        "equals_best",
        "error",
        "failed",
        "fitted",
        "freedom",
        "grade",
        "held",
        *("held_out", "held_out_seeds", "held_out_unbounded"),
        "high",
        "improvement",
        "incumbent",
        "iqm",
        "largest_drawdown",
        "last",
        "left_out",
        "level",
        "long_name",
        "low",
        "mean",
        "metric",
        "missing",
        "other",
        "overlap",
        "p",
        "pairs",
        "parameter",
        "planned",
        "printed",
        "profile",
        "pruned",
        "rank",
        "reason",
        "repeat",
        "residual",
        "run",
        "score",
        "seed_mean",
        "seed_spread",
        "seeds",
        "settings",
        "share",
        "share_collapsed",
        "share_diverged",
        "share_dropped",
        "share_kept",
        "share_perfect",
        "source",
        "spread",
        "statement",
        "statistic",
        "steps_to_perfect",
        "ties",
        "tolerance",
        "trial",
        "trial_collapsed",
        "trial_critic_gap",
        "trial_diverged",
        "trial_drawdown",
        "trial_drops",
        "trial_kept",
        "trial_perfect",
        "trials",
        "unbounded",
        "unchecked",
        "won",
        "worst",
    ]
)
"""Dimensions and variables that analyses make beside the axes of a study.

A test traces all that the report computes, and fails where a name is not among these.
"""

_OF_A_CURVE = ("_cycles", "_period", "_strength", "_trials")
"""What analyses make of each curve, under its name with these endings."""


def names_of(variables: Iterable[Variable]) -> set[str]:
    """All names that variables bring into a dataset and its analyses.

    Their own, their dimensions', what is perfect of metrics and their ends, and what is made of
    curves.
    """
    own = [*variables]
    metrics = [variable for variable in own if variable.role == "metric"]
    own += [other for metric in metrics for other in (metric.perfect, *metric.ends)]
    curves = [variable.name for variable in own if variable.role == "curve"]
    made = {name + ending for name in curves for ending in _OF_A_CURVE}
    made |= {f"trial_{name}_strength" for name in curves}
    return made | {name for variable in own for name in (variable.name, *variable.dims)}


def absent(shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """What stands where there is nothing: NaN, or among labels, the only whole numbers, -1."""
    return np.full(shape, np.nan if dtype.kind == "f" else -1, dtype)
