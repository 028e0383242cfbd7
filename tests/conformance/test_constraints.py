"""Every constraint: what each of its hooks promises, against plain PyTorch and NumPy."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.stats import kstest
from tiny import differences, trial, variants
from torch import nn

from ganstudy import constraints, networks
from ganstudy.constraints import Constraint, Together
from ganstudy.engine.stacked import stack
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.program import program
from ganstudy.kinds.adversarial.training import initial, train

CPU = torch.device("cpu")
every_constraint = pytest.mark.parametrize("cls", list(constraints.family), ids=lambda c: c.name)
PENALTIES: list[dict[str, Any]] = [
    *({"name": cls.name} for cls in constraints.family if cls.penalises),
    {"name": "gradient_penalty", "sides": "one"},
    {"name": "gradient_penalty", "slope": 0.3, "weight": 2.5},
    {"name": "r2", "weight": 0.7},
]
every_penalty = pytest.mark.parametrize("settings", PENALTIES, ids=str)


def _weights(rows: int = 4, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(rows, 50, generator=torch.Generator().manual_seed(0))


def _normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@every_constraint
def test_it_acts_through_one_kind_of_hook(cls: type[Constraint]) -> None:
    """What a member overrides says how it acts; several act as a list of constraints."""
    hooks = ("project", "penalty", "perturb", "constrain")
    assert sum(getattr(cls, own) is not getattr(Constraint, own) for own in hooks) <= 1


@every_constraint
def test_a_constraint_with_a_schedule_says_so(cls: type[Constraint]) -> None:
    """One that is stopped early is not taken for one that was trained less."""
    for constraint in [cls(), *variants(cls, 2)]:
        early, late = (
            constraint.draw(np.random.default_rng(0), progress, (3, 8, 2), 8)
            for progress in (np.zeros(9), np.linspace(0, 1, 9))
        )
        assert constraint.scheduled != (early is late or np.array_equal(early, late))


# --- project -------------------------------------------------------------------------------------


@every_constraint
def test_projection_is_idempotent(cls: type[Constraint]) -> None:
    """Admissible parameters stay where they are."""
    for constraint in [cls(), *variants(cls, 2)]:
        once = constraint.project(_weights())
        assert once.shape == (4, 50)
        assert torch.equal(constraint.project(once), once)


@every_constraint
def test_admissible_parameters_are_left_alone(cls: type[Constraint]) -> None:
    """Zero, and whatever is close to it, is admissible for every constraint."""
    for weights in (torch.zeros(4, 50), _weights(scale=1e-5)):
        assert torch.equal(cls().project(weights), weights)


@every_constraint
def test_projection_leaves_its_argument_alone(cls: type[Constraint]) -> None:
    """The step is pure."""
    weights = _weights()
    cls().project(weights)
    assert torch.equal(weights, _weights())


@every_constraint
def test_stacked_with_the_whole_family_equals_alone(cls: type[Constraint]) -> None:
    """Each trial of a pack is held to its own bound."""
    own = variants(cls, 3)
    others = [c for other in constraints.family if other is not cls for c in variants(other, 2)]
    members = [own[0], *others, *own[1:]]
    weights = _weights(len(members))
    projected = stack(members, CPU).select(lambda c, w: c.project(w), weights)
    for row, member in enumerate(members):
        alone = stack([member] * 2, CPU).select(lambda c, w: c.project(w), weights[[row, row]])
        assert torch.equal(projected[row], alone[0])


@pytest.mark.parametrize("bound", [1e-3, 0.01, 0.1, 1.0])
def test_clip_holds_its_bound(bound: float) -> None:
    """No parameter exceeds c, those beyond it lie on it, and the others do not move."""
    weights = _weights()
    clipped = constraints.family.from_config({"name": "clip", "bound": bound}).project(weights)
    inside = weights.abs() <= bound
    limit = torch.tensor(bound)
    assert float(clipped.abs().max()) <= float(limit)
    assert torch.equal(clipped[inside], weights[inside])
    assert torch.equal(clipped[~inside].abs(), limit.expand(int((~inside).sum())))
    assert torch.equal(clipped.sign(), weights.sign())


def test_none_is_the_identity() -> None:
    """Unconstrained parameters are the same tensor."""
    weights = _weights()
    assert constraints.family["none"]().project(weights) is weights


# --- penalty -------------------------------------------------------------------------------------


def _critic(seed: int) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1)
        ).double()


def _reference(
    settings: dict[str, Any], critic: nn.Module, real: torch.Tensor, fake: torch.Tensor, u: Any
) -> torch.Tensor:
    """The penalty of the papers, by double backward."""
    s = {"weight": 10.0, "slope": 1.0, "sides": "two", **settings}
    if s["name"] == "gradient_penalty":
        at = u * real + (1 - u) * fake
    else:
        at = real if s["name"] == "r1" else fake
    at = at.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    norm = slopes.norm(dim=1)
    if s["name"] != "gradient_penalty":
        return s["weight"] / 2 * (norm**2).mean()
    excess = norm - s["slope"]
    if s["sides"] == "one":
        excess = torch.clamp(excess, min=0)
    return s["weight"] * (excess**2).mean()


def _ours(
    constraint: Constraint, critics: list[nn.Sequential], *samples: torch.Tensor
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The penalties of a stack of critics, and their gradients in each critic's parameters."""

    def gradient(x: torch.Tensor) -> torch.Tensor:
        if not x.requires_grad:
            x.requires_grad_()
        values = sum(critic(own).sum() for critic, own in zip(critics, x, strict=True))
        assert isinstance(values, torch.Tensor)
        return torch.autograd.grad(values, x, create_graph=True)[0]

    penalties = constraint.penalty(gradient, *samples)
    parameters = [p for critic in critics for p in critic.parameters()]
    gradients = torch.autograd.grad(penalties.sum(), parameters, allow_unused=True)
    pairs = zip(parameters, gradients, strict=True)
    return penalties, [torch.zeros_like(p) if g is None else g for p, g in pairs]


