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


def _torch_group(member: Optimizer) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """The counterpart in torch.optim and its arguments; each member owes an entry."""
    s: Any = member
    match member.name:
        case "adam":
            return torch.optim.Adam, {"betas": (s.beta1, s.beta2), "eps": s.eps}
        case "rmsprop":
            return torch.optim.RMSprop, {"alpha": s.alpha, "eps": s.eps}
        case "sgd":
            return torch.optim.SGD, {}
        case name:
            raise LookupError(f"{name} has no counterpart in this test: add one")


def _members(cls: type[Optimizer]) -> list[Optimizer]:
    """Defaults, random parameters, and an epsilon large enough for its place to matter."""
    members = [cls(), *variants(cls, 2)]
    large = {"eps": 0.1} if "eps" in cls.model_fields else {}
    return [*members, cls.model_validate(large)]


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


def _ours(members: list[Optimizer], problem: _Regression) -> torch.Tensor:
    pack = stack(members, torch.device("cpu"), torch.float64)
    lr = torch.tensor([[v] for v in LRS], dtype=torch.float64)
    parameters = problem.start.float()
    slots = {n: torch.zeros_like(parameters) for o, _ in pack.groups for n in o.slots}
    slots |= {n: torch.zeros_like(lr) for o, _ in pack.groups for n in o.weights}
    for step in range(STEPS):
        gradient = problem.gradient(step, parameters)
        change: torch.Tensor | None = None
        state = dict(slots)
        for optimizer, mask in pack.groups:
            own, new = optimizer.update(gradient, state, lr)
            change = choose(mask, own, change)
            slots |= {name: choose(mask, value, slots[name]) for name, value in new.items()}
        assert change is not None
        parameters = parameters + change
    return parameters


def _theirs(members: list[Optimizer], problem: _Regression, dtype: torch.dtype) -> torch.Tensor:
    rows = [row.to(dtype).clone() for row in problem.start]
    solvers = []
    for row, member, lr in zip(rows, members, LRS, strict=True):
        cls, arguments = _torch_group(member)
        solvers.append(cls([row], lr=lr, foreach=False, **arguments))  # type: ignore[call-arg]
    for step in range(STEPS):
        for row, solver in zip(rows, solvers, strict=True):
            row.grad = problem.gradient(step, row[None])[0]
            solver.step()
    return torch.stack(rows)


@pytest.mark.parametrize("cls", list(optimizers.family), ids=lambda cls: cls.name)
def test_thousand_steps_as_torch_optim(cls: type[Optimizer]) -> None:
    """Ours in float32 is as close to torch's in float64 as torch's own float32 is.

    The problem contracts, so rounding errors of about ten operations a step do not grow: they add
    up like a random walk at most, sqrt(10 STEPS) units of the largest parameter, and
    the two float32 runs, rounded differently, lie within that distance of the float64 one.
    """
    members, problem = _members(cls), _Regression()
    exact = _theirs(members, problem, torch.float64)
    ours, theirs = _ours(members, problem).double(), _theirs(members, problem, torch.float32)
    walk = (10 * STEPS) ** 0.5 * UNIT
    for row in range(len(members)):
        tolerance = walk * float(exact[row].abs().max())
        assert float((ours[row] - exact[row]).abs().max()) < tolerance
        assert float((ours[row] - theirs[row].double()).abs().max()) < tolerance
        moved = float((exact[row] - problem.start[row]).abs().max())
        assert moved > 1000 * tolerance


def test_mixed_pack_updates_each_trial_by_its_own_rule() -> None:
    """Members that share names of slots do not touch each other's state."""
    classes = list(optimizers.family)
    members = [cls() for _, cls in zip(LRS, [*classes, *classes], strict=False)]
    problem = _Regression()
    exact = _theirs(members, problem, torch.float64)
    ours = _ours(members, problem).double()
    tolerance = (10 * STEPS) ** 0.5 * UNIT * float(exact.abs().max())
    assert float((ours - exact).abs().max()) < tolerance


@pytest.mark.parametrize("cls", list(optimizers.family), ids=lambda cls: cls.name)
def test_update_is_pure_and_finite_at_zero_gradient(cls: type[Optimizer]) -> None:
    """Arguments are left alone, and a gradient of zero moves nothing."""
    pack = stack(_members(cls), torch.device("cpu"), torch.float64)
    ((optimizer, mask),) = pack.groups
    assert mask is None
    lr = torch.tensor([[v] for v in LRS], dtype=torch.float64)
    slots = {name: torch.zeros(len(LRS), 3) for name in optimizer.slots}
    slots |= {name: torch.zeros(len(LRS), 1, dtype=torch.float64) for name in optimizer.weights}
    before = {name: value.clone() for name, value in slots.items()}
    change, new = optimizer.update(torch.zeros(len(LRS), 3), slots, lr)
    assert torch.equal(change, torch.zeros(len(LRS), 3))
    assert change.dtype == torch.float32
    assert set(new) == set(slots)
    for name, value in new.items():
        assert value.dtype == slots[name].dtype
        assert torch.equal(slots[name], before[name])
