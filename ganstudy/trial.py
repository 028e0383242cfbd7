"""A trial: one resolved configuration with one seed, its id, and its random streams."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, get_args

import numpy as np
from typing_extensions import TypeVar

from ganstudy.cause import cleaned
from ganstudy.family import Member
from ganstudy.variable import STEP, Variable
from ganstudy.whole_file import name_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SCHEMA", "Configuration", "ProgramName", "Purpose", "Record", "Status", "Trial"]

SCHEMA = 2
"""Version of what a configuration means; part of every id, so that old records never mix in."""

# A stream is a function of the place in this list: new purposes come last.
Purpose = Literal["init", "data", "latent", "evaluation", "constraint", "training_set"]


class Configuration(Member, ABC):
    """Settings that say what can be stacked with what, and what it costs."""

    compiles: ClassVar[bool] = True
    """Whether its steps can be compiled; a trial without such steps is what it is."""

    @property
    def as_written(self) -> str:
        """Why its steps are computed as written and by no other program, in words; else empty."""
        return ""

    @property
    def on_processor(self) -> bool:
        """Whether a processor takes long over some of it that no other device computes."""
        return False

    @property
    def work(self) -> str:
        """What its steps are made of, in words, for each of which `cost` is corrected apart."""
        return self.name

    @abstractmethod
    def pack_key(self) -> str:
        """Trials whose keys are equal can be stacked and trained as one program."""

    @abstractmethod
    def graph_key(self) -> str:
        """Trials whose keys are equal run the same compiled steps, in packs of the same size."""

    @abstractmethod
    def cost(self) -> float:
        """Rough seconds of one trial on one core, for balancing packs and estimates of time."""

    def compiled_cost(self) -> float:
        """The same of compiled steps, in a unit of its own: only their ratios count."""
        return self.cost()

    def masked(self) -> tuple[Member, ...]:
        """Members that differ between the trials of a pack and are picked by masks."""
        return ()

    def recording(self) -> float:
        """Rough seconds of one trial's records on one core, where they count beside its steps."""
        return 0.0

    def masking(self) -> float:
        """Rough seconds that each further member which is picked by masks adds to one trial."""
        return 0.0

    @abstractmethod
    def working_set(self) -> int:
        """Bytes that one trial of a stack reads and writes in one step."""

    def working_set_on_gpu(self) -> int:
        """The same on a GPU."""
        return self.working_set()


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
        return name_digest(text.encode())

    def stream(self, purpose: Purpose, block: int = 0) -> np.random.Generator:
        """The random stream of (seed, purpose), cut into blocks that can be drawn in any order.

        It depends on nothing else: trials with one seed share their streams, which pairs the arms
        of a comparison, and a resumed trial draws what it would have drawn.
        """
        key = (get_args(Purpose).index(purpose), block)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))


Status = Literal["complete", "diverged", "failed"]
ProgramName = Literal["eager", "compiled", "portable"]


class Computed(Protocol):
    """By what a trial was computed: a session says so, and so does a pack in flight."""

    @property
    def program(self) -> ProgramName:
        """How it is trained."""

    @property
    def arithmetic(self) -> str:
        """What it is computed with, in words."""


@dataclass(frozen=True, eq=False)
class Record:
    """What a trial leaves behind; plain NumPy.

    program    how it was trained; two programs differ in the last bits
    arithmetic what it was computed with, in words; empty where nothing was computed
    generator  the trained generator as the content of a safetensors file; empty where none is kept,
               and in a record that was read: its file lies beside the records
    generator_digest  of that content; empty where none is kept
    values     what was measured, by the names of its variables, in the shapes of their dimensions
    variables  dimensions and more of each of them
    cause      why a trial failed: a line that says so, and its traceback; of another, which of
               its metrics could not be measured, and why; else empty
    finished   when it was made, in seconds since 1970; the order in which a search learned
    """

    id: str
    seed: int
    settings: str
    status: Status
    program: ProgramName
    diverged_at: float
    seconds: float
    values: dict[str, NDArray[Any]] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    cause: str = ""
    finished: float = field(default_factory=time.time)
    arithmetic: str = ""
    generator: bytes = b""
    generator_digest: str = ""

    @classmethod
    def of(
        cls,
        trial: Trial[Member],
        how: Computed,
        variables: Iterable[Variable],
        values: Mapping[str, NDArray[Any]],
        seconds: float,
        diverged_at: float = float("nan"),
        cause: str = "",
        generator: bytes = b"",
    ) -> Record:
        """The record of a trial that was trained: those of its variables that have values.

        Errors  `KeyError` for a value whose variable is not among them.
        """
        known = {variable.name: variable for variable in (STEP, *variables)}
        return cls(
            id=trial.id,
            seed=trial.seed,
            settings=trial.settings,
            status="complete" if math.isnan(diverged_at) else "diverged",
            program=how.program,
            arithmetic=how.arithmetic,
            diverged_at=diverged_at,
            seconds=seconds,
            values=dict(values),
            variables={name: known[name] for name in values},
            cause=cause,
            generator=generator,
            generator_digest=name_digest(generator) if generator else "",
        )

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
            cause=cleaned(cause),
        )

    def along(self, *dims: str) -> dict[str, NDArray[Any]]:
        """Values of the variables of exactly these dimensions, coordinates left out."""
        return {
            name: values
            for name, values in self.values.items()
            if self.variables[name].dims == dims and not self.variables[name].is_coordinate
        }
