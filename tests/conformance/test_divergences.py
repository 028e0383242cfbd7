"""Every divergence: its losses against its exact value on discrete laws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import ot
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, jensenshannon
from scipy.stats import entropy

from ganstudy import divergences
from ganstudy.divergences import DiscreteLaws, Divergence
from ganstudy.divergences._classifier import ClassifierDivergence
from ganstudy.engine.stacked import stack

Array = NDArray[np.float64]

MEMBERS = list(divergences.family)
SIZES = (2, 3, 5, 9)

every_member = pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.name)
every_size = pytest.mark.parametrize("points", SIZES)


def _law(rng: np.random.Generator, points: int) -> Array:
    """A random law with no point lighter than a tenth of its fair share."""
    return np.asarray(0.9 * rng.dirichlet(np.full(points, 2.0)) + 0.1 / points)


def _laws(points: int, seed: int = 0) -> DiscreteLaws:
    rng = np.random.default_rng([seed, points])
    return DiscreteLaws(_law(rng, points), _law(rng, points), rng.normal(size=(points, 2)))


def _with_q(laws: DiscreteLaws, q: Array) -> DiscreteLaws:
    return DiscreteLaws(laws.p, q, laws.positions)


def _generator_losses(divergence: Divergence, logits: Array) -> Array:
    """The generator's loss at each point: a batch of one sample there."""
    return np.asarray(divergence.generator_loss(torch.tensor(logits[:, None])).numpy())


def _critic_loss(divergence: Divergence, laws: DiscreteLaws, logits: Array) -> float:
    """Expected critic loss under p x q, from batches of one sample of each."""
    points = len(logits)
    real = torch.tensor(logits)[:, None, None].expand(points, points, 1)
    fake = torch.tensor(logits)[None, :, None].expand(points, points, 1)
    return float(laws.p @ divergence.critic_loss(real, fake).numpy() @ laws.q)


def _lipschitz(values: Array, positions: Array) -> Array:
    """The largest 1-Lipschitz function below the values (McShane's extension)."""
    return np.asarray((values[None] + cdist(positions, positions)).min(axis=1))


def _admissible(divergence: Divergence, laws: DiscreteLaws, values: Array) -> Array:
    """A critic that the theory admits: 1-Lipschitz where the algorithm asks for a constraint."""
    constrained = "constraint" in divergence.defaults
    return _lipschitz(values, laws.positions) if constrained else values


@every_member
@every_size
def test_generator_descends_the_exact_divergence(cls: type[Divergence], points: int) -> None:
    """At the optimal critic held fixed, d/dq of the loss is d/dq of `exact`, along the simplex.

    The step h = 1e-5 leaves an error of h^2 f'''/6, with f''' below 1/min(q)^2 ~ 1e4.
    """
    divergence, laws, h = cls(), _laws(points), 1e-5
    losses = _generator_losses(divergence, divergence.optimal_logits(laws))
    rng = np.random.default_rng(points)
    for _ in range(2 * points):
        direction = rng.normal(size=points)
        direction -= direction.mean()
        direction /= np.abs(direction).max()
        ahead, behind = (
            divergence.exact(_with_q(laws, laws.q + sign * h * direction)) for sign in (1, -1)
        )
        slope = (ahead - behind) / (2 * h)
        assert losses @ direction == pytest.approx(slope, abs=2e-6, rel=1e-6)


@every_member
@every_size
def test_random_critics_stay_above_the_minimum(cls: type[Divergence], points: int) -> None:
    """No admissible critic beats `critic_minimum`, be it random or next to the optimum."""
    divergence, laws = cls(), _laws(points)
    rng = np.random.default_rng(points)
    least, optimum = divergence.critic_minimum(laws), divergence.optimal_logits(laws)
    for scale in (0.01, 0.1, 1.0, 10.0):
        for centre in (np.zeros(points), optimum):
            values = centre + scale * rng.normal(size=points)
            critic = _admissible(divergence, laws, values)
            assert _critic_loss(divergence, laws, critic) >= least - 1e-9


@every_member
@every_size
def test_minimum_is_reached_at_the_optimal_critic(cls: type[Divergence], points: int) -> None:
    """The optimal critic is admissible, and its loss is the stated minimum."""
    divergence, laws = cls(), _laws(points)
    optimum = divergence.optimal_logits(laws)
    reached = _critic_loss(divergence, laws, optimum)
    assert reached == pytest.approx(divergence.critic_minimum(laws), abs=1e-9)
    np.testing.assert_allclose(_admissible(divergence, laws, optimum), optimum, atol=1e-9)


@every_member
@every_size
def test_zero_at_equality_and_positive_elsewhere(cls: type[Divergence], points: int) -> None:
    """A divergence separates laws."""
    divergence = cls()
    for seed in range(5):
        laws = _laws(points, seed)
        assert divergence.exact(laws) > 1e-6
        assert divergence.exact(_with_q(laws, laws.p)) == pytest.approx(0, abs=1e-12)


