"""Members stacked: the settings stay plain, and a form of their own computes with the columns."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import pytest
import torch

from ganstudy.divergences import ClassifierDivergence, DiscreteLaws
from ganstudy.divergences.least_squares import LeastSquares
from ganstudy.divergences.minimax import Minimax
from ganstudy.divergences.non_saturating import NonSaturating
from ganstudy.engine.stacked import stack
from ganstudy.optimizers.adam import Adam
from ganstudy.settings import Settings

CPU = torch.device("cpu")


class Template(ClassifierDivergence):
    """What a plug-in's members may have in common: a loss that calls what each says for itself."""

    plugin: ClassVar[str] = "abc"

    def critic_loss(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return self.rise(fake).mean(-1) - real.mean(-1)

    def rise(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def generator_loss(self, fake: torch.Tensor) -> torch.Tensor:
        return -fake.mean(-1)

    def exact(self, laws: DiscreteLaws) -> float:
        return 0.0


class Steep(Template):
    def rise(self, x: torch.Tensor) -> torch.Tensor:
        return 3 * x


class Weighted(Template):
    """One that keeps what it has worked out of its settings."""

    weight: float = 1.0

    @cached_property
    def ends(self) -> tuple[torch.Tensor | float, ...]:
        return (-self.weight, self.weight)


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


def test_what_a_member_has_worked_out_is_no_setting_of_the_others() -> None:
    """What had been asked of a member decided who shares its group, and stood for all of them."""
    members = [Weighted(weight=1.0), Weighted(weight=3.0), Weighted(weight=3.0)]
    assert [own.ends for own in members[1:]] == [(-3.0, 3.0)] * 2
    ((form, _),) = stack(members, CPU).groups
    assert [end.tolist() for end in form.ends] == [[[-1.0], [-3.0], [-3.0]], [[1.0], [3.0], [3.0]]]


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


def test_members_that_share_a_loss_keep_what_it_calls() -> None:
    """The package's own share what calls nothing else; nobody knows that of a plug-in's."""
    real, fake = torch.zeros(2, 4), torch.ones(2, 4)
    pack = stack([Template(), Steep()], CPU).sharing("critic_loss")
    found = pack.select(lambda own, *xs: own.critic_loss(*xs), real, fake)
    assert found.tolist() == [1.0, 3.0]
    assert len(stack([Minimax(), NonSaturating()], CPU).sharing("critic_loss").groups) == 1


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
