"""Every divergence: its losses against its exact value on discrete laws."""

from __future__ import annotations

import itertools
import re
import tracemalloc
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import ot
import pytest
import sympy
import torch
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.spatial.distance import cdist, cityblock, jensenshannon
from scipy.special import xlogy
from scipy.stats import energy_distance, entropy, power_divergence, wasserstein_distance
from sklearn.metrics.pairwise import euclidean_distances
from tiny import at_its_bounds

from ganstudy import divergences
from ganstudy.divergences import ClassifierDivergence, DiscreteLaws, Divergence
from ganstudy.engine.stacked import stack
from ganstudy.family import label

Array = NDArray[np.float64]
Sizes = tuple[int, ...]

MEMBERS = list(divergences.family)
SIZES = (2, 3, 5, 9)


def _choices(cls: type[Divergence]) -> Iterator[Divergence]:
    """The member with its defaults, and with every other combination of its literal choices."""
    options = {
        name: get_args(field.annotation)
        for name, field in cls.model_fields.items()
        if get_origin(field.annotation) is Literal
    }
    for values in itertools.product(*options.values()):
        yield cls.model_validate(dict(zip(options, values, strict=True)))


# Parameters at which other formulas hold than at the defaults.
FURTHER: list[dict[str, Any]] = [
    {"name": "least_squares", "a": 0.0, "b": 2.0, "c": 3.0},
    *(
        {"name": "f_alpha", "alpha": alpha, "generator": generator}
        for alpha in (-1.0, 0.3, 1.5, 2.0)
        for generator in ("bound", "trick")
    ),
    *(
        {"name": "alpha_gan", "critic_alpha": d, "generator_alpha": g, "generator": generator}
        for d, g in (
            (1.0, 1.0),
            (0.6, 0.5),
            (1.0, 0.5),
            (2.0, 0.5),
            (0.7, 3.0),
            (3.0, 1.0),
            (2.0, 2.0),
        )
        for generator in ("saturating", "non_saturating")
    ),
]
CHOICES = [choice for member in MEMBERS for choice in _choices(member)]
CASES = [
    *CHOICES,
    *(divergences.family.from_config(settings) for settings in FURTHER),
    *(case for choice in CHOICES for case in at_its_bounds(choice)),
]


def _identity(divergence: Divergence) -> str:
    return str(label(divergence.model_dump()))


every_case = pytest.mark.parametrize("divergence", CASES, ids=_identity)
every_choice = pytest.mark.parametrize("divergence", CHOICES, ids=_identity)
# Sizes of one kind are a loop within a test: a test of its own takes longer than what it asks.
every_size = pytest.mark.parametrize(
    "sizes",
    [
        pytest.param(SIZES[:-1], id="few"),
        pytest.param(SIZES[-1:], id="nine", marks=pytest.mark.slow),
    ],
)


def _law(rng: np.random.Generator, points: int) -> Array:
    """A random law with no point lighter than a tenth of its fair share."""
    return np.asarray(0.9 * rng.dirichlet(np.full(points, 2.0)) + 0.1 / points)


def _laws(points: int, seed: int = 0) -> DiscreteLaws:
    rng = np.random.default_rng([seed, points])
    return DiscreteLaws(_law(rng, points), _law(rng, points), rng.normal(size=(points, 2)))


def _with_q(laws: DiscreteLaws, q: Array) -> DiscreteLaws:
    return DiscreteLaws(laws.p, q, laws.positions)


