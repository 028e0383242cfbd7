"""`adversarial`: a generator and a critic trained against each other by gradient steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from ganstudy import constraints, divergences, targets
from ganstudy.engine.checkpoints import NO_CHECKPOINTS
from ganstudy.family import Member, canonical_json
from ganstudy.kinds._base import Kind
from ganstudy.kinds.adversarial.kept import Recording
from ganstudy.kinds.adversarial.players import Critic, Generator, Player
from ganstudy.kinds.adversarial.updates import Updates
from ganstudy.kinds.adversarial.updates import family as update_family
from ganstudy.metrics import perfect_sampler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.engine.checkpoints import Checkpoints
    from ganstudy.trial import ProgramName, Record, Trial


# Measured on one core of a Xeon of 2023 at 2 GHz, with packs of 16.
MULTIPLY_ADDS_PER_SECOND = 1.2e10
SECONDS_PER_UPDATE = 4e-4
MODELESS_METRICS = ("sliced_wasserstein", "energy_distance")
"""What is recorded by default where there are no modes to count."""

PENALISED = 2.5
"""D-steps with a penalty take a gradient of a gradient, at a third set of points."""


def _name(member: Any, default: str) -> str:
    """Name of a member in its YAML form."""
    return str(member.get("name", default) if isinstance(member, dict) else member or default)


class Adversarial(Kind):
    r"""The practical GAN: rounds of N_d D-steps and one M-step, each on a batch of its own.

    Source  Goodfellow et al. 2014, algorithm 1; Bouman, "Algorithm 2: practical algorithm".
    """

    target: Annotated[targets.Target, targets.family.field("ring")] = Field(
        default="ring", validate_default=True, description="law p of the data"
    )
    training_set: int | None = Field(
        None, ge=1, description="samples of p that are drawn once and reused; default: fresh ones"
    )
    condition: bool = Field(False, description="whether both players are told the label")
    divergence: Annotated[divergences.Divergence, divergences.family.field("non_saturating")] = (
        Field(default="non_saturating", validate_default=True, description="objective")
    )
    generator: Generator = Field(Generator(), description="the generator")
    critic: Critic = Field(Critic(), description="the critic")
    constraint: Annotated[constraints.Constraint, constraints.family.field("none")] = Field(
        default="none", validate_default=True, description="restriction of the critic"
    )
    updates: Annotated[Updates, update_family.field("alternating")] = Field(
        default="alternating", validate_default=True, description="who answers whom, and when"
    )
    # What is left out must fit the rest too: defaults are validated as well.
    steps: int = Field(4000, ge=1, description="M-steps")
    batch: int = Field(
        256, ge=1, validate_default=True, description="samples of p and of q in each step"
    )
    record: Recording = Field(Recording(), validate_default=True, description="what is kept")

    @field_validator("condition")
    @classmethod
    def _labels_exist(cls, condition: bool, info: ValidationInfo) -> bool:
        target = info.data.get("target")
        if condition and target is not None and not target.labels:
            raise ValueError(f"target {target.name} has no labels to condition on")
        return condition

    @field_validator("critic")
    @classmethod
    def _estimable(cls, critic: Critic, info: ValidationInfo) -> Critic:
        divergence, estimator = info.data.get("divergence"), critic.estimator
        if estimator is None:
            return critic
        if divergence is not None and not divergence.log_ratio:
            raise ValueError(
                f"{estimator.name} estimates log p/q, which is not the best critic of "
                f"{divergence.name}"
            )
        if critic.steps != 1:
            raise ValueError(
                f"{estimator.name} starts anew in each D-step; it needs `critic.steps: 1`"
            )
        return critic

    @field_validator("constraint")
    @classmethod
    def _constraint_applies(
        cls, constraint: constraints.Constraint, info: ValidationInfo
    ) -> constraints.Constraint:
        divergence, critic = info.data.get("divergence"), info.data.get("critic")
        if divergence is not None and divergence.closed_form and constraint.name != "none":
            raise ValueError(
                f"{divergence.name} trains no critic that {constraint.name} could bind"
            )
        estimator = None if critic is None else critic.estimator
        if estimator is not None and constraint.name != "none" and not constraint.perturbs:
            raise ValueError(
                f"{estimator.name} trains no network that {constraint.name} could bind"
            )
        if critic is not None and critic.norm == "batch" and constraint.penalises:
            raise ValueError(
                f"{constraint.name} needs the gradient of each logit in its own input, "
                "which `critic.norm: batch` mixes with others"
            )
        return constraint

    @field_validator("updates")
    @classmethod
    def _steps_fit(cls, scheme: Updates, info: ValidationInfo) -> Updates:
        critic, generator = info.data.get("critic"), info.data.get("generator")
        divergence = info.data.get("divergence")
        if scheme.weighs_gradients and divergence is not None and divergence.closed_form:
            raise ValueError(f"{scheme.name} updates need a critic; {divergence.name} trains none")
        if scheme.weighs_gradients and critic is not None and critic.estimator is not None:
            raise ValueError(
                f"{scheme.name} updates need a critic; {critic.estimator.name} trains none"
            )
        if scheme.single and critic is not None and generator is not None:
            for player, steps in (("critic", critic.steps), ("generator", generator.steps)):
                if steps != 1:
                    raise ValueError(f"{scheme.name} updates need `{player}.steps: 1`")
        return scheme

    @field_validator("generator")
    @classmethod
    def _whole_rounds(cls, generator: Generator, info: ValidationInfo) -> Generator:
        # The field `steps` is the base's, and therefore the first that is validated.
        steps = info.data.get("steps")
        if steps is not None and steps % generator.steps:
            raise ValueError(
                f"`steps: {steps}` is not a multiple of `generator.steps: {generator.steps}`"
            )
        return generator

    @field_validator("batch")
    @classmethod
    def _whole_groups(cls, batch: int, info: ValidationInfo) -> int:
        critic, divergence = info.data.get("critic"), info.data.get("divergence")
        if critic is not None and batch % critic.pac:
            raise ValueError(f"not a multiple of `critic.pac: {critic.pac}` (got {batch})")
        closed_form = divergence is not None and divergence.closed_form
        if closed_form and critic is not None and critic.pac > 1:
            raise ValueError("this divergence trains no critic to judge `critic.pac` samples")
        estimator = None if critic is None else critic.estimator
        if critic is not None and estimator is not None:
            inputs = batch // critic.pac
            if inputs < estimator.centres:
                raise ValueError(
                    f"{estimator.name} has {estimator.centres} `centres`, and {inputs} "
                    "samples to put them at"
                )
        return batch

    @field_validator("record")
    @classmethod
    def _measurable(cls, record: Recording, info: ValidationInfo) -> Recording:
        target, generator = info.data.get("target"), info.data.get("generator")
        if generator is not None and record.every % generator.steps:
            raise ValueError(
                f"`every: {record.every}` is not a multiple of `generator.steps: {generator.steps}`"
            )
        divergence, critic = info.data.get("divergence"), info.data.get("critic")
        if record.equilibrium is not None:
            if divergence is not None and divergence.closed_form:
                raise ValueError(f"`equilibrium` is of two players; {divergence.name} trains one")
            if critic is not None and critic.estimator is not None:
                name = critic.estimator.name
                raise ValueError(f"`equilibrium` is of two players; {name} trains one")
        problems = [metric.problem(target) for metric in record.metrics] if target else []
        for problem in filter(None, problems):
            raise ValueError(problem)
        for metric in record.metrics:
            if metric.labelled and not info.data.get("condition"):
                raise ValueError(f"metric {metric.name} needs `condition: true`")
        return record

    @classmethod
    def implied(cls, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The published settings of the divergence, and metrics that the target allows."""
        implied: dict[str, Any] = {}
        divergence = _name(settings.get("divergence"), "non_saturating")
        if divergence in divergences.family.names:
            implied |= divergences.family[divergence].defaults
        target = _name(settings.get("target"), "ring")
        if target in targets.family.names and not targets.family[target].has_modes():
            implied["record.metrics"] = list(MODELESS_METRICS)
        return implied

    @property
    def gradients(self) -> tuple[int, int]:
        """Most gradients that critic and generator take in one round, each on its own batch."""
        passes = self.updates.passes
        return self.critic.most_steps * passes, self.generator.steps * passes

    @property
    def labels(self) -> int:
        """Columns that tell the players the label."""
        return self.target.labels if self.condition else 0

    def pack_key(self) -> str:
        """All that fixes shapes and control flow; targets differ in data, members in masks."""
        patience = None if isinstance(self.critic.steps, int) else self.critic.steps.patience
        loop = {
            "critic.steps": self.critic.most_steps,
            "patience": patience,
            "generator.steps": self.generator.steps,
            "steps": self.steps,
        }
        kept = self.record.model_dump(include={"every", "samples", "equilibrium"})
        kept["frames"] = self.record.frames
        return canonical_json({"graph": self.graph_key(), "loop": loop, "record": kept})

    def graph_key(self) -> str:
        """The shapes and the control flow of one D-step and one M-step."""
        generator, critic = self.generator, self.critic
        shape = {
            "kind": self.name,
            "dimension": self.target.dimension,
            "labels": self.labels,
            "batch": self.batch,
            "generator": {**generator.structure(), "latent": generator.latent},
            "average": generator.average is not None,
            "critic": {**critic.structure(), "pac": critic.pac},
            "constraint": None if self.constraint.projects else self.constraint.structure(),
            "divergence": [self.divergence.closed_form, self.divergence.paired],
            "updates": self.updates.structure(),
            "patience": not isinstance(critic.steps, int),
        }
        return canonical_json(shape)

    def cost(self) -> float:
        """Forward and backward multiply-adds, and a price for each update, at measured rates.

        A backward pass costs two forward ones; the D-step runs the generator forward only, the
        critic on two batches; the M-step runs both networks forward and backward, without the
        critic's own gradient.
        """
        generator, critic = self._layer_products()
        d_step = self.batch * (generator + 2 * 3 * critic) / MULTIPLY_ADDS_PER_SECOND
        if self.critic.estimator is not None:
            fit = self.critic.estimator.products(self.batch, self.layers("critic")[0])
            d_step += fit / MULTIPLY_ADDS_PER_SECOND
        m_step = self.batch * (3 * generator + 2 * critic) / MULTIPLY_ADDS_PER_SECOND
        if self.constraint.penalises:
            d_step *= PENALISED
        d_steps, m_steps = self.gradients
        own = d_steps * d_step + m_steps * m_step + (d_steps + m_steps) * SECONDS_PER_UPDATE
        return self.steps // self.generator.steps * own

    def masked(self) -> tuple[Member, ...]:
        """The divergence, whose sums a compiler would order by what stands beside them."""
        return (self.divergence,)

    def working_set(self) -> int:
        """Activations of the D-step, both batches, and the critic's parameters and their state.

        Without a critic, the distances between and within the batches; with an estimator, its
        kernels on them.
        """
        trained = [self.generator] if self.critic.estimator else [self.critic, self.generator]
        units = sum(p.width * p.depth * p.activation.inputs for p in trained)
        numbers = 2 * self.batch * units + 4 * sum(self._layer_products())
        if self.divergence.closed_form:
            numbers += 4 * self.batch**2
        if self.critic.estimator is not None:
            numbers += 4 * self.batch * self.critic.estimator.centres
        return 4 * numbers

    def _layer_products(self) -> tuple[int, int]:
        def products(player: Player, inputs: int, outputs: int) -> int:
            shapes = player.function.shapes(player, inputs, outputs)
            return sum(math.prod(s) for name, s in shapes.items() if name.startswith("weight"))

        generator = products(self.generator, *self.layers("generator"))
        # The critic judges `pac` samples at once.
        return generator, products(self.critic, *self.layers("critic")) // self.critic.pac

    def layers(self, player: Literal["generator", "critic"]) -> tuple[int, int]:
        """Inputs and outputs of a player's network."""
        if player == "generator":
            return self.generator.latent + self.labels, self.target.dimension
        return self.critic.pac * (self.target.dimension + self.labels), 1

    def perfect(self) -> dict[str, NDArray[np.float64]]:
        """The recorded metrics of as many samples of p as a trial is measured with."""
        size = self.record.samples
        values = {m.name: perfect_sampler(m, self.target, size) for m in self.record.metrics}
        if self.generator.average is not None:
            values |= {f"average_{name}": value for name, value in values.items()}
        return values

    def variables(self) -> dict[str, dict[str, Any]]:
        """Losses, mean logits, gradient norms, and the metrics with their readings."""
        curves = {
            "critic_loss": "critic loss",
            "generator_loss": "generator loss",
            "real_logit": "mean logit on p",
            "fake_logit": "mean logit on q",
            "critic_gradient_norm": "gradient norm of the critic",
            "generator_gradient_norm": "gradient norm of the generator",
        }
        if self.critic.estimator is not None:
            del curves["critic_gradient_norm"]
        if self.constraint.penalises:
            curves["penalty"] = f"{self.constraint.name} of the critic"
        if not isinstance(self.critic.steps, int):
            curves["critic_steps"] = "D-steps in the round"
        if self.holds_out:
            curves["held_out_logit"] = "mean logit on unseen samples of p"
        # Of packed or blurred samples it would bound another divergence than that of p and q.
        plain = self.critic.pac == 1 and not self.constraint.perturbs
        if plain and self.divergence.uninformed_loss() is not None:
            curves["bound"] = "lower bound on the divergence"
            if self.affine_in_density:
                curves["critic_error"] = "distance from the best logit"
                curves["exact"] = "exact divergence"
        described: dict[str, dict[str, Any]] = {
            name: {"long_name": long_name, "role": "curve"} for name, long_name in curves.items()
        }
        if self.record.equilibrium is not None:
            described |= self.record.equilibrium.variables()
            if self.constraint.fixes:
                for name in ("jacobian_real", "jacobian_imaginary", "jacobian_rotation"):
                    described[name]["missing"] += f", and with {self.constraint.name}"
        for metric in self.record.metrics:
            attributes = metric.attributes(self.target)
            described[metric.name] = attributes
            if self.generator.average is not None:
                long_name = f"{attributes['long_name']}, averaged generator"
                described[f"average_{metric.name}"] = {**attributes, "long_name": long_name}
        return described

    @property
    def holds_out(self) -> bool:
        """Whether a critic sees the same samples of p again, and others can be held against it."""
        # Rows that a target holds out have no labels.
        rows = self.target.holds_out and not self.condition
        return (self.training_set is not None or rows) and not self.divergence.closed_form

    @property
    def affine_in_density(self) -> bool:
        """Whether a grid gives the divergence: from a Gaussian q to a density p, in the plane."""
        generator = self.generator
        affine = generator.depth == 0 and generator.latent_law == "normal" and not self.condition
        # The best critic of a paired loss is no function of p/q: it takes an optimisation.
        affine = affine and not self.divergence.paired
        return affine and self.target.has_density and self.target.dimension <= 2

    @property
    def filmed(self) -> bool:
        """Whether samples lie in the plane, all of one kind."""
        return self.target.dimension == 2 and not self.condition

    @property
    def judges_points(self) -> bool:
        """Whether the critic has a logit for a single point, whatever else is in the batch."""
        return self.critic.pac == 1 and self.critic.norm != "batch"

    def train(
        self,
        trials: Sequence[Trial[Any]],
        device: str,
        program: ProgramName,
        beside: tuple[Member, ...] = (),
        checkpoints: Checkpoints = NO_CHECKPOINTS,
    ) -> list[Record]:
        """Train the pack with the stacked engine."""
        from ganstudy.kinds.adversarial.training import train

        return train(trials, device, program, beside, checkpoints)
