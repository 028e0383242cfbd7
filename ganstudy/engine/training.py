"""Training a pack: from trials to records."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ganstudy.divergences import Divergence
from ganstudy.engine.batches import batches, evaluation_latent
from ganstudy.engine.checkpoints import NO_CHECKPOINTS, Checkpoints
from ganstudy.engine.program import program
from ganstudy.engine.stacked import stack
from ganstudy.engine.step import Game, Player, PlayerState, State
from ganstudy.trial import Record, canonical_json

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.family import Member
    from ganstudy.kinds.adversarial import Adversarial
    from ganstudy.kinds.adversarial import Player as PlayerSettings
    from ganstudy.trial import ProgramName, Trial

__all__ = ["initial", "train"]

_VECTOR = 32
"""Floats that one step of a vectorised loop handles, on the widest CPUs of today."""

COMPILED_MULTIPLE = 4
"""Compiled packs are filled up to a multiple of this, so that few sizes need a graph."""


def train(
    trials: Sequence[Trial[Adversarial]],
    device_name: str = "cpu",
    program_name: ProgramName = "eager",
    beside: Sequence[Member] = (),
    checkpoints: Checkpoints = NO_CHECKPOINTS,
) -> list[Record]:
    """Train trials of one pack key as one stacked program; one record each, in their order."""
    flight = checkpoints.flight(trials, program_name, beside)
    device = torch.device(device_name)
    stacked = program(program_name)
    padded = _with_ballast(trials, 1 if program_name == "eager" else COMPILED_MULTIPLE)
    game, state = initial(padded, device, beside if program_name == "compiled" else ())
    recorder = _Recorder(trials, evaluation_latent(padded, device))
    configuration = trials[0].configuration
    steps, every = configuration.steps, configuration.record.every
    begun, state = flight.resume(state, recorder)
    source = itertools.islice(batches(padded, device, begun), steps - begun)
    for step, (real, latent) in enumerate(source, start=begun + 1):
        state, info = stacked.step(game, state, real, latent)
        if step % every == 0 or step == steps:
            recorder.record(step, game, state, info._asdict())
            if not recorder.any_alive:
                break
        flight.offer(step, state, recorder)
    return recorder.records(game, state, program_name, flight.seconds / len(trials))


def initial(
    trials: Sequence[Trial[Adversarial]], device: torch.device, beside: Sequence[Member] = ()
) -> tuple[Game, State]:
    """The rules of a pack and the state before its first step.

    The step computes the divergences of `beside` too, whichever the trials use. A compiler orders
    the sums of a loss by what stands beside it: with the same divergences in all packs of a run, a
    trial's last bits do not depend on its neighbours, and one graph serves an architecture.
    """
    configurations = [trial.configuration for trial in trials]
    target = configurations[0].target.dimension
    latent = configurations[0].generator.latent
    generator, generator_state = _player(
        trials, [c.generator for c in configurations], latent, target, 0, device
    )
    critic, critic_state = _player(trials, [c.critic for c in configurations], target, 1, 1, device)
    also = [member for member in beside if isinstance(member, Divergence)]
    divergences = stack([c.divergence for c in configurations], device, also=also)
    game = Game(
        generator,
        critic,
        divergences.sharing("critic_loss"),
        divergences.sharing("generator_loss"),
        stack([c.constraint for c in configurations], device),
    )
    alive = torch.ones(len(trials), dtype=torch.bool, device=device)
    survived = torch.zeros(len(trials), dtype=torch.int64, device=device)
    return game, State(generator_state, critic_state, alive, survived)


def _player(
    trials: Sequence[Trial[Any]],
    settings: Sequence[PlayerSettings],
    inputs: int,
    outputs: int,
    stream_block: int,
    device: torch.device,
) -> tuple[Player, PlayerState]:
    network, pack = settings[0].network, len(trials)
    shapes = network.shapes(inputs, settings[0].width, settings[0].depth, outputs)
    size = sum(math.prod(shape) for shape in shapes.values())
    parameters = np.empty((pack, size), np.float32)
    for row, trial in zip(parameters, trials, strict=True):
        values = network.initialise(trial.stream("init", stream_block), shapes)
        np.concatenate([values[name].ravel() for name in shapes], out=row)
    optimizers = stack([s.optimizer for s in settings], device, torch.float64)
    slots: dict[str, Tensor] = {}
    for optimizer, _ in optimizers.groups:
        for name in optimizer.slots:
            slots[name] = torch.zeros(pack, size, device=device)
        for name in optimizer.weights:
            slots[name] = torch.zeros(pack, 1, dtype=torch.float64, device=device)
    lr = torch.tensor([[s.lr] for s in settings], dtype=torch.float64, device=device)
    player = Player(network, shapes, optimizers, lr)
    return player, PlayerState(torch.from_numpy(parameters).to(device), slots)


def _with_ballast(trials: Sequence[Trial[Any]], multiple: int) -> list[Trial[Any]]:
    """The pack with copies of its last trial behind it, up to a multiple of some size.

    Two things on a CPU make a number depend on its place in memory: a product of one matrix takes
    another kernel than a batch of two or more, and the last elements of a vectorised loop, fewer
    than `_VECTOR`, go through scalar code whose exp and log differ in the last bit. Copies at the
    end, whose results are dropped, take both away from the trials that count. Where neither can
    happen and the size is right, there are none.
    """
    batch = trials[0].configuration.batch
    copies = math.ceil(_VECTOR / batch) if batch % _VECTOR else int(len(trials) == 1)
    copies += -(len(trials) + copies) % multiple
    return [*trials, *[trials[-1]] * copies]


class _Recorder:
    """Curves and samples of the trials of a pack, moved to the host at each recorded step."""

    def __init__(self, trials: Sequence[Trial[Adversarial]], latent: Tensor) -> None:
        self.trials = trials
        self.latent = latent
        self.steps: list[int] = []
        self.curves: list[dict[str, NDArray[np.float32]]] = []
        self.any_alive = True
        # Trials that share target and metrics are measured in one call.
        self.groups: dict[str, list[int]] = {}
        for place, trial in enumerate(trials):
            settings = trial.configuration.model_dump(include={"target", "record"})
            self.groups.setdefault(canonical_json(settings), []).append(place)

    def record(self, step: int, game: Game, state: State, info: dict[str, Tensor]) -> None:
        """Measure and keep the pack at one step; NaN for trials that have diverged."""
        count = len(self.trials)
        alive = state.alive[:count].cpu().numpy()
        values = {name: value[:count].cpu().numpy() for name, value in info.items()}
        samples = game.sample(state, self.latent)[:count].cpu().numpy()
        for places in self.groups.values():
            configuration = self.trials[places[0]].configuration
            for metric in configuration.record.metrics:
                column = values.setdefault(metric.name, np.full(count, np.nan, np.float32))
                column[places] = metric.compute(samples[places], configuration.target)
        self.steps.append(step)
        self.curves.append(
            {name: np.where(alive, value, np.float32(np.nan)) for name, value in values.items()}
        )
        self.any_alive = bool(alive.any())

    def records(
        self, game: Game, state: State, program_name: ProgramName, seconds: float
    ) -> list[Record]:
        """The finished records; samples are those of the last finite parameters."""
        samples = game.sample(state, self.latent).cpu().numpy()
        alive, survived = state.alive.cpu().numpy(), state.survived.cpu().numpy()
        # Once nobody is alive training stops early; the records have the same steps all the same.
        configuration = self.trials[0].configuration
        every, last = configuration.record.every, configuration.steps
        steps = np.unique([*range(every, last + 1, every), last])
        absent = [math.nan] * (len(steps) - len(self.steps))
        return [
            Record(
                id=trial.id,
                seed=trial.seed,
                settings=trial.settings,
                status="complete" if alive[place] else "diverged",
                program=program_name,
                diverged_at=math.nan if alive[place] else float(survived[place] + 1),
                seconds=seconds,
                steps=steps,
                curves={
                    name: np.array(
                        [*(row[name][place] for row in self.curves), *absent], np.float32
                    )
                    for name in self.curves[0]
                    if name in trial.configuration.variables()
                },
                samples=samples[place],
            )
            for place, trial in enumerate(self.trials)
        ]
