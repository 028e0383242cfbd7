"""Training a pack: from trials to records."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganstudy.constraints.none import Unconstrained
from ganstudy.divergences import Divergence
from ganstudy.engine.chance import Chance
from ganstudy.engine.flight import Flight
from ganstudy.engine.session import ALONE
from ganstudy.engine.stacked import Stacked, choose, stack
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.mixing import check_projections, check_rounds
from ganstudy.kinds.adversarial.player import Player
from ganstudy.kinds.adversarial.program import playing, program
from ganstudy.kinds.adversarial.recording import Recorder
from ganstudy.kinds.adversarial.state import (
    AVERAGE,
    MOMENTS,
    Patience,
    PlayerState,
    State,
    copies_behind,
)
from ganstudy.kinds.adversarial.step import Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.engine.session import Session
    from ganstudy.family import Member
    from ganstudy.kinds.adversarial.players import PlayerSettings
    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.kinds.adversarial.state import Diagnostics
    from ganstudy.networks import Ends
    from ganstudy.trial import Record, Trial

__all__ = ["initial", "train", "with_ballast"]

COMPILED_MULTIPLE = 4
"""Compiled packs are filled up to a multiple of this, so that few sizes need a graph."""


def train(trials: Sequence[Trial[AdversarialSettings]], session: Session = ALONE) -> list[Record]:
    """Train trials of one pack key as one stacked program; one record each, in their order."""
    with session.computing(), Chance(trials, session.device) as chance:
        return _train(trials, session, chance)


def _train(
    trials: Sequence[Trial[AdversarialSettings]], session: Session, chance: Chance
) -> list[Record]:
    m_steps, every = trials[0].configuration.generator.steps, trials[0].configuration.record.every
    rounds = trials[0].configuration.steps // m_steps
    device = torch.device(session.device)
    check_rounds(trials, partial(_begun, device=device, chance=chance))
    flight = Flight(trials, session, rounds)
    compiled = session.program == "compiled"
    padded = with_ballast(trials, COMPILED_MULTIPLE if compiled else 1)
    copies = len(padded) - len(trials)
    game, state = initial(padded, device, session.beside if compiled else (), copies)
    recorder = Recorder(trials, padded, device, chance)
    begun, state = flight.resume(state, recorder.curves, recorder.gaps)
    play = playing(program(session.program, device.type), game, device)
    source = itertools.islice(batches(padded, device, begun), rounds - begun)
    for number, batch in enumerate(source, start=begun + 1):
        state, diagnostics = play(state, batch)
        step = number * m_steps
        if step % every == 0 or number == rounds:
            alive = recorder.record(step, game, state, diagnostics)
            if not alive.any():
                break
        flight.offer(number, state, recorder.curves, recorder.gaps)
    return recorder.records(game, state, flight)


def _begun(
    trials: Sequence[Trial[AdversarialSettings]], device: torch.device, chance: Chance
) -> Diagnostics:
    """Diagnostics of the second round of a pack, by the steps as they are written."""
    padded = with_ballast(trials, 1)
    game, state = initial(padded, device, copies=len(padded) - len(trials))
    for batch in itertools.islice(batches(padded, device), 2):
        state, diagnostics = game.updates.play(program("eager", device.type), game, state, batch)
    chance.undrawn()
    return dict(diagnostics)


def initial(
    trials: Sequence[Trial[AdversarialSettings]],
    device: torch.device,
    beside: Sequence[Member] = (),
    copies: int = 0,
) -> tuple[Rules, State]:
    """The rules of a pack and the state before its first step; of its last `copies`, nobody asks.

    The step computes the divergences of `beside` too, whichever the trials use. A compiler orders
    the sums of a loss by what stands beside it: with the same divergences in all packs of a run, a
    trial's last bits do not depend on its neighbours, and one graph serves an architecture.
    """
    configurations = [trial.configuration for trial in trials]
    shape = configurations[0]
    generator, generator_state = _player(
        trials, [c.generator for c in configurations], shape.ends("generator"), 0, device, copies
    )
    critic, critic_state = _player(
        trials, [c.critic for c in configurations], shape.ends("critic"), 1, device, copies
    )
    own, divergences = shape.divergence, _divergences(configurations, device, beside)
    critic_state.slots.update(_constraint_slots(trials, critic, device))
    # An estimator has no way that it could go back: it starts anew in each D-step.
    learning = (generator_state, critic_state)[: 1 if shape.critic.estimator is not None else 2]
    for name in shape.updates.remembers:
        for player in learning:
            player.slots[name] = player.parameters.clone()
    generator_state.slots.update(_followed(shape, generator, generator_state))
    game = Rules(
        generator,
        critic,
        divergences,
        divergences.sharing("critic_loss"),
        divergences.sharing("paired_generator_loss" if own.paired else "generator_loss"),
        projections=stack(
            [(*c.constraint.projections, Unconstrained())[0] for c in configurations], device
        ),
        constraints=tuple(
            stack(alike, device).groups[0][0]
            for alike in zip(*(c.constraint.acting for c in configurations), strict=True)
        ),
        updates=stack([c.updates for c in configurations], device, torch.float64).groups[0][0],
        labels=shape.labels,
        pac=shape.critic.pac,
        average=_column([c.generator.average for c in configurations], device),
        norm_average=_column([c.generator.norm_average for c in configurations], device),
        patience=_patience(configurations, device),
    )
    check_projections(game.projections, critic_state.parameters)
    alive = torch.ones(len(trials), dtype=torch.bool, device=device)
    survived = torch.zeros(len(trials), dtype=torch.int64, device=device)
    return game, State(generator_state, critic_state, alive, survived)


def _divergences(
    configurations: Sequence[AdversarialSettings], device: torch.device, beside: Sequence[Member]
) -> Stacked[Divergence]:
    """Those of the trials and of `beside`, as the update scheme takes gradients of them."""
    traits = configurations[0].divergence.traits
    also = [
        member for member in beside if isinstance(member, Divergence) and member.traits == traits
    ]
    divergences = stack([c.divergence for c in configurations], device, also=also)
    for member, _ in divergences.groups:
        vars(member)["differentiated_twice"] = configurations[0].updates.weighs_gradients
    return divergences


def _player(
    trials: Sequence[Trial[AdversarialSettings]],
    settings: Sequence[PlayerSettings],
    ends: Ends,
    stream_block: int,
    device: torch.device,
    copies: int,
) -> tuple[Player, PlayerState]:
    function, pack = settings[0].function, len(trials)
    shapes = function.shapes(settings[0], ends)
    size = sum(math.prod(shape) for shape in shapes.values())
    parameters = np.empty((pack, size), np.float32)
    for row, trial, own in zip(parameters, trials, settings, strict=True):
        values = function.initialise(own, ends, trial.stream("init", stream_block))
        np.concatenate([values[name].ravel() for name in shapes], out=row)
    optimizers = stack([s.optimizer for s in settings], device, torch.float64)
    slots: dict[str, Tensor] = {}
    for optimizer, mask in optimizers.groups:
        for name in optimizer.weights:
            slots[name] = torch.zeros(pack, 1, dtype=torch.float64, device=device)
        first = optimizer.initial()
        for name in optimizer.slots:
            own = torch.zeros(pack, size, device=device) + first.get(name, 0.0)
            slots[name] = choose(mask, own.to(torch.float32), slots.get(name))
    lr = _column([s.lr for s in settings], device)
    assert lr is not None
    player = Player(function, settings[0].architecture(), ends, shapes, optimizers, lr, copies)
    return player, PlayerState(torch.from_numpy(parameters).to(device), slots)


def _constraint_slots(
    trials: Sequence[Trial[AdversarialSettings]], critic: Player, device: torch.device
) -> dict[str, Tensor]:
    """The constraints' own state before the first step, by name."""
    network = trials[0].configuration.critic.network
    matrices = network.matrices(critic.architecture, critic.ends)
    rows: list[dict[str, NDArray[np.float32]]] = []
    for trial in trials:
        rng = trial.stream("init", 2)
        own: dict[str, NDArray[np.float32]] = {}
        for part in trial.configuration.constraint.parts:
            own |= part.initial(rng, matrices)
        rows.append(own)
    return {
        name: torch.from_numpy(np.stack([own[name] for own in rows])).to(device) for name in rows[0]
    }


