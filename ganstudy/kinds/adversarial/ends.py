"""What the rows are between which the two players compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.networks import Ends, Side

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.players import Critic, Generator
    from ganstudy.targets import Target

__all__ = ["of_critic", "of_generator"]


def of_generator(generator: Generator, target: Target, labels: int) -> Ends:
    """From a latent with its label to a sample."""
    return Ends(Side(generator.latent, labels=labels), Side(target.dimension, target.image))


def of_critic(critic: Critic, target: Target, labels: int) -> Ends:
    """From `pac` samples, each with its label, to a logit."""
    return Ends(Side(target.dimension, target.image, labels, critic.pac), Side(1))
