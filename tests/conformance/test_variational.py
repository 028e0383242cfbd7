"""The f-GAN family: f, f*, g_f, T* and companions, against symbols and numbers of others."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
import torch
from numpy.typing import NDArray

from ganstudy import divergences
from ganstudy.divergences import VariationalDivergence
from ganstudy.engine.stacked import stack
from ganstudy.study import load

Array = NDArray[np.float64]

STUDY = Path(__file__).parents[2] / "studies" / "f_divergences.yaml"

u = sympy.Symbol("u", positive=True)

# f as Nowozin et al. 2016 state it in table 5 (alpha: 7/10 below one, 5/2 above it).
FUNCTIONS: dict[str, sympy.Expr] = {
    "f_kl": u * sympy.log(u),
    "f_reverse_kl": -sympy.log(u),
    "f_pearson": (u - 1) ** 2,
    "f_neyman": (1 - u) ** 2 / u,
    "f_squared_hellinger": (sympy.sqrt(u) - 1) ** 2,
    "f_jensen_shannon": -(u + 1) * sympy.log((1 + u) / 2) + u * sympy.log(u),
    "f_gan": u * sympy.log(u) - (u + 1) * sympy.log(u + 1),
    "f_total_variation": sympy.Abs(u - 1) / 2,
}
ORDERS = (sympy.Rational(-3, 2), sympy.Rational(7, 10), sympy.Rational(5, 2))
CASES: list[tuple[VariationalDivergence, sympy.Expr]] = [
    *((divergences.family[name](), f) for name, f in FUNCTIONS.items()),  # type: ignore[misc]  # all of them variational
    *(
        (
            divergences.family.from_config({"name": "f_alpha", "alpha": float(order)}),
            (u**order - 1 - order * (u - 1)) / (order * (order - 1)),
        )
        for order in ORDERS
    ),
]
SMOOTH = [case for case in CASES if case[0].name != "f_total_variation"]
RATIOS = np.array([0.02, 0.1, 0.45, 0.9, 1.1, 2.0, 7.0, 30.0])
LOGITS = torch.linspace(-6, 6, 49, dtype=torch.float64)

# f'(1): table 2 of Nowozin et al. 2016, and table 6 for those that table 2 leaves out.
THRESHOLDS = {"f_kl": 1.0, "f_reverse_kl": -1.0, "f_gan": -np.log(2)}

every_case = pytest.mark.parametrize(
    ("member", "f"), CASES, ids=[f"{m.name}-{getattr(m, 'alpha', '')}".strip("-") for m, _ in CASES]
)
every_smooth_case = pytest.mark.parametrize(
    ("member", "f"),
    SMOOTH,
    ids=[f"{m.name}-{getattr(m, 'alpha', '')}".strip("-") for m, _ in SMOOTH],
)


def _numbers(expression: sympy.Expr, values: Array) -> Array:
    return np.array([float(expression.subs(u, sympy.Float(x, 30)).evalf(30)) for x in values])


def test_the_whole_family_is_here() -> None:
    """A new f has its symbols above."""
    family = {m.name for m in divergences.family if issubclass(m, VariationalDivergence)}
    assert family == {member.name for member, _ in CASES}, "state its f, in FUNCTIONS"


@every_case
def test_f_and_its_slope(member: VariationalDivergence, f: sympy.Expr) -> None:
    """f is the published one; T* is its derivative, and the threshold its derivative at 1."""
    np.testing.assert_allclose(member.f(RATIOS), _numbers(f, RATIOS), rtol=1e-11, atol=1e-13)
    kinked = member.name == "f_total_variation"
    slope = sympy.sign(u - 1) / 2 if kinked else sympy.diff(f, u)
    np.testing.assert_allclose(member.optimal(RATIOS), _numbers(slope, RATIOS), rtol=1e-12)
    assert member.threshold == pytest.approx(THRESHOLDS.get(member.name, 0.0), abs=1e-15)
    assert member.threshold == pytest.approx(float(slope.subs(u, 1)), abs=1e-15)


@every_smooth_case
def test_conjugate_is_the_legendre_transform(member: VariationalDivergence, f: sympy.Expr) -> None:
    """f*(f'(u)) = u f'(u) - f(u), which runs through the interior of the domain of f*."""
    slope = sympy.diff(f, u)
    found = member.conjugate(_numbers(slope, RATIOS))
    expected = _numbers(u * slope - f, RATIOS)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@every_case
def test_conjugate_is_a_supremum(member: VariationalDivergence, f: sympy.Expr) -> None:
    """f*(t) by search over a grid of u, where the supremum is not at u = 0 (see `f_pearson`)."""
    grid = np.exp(np.linspace(-9, 9, 400_001))
    inside = member.optimal(RATIOS)
    if member.name == "f_total_variation":
        inside = np.linspace(-0.5, 0.5, 9)
    for point in inside:
        supremum = float(np.max(point * grid - member.f(grid)))
        assert member.conjugate(np.array(point)) == pytest.approx(supremum, abs=2e-4, rel=1e-6)


@every_case
def test_penalty_is_the_conjugate_after_the_activation(
    member: VariationalDivergence, f: sympy.Expr
) -> None:
    """The form that keeps its digits is f*(g_f(v)), and g_f rises from its domain's lower end."""
    activated = member.activation(LOGITS).numpy()
    expected = member.conjugate(activated)
    np.testing.assert_allclose(member.penalty(LOGITS).numpy(), expected, rtol=1e-9, atol=1e-12)
    assert (np.diff(activated) > 0).all()


@every_case
def test_optimal_logit_has_the_optimal_critic(member: VariationalDivergence, f: sympy.Expr) -> None:
    """g_f(v*) = f'(p/q), and there alone the inequality of Fenchel and Young is an equality."""
    best = torch.tensor(member.inverse(RATIOS))
    optimal = member.optimal(RATIOS)
    np.testing.assert_allclose(member.activation(best).numpy(), optimal, rtol=1e-9, atol=1e-12)
    gap = member.penalty(best).numpy() - (member.activation(best).numpy() * RATIOS)
    np.testing.assert_allclose(gap, -member.f(RATIOS), rtol=1e-9, atol=1e-10)
    activated, penalty = member.activation(LOGITS).numpy(), member.penalty(LOGITS).numpy()
    young = penalty[None] + member.f(RATIOS)[:, None] - RATIOS[:, None] * activated[None]
    assert (young >= -1e-9).all()


@every_smooth_case
def test_slope_of_the_losses(member: VariationalDivergence, f: sympy.Expr) -> None:
    """Autograd agrees with finite differences of the losses."""
    for function in (member.activation, member.penalty):
        logits = LOGITS.clone().requires_grad_()
        assert torch.autograd.gradcheck(function, (logits,))


@every_smooth_case
def test_companion(member: VariationalDivergence, f: sympy.Expr) -> None:
    """phi'' = f''/u with phi(1) = phi'(1) = 0, by quadrature with 20 digits."""
    curvature = sympy.lambdify(u, sympy.diff(f, u, 2) / u, "mpmath")
    with mpmath.workdps(20):
        expected = [
            float(mpmath.quad(lambda s, x=x: (x - s) * curvature(s), [1, (1 + x) / 2, x]))
            for x in map(mpmath.mpf, RATIOS)
        ]
    np.testing.assert_allclose(member.companion(RATIOS), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 0.92, 0.95, 0.995, 1.005, -0.001])