@every_penalty
def test_penalties_are_those_of_the_papers(settings: dict[str, Any]) -> None:
    """Value and gradient in the critic's parameters, trial by trial of a pack."""
    constraint = constraints.family.from_config(settings)
    if constraint.plugin:
        pytest.skip("what a plug-in's penalty is, its own words state alone")
    assert constraint.name in ("gradient_penalty", "r1", "r2"), "state its own, in _reference"
    critics = [_critic(seed) for seed in range(3)]
    if settings["name"] == "gradient_penalty":  # both sides of the asked slope
        for critic, scale in zip(critics, (0.3, 1, 30), strict=True):
            critic[0].weight.data *= scale
    real, fake = _normal(3, 16, 2).double(), 1 + _normal(3, 16, 2, seed=1).double()
    u = torch.rand(3, 16, 1, generator=torch.Generator().manual_seed(2)).double()
    penalties, gradients = _ours(constraint, critics, real.clone(), fake.clone(), u)
    assert penalties.shape == (3,)
    parts = len(gradients) // 3
    for row, critic in enumerate(critics):
        expected = _reference(settings, critic, real[row], fake[row], u[row])
        # The root has 1e-12 below it.
        torch.testing.assert_close(penalties[row], expected, rtol=1e-9, atol=1e-9)
        slopes = torch.autograd.grad(expected, list(critic.parameters()), allow_unused=True)
        own = gradients[row * parts : (row + 1) * parts]
        for found, slope in zip(own, slopes, strict=True):
            wanted = torch.zeros_like(found) if slope is None else slope
            torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-8)
        assert expected.item() > 0 or settings.get("sides") == "one"