def _generator_loss(divergence: Divergence, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The generator's loss, whether it looks at p or not."""
    if divergence.paired:
        return divergence.paired_generator_loss(real, fake)
    return divergence.generator_loss(fake)


def _generator_losses(divergence: Divergence, logits: Array) -> Array:
    """The generator's loss at each point: a batch of one sample there."""
    return np.asarray(divergence.generator_loss(torch.tensor(logits[:, None])).numpy())


def _critic_loss(divergence: Divergence, laws: DiscreteLaws, logits: Array) -> float:
    """Expected critic loss, as the member says; `test_expected_losses` holds it to its batches."""
    return divergence.expected_losses(laws, logits)[0]


def _relativistic(p: Array, q: Array, a: Array) -> float:
    """The relativistic average critic loss, written with weights; logsumexp by NumPy."""
    above = p @ np.logaddexp(0, -(a - q @ a))
    return float(above + q @ np.logaddexp(0, a - p @ a))


def _lipschitz(values: Array, positions: Array) -> Array:
    """The largest 1-Lipschitz function below the values (McShane's extension)."""
    return np.asarray((values[None] + cdist(positions, positions)).min(axis=1))


def _admissible(divergence: Divergence, laws: DiscreteLaws, values: Array) -> Array:
    """A critic that the theory admits: 1-Lipschitz where the algorithm asks for a constraint."""
    if divergence.closed_form:
        return divergence.optimal_logits(laws)
    constrained = "constraint" in divergence.defaults
    return _lipschitz(values, laws.positions) if constrained else values


@every_choice
def test_a_loss_is_one_number_for_each_trial(divergence: Divergence) -> None:
    """First of all: where it is one for the whole pack, hardly anything below holds."""
    for pack in ((2,), (2, 3)):
        real, fake = (torch.full((*pack, 4), level) for level in (0.5, -0.5))
        critic = divergence.critic_loss(real, fake)
        assert critic.shape == pack, "the critic's loss is over the last dimension alone"
        generator = _generator_loss(divergence, real, fake)
        assert generator.shape == pack, "the generator's loss is over the last dimension alone"


@pytest.mark.parametrize(
    "divergence", [c for c in CASES if c.descends_exact and not c.paired], ids=_identity
)
@every_size
def test_generator_descends_the_exact_divergence(divergence: Divergence, sizes: Sizes) -> None:
    """At the optimal critic held fixed, d/dq of the loss is d/dq of `exact`, along the simplex.

    Directions are relative to q, so that the stencil's error, h^4/30 times the fifth derivative, is
    far below rounding whatever the smallest q is.
    """
    for points in sizes:
        laws, h = _laws(points), 1e-3
        losses = _generator_losses(divergence, divergence.optimal_logits(laws))
        rng = np.random.default_rng(points)
        # Slopes that differ anywhere differ along almost every direction.
        for _ in range(3):
            relative = rng.uniform(-1, 1, size=points)
            direction = laws.q * (relative - laws.q @ relative)
            slope = sum(
                weight * divergence.exact(_with_q(laws, laws.q + step * h * direction))
                for step, weight in ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
            )
            near = 1e-9 * max(1.0, np.abs(losses) @ np.abs(direction))
            assert losses @ direction == pytest.approx(slope / h, abs=near), f"{points} points"


@every_case
@every_size
def test_random_critics_stay_above_the_minimum(divergence: Divergence, sizes: Sizes) -> None:
    """No admissible critic beats `critic_minimum`, be it random or next to the optimum."""
    for points in sizes:
        laws = _laws(points)
        rng = np.random.default_rng(points)
        least, optimum = divergence.critic_minimum(laws), divergence.optimal_logits(laws)
        for scale in (0.01, 0.1, 1.0, 10.0):
            for centre in (np.zeros(points), optimum):
                values = centre + scale * rng.normal(size=points)
                critic = _admissible(divergence, laws, values)
                assert _critic_loss(divergence, laws, critic) >= least - 1e-9, f"{points} points"


@every_case
@every_size
def test_minimum_is_reached_at_the_optimal_critic(divergence: Divergence, sizes: Sizes) -> None:
    """The optimal critic is admissible, and its loss is the stated minimum."""
    for points in sizes:
        laws = _laws(points)
        optimum = divergence.optimal_logits(laws)
        reached = _critic_loss(divergence, laws, optimum)
        least = divergence.critic_minimum(laws)
        assert reached == pytest.approx(least, abs=1e-9), f"{points} points"
        critic = _admissible(divergence, laws, optimum)
        np.testing.assert_allclose(critic, optimum, atol=1e-9, err_msg=f"{points} points")


@every_case
@every_size
def test_zero_at_equality_and_positive_elsewhere(divergence: Divergence, sizes: Sizes) -> None:
    """A divergence separates laws."""
    for points in sizes:
        for seed in range(5):
            laws = _laws(points, seed)
            assert divergence.exact(laws) > 1e-6, f"{points} points"
            at_equality = divergence.exact(_with_q(laws, laws.p))
            assert at_equality == pytest.approx(0, abs=1e-12), f"{points} points"


@every_case
@every_size
def test_bound_stays_below_its_value_and_reaches_it(divergence: Divergence, sizes: Sizes) -> None:
    """Any critic's loss bounds `variational_value`, and the optimal critic's loss is its value."""
    for points in sizes:
        laws = _laws(points)
        value = divergence.variational_value(laws)
        if value is None:
            restricted = "constraint" in divergence.defaults or divergence.closed_form
            restricted = restricted or divergence.charged
            assert restricted, "critics at will, but no bound"
            assert divergence.bound(np.zeros(3)) is None
            continue
        assert value > 1e-6, f"{points} points"
        at_equality = divergence.variational_value(_with_q(laws, laws.p))
        assert at_equality == pytest.approx(0, abs=1e-12), f"{points} points"
        optimum = divergence.optimal_logits(laws)
        rng = np.random.default_rng(points)
        critics = [
            centre + scale * rng.normal(size=points)
            for scale in (0.01, 0.1, 1.0, 10.0)
            for centre in (np.zeros(points), optimum)
        ]
        bounds = divergence.bound(np.array([_critic_loss(divergence, laws, c) for c in critics]))
        assert bounds is not None
        assert (bounds <= value + 1e-9).all(), f"{points} points"
        tight = divergence.bound(np.array(_critic_loss(divergence, laws, optimum)))
        assert tight == pytest.approx(value, abs=1e-9), f"{points} points"


def _is_zero_sum(divergence: Divergence) -> bool:
    """Whether the losses add up to what no logit on q changes."""
    fake = torch.linspace(-3, 3, 25, dtype=torch.float64)[:, None]
    real = torch.zeros_like(fake)
    total = divergence.critic_loss(real, fake) + _generator_loss(divergence, real, fake)
    return float(total.max() - total.min()) < 1e-9


AT_THE_OPTIMUM = {"hinge"}
"""Whose losses descend what their critic bounds, though their game is zero-sum only there."""


@pytest.mark.parametrize("cls", MEMBERS, ids=lambda cls: cls.name)
def test_a_game_whose_players_have_one_divergence_is_named(cls: type[Divergence]) -> None:
    """In docs/objectives.md: the zero-sum ones, and those that are so at the optimum."""
    if cls.plugin:
        pytest.skip("no page has a plug-in")
    page = (Path(__file__).parents[2] / "docs" / "objectives.md").read_text("utf-8")
    told = re.search(r"only in the zero-sum\s+games \(([^)]*)\)", page)
    assert told
    patterns = re.findall(r"`([\w*]+)`", told[1])
    laws, found = _laws(5), set()
    for case in (own for own in CASES if own.name == cls.name):
        value = case.variational_value(laws)
        if value is None:
            continue
        same = case.descends_exact and abs(case.exact(laws) - value) < 1e-9
        owing = f"{case}: if it is zero-sum at the optimum alone, name it in AT_THE_OPTIMUM"
        assert same == (_is_zero_sum(case) or case.name in AT_THE_OPTIMUM), owing
        found.add(same)
    named = any(fnmatch(cls.name, own) for own in patterns)
    assert (True in found) == named, "docs/objectives.md, at the zero-sum games"


def _cressie_read(a: Array, b: Array, order: float) -> float:
    """2/(order (order + 1)) E_a[(a/b)^order - 1], by SciPy."""
    return float(power_divergence(a, b, lambda_=order).statistic)


def _mmd(laws: DiscreteLaws, bandwidth: float) -> float:
    """Double sums over points, with scikit-learn's distances."""
    squared = euclidean_distances(laws.positions, squared=True)
    total = 0.0
    for a in (0.2, 0.5, 1, 2, 5):
        gram = np.power(1 + squared / (2 * a * bandwidth**2), -a)
        within = laws.p @ gram @ laws.p + laws.q @ gram @ laws.q
        total += float(within - 2 * laws.p @ gram @ laws.q)
    return total


def _energy(laws: DiscreteLaws) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'|, by SciPy's distances."""
    distance = cdist(laws.positions, laws.positions)
    within = laws.p @ distance @ laws.p + laws.q @ distance @ laws.q
    return float(2 * laws.p @ distance @ laws.q - within)


def _pairing(p: Array, q: Array, a: Array) -> float:
    """The loss of all pairs, point by point."""
    return sum(
        p[i] * q[j] * float(np.logaddexp(0, a[j] - a[i]))
        for i, j in itertools.product(range(len(p)), repeat=2)
    )


def _relativistic_divergence(
    laws: DiscreteLaws, loss: Callable[[Array, Array, Array], float] = _relativistic
) -> float:
    """The infimum by sequential quadratic programming, with slopes from differences."""
    found = minimize(
        lambda a: loss(laws.p, laws.q, np.append(a, 0.0)),
        np.zeros(len(laws.p) - 1),
        method="SLSQP",
        options={"ftol": 1e-16},
    )
    return loss(laws.p, laws.q, np.zeros(len(laws.p))) - float(found.fun)


def _by_quadrature(laws: DiscreteLaws, alpha: float, beta: float, saturating: bool) -> float:
    """E_q of the integral of (u - s) phi'', phi'' from minus the slope of the loss over u.

    The loss at the best critic is written out, and differentiated by SymPy.
    """
    u = sympy.symbols("u", positive=True)
    right = u**alpha / (1 + u**alpha)
    if saturating:
        loss = sympy.log(1 - right) if beta == 0 else -(1 - (1 - right) ** beta) / beta
    else:
        loss = -sympy.log(right) if beta == 0 else (1 - right**beta) / beta
    bend = sympy.lambdify(u, -sympy.diff(loss, u) / u)
    return sum(
        q * quad(lambda s, r=r: (r - s) * bend(s), 1, r, epsabs=1e-13, epsrel=1e-13)[0]
        for q, r in zip(laws.q, laws.p / laws.q, strict=True)
    )


def _sinkhorn(laws: DiscreteLaws, epsilon: float, pot: bool = False) -> float:
    """By the best potential of the dual, found by SciPy; or by cost and entropy of POT's plans."""
    cost = cdist(laws.positions, laws.positions)

    def planned(a: Array, b: Array) -> float:
        settings = {"method": "sinkhorn_log", "stopThr": 1e-12, "numItermax": 3000, "warn": False}
        plan = ot.sinkhorn(a, b, cost, epsilon, **settings)
        return float((plan * cost).sum() + epsilon * entropy(plan.ravel(), np.outer(a, b).ravel()))

    def dual(a: Array, b: Array) -> float:
        def loss(f: Array) -> tuple[float, Array]:
            g = -epsilon * np.log(np.exp((f[:, None] - cost) / epsilon).T @ a)
            plan = a[:, None] * b * np.exp((f[:, None] + g - cost) / epsilon)
            return float(-a @ f - b @ g), plan.sum(1) - a

        start = np.zeros(len(a))
        found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-13})
        return -float(found.fun)

    transport = planned if pot else dual
    within = transport(laws.p, laws.p) + transport(laws.q, laws.q)
    return transport(laws.p, laws.q) - within / 2


