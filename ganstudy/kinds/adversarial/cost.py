"""What an adversarial trial costs, in seconds and in bytes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.players import PlayerSettings
    from ganstudy.kinds.adversarial.settings import AdversarialSettings

__all__ = ["masking", "recording", "seconds", "working_set"]

# Measured on one core of a Xeon of 2023 at 2 GHz, with packs of 16.
MULTIPLY_ADDS_PER_SECOND = 1.2e10
SECONDS_PER_UPDATE = 4e-4

# Measured on an EPYC of 2023 and told in seconds of that Xeon, whose steps take half as long again.
SECONDS_PER_EXACT = {1: 1e-3, 2: 0.016}
"""Of a divergence on a grid, by dimension."""
SECONDS_PER_MASKED = 8e-9
"""Of one logit's loss by a member that another trial of the pack has."""

PRODUCT = 1.5
"""Of a round, for each gradient of gradients; between 1.2 and 2.7 was measured."""
PENALTY = 1.5
"""Of a D-step, for each penalty: a gradient of a gradient, at a set of points of its own."""


def seconds(settings: AdversarialSettings) -> float:
    """Forward and backward multiply-adds, and a price for each update, at measured rates.

    A backward pass costs two forward ones; the D-step runs the generator forward only, the
    critic on two batches; the M-step runs both networks forward and backward, without the
    critic's own gradient.
    """
    generator, critic = _layer_products(settings)
    d_step = settings.batch * (generator + 2 * 3 * critic) / MULTIPLY_ADDS_PER_SECOND
    if settings.critic.estimator is not None:
        fit = settings.critic.estimator.products(settings.batch, settings.layers("critic")[0])
        d_step += fit / MULTIPLY_ADDS_PER_SECOND
    m_step = settings.batch * (3 * generator + 2 * critic) / MULTIPLY_ADDS_PER_SECOND
    d_step *= 1 + PENALTY * settings.constraint.penalties
    d_steps, m_steps = settings.gradients
    own = d_steps * d_step + m_steps * m_step + (d_steps + m_steps) * SECONDS_PER_UPDATE
    own *= 1 + PRODUCT * settings.updates.products
    return settings.steps // settings.generator.steps * own


def recording(settings: AdversarialSettings) -> float:
    """The exact divergence at each record, on a grid; other metrics are cheap, or of the end."""
    if not settings.affine_in_density:
        return 0.0
    records = math.ceil(settings.steps / settings.record.every)
    return records * SECONDS_PER_EXACT[settings.target.dimension]


def masking(settings: AdversarialSettings) -> float:
    """One more loss on the logits of each batch, forward and backward."""
    rounds = settings.steps // settings.generator.steps
    return rounds * sum(settings.gradients) * settings.batch * SECONDS_PER_MASKED


def working_set(settings: AdversarialSettings) -> int:
    """Activations of the D-step, both batches, and the critic's parameters and their state.

    Without a critic, the distances between and within the batches; with an estimator, its
    kernels on them.
    """
    trained = (
        [settings.generator] if settings.critic.estimator else [settings.critic, settings.generator]
    )
    units = sum(p.width * p.depth * p.activation.inputs for p in trained)
    numbers = 2 * settings.batch * units + 4 * sum(_layer_products(settings))
    if settings.divergence.compares_all:
        numbers += 4 * settings.batch**2
    if settings.critic.estimator is not None:
        numbers += 4 * settings.batch * settings.critic.estimator.centres
    return 4 * numbers


def _layer_products(settings: AdversarialSettings) -> tuple[int, int]:
    def products(player: PlayerSettings, inputs: int, outputs: int) -> int:
        shapes = player.function.shapes(player, inputs, outputs)
        return sum(math.prod(s) for name, s in shapes.items() if name.startswith("weight"))

    generator = products(settings.generator, *settings.layers("generator"))
    # The critic judges `pac` samples at once.
    return generator, products(settings.critic, *settings.layers("critic")) // settings.critic.pac
