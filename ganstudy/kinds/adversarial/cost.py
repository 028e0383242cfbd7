"""What an adversarial trial costs, in seconds and in bytes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from ganstudy.networks import Network

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.players import PlayerSettings
    from ganstudy.kinds.adversarial.settings import AdversarialSettings

__all__ = ["differences", "masking", "recording", "seconds", "working_set"]

# Measured on one core of a Xeon of 2023 at 2 GHz, with packs of 16.
MULTIPLY_ADDS_PER_SECOND = 1.2e10
SECONDS_PER_UPDATE = 4e-4

# Of compiled steps, whose updates cost by the row of a batch: the rates of an EPYC of 2023 at
# widths 16 to 128, told so that a multiply-add costs what it costs above.
COMPILED_SECONDS_PER_ROW = 3e-7

# Measured on an EPYC of 2023 and told in seconds of that Xeon, whose steps take half as long again.
SECONDS_PER_EXACT = {1: 1e-3, 2: 0.016}
"""Of a divergence on a grid, by dimension."""
ROW = 30.0
"""Of a D-step's and an M-step's gradients, for each row of their Jacobian, in double precision; of
perceptrons of widths 8 to 16, with penalties and without, 21 to 40 were measured."""
SECONDS_PER_MASKED = 8e-9
"""Of one logit's loss by a member that another trial of the pack has."""

# Fitted to steps of `dcgan` and `resnet`, 8x8 to 64x64, on that EPYC, and told in seconds of which
# perceptrons, too, take about half there: what one of them shows of a machine holds for the other.
CONVOLVED_PER_SECOND = 2.2e10
"""Multiply-adds of networks that compute trial after trial, by a library of convolutions."""
UNITS_PER_SECOND = 5.7e8
"""Of those, numbers that an activation or a norm makes."""
SECONDS_PER_PARAMETER = 1.2e-4
"""Of those, calls of kernels, for each named parameter."""

SECONDS_PER_COMPARISON = 2.7e-8
"""Of each pair of samples, in a pass over those of two batches."""
SECONDS_PER_COORDINATE = 1.1e-8
"""Of each pair of samples whose distances are taken, for each of their numbers."""

PRODUCT = 1.5
"""Of a round, for each gradient of gradients; between 1.2 and 2.7 was measured."""
PENALTY = 1.5
"""Of a D-step, for each penalty: a gradient of a gradient, at a set of points of its own."""


def seconds(settings: AdversarialSettings, *, compiled: bool = False) -> float:
    """Forward and backward passes, and a price for each update, at measured rates.

    Of compiled steps, in a unit of their own.
    """
    d_step, m_step = _gradients(settings)
    d_steps, m_steps = settings.gradients
    update = settings.batch * COMPILED_SECONDS_PER_ROW if compiled else SECONDS_PER_UPDATE
    update += _comparing(settings)
    own = d_steps * d_step + m_steps * m_step + (d_steps + m_steps) * update
    own *= 1 + PRODUCT * settings.updates.products
    return settings.steps // settings.generator.steps * own


def _gradients(settings: AdversarialSettings) -> tuple[float, float]:
    """Seconds of the gradients of a D-step and of an M-step.

    A backward pass costs two forward ones; the D-step runs the generator forward only, the
    critic on two batches; the M-step runs both networks forward and backward, without the
    critic's own gradient, and the generator once more where its moments are followed.
    """
    generator, critic = _forward(settings, "generator"), _forward(settings, "critic")
    d_step = generator + 2 * 3 * critic
    if settings.critic.estimator is not None:
        inputs = settings.ends("critic").inputs.row
        fit = settings.critic.estimator.products(settings.batch, inputs)
        d_step += fit / MULTIPLY_ADDS_PER_SECOND
    followed = settings.generator.norm_average is not None
    m_step = (3 + followed) * generator + 2 * critic
    return d_step * (1 + PENALTY * settings.constraint.penalties), m_step


def _comparing(settings: AdversarialSettings) -> float:
    """Seconds in which an update compares whole batches, half of a round of two; fitted to `mmd`,
    `energy_distance` and `sinkhorn_divergence`, 256 and 512 samples of 2 and 64 numbers, on that
    EPYC, and told in seconds of that Xeon.
    """
    of_pair = settings.divergence.comparisons * SECONDS_PER_COMPARISON
    if settings.divergence.closed_form:
        of_pair += settings.ends("critic").inputs.row * SECONDS_PER_COORDINATE
    return settings.batch**2 * of_pair / 2


def _forward(settings: AdversarialSettings, player: Literal["generator", "critic"]) -> float:
    """Seconds of a forward pass of one batch; zero without a network."""
    own: PlayerSettings = getattr(settings, player)
    ends = settings.ends(player)
    if not isinstance(own.function, Network):
        return 0.0
    rows = settings.batch / ends.inputs.pac
    products = rows * own.function.multiply_adds(own, ends)
    if own.function.stacks:
        return products / MULTIPLY_ADDS_PER_SECOND
    passed = rows * own.function.units(own, ends) / UNITS_PER_SECOND
    calls = len(own.function.shapes(own, ends)) * SECONDS_PER_PARAMETER
    return products / CONVOLVED_PER_SECOND + passed + calls


def recording(settings: AdversarialSettings) -> float:
    """The exact divergence at each record, on a grid, and the game at the end; metrics are cheap,
    or of the end.
    """
    own = 0.0
    if settings.affine_in_density:
        records = math.ceil(settings.steps / settings.record.every)
        own += records * SECONDS_PER_EXACT[settings.target.dimension]
    if (asked := settings.record.equilibrium) is not None:
        gradients = sum(_gradients(settings))
        own += asked.responses * (gradients + 2 * (SECONDS_PER_UPDATE + _comparing(settings)))
        if settings.has_jacobian:
            judged = math.ceil(settings.record.samples / settings.batch)
            own += judged * settings.parameters * ROW * gradients
    return own


def masking(settings: AdversarialSettings) -> float:
    """One more loss on the logits of each batch, forward and backward."""
    rounds = settings.steps // settings.generator.steps
    return rounds * sum(settings.gradients) * settings.batch * SECONDS_PER_MASKED


def working_set(settings: AdversarialSettings) -> int:
    """Activations of the D-step, both batches, and the players' parameters and their state.

    Without a critic, the distances between and within the batches; with an estimator, its
    kernels on them.
    """
    numbers = 4 * settings.parameters
    for player in ("generator", "critic"):
        own: PlayerSettings = getattr(settings, player)
        ends = settings.ends(player)
        if isinstance(own.function, Network):
            rows = settings.batch // ends.inputs.pac
            numbers += 2 * rows * own.function.units(own, ends)
    if settings.divergence.comparisons:
        numbers += 4 * settings.batch**2
    if settings.critic.estimator is not None:
        numbers += 4 * settings.batch * settings.critic.estimator.centres
    return 4 * numbers


def differences(settings: AdversarialSettings) -> int:
    """Bytes of all differences of two batches' samples, where a GPU takes distances by them
    (`elementary.distances`): a batch of 256 images of 784 pixels has 200 MB of them.
    """
    if not settings.divergence.closed_form:
        return 0
    return 4 * settings.batch**2 * settings.ends("critic").inputs.row
