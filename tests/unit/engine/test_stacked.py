"""Members stacked: the settings stay plain, and a form of their own computes with the columns."""

from __future__ import annotations

import pytest
import torch

from ganstudy.divergences.least_squares import LeastSquares
from ganstudy.engine.stacked import stack
from ganstudy.optimizers.adam import Adam
from ganstudy.settings import Settings

CPU = torch.device("cpu")


class Doubled(LeastSquares):
    """As a plug-in may be: a member that refines another one's method."""

    def critic_loss(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return 2 * super().critic_loss(real, fake)


def test_settings_are_never_given_tensors() -> None:
    members = [Adam(beta1=0.5), Adam(beta1=0.25)]
    ((form, mask),) = stack(members, CPU, torch.float64).groups
    assert mask is None
    assert not isinstance(form, Settings)
    assert form.beta1.tolist() == [[0.5], [0.25]]
    assert form.slots == Adam.slots
    assert [type(member.beta1) for member in members] == [float, float]


def test_settings_have_no_place_in_a_stack() -> None:
    """What says which trials can be stacked is not asked of those that are."""
    ((form, _),) = stack([Adam()], CPU).groups
    with pytest.raises(AttributeError):
        form.structure()


def test_a_method_may_call_the_one_that_it_refines() -> None:
    members = [Doubled(b=1.0), Doubled(b=0.5)]
    real, fake = torch.rand(2, 6), torch.rand(2, 6)
    found = stack(members, CPU).select(lambda own, *xs: own.critic_loss(*xs), real, fake)
    for row, member in enumerate(members):
        expected = 2 * LeastSquares(b=member.b).critic_loss(real[row], fake[row])
        torch.testing.assert_close(found[row], expected)


def test_inputs_are_laid_out_alike_whoever_stands_beside() -> None:
    """A loop over memory with gaps rounds the end of each row, another that of the pack."""
    both = torch.rand(3, 8)
    laid_out = []

    def seen(member: LeastSquares, x: torch.Tensor) -> torch.Tensor:
        laid_out.append(x.stride())
        return x.mean(-1)

    for members in ([LeastSquares()] * 3, [LeastSquares(), LeastSquares(), Doubled()]):
        stack(members, CPU).select(seen, both[:, 4:])
    assert set(laid_out) == {(4, 1)}
