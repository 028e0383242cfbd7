"""A trial: one resolved configuration with one seed, its id, and its random streams."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Literal, get_args

import numpy as np
from typing_extensions import TypeVar

from ganstudy.cause import cleaned
from ganstudy.family import Member

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SCHEMA", "Configuration", "ProgramName", "Purpose", "Record", "Status", "Trial"]

SCHEMA = 2
"""Version of what a configuration means; part of every id, so that old records never mix in."""

Purpose = Literal["init", "data", "latent", "evaluation", "constraint", "training_set"]
# A stream is a function of the place in this list: new purposes come last.
_PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class Configuration(Member, ABC):
    """Settings that say what can be stacked with what, and what it costs."""

    @abstractmethod
    def pack_key(self) -> str:
        """Trials whose keys are equal can be stacked and trained as one program."""

    @abstractmethod
    def graph_key(self) -> str:
        """Trials whose keys are equal run the same compiled steps, in packs of the same size."""

    @abstractmethod
    def cost(self) -> float:
        """Rough seconds of one trial on one core, for balancing packs and estimates of time."""

    @abstractmethod
    def working_set(self) -> int:
        """Bytes that one trial of a stack reads and writes in one step."""


ConfigurationT = TypeVar("ConfigurationT", bound=Member, covariant=True, default=Configuration)


@dataclass(frozen=True)
class Trial(Generic[ConfigurationT]):
    """What is trained: the configuration says everything but the seed."""

    configuration: ConfigurationT
    seed: int

    @property
    def settings(self) -> str:
        """Canonical JSON of the configuration: sorted keys, no spaces, shortest floats."""
        return self.configuration.settings

    @cached_property
    def id(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of schema version, seed and configuration."""
        text = f'{{"configuration":{self.settings},"schema":{SCHEMA},"seed":{self.seed}}}'
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def stream(self, purpose: Purpose, block: int = 0) -> np.random.Generator:
        """The random stream of (seed, purpose), cut into blocks that can be drawn in any order.

        It depends on nothing else: trials with one seed share their streams, which pairs the arms
        of a comparison, and a resumed trial draws what it would have drawn.
        """
        key = (_PURPOSES.index(purpose), block)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))


Status = Literal["complete", "diverged", "failed"]
ProgramName = Literal["eager", "compiled", "portable"]


@dataclass(frozen=True, eq=False)
class Record:
    """What a trial leaves behind; plain NumPy.

    program how it was trained; two programs differ in the last bits
    arithmetic  what it was computed with, in words; empty where nothing was computed
    curves  `(steps,)` each, at the M-steps `steps`; NaN after a divergence
    samples `(samples, dimension)`, or None for a failed trial
    labels  `(samples,)`: the label that each sample was generated under, if any
    film    arrays by the names of `ganstudy.film.FILM`; none for a trial that is not filmed
    cause   why a trial failed: a line that says so, and its traceback; of another, which of its
            metrics could not be measured, and why; else empty
    finished  when the record was made, in seconds since 1970; the order in which a search learned
    """

    id: str
    seed: int
    settings: str
    status: Status
    program: ProgramName
    diverged_at: float
    seconds: float
    steps: NDArray[np.int64]
    curves: dict[str, NDArray[np.float32]]
    samples: NDArray[np.float32] | None
    labels: NDArray[np.int64] | None = None
    film: dict[str, NDArray[np.floating]] = field(default_factory=dict)
    cause: str = ""
    finished: float = field(default_factory=time.time)
    arithmetic: str = ""

    @classmethod
    def of_failure(cls, trial: Trial[Member], program: ProgramName, cause: str) -> Record:
        """The record of a trial that could not be trained."""
        return cls(
            id=trial.id,
            seed=trial.seed,
            settings=trial.settings,
            status="failed",
            program=program,
            diverged_at=float("nan"),
            seconds=0.0,
            steps=np.empty(0, np.int64),
            curves={},
            samples=None,
            cause=cleaned(cause),
        )