def _least_of_plans(laws: DiscreteLaws, price: Callable[[Array], Array]) -> float:
    """Unbalanced transport by plans, without duality: cost of the ways and price of marginals."""
    cost = 0.5 * cdist(laws.positions, laws.positions, "sqeuclidean")

    def paid(plan: Array) -> float:
        plan = plan.reshape(cost.shape)
        on_q, on_p = plan.sum(1) / laws.q, plan.sum(0) / laws.p
        return float((cost * plan).sum() + laws.q @ price(on_q) + laws.p @ price(on_p))

    def slopes(plan: Array) -> Array:
        plan = plan.reshape(cost.shape)
        marginals = plan.sum(1) / laws.q, plan.sum(0) / laws.p
        on_q, on_p = ((price(x + 1e-6) - price(x - 1e-6)) / 2e-6 for x in marginals)
        return np.asarray(cost + on_q[:, None] + on_p).ravel()

    start = np.outer(laws.q, laws.p).ravel()
    options = {"ftol": 1e-16, "gtol": 1e-10, "maxiter": 20_000, "maxfun": 50_000}
    bounds = [(1e-12, None)] * cost.size
    found = minimize(paid, start, jac=slopes, method="L-BFGS-B", bounds=bounds, options=options)
    return float(found.fun)