def test_alpha_has_no_limits(alpha: float) -> None:
    """The limits are members of their own, which the message names with what is valid near it."""
    with pytest.raises(ValueError, match=r"0\.01 and f_reverse_kl|0\.91, 1\.01 and f_kl") as told:
        divergences.family.from_config({"name": "f_alpha", "alpha": alpha})
    assert f"{alpha} is too near" in str(told.value)


@pytest.mark.parametrize(
    ("name", "field", "value", "learns"),
    [
        ("f_alpha", "alpha", 0.91, True),
        ("f_alpha", "alpha", 0.92, False),
        ("alpha_gan", "critic_alpha", 0.03, True),
        ("alpha_gan", "critic_alpha", 0.028, False),
        ("alpha_gan", "generator_alpha", 0.03, True),
        ("alpha_gan", "generator_alpha", 0.028, False),
    ],
)
def test_bounds_are_where_a_new_critic_still_learns(
    name: str, field: str, value: float, learns: bool
) -> None:
    """Its logits reach one, and the square of a gradient has to be finite in single precision."""
    own = divergences.family.from_config(name).model_copy(update={field: value})
    real, fake = (torch.tensor([x], requires_grad=True) for x in (-1.0, 1.0))
    slopes = [
        *torch.autograd.grad(own.critic_loss(real, fake), (real, fake)),
        *torch.autograd.grad(own.generator_loss(fake), (fake,)),
    ]
    assert all(bool(torch.isfinite(slope * slope)) for slope in slopes) == learns
    if learns:
        divergences.family.from_config({"name": name, field: value})
    else:
        with pytest.raises(ValueError, match=field):
            divergences.family.from_config({"name": name, field: value})


