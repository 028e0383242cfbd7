"""`adversarial`: a generator and a critic trained against each other by gradient steps."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from ganstudy import constraints, divergences, networks, optimizers, targets
from ganstudy.engine.checkpoints import NO_CHECKPOINTS
from ganstudy.family import Member, Settings
from ganstudy.kinds._base import Kind
from ganstudy.metrics import Metric
from ganstudy.metrics import family as metric_family
from ganstudy.trial import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ganstudy.engine.checkpoints import Checkpoints
    from ganstudy.trial import ProgramName, Record, Trial


# Measured on one core of a Xeon of 2023 at 2 GHz, with packs of 16.
MULTIPLY_ADDS_PER_SECOND = 1.2e10
SECONDS_PER_UPDATE = 4e-4


class Player(Settings):
    """What generator and critic have in common."""

    network: Annotated[networks.Network, networks.family.field("mlp")] = Field(
        default="mlp", validate_default=True, description="architecture"
    )
    width: int = Field(128, ge=1, description="units of each hidden layer")
    depth: int = Field(2, ge=0, description="number of hidden layers")
    optimizer: Annotated[optimizers.Optimizer, optimizers.family.field("adam")] = Field(
        default="adam", validate_default=True, description="update rule"
    )
    lr: float = Field(1e-3, gt=0, description="learning rate")


class Generator(Player):
    """The network that turns latent noise into samples of q."""

    latent: int = Field(2, ge=1, description="dimension of the standard normal latent")


class Critic(Player):
    """The network that tells p from q; its raw output is the logit."""

    steps: int = Field(1, ge=1, description="D-steps before each M-step")


class Recording(Settings):
    """What is kept of a trial."""

    every: int = Field(100, ge=1, description="M-steps between two records of the curves")
    samples: int = Field(2000, ge=1, description="samples that the metrics see, kept at the end")
    metrics: tuple[Annotated[Metric, metric_family.field("modes_covered")], ...] = Field(
        default=("modes_covered", "high_quality", "mode_kl"),
        validate_default=True,
        strict=False,
        min_length=1,
        description="metrics that are recorded as curves",
    )

    @field_validator("metrics")
    @classmethod
    def _each_once(cls, metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
        names = [metric.name for metric in metrics]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"recorded more than once: {', '.join(repeated)}")
        return metrics


class Adversarial(Kind):
    r"""The practical GAN: N_d D-steps on fresh batches, then one M-step, repeated.

    Source  Goodfellow et al. 2014, algorithm 1; Bouman, "Algorithm 2: practical algorithm".
    """

    target: Annotated[targets.Target, targets.family.field("ring")] = Field(
        default="ring", validate_default=True, description="law p of the data"
    )
    divergence: Annotated[divergences.Divergence, divergences.family.field("non_saturating")] = (
        Field(default="non_saturating", validate_default=True, description="objective")
    )
    constraint: Annotated[constraints.Constraint, constraints.family.field("none")] = Field(
        default="none", validate_default=True, description="restriction of the critic"
    )
    generator: Generator = Field(Generator(), description="the generator")
    critic: Critic = Field(Critic(), description="the critic")
    steps: int = Field(4000, ge=1, description="M-steps")
    batch: int = Field(256, ge=1, description="samples of p and of q in each step")
    record: Recording = Field(Recording(), description="what is kept")

    @classmethod
    def implied(cls, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The published settings of the divergence."""
        divergence = settings.get("divergence", "non_saturating")
        if isinstance(divergence, dict):
            divergence = divergence.get("name", "non_saturating")
        known = isinstance(divergence, str) and divergence in divergences.family.names
        return divergences.family[divergence].defaults if known else {}

    def pack_key(self) -> str:
        """All that fixes shapes and control flow; targets differ in data, members in masks."""
        loop = {"critic.steps": self.critic.steps, "steps": self.steps}
        kept = self.record.model_dump(include={"every", "samples"})
        return canonical_json({"graph": self.graph_key(), "loop": loop, "record": kept})

    def graph_key(self) -> str:
        """The shapes of one D-step and one M-step."""
        players = {
            "generator": self.generator.model_dump(include={"network", "width", "depth", "latent"}),
            "critic": self.critic.model_dump(include={"network", "width", "depth"}),
        }
        shape = {"kind": self.name, "dimension": self.target.dimension, "batch": self.batch}
        return canonical_json({**shape, **players})

    def cost(self) -> float:
        """Forward and backward multiply-adds, and a price for each update, at measured rates.

        A backward pass costs two forward ones; the D-step runs the generator forward only, the
        critic on two batches; the M-step runs both networks forward and backward, without the
        critic's own gradient.
        """
        generator, critic = self._layer_products()
        d_step = self.batch * (generator + 2 * 3 * critic) / MULTIPLY_ADDS_PER_SECOND
        m_step = self.batch * (3 * generator + 2 * critic) / MULTIPLY_ADDS_PER_SECOND
        updates = self.critic.steps + 1
        step = self.critic.steps * d_step + m_step + updates * SECONDS_PER_UPDATE
        return self.steps * step

    def masked(self) -> tuple[Member, ...]:
        """The divergence, whose sums a compiler would order by what stands beside them."""
        return (self.divergence,)

    def working_set(self) -> int:
        """Activations of the D-step, both batches, and the critic's parameters and their state."""
        units = self.critic.width * self.critic.depth + self.generator.width * self.generator.depth
        return 4 * (2 * self.batch * units + 4 * sum(self._layer_products()))

    def _layer_products(self) -> tuple[int, int]:
        def products(inputs: int, width: int, depth: int, outputs: int) -> int:
            sizes = [inputs, *[width] * depth, outputs]
            return sum(a * b for a, b in itertools.pairwise(sizes))

        generator, critic, dimension = self.generator, self.critic, self.target.dimension
        return (
            products(generator.latent, generator.width, generator.depth, dimension),
            products(dimension, critic.width, critic.depth, 1),
        )

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
        described: dict[str, dict[str, Any]] = {
            name: {"long_name": long_name, "role": "curve"} for name, long_name in curves.items()
        }
        for metric in self.record.metrics:
            reading = dataclasses.asdict(metric.reading(self.target))
            described[metric.name] = {**reading, "role": "metric"}
        return described

    def train(
        self,
        trials: Sequence[Trial[Any]],
        device: str,
        program: ProgramName,
        beside: tuple[Member, ...] = (),
        checkpoints: Checkpoints = NO_CHECKPOINTS,
    ) -> list[Record]:
        """Train the pack with the stacked engine."""
        from ganstudy.engine.training import train

        return train(trials, device, program, beside, checkpoints)
