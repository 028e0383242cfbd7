"""The game at the end of training: how far from an equilibrium it is, and how it turns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ganstudy.engine.tensors import tensors, with_tensors
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.state import copies_behind

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.kinds.adversarial.settings import AdversarialSettings
    from ganstudy.kinds.adversarial.state import Batches, State
    from ganstudy.kinds.adversarial.step import Rules
    from ganstudy.trial import Trial

__all__ = ["duality_gap", "field_jacobian", "measured", "spectrum"]

_TRIALS = 8
"""Trials whose Jacobians are taken together: one of a thousand parameters has 8 MB."""
_ROWS = 16
"""Rows of each that are computed at once, always as many: torch adds up the columns of a table in
an order that depends on how few there are."""


def measured(
    trials: Sequence[Trial[AdversarialSettings]],
    stack: Sequence[Trial[AdversarialSettings]],
    game: Rules,
    state: State,
) -> dict[str, NDArray[np.float64]]:
    """Duality gap and spectrum of each trial of a pack at its last parameters, `(trials,)` each;
    the stack may hold copies behind them.

    The batches are those that training would have seen next: of the rows of the training set, if
    there is one, whose game it then is.
    """
    configuration = stack[0].configuration
    settings = configuration.record.equilibrium
    assert settings is not None
    rounds = configuration.steps // configuration.generator.steps
    coming = batches(stack, state.alive.device, rounds)
    count = math.ceil(configuration.record.samples / configuration.batch)
    judged = list(itertools.islice(coming, count))
    gap = duality_gap(game, state, judged, itertools.islice(coming, settings.responses))
    values = [spectrum(np.empty((0, 0)))] * len(trials)
    if configuration.has_jacobian:
        parts = _parts(len(trials), game, state, judged)
        values = [spectrum(own) for part, count in parts for own in field_jacobian(*part)[:count]]
    spectra = {name: np.array([own[name] for own in values]) for name in values[0]}
    return {"duality_gap": gap[: len(trials)], **spectra}


def duality_gap(
    game: Rules, state: State, judged: Sequence[Batches], training: Iterable[Batches]
) -> NDArray[np.float64]:
    r"""What the two players could gain by answering each other, `(pack,)`.

    Maths   $\max_{\phi'} M(\theta, \phi') - \min_{\theta'} M(\theta', \phi)$ with M the negative
            of the critic's loss, penalty left out; zero at an equilibrium of that zero-sum game
            and positive elsewhere. Each answer is what the player's own optimizer makes of one
            step on each batch of `training`; both are judged on other batches. They fall short of
            the best answers, and the estimate falls short of the gap.
    Source  Grnarova et al. 2019, "A domain agnostic measure for monitoring and evaluating GANs",
            who do the same for the minimax loss.
    """
    better = worse = state
    for batch in training:
        better, _ = game.d_step(better, *batch.d_step(0))
        worse, _ = game.worst_step(worse, *batch.d_step(0))
    best = state._replace(critic=better.critic)
    worst = state._replace(generator=worse.generator)
    # One after the other: torch adds up the columns of a table in an order that depends on how many
    # there are, and so on the pack.
    losses = [
        reduce(add, (game.critic_loss(players, *batch.d_step(0)) for batch in judged)) / len(judged)
        for players in (worst, best)
    ]
    gap: NDArray[np.float64] = (losses[0] - losses[1]).double().cpu().numpy()
    return gap


def field_jacobian(game: Rules, state: State, judged: Sequence[Batches]) -> NDArray[np.float64]:
    r"""Jacobian of the field that both players follow, exact and in double precision.

    Maths   $v = (-\nabla_\theta L_M, -\nabla_\phi L_D)$ as a function of $(\theta, \phi)$, penalty
            and noise included, averaged over batches; row by row, backward through the gradients.
            Learning rates, optimizers and projections are no part of it. Computed by the processor
            wherever the pack was trained: of double precision a GPU's sums depend on the pack.
    Shapes  `(pack, n, n)`, the generator's parameters first.
    Source  Mescheder, Nowozin & Geiger 2017, "The numerics of GANs".
    """
    game, state, judged = (_on_processor(own) for own in (game, _doubled(state), judged))
    size = state.generator.parameters.shape[1]
    players = torch.cat([state.generator.parameters, state.critic.parameters], dim=1)
    count = players.shape[1]
    axes = torch.eye(count + -count % _ROWS, count, dtype=players.dtype)
    total: Tensor | None = None
    for batch in judged:
        double = batch.double()
        d_step, m_step = double.d_step(0), double.m_step(0)

        def field(players: Tensor, d_step: Any = d_step, m_step: Any = m_step) -> Tensor:
            own = players[:, :size], players[:, size:]
            coupled = replace(game.coupled(state, d_step, m_step), players=own)
            return -torch.cat(coupled.gradients(within=True)[0], dim=1)

        pull: Any = torch.func.vjp(field, players)[1]

        def row(axis: Tensor, pull: Any = pull) -> Tensor:
            slopes: Tensor = pull(axis.expand_as(players))[0]
            return slopes

        rows = torch.func.vmap(row, chunk_size=_ROWS)(axes)
        total = rows if total is None else total.add_(rows)
    assert total is not None
    jacobians: NDArray[np.float64] = (total[:count] / len(judged)).transpose(0, 1).numpy()
    return jacobians


def _parts(
    trials: int, game: Rules, state: State, judged: Sequence[Batches]
) -> Iterator[tuple[tuple[Rules, State, list[Batches]], int]]:
    """A pack as several, each with how many of its trials are no copies."""
    rows = judged[0].real.shape[-2] // game.pac
    for first in range(0, trials, _TRIALS):
        count = min(_TRIALS, trials - first)
        copies = copies_behind(count, rows)
        places = torch.tensor([*range(first, first + count), *[first + count - 1] * copies])
        rules = _taken(game, places, 0)
        generator, critic = (replace(p, copies=copies) for p in (rules.generator, rules.critic))
        rules = replace(rules, generator=generator, critic=critic)
        yield (rules, _taken(state, places, 0), [_taken(own, places, 1) for own in judged]), count


def _taken(value: Any, places: Tensor, axis: int) -> Any:
    """What a pack has, of trials at some places along its axis."""
    own = (x.index_select(axis, places.to(x.device)) for x in tensors(value))
    return with_tensors(value, own)


def spectrum(jacobian: NDArray[np.float64]) -> dict[str, float]:
    r"""What the eigenvalues $\lambda$ of one Jacobian say; NaN if it is empty or not finite.

    Maths   `jacobian_real` $\max Re \lambda$: above zero the players are driven apart;
            `jacobian_imaginary` $\max Im \lambda$: radians that they turn per unit of time;
            `jacobian_rotation` $\sum |Im \lambda| / \sum |\lambda|$: one if the field only turns,
            zero if it only pulls and pushes. It is a mean of the sines of the angles that
            eigenvalues have with the real axis, weighted by their lengths, so that those of
            parameters without effect, zero up to rounding, do not matter.
    Source  Mescheder, Geiger & Nowozin 2018, section 2; Berard et al. 2020, "A closer look at the
            optimization landscapes of generative adversarial networks".
    """
    if not jacobian.size or not np.isfinite(jacobian).all():
        return dict.fromkeys(("jacobian_real", "jacobian_imaginary", "jacobian_rotation"), np.nan)
    values = np.linalg.eigvals(jacobian)
    lengths = np.abs(values).sum()
    return {
        "jacobian_real": float(values.real.max()),
        "jacobian_imaginary": float(values.imag.max()),
        "jacobian_rotation": float(np.abs(values.imag).sum() / lengths) if lengths else np.nan,
    }


def _on_processor(value: Any) -> Any:
    host = iter([x.cpu() for x in tensors(value)])
    return with_tensors(value, host)


def _doubled(state: State) -> State:
    generator, critic = (
        player._replace(
            parameters=player.parameters.double(),
            slots={name: value.double() for name, value in player.slots.items()},
        )
        for player in (state.generator, state.critic)
    )
    return state._replace(generator=generator, critic=critic)
