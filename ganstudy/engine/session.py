"""A session: where and how packs train, and what they are handed for it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from ganstudy.engine import arithmetic
from ganstudy.engine.checkpoints import NO_CHECKPOINTS, Checkpoints
from ganstudy.family import Member
from ganstudy.trial import ProgramName

__all__ = ["ALONE", "Session"]


@dataclass(frozen=True)
class Session:
    """What a pack is trained with, besides its trials.

    beside       masked members of all trials of the run, which a compiled step computes in every
                 pack, so that a trial's bits do not depend on the trials beside it
    checkpoints  where the pack keeps its state, and from where it continues with the same bits
    """

    device: str = "cpu"
    program: ProgramName = "eager"
    beside: tuple[Member, ...] = ()
    checkpoints: Checkpoints = NO_CHECKPOINTS

    @property
    def arithmetic(self) -> str:
        """What is computed with, in words."""
        return arithmetic.described(self.program, self.device)

    def computing(self) -> AbstractContextManager[None]:
        """The context in which the session's program computes what it promises.

        Errors  `NotPortable`.
        """
        return arithmetic.computing(self.program, self.device)


ALONE = Session()
"""On the CPU, as the steps are written, for packs that nobody will continue."""
