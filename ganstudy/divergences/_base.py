r"""What a divergence is: two losses on critic logits, and the exact functional they stand for.

The loss of the critic is minimised by the D-step, that of the generator by the M-step. Formulas use
tensor methods only, so that listing and validating divergences never imports torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ganstudy.family import Member

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[np.float64]


class Divergence(Member, ABC):
    """What separates p from q, and what the generator descends.

    Shapes  logits `(*pack, batch) -> losses (*pack,)`; a float parameter of the member may be a
            tensor of shape `(*pack, 1)`.
    """

    defaults: ClassVar[Mapping[str, Any]] = {}
    """Settings of the published algorithm, by key path; a study file overrides each of them."""

    overflows: ClassVar[bool] = False
    """Whether a loss grows as fast as e^|logit|: infinite in float32 beyond about 88."""

    saturates: ClassVar[bool] = False
    """Whether the critic's loss is bounded on some side: a sample that the critic has placed far on
    the wrong side of it no longer pulls."""

    closed_form: ClassVar[bool] = False
    """Whether the best critic is known from samples, by `witness`; no critic is then trained."""

    paired: ClassVar[bool] = False
    """Whether the generator's loss looks at logits on p too, by `paired_generator_loss`."""

    charged: ClassVar[bool] = False
    """Whether logits on samples of q count less the cost of their way from the latent points, by
    `way_cost`: the generator is then a map, and what it looks for depends on the latent law."""

    log_ratio: ClassVar[bool] = False
    """Whether the best logit is log p/q: an estimate of it can then take the critic's place."""

    classifies: ClassVar[bool] = False
    """Whether the losses are of D = sigma(logit), 1/2 where p = q, though log p/q is not best."""

    attained: ClassVar[bool] = True
    """Whether finite logits are best; else `optimal_logits` are as good only to rounding."""

    differentiated_twice: ClassVar[bool] = False
    """Whether gradients of the losses' gradients are taken; update schemes say so to a pack's."""

    @property
    def descends_exact(self) -> bool:
        """Whether the generator descends `exact`, and not something that has no name."""
        return True

    @abstractmethod
    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Loss of the critic on the logits of a batch from p and of a batch from q."""

    @abstractmethod
    def generator_loss(self, fake: Tensor) -> Tensor:
        """Loss of the generator on the logits of a batch from q."""

    def softplus(self, logits: Tensor) -> Tensor:
        """log(1 + e^a) for any a, with derivative sigmoid(a); exact where others overflow."""
        if self.differentiated_twice:
            # Beyond, e^(-a) is infinite in single precision, and the second derivative no number.
            logits = logits.clamp(min=-88.0)
        return logits.logaddexp(logits.new_zeros(()))

    def paired_generator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Loss of the generator on the logits of a batch from p and of one from q."""
        return self.generator_loss(fake)

    @property
    def comparisons(self) -> int:
        """How often a round goes over all pairs of samples of two batches, n² numbers, in passes of
        a few operations each; by default once for each law in closed form, and else never.
        """
        return 2 if self.closed_form else 0

    def expected_losses(self, laws: DiscreteLaws, logits: Array) -> tuple[float, float]:
        """Expected losses of critic and generator, with logits `(points,)`.

        From batches of one sample of each law: right where a loss is a mean over samples, or over
        pairs of them. A member whose losses look at whole batches says its own.

        Errors  `ValueError` for a loss that is not one number for each batch.
        """
        import torch

        points = len(logits)
        real = torch.tensor(logits)[:, None, None].expand(points, points, 1)
        fake = torch.tensor(logits)[None, :, None].expand(points, points, 1)
        critic = self.critic_loss(real, fake)
        generator = (
            self.paired_generator_loss(real, fake) if self.paired else self.generator_loss(fake)
        )
        for name, loss in (("critic_loss", critic), ("generator_loss", generator)):
            if loss.shape != (points, points):
                shape = tuple(loss.shape)
                message = f"{self.name}: {name} gives shape {shape}, not one number for each trial"
                raise ValueError(f"{message}, {points, points}")
        of_critic, of_generator = (laws.p @ x.numpy() @ laws.q for x in (critic, generator))
        return float(of_critic), float(of_generator)

    def way_cost(self, latent: Tensor, sample: Tensor) -> Tensor:
        """Cost of the way from each latent point to its sample.

        Shapes  `(*pack, batch, dimension)` each `-> (*pack, batch)`.
        Errors  `NotImplementedError` unless `charged`: it is never asked for then.
        """
        raise NotImplementedError(f"{self.name} charges nothing for the way")

    @property
    def traits(self) -> tuple[bool, bool, bool]:
        """What decides how a step calls the losses: the same for all trials of a pack."""
        return (self.closed_form, self.paired, self.charged)

    def witness(self, x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Logits of the best critic at x, given samples of p and of q.

        Shapes  `(*pack, points, dimension)` each `-> (*pack, points)`.
        Errors  `NotImplementedError` unless `closed_form`: it is never asked for then.
        """
        raise NotImplementedError(f"{self.name} has no critic in closed form")

    def witness_on_p(self, x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Logits on samples of p, where the derivative in p is not minus that in q."""
        return self.witness(x, real, fake)

    @abstractmethod
    def exact(self, laws: DiscreteLaws) -> float:
        """The divergence that the generator descends at the optimal critic; zero at p = q.

        The critic's own divergence where `descends_exact` is false.
        """

    @abstractmethod
    def optimal_logits(self, laws: DiscreteLaws) -> Array:
        """Logits `(points,)` that minimise the critic's loss."""

    @abstractmethod
    def critic_minimum(self, laws: DiscreteLaws) -> float:
        """Least critic loss over all critics that the theory admits."""

    def uninformed_loss(self) -> float | None:
        """`critic_minimum` at p = q, if it is the same for all laws and every critic is admitted.

        None where a trial's critic is no bound on anything, because the theory restricts critics
        in a way that training does not guarantee.
        """
        return None

    def bound(self, critic_loss: Array) -> Array | None:
        """Lower bound on `variational_value`, from the losses of any critic; None without one.

        An estimate from a batch of samples scatters about the bound and may exceed the value.
        """
        uninformed = self.uninformed_loss()
        return None if uninformed is None else uninformed - critic_loss

    def variational_value(self, laws: DiscreteLaws) -> float | None:
        """What `bound` bounds, and reaches at the optimal critic; zero at p = q.

        The critic's own divergence: that of the generator too only where the game is zero-sum.
        """
        uninformed = self.uninformed_loss()
        return None if uninformed is None else uninformed - self.critic_minimum(laws)


@dataclass(frozen=True, eq=False)
class DiscreteLaws:
    """Two laws on the same finite set of points, where every divergence can be computed exactly.

    Shapes  p, q `(points,)` with sum 1; positions `(points, dimension)`.
    """

    p: Array
    q: Array
    positions: Array

    @property
    def distances(self) -> Array:
        """Of all pairs of points, `(points, points)`."""
        return np.asarray(np.linalg.norm(self.positions[:, None] - self.positions, axis=-1))