REFERENCES: dict[str, Callable[[DiscreteLaws], float]] = {
    "minimax": lambda laws: 2 * float(jensenshannon(laws.p, laws.q)) ** 2,
    "non_saturating": lambda laws: (
        float(entropy(laws.q, laws.p)) - 2 * float(jensenshannon(laws.p, laws.q)) ** 2
    ),
    "reverse_kl": lambda laws: float(entropy(laws.q, laws.p)),
    "wasserstein": lambda laws: float(
        ot.emd2(laws.p, laws.q, cdist(laws.positions, laws.positions))
    ),
}


@pytest.mark.parametrize("name", sorted(REFERENCES))
@every_size
def test_exact_value_agrees_with_scipy_and_pot(name: str, points: int) -> None:
    """Published implementations of the same functionals."""
    for seed in range(5):
        laws = _laws(points, seed)
        exact = divergences.family[name]().exact(laws)
        assert exact == pytest.approx(REFERENCES[name](laws), abs=1e-9)


@every_size
def test_two_forms_of_the_non_saturating_divergence(points: int) -> None:
    """2 KL((p + q)/2 || p) = KL(q || p) - 2 JS(p, q), factor 2 included."""
    laws = _laws(points)
    left = 2 * float(entropy((laws.p + laws.q) / 2, laws.p))
    right = float(entropy(laws.q, laws.p)) - 2 * float(jensenshannon(laws.p, laws.q)) ** 2
    assert left == pytest.approx(right, abs=1e-12)
    exact = divergences.family["non_saturating"]().exact(laws)
    assert exact == pytest.approx(left, abs=1e-12)


@pytest.mark.parametrize(
    "cls", [m for m in MEMBERS if issubclass(m, ClassifierDivergence)], ids=lambda cls: cls.name
)
def test_classifier_at_equilibrium(cls: type[Divergence]) -> None:
    """A classifier that cannot tell p from q pays 2 log 2."""
    divergence, laws = cls(), _laws(5)
    equal = _with_q(laws, laws.p)
    logits = torch.zeros(3, 16, dtype=torch.float64)
    expected = torch.full((3,), 2 * np.log(2), dtype=torch.float64)
    torch.testing.assert_close(divergence.critic_loss(logits, logits), expected)
    assert divergence.critic_minimum(equal) == pytest.approx(2 * np.log(2), abs=1e-12)
    np.testing.assert_allclose(divergence.optimal_logits(equal), 0, atol=1e-12)


def test_non_saturating_generator_at_equilibrium() -> None:
    """E_q[-log D] is log 2 at D = 1/2."""
    loss = divergences.family["non_saturating"]().generator_loss(torch.zeros(1, 8))
    assert float(loss[0]) == pytest.approx(np.log(2), rel=1e-6)


@every_member
@pytest.mark.parametrize("level", [-80.0, 80.0])
def test_finite_for_extreme_logits(cls: type[Divergence], level: float) -> None:
    """Losses and gradients are finite, and the gradient of the better direction is not lost."""
    real = torch.full((2, 4), level, requires_grad=True)
    fake = torch.full((2, 4), level, requires_grad=True)
    divergence = cls()
    critic, generator = divergence.critic_loss(real, fake), divergence.generator_loss(fake)
    gradients = [
        *torch.autograd.grad(critic.sum(), (real, fake)),
        *torch.autograd.grad(generator.sum(), fake),
    ]
    assert critic.shape == generator.shape == (2,)
    for tensor in (critic, generator, *gradients):
        assert bool(torch.isfinite(tensor).all())
    # A sample that raises the critic's loss must still pull: that is what losses on logits are for.
    wrong = gradients[1] if level > 0 else gradients[0]
    assert float(wrong.abs().min()) > 1e-3


@every_member
@pytest.mark.parametrize("method", ["critic_loss", "generator_loss"])
@pytest.mark.parametrize("shared", [False, True])
def test_stacked_with_the_whole_family_equals_alone(
    cls: type[Divergence], method: str, shared: bool
) -> None:
    """A pack of all members gives each trial the loss and gradient that it has alone."""
    own = MEMBERS.index(cls)
    pack = stack([member() for member in MEMBERS], torch.device("cpu"))
    pack = pack.sharing(method) if shared else pack
    torch.manual_seed(0)
    inputs = [torch.randn(len(MEMBERS), 32) for _ in range(2 if method == "critic_loss" else 1)]
    together = [x.clone().requires_grad_() for x in inputs]
    alone = [x[own : own + 1].clone().requires_grad_() for x in inputs]
    losses = pack.select(lambda member, *x: getattr(member, method)(*x), *together)
    loss = getattr(cls(), method)(*alone)
    assert torch.equal(losses[own], loss[0])
    for whole, single in zip(
        torch.autograd.grad(losses.sum(), together),
        torch.autograd.grad(loss.sum(), alone),
        strict=True,
    ):
        assert torch.equal(whole[own], single[0])
