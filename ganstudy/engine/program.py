"""Programs: the training step as it is written, or compiled; both give a trial the same law.

The two differ in the last bits, since a compiler orders sums in its own way. All trials of a run
use one program, whatever their packs, workers and sessions, and their records name it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ganstudy.engine.step import Game, Info, State

if TYPE_CHECKING:
    from torch import Tensor

    from ganstudy.trial import ProgramName

__all__ = ["Program", "program"]


@dataclass(frozen=True)
class Program:
    """The D-step and the M-step in the form in which they are called."""

    d_step: Callable[[Game, State, Tensor, Tensor], tuple[State, tuple[Tensor, ...]]]
    m_step: Callable[[Game, State, Tensor], tuple[State, tuple[Tensor, ...]]]

    def step(self, game: Game, state: State, real: Tensor, latent: Tensor) -> tuple[State, Info]:
        """All D-steps, each on a batch of its own, then one M-step.

        Shapes  real `(D-steps, pack, batch, dimension)`,
                latent `(D-steps + 1, pack, batch, latent)`.
        """
        for real_batch, latent_batch in zip(real, latent[:-1], strict=True):
            state, critic = self.d_step(game, state, real_batch, latent_batch)
        state, generator = self.m_step(game, state, latent[-1])
        critic_loss, real_logit, fake_logit, critic_norm = critic
        generator_loss, generator_norm = generator
        info = Info(
            critic_loss, generator_loss, real_logit, fake_logit, critic_norm, generator_norm
        )
        return state, info


@functools.cache
def program(name: ProgramName) -> Program:
    """The program of a name; the compiled one is made once in each process.

    The two steps are compiled apart, so that trials with many D-steps share the graph of those
    with one. Graphs lie in the compiler's cache on disk and are read from there the next time.
    """
    if name == "eager":
        return Program(Game.d_step, Game.m_step)
    # One graph for each shape of pack that this process meets, and no compiler processes beside
    # the workers, which already keep every core busy.
    torch._dynamo.config.recompile_limit = 1024
    torch._dynamo.config.accumulated_recompile_limit = 8192
    torch._inductor.config.compile_threads = 1
    compiled = functools.partial(torch.compile, fullgraph=True, dynamic=False)
    return Program(compiled(Game.d_step), compiled(Game.m_step))