REFERENCES: dict[str, Callable[[DiscreteLaws], float]] = {
    "otm(weight=0.5)": lambda laws: float(
        ot.emd2(laws.q, laws.p, 0.5 * cdist(laws.positions, laws.positions, "sqeuclidean"))
    ),
    "uotm(weight=0.5, price=kl)": lambda laws: _least_of_plans(laws, lambda u: xlogy(u, u) - u + 1),
    "uotm(weight=0.5, price=softplus)": lambda laws: _least_of_plans(
        # Infinite beyond two, where a steep line keeps the search from getting lost.
        laws,
        lambda u: (
            xlogy(u, u)
            + xlogy(np.maximum(2 - u, 0), np.maximum(2 - u, 0))
            + 1e3 * np.maximum(u - 2, 0)
        ),
    ),
    "sinkhorn_divergence(epsilon=0.5, iterations=50)": lambda laws: _sinkhorn(laws, 0.5),
    **{
        f"alpha_gan(critic_alpha={d}, generator_alpha={g}, generator={name})": (
            lambda laws, d=d, g=g, name=name: _by_quadrature(
                laws, d, 1 - 1 / g, name == "saturating"
            )
        )
        for d, g in ((0.5, 1.0), (0.7, 3.0))
        for name in ("saturating", "non_saturating")
    },
    # Limits and special cases are other divergences of SciPy.
    "alpha_gan(critic_alpha=1.0, generator_alpha=1.0, generator=saturating)": lambda laws: (
        2 * float(jensenshannon(laws.p, laws.q)) ** 2
    ),
    "alpha_gan(critic_alpha=1.0, generator_alpha=1.0, generator=non_saturating)": lambda laws: (
        float(entropy(laws.q, laws.p)) - 2 * float(jensenshannon(laws.p, laws.q)) ** 2
    ),
    "alpha_gan(critic_alpha=1.0, generator_alpha=0.5, generator=saturating)": lambda laws: float(
        entropy(laws.p, laws.q)
    ),
    "alpha_gan(critic_alpha=2.0, generator_alpha=0.5, generator=saturating)": lambda laws: (
        _cressie_read(laws.p, laws.q, 1)
    ),
    "alpha_gan(critic_alpha=0.6, generator_alpha=0.5, generator=saturating)": lambda laws: (
        0.6 * _cressie_read(laws.p, laws.q, -0.4) / 2
    ),
    "minimax": lambda laws: 2 * float(jensenshannon(laws.p, laws.q)) ** 2,
    "non_saturating": lambda laws: (
        float(entropy(laws.q, laws.p)) - 2 * float(jensenshannon(laws.p, laws.q)) ** 2
    ),
    "reverse_kl": lambda laws: float(entropy(laws.q, laws.p)),
    "forward_kl": lambda laws: float(entropy(laws.p, laws.q)),
    "wasserstein": lambda laws: float(
        ot.emd2(laws.p, laws.q, cdist(laws.positions, laws.positions))
    ),
    "hinge": lambda laws: float(cityblock(laws.p, laws.q)),
    "mmd(bandwidth=0.5)": lambda laws: _mmd(laws, 0.5),
    "energy_distance": lambda laws: _energy(laws),
    "relativistic_average(generator=bound)": lambda laws: _relativistic_divergence(laws),
    "relativistic_average(generator=swapped)": lambda laws: _relativistic_divergence(laws),
    **{
        f"relativistic_pairing(generator={generator}, pairing={pairing})": lambda laws: (
            _relativistic_divergence(laws, _pairing)
        )
        for generator in ("bound", "swapped")
        for pairing in ("random", "all")
    },
    # Le Cam's distance is twice the chi-square of p from the midpoint.
    "least_squares(a=0.0, b=1.0, c=1.0)": lambda laws: (
        float(entropy(laws.p, (laws.p + laws.q) / 2))
        - _cressie_read(laws.p, (laws.p + laws.q) / 2, 1) / 4
    ),
    "f_kl(generator=bound)": lambda laws: float(entropy(laws.p, laws.q)),
    "f_kl(generator=trick)": lambda laws: float(entropy(laws.q, laws.p)),
    "f_reverse_kl(generator=bound)": lambda laws: float(entropy(laws.q, laws.p)),
    "f_reverse_kl(generator=trick)": lambda laws: _cressie_read(laws.q, laws.p, 1) / 2,
    "f_jensen_shannon(generator=bound)": lambda laws: 2 * float(jensenshannon(laws.p, laws.q)) ** 2,
    "f_jensen_shannon(generator=trick)": lambda laws: (
        2 * float(entropy((laws.p + laws.q) / 2, laws.p))
    ),
    "f_gan(generator=bound)": lambda laws: 2 * float(jensenshannon(laws.p, laws.q)) ** 2,
    "f_gan(generator=trick)": lambda laws: 2 * float(entropy((laws.p + laws.q) / 2, laws.p)),
    "f_pearson(generator=bound)": lambda laws: _cressie_read(laws.p, laws.q, 1),
    "f_pearson(generator=trick)": lambda laws: 2 * float(entropy(laws.p, laws.q)),
    "f_neyman(generator=bound)": lambda laws: _cressie_read(laws.q, laws.p, 1),
    "f_neyman(generator=trick)": lambda laws: _cressie_read(laws.q, laws.p, 2),
    "f_squared_hellinger(generator=bound)": lambda laws: (
        float(np.linalg.norm(np.sqrt(laws.p) - np.sqrt(laws.q))) ** 2
    ),
    "f_squared_hellinger(generator=trick)": lambda laws: _cressie_read(laws.q, laws.p, 0.5) / 4,
    "f_total_variation(generator=bound)": lambda laws: float(cityblock(laws.p, laws.q)) / 2,
    "f_total_variation(generator=trick)": lambda laws: float(cityblock(laws.p, laws.q)) / 2,
    "f_alpha(generator=bound, alpha=0.5)": lambda laws: _cressie_read(laws.p, laws.q, -0.5) / 2,
    "f_alpha(generator=trick, alpha=0.5)": lambda laws: _cressie_read(laws.p, laws.q, -1.5) / 2,
    "f_alpha(generator=bound, alpha=-1.0)": lambda laws: _cressie_read(laws.q, laws.p, 1) / 2,
    "f_alpha(generator=trick, alpha=2.0)": lambda laws: float(entropy(laws.p, laws.q)),
}


@pytest.mark.parametrize("choice", CHOICES, ids=_identity)
def test_every_divergence_has_a_reference(choice: Divergence) -> None:
    """A new member brings its truth with it."""
    if choice.plugin:
        pytest.skip("what a plug-in's divergence is, its own words state alone")
    assert _identity(choice) in REFERENCES, "state its truth, in REFERENCES"


@pytest.mark.parametrize("name", sorted(REFERENCES))
@every_size
def test_exact_value_agrees_with_scipy_and_pot(name: str, sizes: Sizes) -> None:
    """Published implementations of the same functionals."""
    (divergence,) = (case for case in CASES if _identity(case) == name)
    for points in sizes:
        for seed in range(5):
            laws = _laws(points, seed)
            reference = REFERENCES[name](laws)
            exact = divergence.exact(laws)
            assert exact == pytest.approx(reference, abs=1e-9, rel=1e-9), f"{points} points"


