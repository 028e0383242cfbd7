"""What a kind is: what a trial does, and what it takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from ganstudy.engine.checkpoints import NO_CHECKPOINTS
from ganstudy.family import Member

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.engine.checkpoints import Checkpoints
    from ganstudy.trial import ProgramName, Record, Trial


class Kind(Member, ABC):
    """The configuration of a trial; its fields are the keys below `trial:` in a study file."""

    steps: int

    @classmethod
    def implied(cls, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Defaults, by key path, that follow from other settings, where a study leaves them out."""
        return {}

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

    def masked(self) -> tuple[Member, ...]:
        """Members that differ between the trials of a pack and are picked by masks."""
        return ()

    @abstractmethod
    def variables(self) -> dict[str, dict[str, Any]]:
        """Attributes of each recorded variable: long_name, role, and units and reading if any."""

    def perfect(self) -> dict[str, NDArray[np.float64]]:
        """What each metric says of samples of p itself, `(draws,)`: the scale of the scores."""
        return {}

    @abstractmethod
    def train(
        self,
        trials: Sequence[Trial[Any]],
        device: str,
        program: ProgramName,
        beside: tuple[Member, ...] = (),
        checkpoints: Checkpoints = NO_CHECKPOINTS,
    ) -> list[Record]:
        """Train trials of one pack key together; one record for each, in their order.

        `beside` holds the masked members of all trials of the run, which a compiled step computes
        in every pack, so that a trial's bits do not depend on the trials beside it. A pack goes
        on from its checkpoint, if `checkpoints` has one, with the same bits.
        """
