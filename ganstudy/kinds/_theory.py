"""Kinds whose truth is known: exact computations, and the claims that they check."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import core_schema

from ganstudy.engine.session import ALONE
from ganstudy.family import Member, canonical_json
from ganstudy.kinds._base import Kind, check_records
from ganstudy.settings import Settings
from ganstudy.trial import Record
from ganstudy.variable import SAMPLES, Reading, Variable

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from ganstudy.engine.session import Session
    from ganstudy.trial import Trial

    Array = NDArray[np.float64]

TOLERANCE_SUFFIX = "_tolerance"
"""The tolerance of a claim stands beside its error, under the claim's name with this ending."""

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Claim:
    """A statement of a source text that a trial can check.

    A trial records its error, how far what was computed is from what is stated, and the tolerance
    that the computation itself explains; the claim holds there if error <= tolerance.

    claim      the statement, in words and formulas
    source     the text and the place in it
    tolerance  where the tolerance comes from
    printed    whether this is a statement as printed that we hold to be a slip
    """

    name: str
    long_name: str
    claim: str
    source: str
    tolerance: str
    printed: bool = False

    def variables(self) -> tuple[Variable, Variable]:
        """The error and its tolerance."""
        about = {
            "claim": self.claim,
            "source": self.source,
            "tolerance": self.tolerance,
            "printed": int(self.printed),
        }
        tolerance = f"{self.long_name}: tolerance"
        return (
            Variable(self.name, self.long_name, role="claim", about=about),
            Variable(self.name + TOLERANCE_SUFFIX, tolerance, role="tolerance"),
        )


Check = tuple[float, float]
"""Error and tolerance."""


def worst_of(checks: Iterable[Check]) -> Check:
    """The one with the largest error for its tolerance; one that is no number, if there is any."""

    def relative(check: Check) -> tuple[bool, float]:
        share = check[0] / check[1]
        return bool(np.isnan(share)), share

    return max(checks, key=relative)


@dataclass(eq=False)
class Outcome:
    """What one trial computed.

    curves  `(records,)` each, at the recorded steps
    checks  error and tolerance of every claim that the trial could check
    arrays  further numbers that the figures need, `(rows, columns)`; one shape in a pack
    """

    curves: dict[str, Array]
    checks: dict[str, Check] = field(default_factory=dict)
    arrays: Array | None = None
    diverged_at: float = float("nan")


class OneOf:
    """Marks a field whose value is one of some names, such as the keys of a table."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.literal_schema(self.names)


class Spacing(Settings):
    """What is kept of a trial."""

    every: int = Field(1, ge=1, le=10**9, description="steps between two records of the curves")


class TheorySettings(Member):
    """What every kind in plain float64 is told; claims take these and the kind's own."""

    steps: int = Field(200, ge=1, le=10**9, description="steps")
    record: Spacing = Field(Spacing(), validate_default=True, description="what is kept")

    @field_validator("record")
    @classmethod
    def _not_too_often(cls, record: Spacing, info: ValidationInfo) -> Spacing:
        check_records(info.data.get("steps", 0), record.every)
        return record

    @property
    def recorded_steps(self) -> NDArray[np.int64]:
        """Steps at which curves are recorded, from the start to the last step."""
        steps = np.arange(0, self.steps + 1, self.record.every)
        return np.unique(np.append(steps, self.steps)).astype(np.int64)


class TheoryKind(TheorySettings, Kind, ABC):
    """A kind in plain float64; its trials end in milliseconds to seconds."""

    compiles: ClassVar[bool] = False

    uses_device: ClassVar[bool] = False

    claims: ClassVar[tuple[Claim, ...]]

    @abstractmethod
    def described(self) -> tuple[Variable, ...]:
        """The recorded curves and metrics, the headline metric first."""

    @abstractmethod
    def compute(self, trials: Sequence[Trial[Self]]) -> list[Outcome]:
        """The numbers of trials of one pack."""

    @abstractmethod
    def shape(self) -> Mapping[str, Any]:
        """Settings that fix shapes or control flow; trials that share them are stacked."""

    def pack_key(self) -> str:
        """All that fixes shapes and control flow."""
        every = {"every": self.record.every, "kind": self.name, "steps": self.steps}
        return canonical_json({**every, **self.shape()})

    def graph_key(self) -> str:
        """Nothing is compiled."""
        return self.name

    def working_set(self) -> int:
        """The recorded curves."""
        return 8 * (self.steps + 1) * 16

    def variables(self) -> tuple[Variable, ...]:
        """Metrics, curves and claims; further numbers stand where others keep samples."""
        stated = (own for claim in self.claims for own in claim.variables())
        return (*self.described(), *stated, SAMPLES)

    def train(self, trials: Sequence[Trial[Self]], session: Session = ALONE) -> list[Record]:
        """Compute the trials; on the CPU, whatever the device, and too quickly for checkpoints."""
        session = replace(session, device="cpu")
        started = time.perf_counter()
        with session.computing():
            outcomes = self.compute(trials)
        seconds = (time.perf_counter() - started) / len(trials)
        variables, steps = self.variables(), self.recorded_steps
        return [
            Record.of(
                trial,
                session,
                variables,
                {"step": steps, **_values(outcome, len(steps))},
                seconds,
                outcome.diverged_at,
            )
            for trial, outcome in zip(trials, outcomes, strict=True)
        ]


class OneByOne(TheoryKind, ABC):
    """A theory kind whose trials are not stacked; they make packs all the same."""

    @abstractmethod
    def compute_one(self, trial: Trial[Self]) -> Outcome:
        """The numbers of one trial."""

    def compute(self, trials: Sequence[Trial[Self]]) -> list[Outcome]:
        """One by one."""
        return [trial.configuration.compute_one(trial) for trial in trials]

    def shape(self) -> Mapping[str, Any]:
        """None but what fixes the shape of what is kept."""
        return {}


def _values(outcome: Outcome, records: int) -> dict[str, NDArray[np.float32]]:
    """In single precision; each check is a curve that is known at the last step."""
    with np.errstate(over="ignore"):  # beyond single precision is infinite in the record
        values = {name: curve.astype(np.float32) for name, curve in outcome.curves.items()}
        for name, (error, tolerance) in outcome.checks.items():
            # By a tolerance an error that is no number is known to have been asked for.
            known = 0.0 if np.isnan(error) and np.isnan(tolerance) else tolerance
            for key, value in ((name, error), (name + TOLERANCE_SUFFIX, known)):
                values[key] = np.full(records, np.nan, np.float32)
                values[key][-1] = value
    if outcome.arrays is not None:
        values[SAMPLES.name] = outcome.arrays.astype(np.float32)
    return values


def metric(
    name: str,
    long_name: str,
    direction: Literal["higher", "lower"],
    bounds: tuple[float, float],
    value_at_equality: float = float("nan"),
    units: str = "",
) -> Variable:
    """A metric; its value at the goal is NaN where there is no such value."""
    return Variable.of_metric(name, Reading(long_name, units, direction, bounds, value_at_equality))


def curve(name: str, long_name: str) -> Variable:
    """A curve that the report draws over the steps."""
    return Variable(name, long_name, role="curve")


def orbit(name: str, long_name: str) -> Variable:
    """A curve that only the kind's own figures draw."""
    return Variable(name, long_name, role="orbit")
