"""Programs: the training step as it is written, or compiled; both give a trial the same law.

The two differ in the last bits, since a compiler orders sums in its own way. All trials of a run
use one program, whatever their packs, workers and sessions, and their records name it. The portable
program is the step as written, on an arithmetic of its own (`ganstudy.engine.arithmetic`).
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
from torch.hub import tqdm  # type: ignore[attr-defined]  # tqdm, or what torch has in its place

from ganstudy.engine.ahead import AheadOfTime, make
from ganstudy.engine.capture import Captured, Graph
from ganstudy.engine.just_in_time import JustInTime
from ganstudy.engine.stacked import choose
from ganstudy.kinds.adversarial.state import Batches, State
from ganstudy.kinds.adversarial.step import Rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganstudy.engine.traced import Form
    from ganstudy.kinds.adversarial.state import Diagnostics, Patience, Step
    from ganstudy.trial import ProgramName

    Round = Callable[[State, Batches], tuple[State, Diagnostics]]

__all__ = ["Program", "playing", "program"]


@dataclass(frozen=True)
class Program:
    """The pure steps in the form in which they are called, and loops over them."""

    d_step: Step
    m_step: Step
    joint: Step

    def d_steps(self, game: Rules, state: State, batches: Batches) -> tuple[State, Diagnostics]:
        """D-steps, each on a batch of its own; diagnostics of the last."""
        if game.patience is not None:
            return self._patient_d_steps(game, state, batches, game.patience)
        for number in range(len(batches.real)):
            state, diagnostics = self.d_step(game, state, *batches.d_step(number))
        return state, diagnostics

    def m_steps(self, game: Rules, state: State, batches: Batches) -> tuple[State, Diagnostics]:
        """M-steps, each on latent points of its own; diagnostics of the last."""
        for number in range(len(batches.latent) - len(batches.real)):
            state, diagnostics = self.m_step(game, state, *batches.m_step(number))
        return state, diagnostics

    def joint_step(self, game: Rules, state: State, batches: Batches) -> tuple[State, Diagnostics]:
        """A D-step and an M-step that know of each other."""
        return self.joint(game, state, batches.d_step(0), batches.m_step(0))

    def _patient_d_steps(
        self, game: Rules, state: State, batches: Batches, patience: Patience
    ) -> tuple[State, Diagnostics]:
        """D-steps until each trial's loss has stopped falling; diagnostics of each one's last.

        To stop early the host reads one bit in each D-step.
        """
        best = torch.full_like(patience.until, torch.inf)
        stale = torch.zeros_like(state.survived)
        taken = torch.zeros_like(patience.until)
        last: Diagnostics = {}
        for number in range(len(batches.real)):
            active = stale < patience.steps
            # A pack that has died whole still takes one step, for its diagnostics.
            if number and not bool((active & state.alive).any()):
                break
            state, diagnostics = self.d_step(game, state, *batches.d_step(number), None, active)
            last = {k: choose(active, value, last.get(k)) for k, value in diagnostics.items()}
            better = last["critic_loss"] < best - patience.until
            stale = torch.where(better, 0, stale + 1)
            best = torch.where(better, last["critic_loss"], best)
            taken = taken + active
        return state, {**last, "critic_steps_taken": taken}


def playing(steps: Program, game: Rules, device: torch.device) -> Round:
    """What plays one round after the other; on a GPU it is recorded once and then launched whole.

    Where D-steps end with patience the host decides in each, and nothing can be recorded.
    """
    if isinstance(steps.d_step, AheadOfTime):
        return _Foreseen(steps, game)
    play: Round = functools.partial(game.updates.play, steps, game)
    if device.type != "cuda" or game.patience is not None:
        return play
    return Captured(play, lambda: Graph(device))


class _Foreseen:
    """Rounds of compiled steps; before the first, all its steps are made side by side."""

    def __init__(self, steps: Program, game: Rules) -> None:
        self._steps, self._game = steps, game
        self._made = False

    def __call__(self, state: State, batches: Batches) -> tuple[State, Diagnostics]:
        """One round."""
        if not self._made:
            make(self._forms(state, batches))
            self._made = True
        played: tuple[State, Diagnostics] = self._game.updates.play(
            self._steps, self._game, state, batches
        )
        return played

    def _forms(self, state: State, batches: Batches) -> list[Form]:
        """Those of the steps that a round takes, seen as it is played with the steps as written."""
        forms: dict[str, Form] = {}

        def seen(written: Step, compiled: AheadOfTime) -> Step:
            def step(rules: Rules, *arguments: object) -> tuple[State, Diagnostics]:
                form = compiled.traced(rules, *arguments)
                forms[form.name] = form
                return written(rules, *arguments)

            return step

        written = program("eager", "cpu")
        steps = Program(
            *(seen(getattr(written, f.name), getattr(self._steps, f.name)) for f in fields(Program))
        )
        self._game.updates.play(steps, self._game, state, batches)
        return [*forms.values()]


@functools.cache
def program(name: ProgramName, device_type: str) -> Program:
    """The program of a name; the compiled one is made once in each process.

    D-step and M-step are compiled apart, so that trials with many D-steps share the graph of those
    with one.
    """
    if name != "compiled":
        return Program(Rules.d_step, Rules.m_step, Rules.joint_step)
    # torch shows the progress of a compilation, if asked to, with tqdm, whose lock is a semaphore
    # of the system; a worker that is killed would leave it behind.
    if hasattr(tqdm, "set_lock"):  # torch does without tqdm where it is not installed
        tqdm.set_lock(threading.RLock())
    compiled = AheadOfTime if device_type == "cpu" else JustInTime
    return Program(compiled(Rules.d_step), compiled(Rules.m_step), compiled(Rules.joint_step))
