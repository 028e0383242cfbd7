import subprocess
import sys

import pytest
import torch
from torch import Tensor

from ganstudy.engine.gradients import gradients, inner_gradient

GENERATOR = torch.Generator().manual_seed(0)
AT = {
    name: torch.randn(3, 4, 5, generator=GENERATOR)[:, :, : 5 - i]
    for i, name in enumerate(["wide", "narrow"])
}


def loss(at: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    own = (at["wide"].tanh() @ at["wide"].mT).logsumexp(-1).sum(1)
    return own.sum(), {"own": own}


def penalised(slope_of, parameters: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """A loss of which a slope at `x` is part, where its critic depends on that x too."""
    x = parameters["wide"].sinh()
    weight = parameters["wide"] * x
    slopes = slope_of(lambda x: (weight * x.square().tanh()).sum(), x)
    return slopes.square().sum() + weight.sum(), {}


def by_torch(total, x: Tensor) -> Tensor:
    return torch.func.grad(total)(x)


@pytest.mark.parametrize(
    ("own", "torchs"),
    [
        (loss, loss),
        (
            lambda at: penalised(inner_gradient, at),
            lambda at: penalised(by_torch, at),
        ),
        (lambda at: (torch.ones(()), {}), lambda at: (0 * at["wide"].sum(), {})),
    ],
)
def test_they_are_those_of_torchs_function(own, torchs):
    """Bit for bit; zero where a loss knows nothing of a tensor."""
    found, aside = gradients(own, AT)
    expected, beside = torch.func.grad(torchs, has_aux=True)(AT)
    for name, value in zip(AT, found, strict=True):
        assert torch.equal(value, expected[name])
        assert not value.requires_grad
    for name, value in aside.items():
        assert torch.equal(value, beside[name])
        assert not value.requires_grad


def test_an_inner_gradient_is_seen_by_torchs_own_function():
    found, _ = torch.func.grad(lambda at: penalised(inner_gradient, at), has_aux=True)(AT)
    expected, _ = gradients(lambda at: penalised(inner_gradient, at), AT)
    assert torch.equal(found["wide"], expected[0])


@pytest.mark.slow
def test_a_process_that_trains_as_written_imports_no_compiler():
    """Two seconds of each, with gradients of gradients of every kind."""
    script = (
        "import sys\n"
        "from ganstudy.kinds.adversarial import Adversarial\n"
        "from ganstudy.trial import Trial\n"
        "record = {'every': 1, 'samples': 16, 'equilibrium': {'responses': 1}}\n"
        "settings = {'steps': 2, 'batch': 8, 'record': record, 'constraint': 'gradient_penalty'}\n"
        "for updates in ('alternating', 'unrolled', 'consensus'):\n"
        "    own = Adversarial.model_validate({**settings, 'updates': updates})\n"
        "    (record,) = own.train([Trial(own, 0)])\n"
        "    assert record.status == 'complete', record.cause\n"
        "assert 'torch' in sys.modules and 'torch._dynamo' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert not done.returncode, done.stderr