@every_size
def test_two_forms_of_the_non_saturating_divergence(sizes: Sizes) -> None:
    """2 KL((p + q)/2 || p) = KL(q || p) - 2 JS(p, q), factor 2 included."""
    for points in sizes:
        laws = _laws(points)
        left = 2 * float(entropy((laws.p + laws.q) / 2, laws.p))
        right = float(entropy(laws.q, laws.p)) - 2 * float(jensenshannon(laws.p, laws.q)) ** 2
        assert left == pytest.approx(right, abs=1e-12), f"{points} points"
        exact = divergences.family["non_saturating"]().exact(laws)
        assert exact == pytest.approx(left, abs=1e-12), f"{points} points"


@pytest.mark.parametrize("generator", ["saturating", "non_saturating"])
def test_alpha_gan_at_one_is_the_log_loss(generator: str) -> None:
    """Losses and their slopes, from either side and at the limit itself."""
    names = {"saturating": "minimax", "non_saturating": "non_saturating"}
    limit = divergences.family[names[generator]]()
    logits = [torch.linspace(-20, 20, 81, dtype=torch.float64)[:, None] for _ in range(2)]
    for alpha in (1 - 1e-8, 1.0, 1 + 1e-8):
        settings = {"critic_alpha": alpha, "generator_alpha": alpha, "generator": generator}
        own = divergences.family["alpha_gan"].model_validate(settings)
        for found, expected in zip(_curves(own, *logits), _curves(limit, *logits), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("generator", ["saturating", "non_saturating"])
@pytest.mark.parametrize("alpha", [30.0, 100.0, 1e3])
def test_alpha_gan_of_a_steep_critic_is_integrated(alpha: float, generator: str) -> None:
    """Its integrand is a step at p = q; SciPy is told where, and integrates piece by piece."""
    logs = np.array([-8.0, -0.5, -0.01, 0.02, 3.0, 8.0])
    q = np.exp(-logs / 2) / np.exp(-logs / 2).sum()
    laws = DiscreteLaws(q * np.exp(logs), q, np.zeros((len(q), 2)))
    power = {"saturating": alpha - 1, "non_saturating": -1}[generator]

    def integrand(t: float, end: float) -> float:
        bent = alpha * np.exp(power * t - np.logaddexp(0, alpha * t))
        return float((np.exp(end) - np.exp(t)) * bent)

    def phi(end: float) -> float:
        steps = [0, *(k / alpha for k in (1, 3, 10, 40)), abs(end)]
        ends = np.sign(end) * np.array(sorted(step for step in steps if step <= abs(end)))
        return sum(quad(integrand, *part, (end,), epsabs=0)[0] for part in itertools.pairwise(ends))

    settings = {"critic_alpha": alpha, "generator": generator}
    exact = divergences.family["alpha_gan"].model_validate(settings).exact(laws)
    assert exact == pytest.approx(float(q @ [phi(end) for end in logs]), rel=1e-9)


def test_alpha_gan_that_is_steep_far_from_equality_is_integrated() -> None:
    """With alpha_G = 1/2 it is a power of the ratio, whose integrand is all at the far end."""
    logs, alpha = np.array([-3.0, -0.2, 0.1, 2.0, 3.0]), 100.0
    q = np.full(5, 0.2)
    laws = DiscreteLaws(q * np.exp(logs), q, np.zeros((5, 2)))
    settings = {"critic_alpha": alpha, "generator_alpha": 0.5}
    exact = divergences.family["alpha_gan"].model_validate(settings).exact(laws)
    powers = np.exp(alpha * logs) - alpha * np.exp(logs) + alpha - 1
    assert exact == pytest.approx(float(q @ powers) / (alpha - 1), rel=1e-12)


def _curves(divergence: Divergence, real: torch.Tensor, fake: torch.Tensor) -> list[torch.Tensor]:
    leaves = [x.clone().requires_grad_() for x in (real, fake)]
    losses = divergence.critic_loss(*leaves), _generator_loss(divergence, *leaves)
    return [
        *losses,
        *torch.autograd.grad(losses[0].sum(), leaves),
        *torch.autograd.grad(losses[1].sum(), leaves[1]),
    ]


@pytest.mark.parametrize("divergence", [c for c in CASES if c.log_ratio], ids=_identity)
@every_size
def test_best_logit_is_the_log_ratio_where_it_is_said_to_be(
    divergence: Divergence, sizes: Sizes
) -> None:
    """An estimate of log p/q takes the critic's place there."""
    for points in sizes:
        laws = _laws(points)
        found, ratio = divergence.optimal_logits(laws), np.log(laws.p / laws.q)
        np.testing.assert_allclose(found, ratio, rtol=1e-12, atol=1e-12, err_msg=f"{points} points")


@pytest.mark.parametrize(
    "divergence", [c for c in CASES if c.uninformed_loss() is not None], ids=_identity
)
def test_no_finite_logit_is_best_only_where_it_is_said(divergence: Divergence) -> None:
    """Beyond the best logits the critic loses; where none is best, larger ones cost nothing."""
    laws = _laws(5)
    best = divergence.optimal_logits(laws)
    loss = _critic_loss(divergence, laws, 2 * best) - divergence.critic_minimum(laws)
    assert (loss > 1e-6) == divergence.attained


@pytest.mark.parametrize(
    "divergence", [c for c in CASES if c.log_ratio or c.classifies], ids=_identity
)
def test_a_classifiers_best_probability_is_one_half_at_equality(divergence: Divergence) -> None:
    """D = sigma(logit) is 1/2 where p = q, and above it where p > q."""
    laws = _laws(5)
    equal = divergence.optimal_logits(_with_q(laws, laws.p))
    np.testing.assert_allclose(equal, 0, atol=1e-12)
    np.testing.assert_array_equal(divergence.optimal_logits(laws) > 0, laws.p > laws.q)


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


@every_case
def test_finite_for_extreme_logits(divergence: Divergence) -> None:
    """Losses and gradients are finite, also where others of the same member overflow later."""
    for level in (-80.0, 80.0):
        losses, gradients = _at(divergence, level)
        for tensor in (*losses, *gradients):
            assert bool(torch.isfinite(tensor).all()), f"at logits of {level}"
        assert all(loss.shape == (2,) for loss in losses)


@every_choice
def test_samples_on_the_wrong_side_pull(divergence: Divergence) -> None:
    """A critic that is far wrong has a gradient, unless `saturates` says that it has none.

    That is what losses on logits are for.
    """
    _, (real, _, _) = _at(divergence, -80.0)
    _, (_, fake, _) = _at(divergence, 80.0)
    weakest = min(float(gradient.abs().min()) for gradient in (real, fake))
    assert (weakest < 1e-3) == divergence.saturates


@every_choice
def test_overflow_is_documented(divergence: Divergence) -> None:
    """Far beyond the range of e^x, numbers are finite if and only if `overflows` is not set."""
    finite = all(
        bool(torch.isfinite(tensor).all())
        for level in (-1000.0, 1000.0)
        for tensors in _at(divergence, level)
        for tensor in tensors
    )
    assert finite != divergence.overflows


@pytest.mark.parametrize("alpha", [0.3, 0.5, 0.8, 0.91])
def test_where_losses_of_an_alpha_overflow_is_documented(alpha: float) -> None:
    """The limits of docs/objectives.md: finite a little before, infinite a little behind."""
    odds = alpha / (1 - alpha)
    cases = [
        ("f_alpha", "alpha", 88 / odds, float(np.log(1 - alpha))),
        ("alpha_gan", "critic_alpha", 88 * odds, 0.0),
    ]
    for name, field, limit, offset in cases:
        divergence = divergences.family.from_config({"name": name, field: alpha})
        for share, finite in ((0.95, True), (1.05, False)):
            logits = torch.tensor([share * limit + offset])
            loss = divergence.critic_loss(torch.zeros(1), logits)
            assert bool(torch.isfinite(loss)) == finite


@pytest.mark.parametrize("alpha", [1.01, 1.04])
def test_where_losses_of_an_alpha_above_one_overflow_is_documented(alpha: float) -> None:
    """So near to one the power is a hundred, and overflows in the hundreds."""
    limit = float(np.expm1(88 * (alpha - 1) / alpha)) / (alpha - 1)
    assert limit == pytest.approx({1.01: 139, 1.04: 713}[alpha], rel=0.005)
    divergence = divergences.family.from_config({"name": "f_alpha", "alpha": alpha})
    for share, finite in ((0.95, True), (1.05, False)):
        loss = divergence.critic_loss(torch.zeros(1), torch.tensor([share * limit]))
        assert bool(torch.isfinite(loss)) == finite


def test_every_divergence_that_overflows_is_named() -> None:
    """In docs/objectives.md, under the heading of numbers out of range."""
    page = (Path(__file__).parents[2] / "docs" / "objectives.md").read_text("utf-8")
    told = page.split("## Numbers out of range")[1].split("`saturates`")[0]
    named = set(re.findall(r"`(\w+)`", told)) - {"overflows", "diverged"}
    assert named == {case.name for case in CASES if case.overflows}


def _at(divergence: Divergence, level: float) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Losses at one level of all logits; the critic's gradients, and the generator's."""
    real = torch.full((2, 4), level, requires_grad=True)
    fake = torch.full((2, 4), level, requires_grad=True)
    critic, generator = divergence.critic_loss(real, fake), _generator_loss(divergence, real, fake)
    gradients = [
        *torch.autograd.grad(critic.sum(), (real, fake)),
        *torch.autograd.grad(generator.sum(), fake),
    ]
    return [critic, generator], gradients


SECOND = [case for case in CASES if not case.closed_form]
LEVELS = [sign * level for level in (0.0, 1.0, 40.0, 80.0, 89.0, 200.0, 1000.0) for sign in (-1, 1)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("divergence", SECOND, ids=_identity)
def test_second_derivatives_are_finite(
    divergence: Divergence, level: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Update schemes take them. They are finite wherever the squares of first ones are."""
    monkeypatch.setattr(Divergence, "differentiated_twice", True)
    real = torch.full((2, 4), level, requires_grad=True)
    fake = torch.full((2, 4), level, requires_grad=True)
    losses = divergence.critic_loss(real, fake) + _generator_loss(divergence, real, fake)
    gradients = torch.autograd.grad(losses.sum(), (real, fake), create_graph=True)
    total = sum((gradient**2).sum() for gradient in gradients)
    assert isinstance(total, torch.Tensor)
    if not torch.isfinite(total):
        assert divergence.overflows
        assert abs(level) > 40
        return
    if total.requires_grad:
        for second in torch.autograd.grad(total, (real, fake), allow_unused=True):
            assert second is None or bool(torch.isfinite(second).all())


def _method(divergence: Divergence, player: str) -> str:
    if player == "critic":
        return "critic_loss"
    return "paired_generator_loss" if divergence.paired else "generator_loss"


def _kin(traits: tuple[bool, bool, bool]) -> list[Divergence]:
    """Those that may share a pack."""
    return [case for case in CASES if case.traits == traits]


def _inputs(kin: list[Divergence], player: str) -> list[torch.Tensor]:
    both = player == "critic" or kin[0].paired
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(len(kin), 32, generator=generator) for _ in range(1 + both)]