@pytest.mark.parametrize("generator", ["bound", "trick"])
@pytest.mark.parametrize("level", [-1e4, -80.0, -0.5, 0.0, 3.0, 39.9, 40.1, 80.0])
def test_alpha_differs_by_trial(generator: str, level: float) -> None:
    """One group of a pack holds orders on both sides of 0 and 1; no branch leaks a NaN."""
    orders = (-2.0, -0.5, 0.25, 0.5, 1.5, 2.0, 3.0)
    make = divergences.family["f_alpha"].model_validate
    members = [make({"alpha": order, "generator": generator}) for order in orders]
    ((group, mask),) = stack(members, torch.device("cpu")).groups
    assert mask is None
    logits = torch.full((len(orders), 4), level, requires_grad=True)
    for loss in (lambda m, x: m.critic_loss(x, x), lambda m, x: m.generator_loss(x)):
        losses = loss(group, logits)
        (gradient,) = torch.autograd.grad(losses.sum(), logits)
        assert bool(torch.isfinite(gradient).all())
        for row, member in enumerate(members):
            expected = loss(member, torch.full((1, 4), level, dtype=torch.float64))
            assert losses[row].item() == pytest.approx(expected.item(), rel=2e-4, abs=2e-5)


def _pair(name: str, generator: str = "bound") -> VariationalDivergence:
    return divergences.family[name].model_validate({"generator": generator})  # type: ignore[return-value]


def test_the_gan_is_the_gan() -> None:
    """`f_gan` has the losses of `minimax` and `non_saturating`, `f_jensen_shannon` up to log 2."""
    real, fake = torch.randn(2, 3, 64, dtype=torch.float64, generator=torch.Generator())
    minimax, other = divergences.family["minimax"](), divergences.family["non_saturating"]()
    log2 = float(np.log(2))
    for name, constant in (("f_gan", 0.0), ("f_jensen_shannon", log2)):
        bound, trick = _pair(name), _pair(name, "trick")
        for found, expected in (
            (bound.critic_loss(real, fake), minimax.critic_loss(real, fake) - 2 * constant),
            (bound.generator_loss(fake), minimax.generator_loss(fake) + constant),
            (trick.generator_loss(fake), other.generator_loss(fake) - constant),
        ):
            torch.testing.assert_close(found, expected)


def _slopes(member: Any) -> torch.Tensor:
    """What the losses of both players change by with each logit."""
    real, fake = (x.requires_grad_() for x in torch.linspace(-2, 2, 14).reshape(2, 7).unbind())
    critic = torch.autograd.grad(member.critic_loss(real, fake), (real, fake))
    return torch.cat([*critic, *torch.autograd.grad(member.generator_loss(fake), fake)])


def test_no_two_arms_of_the_study_train_the_same() -> None:
    """`f_gan` stood beside `f_jensen_shannon`, whose losses have the same slopes."""
    points: Any = load(STUDY).points.values()
    slopes = [_slopes(point.divergence) for point in points]
    assert not any(itertools.starmap(torch.equal, itertools.combinations(slopes, 2)))
    assert any(torch.equal(_slopes(_pair("f_gan")), own) for own in slopes)


def test_reverse_and_forward_kl_up_to_the_logit() -> None:
    """Minimising the bound on either KL is the classifier's update, with the bound's critic."""
    fake = torch.randn(3, 64, dtype=torch.float64)
    forward, reverse = divergences.family["forward_kl"](), divergences.family["reverse_kl"]()
    torch.testing.assert_close(_pair("f_kl").generator_loss(fake + 1), forward.generator_loss(fake))
    torch.testing.assert_close(
        _pair("f_reverse_kl").generator_loss(fake), reverse.generator_loss(fake) + 1
    )


def test_labels_of_pearson_are_no_divergence() -> None:
    """LSGAN with b - c = 1, b - a = 2: flat to second order at p = q, and negative nearby."""
    labels = divergences.family["least_squares"].model_validate({"a": -1.0, "b": 1.0, "c": 0.0})
    p, tilt = np.array([0.5, 0.3, 0.2]), np.array([1.0, -1.5, 0.5])
    tilt -= p @ tilt
    values = {
        step: labels.exact(divergences.DiscreteLaws(p, p * (1 + step * tilt), np.eye(3)))
        for step in (-0.02, -0.01, 0.01, 0.02)
    }
    assert min(values.values()) < 0 < max(values.values())
    for sign in (-1, 1):  # cubic: doubling the step takes eight times the value
        assert values[sign * 0.02] / values[sign * 0.01] == pytest.approx(8, rel=0.1)


def test_labels_must_be_in_order() -> None:
    """A critic that gives samples of p the lower label would turn all logits around."""
    with pytest.raises(ValueError, match="below the label b"):
        divergences.family.from_config({"name": "least_squares", "a": 1.0, "b": 0.0})