def _drawn(constraint: Constraint, batch: int, seed: int = 0) -> torch.Tensor:
    """What a constraint draws for one gradient of one trial, with the trial in front."""
    drawn = constraint.draw(np.random.default_rng(seed), np.zeros(1), (1, batch, 2), batch)
    return torch.zeros(1, batch, 1) if drawn is None else torch.from_numpy(drawn[0])


@every_penalty
def test_weights_differ_by_trial(settings: dict[str, Any]) -> None:
    """A pack of several weights has the penalties of each alone."""
    members = variants(constraints.family[settings["name"]], 3)
    ((group, mask),) = stack(members, CPU, torch.float64).groups
    assert mask is None
    critics = [_critic(seed) for seed in range(len(members))]
    real, fake = (_normal(len(members), 16, 2, seed=seed).double() for seed in range(2))
    samples = (real, fake, torch.cat([_drawn(own, 16, i) for i, own in enumerate(members)]))
    together, _ = _ours(group, critics, *samples)
    for row, member in enumerate(members):
        alone, _ = _ours(member, [critics[row]], *(x[row : row + 1].detach() for x in samples))
        torch.testing.assert_close(together[row], alone[0], rtol=1e-9, atol=0)


@every_penalty
def test_a_flat_critic_has_a_finite_penalty(settings: dict[str, Any]) -> None:
    """The norm of a slope of zero has a gradient that is no NaN."""
    constraint = constraints.family.from_config(settings)
    critic = _critic(0)
    critic[0].weight.data.zero_()
    penalties, gradients = _ours(
        constraint,
        [critic],
        _normal(1, 8, 2).double(),
        _normal(1, 8, 2).double(),
        _drawn(constraint, 8),
    )
    for tensor in (penalties, *gradients):
        assert bool(torch.isfinite(tensor).all())


def test_interpolation_is_uniform() -> None:
    """One u for each input of the critic, fresh in each gradient."""
    rng = np.random.default_rng(0)
    u = constraints.family["gradient_penalty"]().draw(rng, np.zeros(5), (3, 64, 2), 32)
    assert u is not None
    assert u.shape == (5, 3, 32, 1)
    assert kstest(u.ravel(), "uniform").pvalue > 1e-4
    assert len(np.unique(u)) > 0.99 * u.size


def _slopes(constraint: object, **settings: Any) -> NDArray[np.float64]:
    """Norms of the trained critic's slopes between p and q."""
    own = trial(
        0,
        divergence="wasserstein",
        constraint=constraint,
        critic={"width": 32, "depth": 2, "activation": "leaky_relu", "lr": 5e-3, "steps": 5},
        generator={"depth": 0, "lr": 1e-7},
        steps=60,
        batch=64,
        target={"name": "ring", "radius": 2.0, "std": 0.1},
        **settings,
    )
    game, state = initial([own, own], CPU)
    for batch in itertools.islice(batches([own, own], CPU), 60):
        state, _ = game.updates.play(program("eager", "cpu"), game, state, batch)
    parameters = game.critic.split(state.critic.parameters)
    real, latent, _ = batch.d_step(0)
    fake = game.sample(state.generator, latent)
    middle = torch.rand(2, 64, 1, generator=torch.Generator().manual_seed(1))
    at = (middle * real + (1 - middle) * fake).requires_grad_()
    (slopes,) = torch.autograd.grad(game.critic.forward(parameters, at).sum(), at)
    return np.asarray(slopes.norm(dim=-1)[0])


@pytest.mark.slow
def test_gradient_penalty_drives_slopes_to_one() -> None:
    """Where the critic wants to rise as steeply as it can, two-sided slopes are near 1."""
    two = _slopes({"name": "gradient_penalty"})
    assert abs(float(np.median(two)) - 1) < 0.2
    half = _slopes({"name": "gradient_penalty", "slope": 0.5})
    assert abs(float(np.median(half)) - 0.5) < 0.15
    one = _slopes({"name": "gradient_penalty", "sides": "one"})
    assert float(np.quantile(one, 0.9)) < 1.2
    free = _slopes("none")
    assert float(np.median(free)) > 2