def _losses(
    members: list[Divergence], method: str, shared: bool, inputs: list[torch.Tensor]
) -> list[torch.Tensor]:
    """The losses of a pack and their gradients."""
    pack = stack(members, torch.device("cpu"))
    pack = pack.sharing(method) if shared else pack
    leaves = [x.clone().requires_grad_() for x in inputs]
    losses = pack.select(lambda member, *x: getattr(member, method)(*x), *leaves)
    return [losses, *torch.autograd.grad(losses.sum(), leaves)]


@cache
def _together(traits: tuple[bool, bool, bool], player: str, shared: bool) -> list[torch.Tensor]:
    """Losses and gradients of the pack of all kin."""
    kin = _kin(traits)
    return _losses(kin, _method(kin[0], player), shared, _inputs(kin, player))


@every_case
def test_stacked_with_the_whole_family_equals_alone(divergence: Divergence) -> None:
    """A pack of all cases gives each trial the loss and gradient that it has with its double."""
    kin = _kin(divergence.traits)
    own = kin.index(divergence)
    for player, shared in itertools.product(("critic", "generator"), (False, True)):
        alone = [x[own].expand(2, -1) for x in _inputs(kin, player)]
        pairs = _losses([divergence] * 2, _method(divergence, player), shared, alone)
        for whole, pair in zip(_together(divergence.traits, player, shared), pairs, strict=True):
            assert torch.equal(whole[own], pair[0]), f"{player}, shared: {shared}"