def _patience(
    configurations: Sequence[AdversarialSettings], device: torch.device
) -> Patience | None:
    rules = [c.critic.steps for c in configurations if not isinstance(c.critic.steps, int)]
    if not rules:
        return None
    until = torch.tensor([rule.until for rule in rules], device=device)
    return Patience(until, rules[0].patience)


def _followed(
    shape: AdversarialSettings, generator: Player, state: PlayerState
) -> dict[str, Tensor]:
    """What follows the generator, before the first step: averages of its parameters, and running
    moments, means of zero and deviations of one.
    """
    slots: dict[str, Tensor] = {}
    if shape.generator.average is not None:
        slots[AVERAGE] = state.parameters.clone()
    if shape.generator.norm_average is not None:
        inputs = generator.ends.inputs.row
        latent = state.parameters.new_zeros(len(state.parameters), 2, inputs)
        parameters = generator.split(state.parameters)
        own = generator.function.moments(shape.generator, generator.ends, parameters, latent)
        for name, value in own.items():
            slots[MOMENTS + name] = torch.full_like(value, float(name.startswith("deviation")))
    return slots


def _column(values: Sequence[float | None], device: torch.device) -> Tensor | None:
    """One number for each trial, `(pack, 1)` in float64; None where the pack has none."""
    if values[0] is None:
        return None
    return torch.tensor(values, dtype=torch.float64, device=device)[:, None]


def with_ballast(
    trials: Sequence[Trial[AdversarialSettings]], multiple: int
) -> list[Trial[AdversarialSettings]]:
    """The pack with copies of its last trial behind it, up to a multiple of some size.

    Two things on a CPU make a number depend on its place in memory: a product of one matrix takes
    another kernel than a batch of two or more, and the end of a loop is computed by other code than
    the rest. Copies at the end, with enough logits, whose results are dropped, take both away from
    the trials that count. Where neither can happen and the size is right, there are none.
    """
    configuration = trials[0].configuration
    copies = copies_behind(len(trials), configuration.batch // configuration.critic.pac)
    copies += -(len(trials) + copies) % multiple
    return [*trials, *[trials[-1]] * copies]
