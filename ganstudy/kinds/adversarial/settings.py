"""What a study sets of an adversarial trial, and what follows from it."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ganstudy import constraints, divergences, targets
from ganstudy.family import Member
from ganstudy.kinds.adversarial import ends, fitting
from ganstudy.kinds.adversarial.kept import Recording
from ganstudy.kinds.adversarial.players import Critic, Generator
from ganstudy.kinds.adversarial.training_set import NumberOrTrainingSet, TrainingSet
from ganstudy.kinds.adversarial.updates import Updates
from ganstudy.kinds.adversarial.updates import family as update_family
from ganstudy.networks import Ends

__all__ = ["AdversarialSettings"]


class AdversarialSettings(Member):
    """Two players, what they play for, and what is kept of it; the loop is typed to these."""

    # The number of steps comes first: what is checked after it must fit it.
    steps: int = Field(4000, ge=1, le=10**9, description="M-steps")
    target: Annotated[targets.Target, targets.family.field("ring")] = Field(
        default="ring", validate_default=True, description="law p of the data"
    )
    training_set: Annotated[NumberOrTrainingSet | None, AfterValidator(fitting.balance_exists)] = (
        Field(None, description="samples of p that are drawn once and reused; default: fresh ones")
    )
    condition: Annotated[bool, AfterValidator(fitting.labels_exist)] = Field(
        False, description="whether both players are told the label"
    )
    divergence: Annotated[divergences.Divergence, divergences.family.field("non_saturating")] = (
        Field(default="non_saturating", validate_default=True, description="objective")
    )
    generator: Annotated[
        Generator, AfterValidator(fitting.whole_rounds), AfterValidator(fitting.network_fits)
    ] = Field(Generator(), description="the generator")
    critic: Annotated[
        Critic,
        AfterValidator(fitting.rows_are_seen),
        AfterValidator(fitting.estimable),
        AfterValidator(fitting.network_fits),
    ] = Field(Critic(), description="the critic")
    constraint: Annotated[
        constraints.Together,
        constraints.TogetherField(constraints.family),
        AfterValidator(fitting.constraint_applies),
    ] = Field(
        default="none", validate_default=True, description="restriction of the critic, or several"
    )
    updates: Annotated[
        Updates, update_family.field("alternating"), AfterValidator(fitting.steps_fit)
    ] = Field(
        default="alternating", validate_default=True, description="who answers whom, and when"
    )
    # What is left out must fit the rest too: defaults are validated as well.
    batch: Annotated[int, AfterValidator(fitting.whole_groups)] = Field(
        256, ge=1, validate_default=True, description="samples of p and of q in each step"
    )
    record: Annotated[Recording, AfterValidator(fitting.measurable)] = Field(
        Recording(), validate_default=True, description="what is kept"
    )

    @property
    def gradients(self) -> tuple[int, int]:
        """Most gradients of critic and generator in one round, each on latent points of its own."""
        passes = self.updates.passes
        return self.critic.most_steps * passes, self.generator.steps * passes

    @property
    def reused(self) -> TrainingSet | None:
        """The training set, if there is one."""
        return None if self.training_set is None else TrainingSet.of(self.training_set)

    @property
    def parameters(self) -> int:
        """How many numbers both players have to learn."""
        generator = self.generator.function.shapes(self.generator, self.ends("generator"))
        critic = self.critic.function.shapes(self.critic, self.ends("critic"))
        return sum(math.prod(shape) for shape in (*generator.values(), *critic.values()))

    @property
    def has_jacobian(self) -> bool:
        """Whether the Jacobian of the game is taken at the end."""
        asked = self.record.equilibrium
        if asked is None or self.constraint.fixes:
            return False
        return self.parameters <= asked.parameters

    @property
    def labels(self) -> int:
        """Columns that tell the players the label."""
        return self.target.labels if self.condition else 0

    def ends(self, player: Literal["generator", "critic"]) -> Ends:
        """What goes into a player's function, and what comes out of it."""
        if player == "generator":
            return ends.of_generator(self.generator, self.target, self.labels)
        return ends.of_critic(self.critic, self.target, self.labels)

    @property
    def makes_images(self) -> bool:
        """Whether a network asks how samples are images."""
        return self.generator.network.images or self.critic.network.images

    @property
    def sees_again(self) -> bool:
        """Whether players see the same samples of p again."""
        return self.training_set is not None or self.target.holds_out

    @property
    def holds_out(self) -> bool:
        """Whether a critic sees the same samples of p again, and others can be held against it."""
        if self.condition and not self.target.labels_held_out:
            return False
        return self.sees_again and not self.divergence.closed_form

    @property
    def affine_in_density(self) -> bool:
        """Whether a grid gives the divergence: from a Gaussian q to a density p, in the plane."""
        generator = self.generator
        affine = generator.network.is_affine(generator)
        affine = affine and generator.latent_law == "normal" and not self.condition
        affine = affine and generator.scale == 1
        # The best critic of a paired loss is no function of p/q, nor is that of a map: it takes an
        # optimisation.
        affine = affine and not self.divergence.paired and not self.divergence.charged
        return affine and self.target.has_density and self.target.dimension <= 2

    @property
    def filmed(self) -> bool:
        """Whether samples lie in the plane, all of one kind."""
        return self.target.dimension == 2 and not self.condition

    @property
    def filmed_images(self) -> bool:
        """Whether samples are images."""
        return self.target.image is not None

    @property
    def judges_points(self) -> bool:
        """Whether the critic has a logit for a single point, whatever else is in the batch."""
        return self.critic.pac == 1 and self.critic.norm != "batch"
