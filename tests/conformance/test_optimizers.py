"""Every optimizer: stacked over trials, against its counterpart in torch.optim."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tiny import variants

from ganstudy import optimizers
from ganstudy.engine.stacked import choose, stack
from ganstudy.optimizers import Optimizer

SIZE, STEPS, BATCH = 12, 1000, 8
LRS = (1e-3, 3e-3, 1e-2, 0.03)
UNIT = 2.0**-24
"""Half a unit in the last place of a float32, relative."""


class _HeavyBall(torch.optim.Optimizer):
    """Sutskever et al. 2013, in PyTorch's form, for the negative momentum that PyTorch refuses."""

    def __init__(self, rows: list[torch.Tensor], lr: float, momentum: float, **other: bool) -> None:
        super().__init__(rows, {"lr": lr, "momentum": momentum, "nesterov": other["nesterov"]})
        self.velocity = [0 * row for row in rows]

    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no closure here
        group = self.param_groups[0]
        for number, row in enumerate(group["params"]):
            velocity = self.velocity[number] = group["momentum"] * self.velocity[number] + row.grad
            ahead = row.grad + group["momentum"] * velocity if group["nesterov"] else velocity
            row -= group["lr"] * ahead


class _OptimisticAdam(torch.optim.Optimizer):
    """Daskalakis et al. 2018, line by line, with powers."""

    def __init__(
        self, rows: list[torch.Tensor], lr: float, betas: tuple[float, float], **other: float
    ) -> None:
        super().__init__(rows, {"lr": lr})
        self.lr, (self.b1, self.b2), self.eps = lr, betas, other["eps"]
        self.row, self.t = rows[0], 0
        self.m, self.v, self.before = (0 * rows[0] for _ in range(3))

    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no closure here
        gradient = self.row.grad
        assert gradient is not None
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * gradient
        self.v = self.b2 * self.v + (1 - self.b2) * gradient**2
        m, v = self.m / (1 - self.b1**self.t), self.v / (1 - self.b2**self.t)
        ratio = m / (v.sqrt() + self.eps)
        self.row += -2 * self.lr * ratio + self.lr * self.before
        self.before = ratio


class _TensorFlowRMSProp(torch.optim.Optimizer):
    """The docstring of `tf.train.RMSPropOptimizer`, whose mean squares start at one."""

    def __init__(self, rows: list[torch.Tensor], lr: float, decay: float, epsilon: float) -> None:
        super().__init__(rows, {"lr": lr})
        self.row, self.lr, self.decay, self.epsilon = rows[0], lr, decay, epsilon
        self.mean_square = torch.ones_like(rows[0])

    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no closure here
        gradient = self.row.grad
        assert gradient is not None
        self.mean_square = self.decay * self.mean_square + (1 - self.decay) * gradient**2
        self.row -= self.lr * gradient / (self.mean_square + self.epsilon).sqrt()


def _torch_group(member: Optimizer) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """The counterpart in torch.optim and its arguments; each member owes an entry."""
    s: Any = member
    match member.name:
        case "adam":
            return torch.optim.Adam, {"betas": (s.beta1, s.beta2), "eps": s.eps}
        case "rmsprop" if s.eps_in_root:
            assert s.first == 1
            return _TensorFlowRMSProp, {"decay": s.alpha, "epsilon": s.eps}
        case "rmsprop":
            return torch.optim.RMSprop, {"alpha": s.alpha, "eps": s.eps}
        case "sgd":
            return torch.optim.SGD, {}
        case "momentum":
            if s.momentum < 0:
                return _HeavyBall, {"momentum": s.momentum, "nesterov": s.nesterov}
            return torch.optim.SGD, {"momentum": s.momentum, "nesterov": s.nesterov}
        case "adamw":
            betas = (s.beta1, s.beta2)
            return torch.optim.AdamW, {"betas": betas, "eps": s.eps, "weight_decay": s.decay}
        case "optimistic_adam":
            return _OptimisticAdam, {"betas": (s.beta1, s.beta2), "eps": s.eps}
        case name:
            assert member.plugin, f"{name} has no counterpart in this test: add one"
            pytest.skip("what torch has in the place of a plug-in is not stated")