# --- constrain -----------------------------------------------------------------------------------


def _matrices() -> dict[str, torch.Tensor]:
    return {
        "weight_0": _normal(2, 3, 8),
        "bias_0": _normal(2, 1, 8),
        "weight_1": _normal(2, 8, 1, seed=1),
    }


def _spectral(norm: float) -> tuple[Constraint, dict[str, torch.Tensor]]:
    own = constraints.family.from_config({"name": "spectral_norm", "norm": norm})
    matrices = {"weight_0": (3, 8), "weight_1": (8, 1)}
    first = own.initial(np.random.default_rng(0), matrices)
    assert set(first) == {"singular_weight_0", "singular_weight_1"}
    return own, {name: torch.from_numpy(v)[None].repeat(2, 1) for name, v in first.items()}


@pytest.mark.parametrize("norm", [1.0, 0.5, 3.0])
def test_converged_power_iteration_is_the_largest_singular_value(norm: float) -> None:
    """After many D-steps with fixed weights, each matrix has the asked norm (NumPy's SVD)."""
    constraint, slots = _spectral(norm)
    weights = _matrices()
    for _ in range(60):
        constrained, slots = constraint.constrain(weights, slots, True)
    for update in (True, False):
        constrained, new = constraint.constrain(weights, slots, update)
        assert set(new) == (set(slots) if update else set())
        for name, value in constrained.items():
            if name.startswith("bias"):
                assert torch.equal(value, weights[name])
                continue
            for row in range(2):
                largest = np.linalg.svd(weights[name][row].numpy(), compute_uv=False)[0]
                expected = norm * weights[name][row] / float(largest)
                torch.testing.assert_close(value[row], expected, rtol=1e-5, atol=1e-6)


def test_spectral_norm_has_the_gradient_of_torch() -> None:
    """torch.nn.utils.parametrizations.spectral_norm, from the same vectors, in evaluation mode."""
    constraint, slots = _spectral(1.0)
    weights = _matrices()
    for _ in range(60):
        _, slots = constraint.constrain(weights, slots, True)
    weight = weights["weight_0"].clone().requires_grad_()
    constrained, _ = constraint.constrain({**weights, "weight_0": weight}, slots, True)
    scale = _normal(3, 8, seed=5)
    (ours,) = torch.autograd.grad((constrained["weight_0"][0] * scale).sum(), weight)
    linear = nn.Linear(3, 8)
    linear.weight.data.copy_(weights["weight_0"][0].T)
    nn.utils.parametrizations.spectral_norm(linear, n_power_iterations=60)
    leaf = linear.parametrizations.weight.original  # type: ignore[union-attr]  # torch adds the attribute
    assert isinstance(leaf, torch.Tensor)
    (theirs,) = torch.autograd.grad((linear.weight * scale.T).sum(), leaf)
    torch.testing.assert_close(ours[0], theirs.T, rtol=1e-4, atol=1e-5)


def test_one_power_iteration_in_a_d_step() -> None:
    """u' = W v / |W v| with v = W^T u / |W^T u|, by NumPy."""
    constraint, slots = _spectral(1.0)
    weights = _matrices()
    constrained, new = constraint.constrain(weights, slots, True)
    for row in range(2):
        w = weights["weight_0"][row].numpy()
        v = w.T @ slots["singular_weight_0"][row].numpy()
        u = w @ (v / np.linalg.norm(v))
        u /= np.linalg.norm(u)
        np.testing.assert_allclose(new["singular_weight_0"][row].numpy(), u, rtol=1e-5, atol=1e-6)
        sigma = np.linalg.norm(w.T @ u)
        np.testing.assert_allclose(constrained["weight_0"][row].numpy(), w / sigma, rtol=1e-5)


