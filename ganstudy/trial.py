"""A trial: one resolved configuration with one seed, its id, and its random streams."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, get_args

import numpy as np
from typing_extensions import TypeVar

from ganstudy.cause import cleaned
from ganstudy.family import Member
from ganstudy.variable import LABELS, STEP, Variable
from ganstudy.whole_file import name_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    *("SCHEMA", "Configuration", "ProgramName", "Purpose", "Record", "Status", "Trial"),
    "records_of",
]

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


def records_of(trials: Sequence[Trial[Member]], returned: Any) -> list[Record]:
    """What a kind has returned of trials that were trained together, which is one record of each.

    Whole numbers and truths become floats, among which NaN says that there is nothing; coordinates,
    which have no gaps, and labels, which have a number for none, stay whole.

    Errors  `ValueError` for anything else, and for values that cannot be kept: other than arrays of
            numbers and truths, or of texts that are coordinates, in the dimensions of their
            variables, whose lengths are the same in all records of a pack, and so are coordinates.
    """
    kind = trials[0].configuration.name
    records: list[Any] = list(returned) if isinstance(returned, Iterable) else [returned]
    for record in records:
        if not isinstance(record, Record):
            got = type(record).__name__
            raise ValueError(f"kind {kind}: train should return a list of records (got {got})")
    made = [(own.id, own.seed, own.settings) for own in records]
    if sorted(made) != sorted((own.id, own.seed, own.settings) for own in trials):
        told = ", ".join(own.id for own in records) or "nothing"
        wanted = ", ".join(own.id for own in trials)
        raise ValueError(f"kind {kind}: train returns records of {told}, and should of {wanted}")
    first: dict[str, NDArray[Any]] = {}
    lengths: dict[str, int] = {}
    for record in records:
        status, *times = record.status, record.seconds, record.diverged_at
        if status not in get_args(Status) or not all(isinstance(own, Real) for own in times):
            said = f"are {status}, {times[0]}, {times[1]}"
            raise ValueError(f"kind {kind}: status, seconds and diverged_at of a record {said}")
        for name, values in record.values.items():
            if why := _unkept(values, record.variables.get(name), lengths, first):
                raise ValueError(f"kind {kind}: {name!r} of a record {why}")
    return [replace(record, values=dict(_with_gaps(record))) for record in records]


def _with_gaps(record: Record) -> Iterator[tuple[str, NDArray[Any]]]:
    """Values of types that files hold, and that say where there are none."""
    for name, values in record.values.items():
        own: Any = np.int64 if name == LABELS.name else np.float64
        if values.dtype.kind == "f":
            own = f"f{min(values.dtype.itemsize, 8)}"
        elif record.variables[name].is_coordinate:
            own = values.dtype
        yield name, values.astype(own, copy=False)


def _unkept(
    values: object,
    variable: Variable | None,
    lengths: dict[str, int],
    first: dict[str, NDArray[Any]],
) -> str:
    """Why values cannot be kept beside those of `first`; empty where they can."""
    if variable is None:
        return "is of none of its variables"
    if not isinstance(values, np.ndarray | np.generic):
        return f"should be an array of numbers or truths (got {type(values).__name__})"
    if values.dtype.kind not in ("fiubU" if variable.is_coordinate else "fiub"):
        return f"should be numbers or truths (got an array of {values.dtype.name})"
    if values.dtype.kind == "U" and not all(map(str.isprintable, values.ravel().tolist())):
        return "has texts with characters that are none"
    if values.ndim != len(variable.dims):
        return f"has shape {values.shape}, and its variable the dimensions {variable.dims}"
    for dim, length in zip(variable.dims, values.shape, strict=True):
        if lengths.setdefault(dim, length) != length:
            return f"has length {length} along {dim!r}, where others have {lengths[dim]}"
    if not variable.is_coordinate:
        return ""
    other = first.setdefault(variable.name, np.asarray(values))
    both_may_be_nan = other.dtype.kind == values.dtype.kind == "f"
    if not np.array_equal(other, values, equal_nan=both_may_be_nan):
        return "is a coordinate, and differs from that of a trial beside it"
    return ""