@pytest.mark.parametrize("player", ["critic", "generator"])
def test_overflow_stays_with_its_trial(player: str) -> None:
    """Infinite losses of some trials leave the numbers of all others as they are."""
    example = divergences.family["minimax"]()
    kin = _kin(example.traits)
    inputs = _inputs(kin, player)
    hit = torch.tensor([case.overflows for case in kin])
    assert bool(hit.any())
    struck = [torch.where(hit[:, None], 1000 * x, x) for x in inputs]
    method = _method(example, player)
    for calm, storm in zip(
        _losses(kin, method, True, inputs), _losses(kin, method, True, struck), strict=True
    ):
        assert torch.equal(calm[~hit], storm[~hit])


# --- critics in closed form ----------------------------------------------------------------------

KERNELS = [case for case in CASES if case.closed_form]
every_kernel = pytest.mark.parametrize("divergence", KERNELS, ids=_identity)


def _clouds(dimension: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(dimension)
    x, y = rng.normal(size=(7, dimension)), 0.5 + 2 * rng.normal(size=(5, dimension))
    return torch.from_numpy(x), torch.from_numpy(y)


def _of_samples(divergence: Divergence, x: Array, y: Array) -> float:
    """The divergence of two empirical laws, through `exact` on their union."""
    p = np.concatenate([np.full(len(x), 1 / len(x)), np.zeros(len(y))])
    q = np.concatenate([np.zeros(len(x)), np.full(len(y), 1 / len(y))])
    return divergence.exact(DiscreteLaws(p, q, np.concatenate([x, y])))


@every_kernel
@pytest.mark.parametrize("dimension", [1, 2, 64])
def test_witness_on_samples(divergence: Divergence, dimension: int) -> None:
    """The critic's loss at the witness is minus the divergence of the empirical laws."""
    x, y = _clouds(dimension)
    on_x = divergence.witness_on_p(x[None], x[None], y[None])
    on_y = divergence.witness(y[None], x[None], y[None])
    assert on_x.shape == (1, len(x))
    loss = divergence.critic_loss(on_x, on_y)
    expected = _of_samples(divergence, x.numpy(), y.numpy())
    assert -float(loss[0]) == pytest.approx(expected, rel=1e-9)


@every_kernel
@pytest.mark.parametrize("dimension", [1, 2, 64])
def test_generator_follows_the_gradient_through_its_samples(
    divergence: Divergence, dimension: int
) -> None:
    """With the witness held fixed, each sample moves as MMD^2 of the samples has it move."""
    x, y = _clouds(dimension)
    y.requires_grad_()
    witness = divergence.witness(y[None], x[None], y.detach()[None])
    (found,) = torch.autograd.grad(divergence.generator_loss(witness).sum(), y)
    start, h = y.detach().numpy(), 1e-5
    for place in [(0, 0), (3, dimension - 1), (4, dimension // 2)]:
        step = np.zeros_like(start)
        step[place] = h
        up, down = (_of_samples(divergence, x.numpy(), start + s * step) for s in (1, -1))
        assert float(found[place]) == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-9)


@every_kernel
def test_coinciding_samples_have_a_gradient(divergence: Divergence) -> None:
    """Where samples of q meet, among themselves and those of p, nothing is NaN."""
    x = torch.zeros(2, 6, 3)
    y = torch.zeros(2, 6, 3, requires_grad=True)
    witness = divergence.witness(y, x, y.detach())
    (gradient,) = torch.autograd.grad(divergence.generator_loss(witness).sum(), y)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-5, rtol=0)
    assert bool(torch.isfinite(witness).all())


@pytest.mark.slow
@every_size
def test_sinkhorn_divergence_is_that_of_pot(sizes: Sizes) -> None:
    """As far as its iterations come: some equal laws take more than it is given."""
    for points in sizes:
        for seed in range(3):
            laws = _laws(points, seed)
            found = divergences.family["sinkhorn_divergence"]().exact(laws)
            theirs = _sinkhorn(laws, 0.5, pot=True)
            assert found == pytest.approx(theirs, abs=1e-6), f"{points} points"


@pytest.mark.slow
@every_size
def test_sinkhorn_divergence_lies_between_its_limits(sizes: Sizes) -> None:
    """A small epsilon gives W_1, by POT; a large one half the energy distance."""
    for points in sizes:
        laws = _laws(points)
        make = divergences.family["sinkhorn_divergence"].model_validate
        near = float(ot.emd2(laws.p, laws.q, cdist(laws.positions, laws.positions)))
        small, large = (make({"epsilon": own}).exact(laws) for own in (0.02, 1e5))
        assert small == pytest.approx(near, abs=0.02), f"{points} points"
        assert large == pytest.approx(_energy(laws) / 2, rel=1e-3), f"{points} points"


def test_energy_distance_on_the_line_is_that_of_scipy() -> None:
    """SciPy's is the square root, of samples."""
    x, y = _clouds(1)
    value = _of_samples(divergences.family["energy_distance"](), x.numpy(), y.numpy())
    expected = float(energy_distance(x.numpy()[:, 0], y.numpy()[:, 0])) ** 2
    assert value == pytest.approx(expected, rel=1e-9)


def test_each_trial_of_a_pack_has_the_witness_of_its_own_kernel() -> None:
    """Kernels and bandwidths may differ within a pack."""
    make = divergences.family.from_config
    members = [
        make("mmd"),
        make("energy_distance"),
        make({"name": "mmd", "bandwidth": 2.0}),
    ]
    x, y = (z.float()[None].expand(3, -1, -1) for z in _clouds())
    pack = stack(members, torch.device("cpu"))
    together = pack.select(lambda member, *z: member.witness(*z), y, x, y)
    for row, member in enumerate(members):
        alone = member.witness(y[:1], x[:1], y[:1])
        torch.testing.assert_close(together[row], alone[0], rtol=1e-6, atol=1e-7)
    assert not torch.allclose(together[0], together[2], rtol=0.1)


# --- the relativistic average --------------------------------------------------------------------


def _answers(divergence: Divergence, a: Array) -> Array:
    """The largest logits less the cost of the way, from points whose positions are their logits."""
    x = torch.from_numpy(a)[:, None]
    costs = [divergence.way_cost(x, x[i : i + 1].expand_as(x)).numpy() for i in range(len(a))]
    return np.max([a[i] - cost for i, cost in enumerate(costs)], axis=0)


COUNTS = [((3, 1, 4), (2, 5, 1)), ((1, 7), (6, 2)), ((2, 2, 2, 2), (1, 3, 3, 1))]


def _replicated(counts: tuple[int, ...], logits: Array) -> torch.Tensor:
    return torch.tensor(np.repeat(logits, counts))[None]


@pytest.mark.parametrize("divergence", [c for c in CASES if not c.closed_form], ids=_identity)
def test_expected_losses(divergence: Divergence) -> None:
    """Batches that hold each point as often as its law says, over all ways to turn one of them:
    every sample of p stands beside every sample of q once. Where ways are charged for, each sample
    of q has gone where its logit less the cost is largest.
    """
    for on_p, on_q in COUNTS:
        p, q = (np.array(counts) / sum(counts) for counts in (on_p, on_q))
        a = np.random.default_rng(1).normal(size=len(p))
        on_way = a if not divergence.charged else _answers(divergence, a)
        real, fake = _replicated(on_p, a), _replicated(on_q, on_way)
        turns = [fake.roll(turn, -1) for turn in range(fake.shape[-1])]
        found = divergence.expected_losses(DiscreteLaws(p, q, a[:, None]), a)
        losses = [
            np.mean([float(loss(real, turned)) for turned in turns])
            for loss in (divergence.critic_loss, lambda x, y: _generator_loss(divergence, x, y))
        ]
        told = f"counts {on_p} and {on_q}"
        np.testing.assert_allclose(found, losses, rtol=1e-12, atol=1e-14, err_msg=told)


@pytest.mark.parametrize(("on_p", "on_q"), COUNTS)
def test_relativistic_losses_on_rational_laws(on_p: tuple[int, ...], on_q: tuple[int, ...]) -> None:
    """Batches that hold each point as often as its law says, against sums with weights."""
    p, q = (np.array(counts) / sum(counts) for counts in (on_p, on_q))
    a = np.random.default_rng(0).normal(size=len(p))
    real, fake = _replicated(on_p, a), _replicated(on_q, a)
    make = divergences.family["relativistic_average"].model_validate
    bound, swapped = make({"generator": "bound"}), make({"generator": "swapped"})
    critic = _relativistic(p, q, a)
    assert float(bound.critic_loss(real, fake)) == pytest.approx(critic, rel=1e-12)
    assert float(bound.paired_generator_loss(real, fake)) == pytest.approx(-critic, rel=1e-12)
    # Jolicoeur-Martineau 2019: samples of q should exceed the mean of p, and those of p
    # fall short of the mean of q.
    expected = q @ np.logaddexp(0, -(a - p @ a)) + p @ np.logaddexp(0, a - q @ a)
    assert float(swapped.paired_generator_loss(real, fake)) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(NotImplementedError):
        bound.generator_loss(fake)


PAIRED = [case for case in CASES if case.paired]


@pytest.mark.parametrize("divergence", PAIRED, ids=_identity)
@every_size
def test_paired_generator_descends_what_it_says(divergence: Divergence, sizes: Sizes) -> None:
    """The expected loss at the optimal critic held fixed has the slope of `exact` along the
    simplex, where the member says so; and has not, where it does not. So many directions as points
    span the simplex.
    """
    for points in sizes:
        laws, h = _laws(points), 1e-3
        a = divergence.optimal_logits(laws)
        rng = np.random.default_rng(points)
        misses = []
        stencil = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
        for _ in range(points):
            relative = rng.uniform(-1, 1, size=points)
            direction = laws.q * (relative - laws.q @ relative)
            moved = [(w, _with_q(laws, laws.q + s * h * direction)) for s, w in stencil]
            slope = sum(w * divergence.exact(at) for w, at in moved) / h
            loss = sum(w * divergence.expected_losses(at, a)[1] for w, at in moved) / h
            misses.append(abs(loss - slope))
        assert (max(misses) < 1e-8) == divergence.descends_exact, f"{points} points"


@pytest.mark.slow
def test_a_distance_on_a_line_of_points_takes_little_memory() -> None:
    """The programme had a number for every three points: 12 GB for 800 of them."""
    x = np.linspace(-1, 1, 200)
    p, q = (np.exp(-((x - centre) ** 2) / width) for centre, width in ((0, 0.1), (0.3, 0.2)))
    laws = DiscreteLaws(p / p.sum(), q / q.sum(), x[:, None])
    tracemalloc.start()
    found = divergences.family.from_config("wasserstein").exact(laws)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == pytest.approx(wasserstein_distance(x, x, laws.p, laws.q), rel=1e-9)
    assert peak < 25e6