def test_norms_hold_after_training() -> None:
    """Each layer's largest singular value is near c, though the weights have moved far."""
    settings = {"width": 16, "depth": 2, "lr": 1e-2, "steps": 2}
    for norm in (1.0, 2.0):
        constraint = {"name": "spectral_norm", "norm": norm}
        own = trial(0, constraint=constraint, divergence="hinge", critic=settings, steps=100)
        game, state = initial([own, own], CPU)
        first = state
        for batch in itertools.islice(batches([own, own], CPU), 100):
            state, _ = game.updates.play(program("eager", "cpu"), game, state, batch)
        assert float((state.critic.parameters - first.critic.parameters).abs().max()) > 0.1
        parameters = game.critic.split(state.critic.parameters)
        (own_constraint,) = game.constraints
        constrained, _ = own_constraint.constrain(parameters, state.critic.slots, False)
        for name, value in constrained.items():
            if name.startswith("weight"):
                largest = np.linalg.svd(value[0].numpy(), compute_uv=False)[0]
                assert largest == pytest.approx(norm, rel=0.05), name


def test_a_network_without_matrices_is_refused() -> None:
    """In words, before training: there would be nothing to divide."""

    class Plain(type(networks.family["mlp"]())):  # type: ignore[misc]  # a class made on the spot
        def matrices(self, architecture: object, ends: object) -> dict[str, tuple[int, int]]:
            return {}

    Plain.name = "plain"
    with pytest.raises(ValidationError, match="plain does not state the matrices that spectral_no"):
        trial(constraint="spectral_norm", critic={"network": Plain()})
    assert trial(constraint="r1", critic={"network": Plain()})


# --- perturb -------------------------------------------------------------------------------------


def _noise(until: float, rounds: int = 10) -> NDArray[np.float32]:
    own = constraints.family.from_config({"name": "instance_noise", "std": 0.2, "until": until})
    progress = np.arange(rounds) / rounds
    drawn = own.draw(np.random.default_rng(0), progress, (3, 500, 2), 500)
    assert drawn is not None
    return drawn


@pytest.mark.parametrize("until", [0.0, 0.3, 0.5, 1.0])
def test_instance_noise_follows_its_schedule(until: float) -> None:
    """Normal with a standard deviation that falls linearly; exactly zero once it is over."""
    drawn = _noise(until)
    assert drawn.shape == (10, 3, 1000, 2)
    for number, noise in enumerate(drawn):
        left = max(0.0, 1 - number / 10 / until) if until else 1.0
        if left < 1e-9:
            np.testing.assert_array_equal(noise, 0)
        else:
            assert kstest(noise.ravel(), "norm", (0, 0.2 * left)).pvalue > 1e-4
            assert kstest(noise.ravel(), "norm", (0, 0.23 * left)).pvalue < 1e-4


def test_both_laws_get_noise_of_their_own() -> None:
    """The first half of the rows goes to p, the second to q."""
    own = constraints.family["instance_noise"]()
    noise = _normal(2, 20, 3)
    real, fake = own.perturb(torch.zeros(2, 10, 3), torch.ones(2, 10, 3), noise)
    assert torch.equal(real, noise[:, :10])
    assert torch.equal(fake, 1 + noise[:, 10:])


def test_labels_stay_as_they_are() -> None:
    """In a conditional trial the columns of labels get no noise, in D-steps and M-steps."""
    own = trial(0, constraint="instance_noise", condition=True, target={"name": "ring", "modes": 3})
    batch = next(batches([own], CPU))
    (noise,) = batch.noise
    assert noise.shape == (2, 1, 32, 5)
    assert bool((noise[..., 2:] == 0).all())
    assert bool((noise[..., :2] != 0).all())
    assert bool((batch.real[..., 2:].sum(-1) == 1).all())


