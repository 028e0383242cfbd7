"""Every network: shapes, first values, and the forward pass against torch.nn."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from torch import nn

from ganstudy import networks
from ganstudy.networks import Network

every_network = pytest.mark.parametrize("cls", list(networks.family), ids=lambda cls: cls.name)
SIZES = [(2, 1, 0, 2), (2, 1, 1, 1), (3, 5, 0, 1), (2, 16, 2, 1), (1, 7, 4, 3)]
every_size = pytest.mark.parametrize(("inputs", "width", "depth", "outputs"), SIZES)


def _parameters(
    network: Network, sizes: tuple[int, int, int, int], pack: int
) -> dict[str, torch.Tensor]:
    shapes = network.shapes(*sizes)
    trials = [network.initialise(np.random.default_rng(i), shapes) for i in range(pack)]
    return {name: torch.from_numpy(np.stack([t[name] for t in trials])) for name in shapes}


@every_network
@every_size
def test_output_shapes(
    cls: type[Network], inputs: int, width: int, depth: int, outputs: int
) -> None:
    """(pack, batch, inputs) -> (pack, batch, outputs), each trial by its own parameters."""
    network, sizes = cls(), (inputs, width, depth, outputs)
    parameters = _parameters(network, sizes, 3)
    for name, shape in network.shapes(*sizes).items():
        assert parameters[name].shape == (3, *shape)
        assert parameters[name].dtype == torch.float32
    x = torch.randn(3, 11, inputs, generator=torch.Generator().manual_seed(0))
    y = network.apply(parameters, x)
    assert y.shape == (3, 11, outputs)
    for row in range(3):
        alone = network.apply({n: p[row : row + 1] for n, p in parameters.items()}, x[row][None])
        torch.testing.assert_close(alone[0], y[row])


@every_network
def test_every_parameter_matters(cls: type[Network]) -> None:
    """The gradient of the output reaches each parameter of each trial."""
    network = cls()
    parameters = _parameters(network, (2, 16, 2, 1), 2)
    for value in parameters.values():
        value.requires_grad_()
    x = torch.randn(2, 64, 2, generator=torch.Generator().manual_seed(0))
    network.apply(parameters, x).sum().backward()  # type: ignore[no-untyped-call]
    for name, value in parameters.items():
        assert value.grad is not None, name
        assert bool((value.grad.flatten(1) != 0).any(dim=1).all()), name


@every_network
def test_first_values_follow_the_stream_alone(cls: type[Network]) -> None:
    """Equal generators give equal parameters, other generators others."""
    network = cls()
    shapes = network.shapes(2, 8, 2, 1)
    first, again, other = (network.initialise(np.random.default_rng(s), shapes) for s in (0, 0, 1))
    assert list(first) == list(shapes)
    for name in shapes:
        assert first[name].shape == shapes[name]
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])


@every_size
def test_mlp_equals_torch_nn(inputs: int, width: int, depth: int, outputs: int) -> None:
    """The same weights in nn.Sequential give the same outputs; `depth` counts hidden layers."""
    network = networks.family["mlp"]()
    parameters = _parameters(network, (inputs, width, depth, outputs), 2)
    x = torch.randn(2, 9, inputs, generator=torch.Generator().manual_seed(0))
    y = network.apply(parameters, x)
    sizes = [inputs, *[width] * depth, outputs]
    for row in range(2):
        layers: list[nn.Module] = []
        for layer, (a, b) in enumerate(itertools.pairwise(sizes)):
            linear = nn.Linear(a, b)
            with torch.no_grad():
                linear.weight.copy_(parameters[f"weight_{layer}"][row].T)
                linear.bias.copy_(parameters[f"bias_{layer}"][row, 0])
            layers += [linear, nn.ReLU()]
        torch.testing.assert_close(nn.Sequential(*layers[:-1])(x[row]), y[row])


@pytest.mark.parametrize("name", ["weight_0", "bias_0", "weight_1", "bias_1", "weight_2"])
def test_mlp_starts_as_torch_nn_linear(name: str) -> None:
    """Kolmogorov-Smirnov against the uniform law of nn.Linear; Gaussian values fail."""
    sizes = (3, 40, 2, 1)
    network = networks.family["mlp"]()
    values = np.concatenate(
        [
            network.initialise(np.random.default_rng(seed), network.shapes(*sizes))[name].ravel()
            for seed in range(60)
        ]
    )
    inputs = network.shapes(*sizes)[name.replace("bias", "weight")][0]
    bound = 1 / math.sqrt(inputs)
    law = ("uniform", (-bound, 2 * bound))
    assert float(np.abs(values).max()) <= bound
    assert kstest(values, *law).pvalue > 1e-4
    linear = nn.Linear(inputs, 2000)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        linear.reset_parameters()
    assert kstest(linear.bias.detach().numpy(), *law).pvalue > 1e-4
    wrong = np.clip(np.random.default_rng(0).normal(0, bound / math.sqrt(3), 2000), -bound, bound)
    assert kstest(wrong, *law).pvalue < 1e-4
