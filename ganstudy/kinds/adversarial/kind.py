"""`adversarial`: a generator and a critic trained against each other by gradient steps."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ganstudy import divergences, film, targets
from ganstudy.cause import cause_of, telling
from ganstudy.engine.session import ALONE
from ganstudy.family import canonical_json
from ganstudy.kinds._base import Kind
from ganstudy.kinds.adversarial import cost, recorded
from ganstudy.kinds.adversarial.settings import AdversarialSettings
from ganstudy.metrics import perfect_sampler
from ganstudy.networks import Network

_log = logging.getLogger("ganstudy")

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ganstudy.engine.session import Session
    from ganstudy.family import Member
    from ganstudy.metrics import Metric
    from ganstudy.targets import Target
    from ganstudy.trial import Record, Trial
    from ganstudy.variable import Variable

MODELESS_METRICS = ("sliced_wasserstein", "energy_distance")
"""What is recorded by default where there are no modes to count."""


class Adversarial(AdversarialSettings, Kind):
    r"""The practical GAN: rounds of N_d D-steps and one M-step, each on latent points of its own.

    Each D-step has a batch of p of its own; an M-step whose loss reads p sees the round's last.

    Source  Goodfellow et al. 2014, algorithm 1; Bouman, "Algorithm 2: practical algorithm".
    """

    given: ClassVar[frozenset[str]] = Kind.given | {"target", "training_set"}

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
    def scheduled(self) -> str:
        """Constraints with a schedule."""
        return " and ".join(own.name for own in self.constraint.acting if own.scheduled)

    @property
    def in_pieces(self) -> str:
        """With patience the host decides after each D-step."""
        if isinstance(self.critic.steps, int):
            return ""
        return "D-steps with a patience are launched one by one on a GPU"

    @property
    def keeps_generator(self) -> bool:
        """As the study asks."""
        return self.record.generator

    @property
    def as_written(self) -> str:
        """Convolutions, trial after trial, are not compiled."""
        for network in (self.generator.network, self.critic.network):
            if not network.stacks:
                return f"the convolutions of {network.name} are computed as they are written"
        return ""

    @property
    def on_processor(self) -> bool:
        """Jacobians are taken there: on a GPU sums of double precision depend on the pack."""
        return self.has_jacobian

    @property
    def work(self) -> str:
        """The networks of its players, by their names."""
        functions = {self.generator.function, self.critic.function}
        names = sorted({own.name for own in functions if isinstance(own, Network)})
        return " and ".join(names) or self.name

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
        # To a perceptron an image is a row like others; its film is another.
        kept["images"] = bool(self.record.frames) and self.filmed_images
        return canonical_json({"graph": self.graph_key(), "loop": loop, "record": kept})

    def graph_key(self) -> str:
        """The shapes and the control flow of one D-step and one M-step."""
        generator, critic = self.generator, self.critic
        shape = {
            "kind": self.name,
            "dimension": self.target.dimension,
            "image": self.target.image if self.makes_images else None,
            "labels": self.labels,
            "batch": self.batch,
            "generator": {**generator.structure(), "latent": generator.latent},
            "average": generator.average is not None,
            "critic": {**critic.structure(), "pac": critic.pac},
            "constraint": [part.structure() for part in self.constraint.acting],
            "divergence": self.divergence.traits,
            "updates": self.updates.structure(),
            "updated": self._updated if self.updates.weighs_gradients else None,
            "patience": not isinstance(critic.steps, int),
        }
        return canonical_json(shape)

    @property
    def _updated(self) -> dict[str, Any]:
        """By what gradients become steps.

        Where a step takes gradients of gradients, a compiler orders their sums by what is made of
        them, too.
        """
        players = (self.generator, self.critic)
        return {
            "optimizers": [own.optimizer.structure() for own in players],
            "projected": [own.structure() for own in self.constraint.projections],
        }

    def cost(self) -> float:
        """Seconds of all rounds, from multiply-adds at measured rates."""
        return cost.seconds(self)

    def compiled_cost(self) -> float:
        """Updates of narrow networks, dear as they are written, are cheap once compiled."""
        return cost.seconds(self, compiled=True)

    def recording(self) -> float:
        """Seconds of exact divergences, where the law of the generator is known, and of the game at
        the end.
        """
        return cost.recording(self)

    def masking(self) -> float:
        """Seconds of the losses of one divergence more."""
        return cost.masking(self)

    def working_set(self) -> int:
        """Activations of the D-step, and the critic's parameters and their state."""
        return cost.working_set(self)

    def working_set_on_gpu(self) -> int:
        """With the differences of samples, where distances are taken between whole batches."""
        return cost.working_set(self) + cost.differences(self)

    def masked(self) -> tuple[Member, ...]:
        """The divergence, whose sums a compiler would order by what stands beside them."""
        return (self.divergence,)

    def variables(self) -> tuple[Variable, ...]:
        """Metrics with their readings, what the steps say of themselves, samples, and the film."""
        return recorded.variables(self)

    def coordinates(
        self, sizes: Mapping[str, int], shared: Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[Any]]:
        """Where the points of a film lie, if all trials are filmed in one window."""
        return film.coordinates(sizes, shared)

    def perfect(self) -> dict[str, NDArray[np.float64]]:
        """The recorded metrics of as many samples of p as a trial is measured with.

        One that raises is left out: it has told so in every trial.
        """
        values = {}
        for metric in self.record.metrics:
            drawn = _drawn(metric, self.target, self.record.samples)
            if drawn is not None:
                values[metric.recorded_as] = drawn
        if self.generator.average is not None:
            values |= {f"average_{name}": value for name, value in values.items()}
        return values

    def train(self, trials: Sequence[Trial[Self]], session: Session = ALONE) -> list[Record]:
        """Train the pack with the stacked steps."""
        from ganstudy.kinds.adversarial.training import train

        return train(trials, session)


@cache
def _drawn(metric: Metric, target: Target, samples: int) -> NDArray[np.float64] | None:
    """What a metric says of p itself; None where it raises, which is told once for all trials."""
    try:
        return perfect_sampler(metric, target, samples)
    except Exception as error:  # whatever the metric of a plug-in raises
        _log.warning("metric %s of p itself: %s", metric.recorded_as, telling(cause_of(error)))
        return None


def _name(member: Any, default: str) -> str:
    """Name of a member in its YAML form."""
    return str(member.get("name", default) if isinstance(member, dict) else member or default)
