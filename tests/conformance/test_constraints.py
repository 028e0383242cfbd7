"""Every constraint: what `project` promises."""

from __future__ import annotations

import pytest
import torch
from tiny import variants

from ganstudy import constraints
from ganstudy.constraints import Constraint
from ganstudy.engine.stacked import stack

every_constraint = pytest.mark.parametrize("cls", list(constraints.family), ids=lambda c: c.name)


def _weights(rows: int = 4, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(rows, 50, generator=torch.Generator().manual_seed(0))


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
    projected = stack(members, torch.device("cpu")).select(lambda c, w: c.project(w), weights)
    for row, member in enumerate(members):
        assert torch.equal(projected[row], member.project(weights[row : row + 1])[0])


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
