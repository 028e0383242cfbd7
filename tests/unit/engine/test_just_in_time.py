"""Steps compiled just in time: by torch itself, from the graph that is traced for all programs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganstudy.engine.just_in_time import JustInTime
from ganstudy.engine.packing import why_no_compiler


@pytest.mark.slow
@pytest.mark.skipif(why_no_compiler() != "", reason="no C++ compiler")
def test_a_gradient_within_a_step() -> None:
    """Which the front of torch's compiler does not see through; a form serves all numbers."""

    def descended(rate: Tensor, x: Tensor) -> Tensor:
        own = x.detach().requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(own.square().sum(), own)
        return x - rate * slope

    compiled = JustInTime(descended)
    rate = torch.full((4, 1), 0.25)
    for x in (torch.ones(4, 3), torch.arange(12.0).view(4, 3)):
        torch.testing.assert_close(compiled(rate, x), x / 2)
        form = compiled.traced(rate, x)
        assert form.run is not None
    assert form is compiled.traced(rate, torch.ones(4, 3))


def test_a_form_is_of_one_device() -> None:
    """A worker may have a pack on one GPU and the next on another, which is of the same type."""
    compiled = JustInTime(lambda rate, x: x - rate * torch.ones(3, device=x.device))
    forms = [
        compiled.traced(torch.ones(4, 1, device=place), torch.ones(4, 3, device=place))
        for place in ("cpu", "meta", "cpu")
    ]
    assert forms[0] is forms[2] is not forms[1]
