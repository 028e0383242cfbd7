"""A session: where and how packs train, and what they are handed for it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from ganstudy.engine import arithmetic
from ganstudy.engine.checkpoints import NO_CHECKPOINTS, Checkpoints
from ganstudy.family import Member, label
from ganstudy.trial import ProgramName

__all__ = ["ALONE", "Session", "outside_steps"]

_BESIDE = ", one step for "


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
        """What is computed with, in words; of a compiled step, also all members of `beside`.

        Its sums are ordered by those that stand in it, and not by their floats, which are numbers
        that go into it. Those whose steps are apart are named, too: a run has one arithmetic.
        """
        computed = arithmetic.described(self.program, self.device)
        if self.program != "compiled" or not self.beside:
            return computed
        return computed + _BESIDE + " and ".join(sorted({_told(own) for own in self.beside}))

    def computing(self) -> AbstractContextManager[None]:
        """The context in which the session's program computes what it promises.

        Errors  `NotPortable`.
        """
        return arithmetic.computing(self.program, self.device)


def outside_steps(computed: str) -> str:
    """The arithmetic of what a session computes outside of its compiled steps, such as samples."""
    return computed.partition(_BESIDE)[0]


def _told(member: Member) -> str:
    plugin = {"plugin": member.plugin} if member.plugin else {}
    return str(label({**member.structure(), **plugin}))


ALONE = Session()
"""On the CPU, as the steps are written, for packs that nobody will continue."""
