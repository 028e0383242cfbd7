"""What a kind is: what a trial does, and what it takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ganstudy.engine.session import ALONE, Session
from ganstudy.trial import Configuration, Trial

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.trial import Record
    from ganstudy.variable import Variable


RECORDS = 100_000
"""Most records of a trial: each is a column of every curve."""


def check_records(steps: int, every: int) -> None:
    """Errors  `ValueError` for more records than a trial may have."""
    if steps > RECORDS * every:
        raise ValueError(f"`every: {every}` makes more than {RECORDS:,} records a trial")


class Kind(Configuration, ABC):
    """The configuration of a trial; its fields are the keys below `trial:` in a study file."""

    deterministic: ClassVar[bool] = False
    """Whether a seed chooses where a trial starts and nothing else: what trials differ by is then a
    fact about these starts, and no estimate."""

    uses_device: ClassVar[bool] = True
    """Whether its trials compute on the device of a session; else a processor computes them."""

    given: ClassVar[frozenset[str]] = frozenset({"record"})
    """Keys that say what there is to learn, and how well it is learned: an axis of their values is
    no setting that an arm could choose. A kind adds its own: `Kind.given | {"target"}`."""

    steps: int

    @classmethod
    def implied(cls, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Defaults, by key path, that follow from other settings, where a study leaves them out."""
        return {}

    @abstractmethod
    def variables(self) -> tuple[Variable, ...]:
        """What its trials may record, the headline metric first; steps are understood."""

    @cached_property
    def readings(self) -> dict[str, Mapping[str, Any]]:
        """How each recorded metric is to be read, the headline metric first."""
        return {own.name: own.about for own in self.variables() if own.role == "metric"}

    def coordinates(
        self, sizes: Mapping[str, int], shared: Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[Any]]:
        """Coordinates by name, from the dataset's sizes and what all its trials share."""
        return {}

    def perfect(self) -> dict[str, NDArray[np.float64]]:
        """What each metric says of samples of p itself, `(draws,)`: the scale of the scores."""
        return {}

    @property
    def scheduled(self) -> str:
        """What of it goes by the share of its steps that is done, in words; empty if nothing does.

        Fewer steps are then not the beginning of more, but others.
        """
        return ""

    @property
    def on_processor(self) -> bool:
        """All of it, where its trials compute on no other device."""
        return not self.uses_device

    @property
    def in_pieces(self) -> str:
        """Why a GPU is not given each round of it as one graph, in words; empty if it is."""
        return ""

    @property
    def keeps_generator(self) -> bool:
        """Whether its records bring the trained generator, to be kept beside them."""
        return False

    @abstractmethod
    def train(self, trials: Sequence[Trial[Self]], session: Session = ALONE) -> list[Record]:
        """Train trials of one pack key together; one record for each, in their order."""


Pack = tuple[Trial[Kind], ...]
"""Trials that train together, of one pack key."""
