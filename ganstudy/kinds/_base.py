"""What a kind is: what a trial does, and what it takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ganstudy.engine.session import ALONE, Session
from ganstudy.trial import Configuration, Trial

if TYPE_CHECKING:
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.family import Member
    from ganstudy.trial import Record


class Kind(Configuration, ABC):
    """The configuration of a trial; its fields are the keys below `trial:` in a study file."""

    steps: int

    @classmethod
    def implied(cls, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Defaults, by key path, that follow from other settings, where a study leaves them out."""
        return {}

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
    def train(self, trials: Sequence[Trial[Self]], session: Session = ALONE) -> list[Record]:
        """Train trials of one pack key together; one record for each, in their order."""


Pack = tuple[Trial[Kind], ...]
"""Trials that train together, of one pack key."""