def _members(cls: type[Optimizer]) -> list[Optimizer]:
    """Defaults, random parameters, and an epsilon large enough for its place to matter."""
    members = [cls(), *variants(cls, 2)]
    special = {
        "momentum": {"momentum": -0.3},
        "adamw": {"eps": 0.1, "decay": 0.3},
    }
    large = {"eps": 0.1} if "eps" in cls.model_fields else {}
    return [*members, cls.model_validate(special.get(cls.name, large))]


class _Regression:
    """Logistic regression with a ridge, a fresh batch of data in each step."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.x = torch.from_numpy(rng.normal(size=(STEPS, BATCH, SIZE)))
        teacher = torch.from_numpy(rng.normal(size=(SIZE, 1)))
        noise = torch.from_numpy(rng.normal(size=(STEPS, BATCH, 1)))
        self.y = (self.x @ teacher + noise > 0).double()
        self.start = torch.from_numpy(rng.normal(size=(len(LRS), SIZE)))

    def gradient(self, step: int, parameters: torch.Tensor) -> torch.Tensor:
        """Gradients of a stack of parameters, in their precision."""
        x, y = self.x[step].to(parameters.dtype), self.y[step].to(parameters.dtype)
        error = torch.sigmoid(parameters @ x.T) - y.T
        return error @ x / BATCH + 0.1 * parameters


def _rates(count: int) -> torch.Tensor:
    return torch.tensor([[LRS[row % len(LRS)]] for row in range(count)], dtype=torch.float64)


def _ours(members: list[Optimizer], problem: _Regression, steps: int) -> torch.Tensor:
    pack = stack(members, torch.device("cpu"), torch.float64)
    lr = _rates(len(members))
    parameters = problem.start.float()
    slots = {
        n: torch.zeros_like(parameters) + o.initial().get(n, 0.0)
        for o, _ in pack.groups
        for n in o.slots
    }
    slots |= {n: torch.zeros_like(lr) for o, _ in pack.groups for n in o.weights}
    for step in range(steps):
        gradient = problem.gradient(step, parameters)
        change: torch.Tensor | None = None
        state = dict(slots)
        for optimizer, mask in pack.groups:
            own, new = optimizer.update(gradient, state, lr, parameters)
            change = choose(mask, own, change)
            slots |= {name: choose(mask, value, slots[name]) for name, value in new.items()}
        assert change is not None
        parameters = parameters + change
    return parameters


def _theirs(members: list[Optimizer], problem: _Regression, steps: int) -> torch.Tensor:
    rows = [row.clone() for row in problem.start]
    solvers = []
    for row, member, lr in zip(rows, members, LRS, strict=True):
        cls, arguments = _torch_group(member)
        plain = {} if cls.__module__ == __name__ else {"foreach": False}
        solvers.append(cls([row], lr=lr, **plain, **arguments))  # type: ignore[call-arg]  # each solver has its own
    for step in range(steps):
        gradients = problem.gradient(step, torch.stack(rows))
        for row, gradient, solver in zip(rows, gradients, solvers, strict=True):
            row.grad = gradient
            solver.step()
    return torch.stack(rows)


def _exactness(members: list[Optimizer], steps: int = STEPS) -> None:
    """Ours in float32 against torch's in float64.

    The problem contracts, so rounding errors of about ten operations a step do not grow: they add
    up like a random walk at most, sqrt(10 steps) units of the largest parameter.
    """
    problem = _Regression()
    exact = _theirs(members, problem, steps)
    ours = _ours(members, problem, steps).double()
    walk = (10 * steps) ** 0.5 * UNIT
    for row in range(len(members)):
        tolerance = walk * float(exact[row].abs().max())
        assert float((ours[row] - exact[row]).abs().max()) < tolerance
        moved = float((exact[row] - problem.start[row]).abs().max())
        assert moved > 1000 * tolerance


@pytest.mark.slow
@pytest.mark.parametrize("cls", list(optimizers.family), ids=lambda cls: cls.name)
def test_thousand_steps_as_torch_optim(cls: type[Optimizer]) -> None:
    """Defaults, random parameters, and those that decide what is added where."""
    _exactness(_members(cls))


def test_thousand_steps_of_nesterov() -> None:
    """With the momentum of either sign."""
    make = optimizers.family["momentum"].model_validate
    _exactness([make({"momentum": mu, "nesterov": True}) for mu in (0.9, 0.5, -0.3, 0.1)])


@pytest.mark.slow
def test_thousand_steps_of_tensorflows_rmsprop() -> None:
    """The constants of the public code of WGAN-GP, and an epsilon whose place matters."""
    make = optimizers.family["rmsprop"].model_validate
    theirs = {"alpha": 0.9, "eps": 1e-10, "eps_in_root": True, "first": 1.0}
    _exactness([make(theirs | own) for own in ({}, {"alpha": 0.7}, {"eps": 0.1}, {"eps": 1e-3})])


def _bilinear(member: Optimizer, steps: int, lr: float) -> torch.Tensor:
    """Distance to the equilibrium of min_x max_y x y, both players moving at once."""
    parameters = torch.tensor([[1.0], [1.0]], dtype=torch.float64)
    slots = {name: torch.zeros_like(parameters) for name in (*member.slots, *member.weights)}
    rate = torch.full((2, 1), lr, dtype=torch.float64)
    distances = []
    for _ in range(steps):
        gradient = parameters.flip(0) * torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
        change, slots = member.update(gradient, slots, rate, parameters)
        parameters = parameters + change
        distances.append(float(parameters.norm()))
    return torch.tensor(distances)


@pytest.mark.slow
def test_optimism_ends_the_cycle() -> None:
    """On x y with a small rate, optimistic Adam comes closer and closer; Adam circles."""
    settings = {"beta1": 0.0, "beta2": 0.9, "eps": 0.1}
    make = optimizers.family.from_config
    optimistic = _bilinear(make({"name": "optimistic_adam", **settings}), 4000, 0.01)
    plain = _bilinear(make({"name": "adam", **settings}), 4000, 0.01)
    assert float(optimistic[-1]) < 1e-5
    assert float(plain[-500:].min()) > 0.03


def test_negative_momentum_damps_a_game() -> None:
    """On x y, plain descent spirals out; momentum of the wrong sign makes it faster."""
    make = optimizers.family.from_config
    ends = {
        mu: float(_bilinear(make({"name": "momentum", "momentum": mu}), 500, 0.05)[-1])
        for mu in (-0.5, 0.0, 0.5)
    }
    assert ends[-0.5] < ends[0.0] < ends[0.5]


def test_mixed_pack_updates_each_trial_by_its_own_rule() -> None:
    """Members that share names of slots do not touch each other's state. Each keeps to its rule for
    a thousand steps in the test of its own.
    """
    classes = list(optimizers.family)
    for start in range(0, len(classes), 3):
        chosen = [*classes[start:], *classes][: len(LRS)]
        _exactness([cls() for cls in chosen], steps=200)


@pytest.mark.parametrize("cls", list(optimizers.family), ids=lambda cls: cls.name)
def test_update_leaves_its_arguments_alone(cls: type[Optimizer]) -> None:
    """The trainer moves parameters by the change that it is given, and uses gradients again."""
    members = _members(cls)
    ((optimizer, _),) = stack(members, torch.device("cpu"), torch.float64).groups
    lr, draw = _rates(len(members)), torch.Generator().manual_seed(0)
    gradient, parameters = torch.randn(2, len(members), 3, generator=draw).unbind()
    slots = {name: torch.rand(len(members), 3, generator=draw) for name in optimizer.slots}
    slots |= {name: torch.rand(lr.shape, generator=draw) for name in optimizer.weights}
    arguments = {"gradient": gradient, "lr": lr, "parameters": parameters, **slots}
    before = {name: value.clone() for name, value in arguments.items()}
    optimizer.update(gradient, slots, lr, parameters)
    for name, value in arguments.items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("cls", list(optimizers.family), ids=lambda cls: cls.name)
def test_update_is_pure_and_finite_at_zero_gradient(cls: type[Optimizer]) -> None:
    """Arguments are left alone, and a gradient of zero moves nothing."""
    members = _members(cls)
    pack = stack(members, torch.device("cpu"), torch.float64)
    ((optimizer, mask),) = pack.groups
    assert mask is None
    lr = _rates(len(members))
    zero = torch.zeros(len(members), 3)
    slots = {name: zero.clone() for name in optimizer.slots}
    slots |= {name: torch.zeros_like(lr) for name in optimizer.weights}
    before = {name: value.clone() for name, value in slots.items()}
    change, new = optimizer.update(zero, slots, lr, zero)
    assert torch.equal(change, torch.zeros_like(zero))
    assert change.dtype == torch.float32
    assert set(new) == set(slots)
    for name, value in new.items():
        assert value.dtype == slots[name].dtype
        assert torch.equal(slots[name], before[name])
