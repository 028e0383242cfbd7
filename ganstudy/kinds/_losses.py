r"""The losses of a divergence as functions of a single logit, with their derivatives.

A divergence states its losses as means over batches. Over batches of one they are functions of a
logit, and on a law with finitely many points, or on a grid, the expected loss is a weighted sum of
these: all that an exact computation needs. What the generator's loss is at a point is also what the
M-step sees there: with the critic held fixed, $\partial E_q \ell(a) / \partial q(x) = \ell(a(x))$.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.divergences import Divergence

    Array = NDArray[np.float64]

_VECTOR = 32
"""Numbers that one step of a vectorised loop handles, on the widest CPUs of today."""


def of_single_logits(divergence: Divergence) -> Divergence:
    """A divergence whose losses are functions of single logits: what an exact kind asks for.

    Errors  `ValueError` for one that compares logits on p and on q, or charges for the way.
    """
    of_law(divergence)
    if divergence.paired:
        raise ValueError(
            f"{divergence.name} compares logits on p and q; this kind takes losses of single logits"
        )
    return divergence


def of_law(divergence: Divergence) -> Divergence:
    """A divergence whose losses see nothing of q but its law.

    Errors  `ValueError` for one that charges for the way from latent points.
    """
    if divergence.charged:
        raise ValueError(
            f"{divergence.name} charges for the way from latent points; this kind has none"
        )
    return divergence


def of_trained_critic(divergence: Divergence, *, trainer: str = "this kind") -> Divergence:
    """A divergence whose critic is trained, which the trainer does.

    Errors  `ValueError` for one whose best critic is known in closed form.
    """
    if divergence.closed_form:
        raise ValueError(f"{divergence.name} has its critic in closed form; {trainer} trains one")
    return divergence


def admits_every_critic(divergence: Divergence) -> bool:
    """Whether a divergence says that its critic is without a constraint, so that the best one at a
    point depends on p and q there alone.
    """
    return divergence.uninformed_loss() is not None


def generator_terms(divergence: Divergence, logits: Array) -> Array:
    """The generator's loss on a sample of q, for every logit; any shape."""
    import torch

    with torch.no_grad():
        return _as_given(divergence.generator_loss(_in_vectors(logits)[..., None]), logits)


def critic_terms(divergence: Divergence, real: Array, fake: Array) -> Array:
    """The critic's loss on a sample of p and a sample of q, for every pair of logits."""
    import torch

    with torch.no_grad():
        pair = [_in_vectors(own)[..., None] for own in (real, fake)]
        return _as_given(divergence.critic_loss(*pair), real)


def generator_slopes(
    divergence: Divergence, logits: Array, order: Literal[1, 2] = 2
) -> list[Array]:
    """Derivatives, up to an order, of the generator's loss in the logit of a sample of q.

    A loss that looks at p too finds a logit of zero there.
    """

    def loss(a: Any) -> Any:
        if divergence.paired:
            return divergence.paired_generator_loss((0 * a.detach())[..., None], a[..., None])
        return divergence.generator_loss(a[..., None])

    return _derivatives(loss, logits, order)


def real_slopes(divergence: Divergence, logits: Array, order: Literal[1, 2] = 2) -> list[Array]:
    """Derivatives, up to an order, of the critic's loss in the logit of a sample of p."""

    def loss(a: Any) -> Any:
        return divergence.critic_loss(a[..., None], (0 * a.detach())[..., None])

    return _derivatives(loss, logits, order)


def fake_slopes(divergence: Divergence, logits: Array, order: Literal[1, 2] = 2) -> list[Array]:
    """Derivatives, up to an order, of the critic's loss in the logit of a sample of q."""

    def loss(a: Any) -> Any:
        return divergence.critic_loss((0 * a.detach())[..., None], a[..., None])

    return _derivatives(loss, logits, order)


def critic_gradient(divergence: Divergence, logits: Array, p: Array, q: Array) -> Array:
    """Gradient of the expected critic loss in the logits of a finite set; shapes `(*, points)`."""
    import torch

    real, fake = (_in_vectors(logits).requires_grad_() for _ in range(2))
    loss = divergence.critic_loss(real[..., None], fake[..., None]).sum()
    of_real, of_fake = torch.autograd.grad(loss, (real, fake))
    return np.asarray(p * _as_given(of_real, logits) + q * _as_given(of_fake, logits))


def _derivatives(loss: Callable[[Any], Any], logits: Array, order: Literal[1, 2]) -> list[Array]:
    import torch

    a = _in_vectors(logits).requires_grad_()
    (slope,) = torch.autograd.grad(loss(a).sum(), a, create_graph=order == 2)
    if order == 1:
        return [_as_given(slope, logits)]
    bent = torch.zeros_like(a)
    if slope.requires_grad:
        (bent,) = torch.autograd.grad(slope.sum(), a, materialize_grads=True)
    return [_as_given(own, logits) for own in (slope, bent)]


def _in_vectors(logits: Array) -> Tensor:
    """Logits one after the other, and zeros behind them: the end of a loop, fewer than `_VECTOR`
    numbers, is rounded by other code, and which logits stand there is a matter of the pack.
    """
    import torch

    numbers = torch.zeros(-(-logits.size // _VECTOR) * _VECTOR, dtype=torch.float64)
    numbers[: logits.size] = torch.from_numpy(np.ravel(logits))
    return numbers


def _as_given(values: Tensor, logits: Array) -> Array:
    """What was made of `_in_vectors`, in the shape of the logits."""
    return values.detach().numpy()[: logits.size].reshape(logits.shape)