def test_the_generator_sees_the_noise_too() -> None:
    """Losses of both players change with it, and are as without it once it has gone."""
    calm = train([trial(0, record={"every": 1})])[0].values
    noisy = train([trial(0, record={"every": 1}, constraint={"name": "instance_noise"})])[0].values
    assert noisy["critic_loss"][0] != calm["critic_loss"][0]
    assert noisy["generator_loss"][0] != calm["generator_loss"][0]
    gone = {"name": "instance_noise", "std": 0.3, "until": 1e-9}
    late = train([trial(0, record={"every": 1}, constraint=gone, critic={"lr": 1e-9})])[0].values
    still = train([trial(0, record={"every": 1}, critic={"lr": 1e-9})])[0].values
    np.testing.assert_allclose(late["critic_loss"][1:], still["critic_loss"][1:], rtol=1e-3)


# --- together ------------------------------------------------------------------------------------

PAIRS = list(itertools.combinations(constraints.family.names, 2))


def _together(*names: str) -> Together:
    return Together.of(constraints.family[name]() for name in names)


def _to_critic(constraint: object) -> torch.Tensor:
    """Gradient of the critic's loss, penalties included, in double precision."""
    own = trial(0, constraint=constraint, critic={"activation": "tanh"})
    game, state = initial([own, own], CPU)
    batch = next(batches([own, own], CPU)).double()
    coupled = game.coupled(state, batch.d_step(0), batch.m_step(0))
    players = state.generator.parameters.double(), state.critic.parameters.double()
    return replace(coupled, players=players).gradients()[0][1]


def test_penalties_together_are_their_sum() -> None:
    """What two penalties add to the critic's gradient is what each adds alone."""
    r1, r2 = {"name": "r1", "weight": 3.0}, {"name": "r2", "weight": 0.7}
    free = _to_critic("none")
    both, one, other = (_to_critic(c) - free for c in ([r1, r2], r1, r2))
    torch.testing.assert_close(both, one + other, rtol=1e-12, atol=1e-14)
    for part in (one, other):
        assert float(part.norm()) > 1e-3
        assert float((both - part).norm()) > 1e-3


def test_the_order_in_a_list_means_nothing() -> None:
    """Both orders are one trial, and a list of one is the constraint itself."""
    settings = [{"name": "r2", "weight": 2.0}, "r1"]
    assert trial(constraint=settings).id == trial(constraint=settings[::-1]).id
    assert trial(constraint=["r1"]).id == trial(constraint="r1").id


@pytest.mark.parametrize("names", PAIRS, ids=" ".join)
def test_a_pair_makes_sense_or_says_why_not(names: tuple[str, str]) -> None:
    """A pair that is not refused acts as both do, with the same bits alone and in a pack."""
    pair = _together(*names)
    both_project = all(constraints.family[name].projects for name in names)
    refused = (
        both_project
        or "none" in names
        or set(names)
        in (
            {"clip", "spectral_norm"},
            {"gradient_penalty", "r1"},
            {"gradient_penalty", "r2"},
        )
    )
    problems = list(pair.problems())
    assert bool(problems) == refused
    if refused:
        assert all(name in problems[0] for name in names)
        return
    own = [trial(seed, constraint=list(names), steps=6, batch=33) for seed in range(3)]
    together = train(own)
    (alone,) = train(own[1:2])
    assert differences(alone, together[1]) == []
    for name in names:
        (record,) = train([trial(1, constraint=name, steps=6, batch=33)])
        assert not np.array_equal(record.values["samples"], alone.values["samples"])
    penalised = any(constraints.family[name].penalises for name in names)
    assert ("penalty" in alone.values) == penalised


def test_two_projections_are_refused() -> None:
    """Parameters that one has moved are not where the other admits them."""
    clip = constraints.family["clip"]()

    class Other(Constraint):
        """It acts through no other hook."""

    Other.name = "other"
    assert "clip and other both project" in " ".join(Together((clip, Other())).problems())
