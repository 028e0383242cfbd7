"""Every network, activation and initialisation: shapes, first values, and torch.nn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import kstest, ortho_group
from tiny import at_its_bounds
from torch import nn

from ganstudy import activations, initialisations, networks
from ganstudy.activations import Activation
from ganstudy.initialisations import Initialisation
from ganstudy.networks import Architecture, Ends, Network, Side
from ganstudy.targets import Image

every_activation = pytest.mark.parametrize("name", activations.family.names)
every_initialisation = pytest.mark.parametrize("name", initialisations.family.names)
SIZES = [(2, 1, 0, 2), (2, 1, 1, 1), (3, 5, 0, 1), (2, 16, 2, 1), (1, 7, 4, 3)]
every_size = pytest.mark.parametrize(("inputs", "width", "depth", "outputs"), SIZES)

IMAGE = Image(2, 8, 4)
PLAIN_CASES = [
    (Ends(Side(i), Side(o)), width, depth) for i, width, depth, o in SIZES if width > 1 or not depth
]
IMAGE_CASES = [
    (Ends(Side(3, labels=2), Side(64, IMAGE)), 8, 1),
    (Ends(Side(1), Side(64, IMAGE)), 16, 2),
    (Ends(Side(64, IMAGE), Side(1)), 16, 2),
    (Ends(Side(64, IMAGE, labels=3, pac=2), Side(1)), 8, 1),
]
every_case = pytest.mark.parametrize(
    ("cls", "ends", "width", "depth"),
    [
        pytest.param(cls, *case, id=f"{cls.name}-{place}")
        for cls in networks.family
        for place, case in enumerate(IMAGE_CASES if cls.images else PLAIN_CASES)
    ],
)


def _architecture(width: int = 16, depth: int = 2, **settings: Any) -> Architecture:
    return Architecture.model_validate({"width": width, "depth": depth, **settings})


def _ends(inputs: int, outputs: int) -> Ends:
    return Ends(Side(inputs), Side(outputs))


def _parameters(
    network: Network, architecture: Architecture, ends: Ends, pack: int
) -> dict[str, torch.Tensor]:
    trials = [network.initialise(architecture, ends, np.random.default_rng(i)) for i in range(pack)]
    shapes = network.shapes(architecture, ends)
    return {name: torch.from_numpy(np.stack([t[name] for t in trials])) for name in shapes}


def _inputs(pack: int, batch: int, inputs: int) -> torch.Tensor:
    return torch.randn(pack, batch, inputs, generator=torch.Generator().manual_seed(0))


def _fit(cls: type[Network], ends: Ends, **settings: Any) -> Architecture | None:
    """The architecture, if the network can be made with it."""
    architecture = _architecture(**settings)
    return None if cls().unfit(architecture, ends) else architecture


@every_case
@pytest.mark.parametrize("activation", ["relu", "maxout"])
def test_output_shapes(
    cls: type[Network], ends: Ends, width: int, depth: int, activation: str
) -> None:
    """(pack, batch, inputs) -> (pack, batch, outputs), each trial by its own parameters."""
    network = cls()
    architecture = _fit(cls, ends, width=width, depth=depth, activation=activation)
    if architecture is None:
        pytest.skip(f"refused: {activation}")
    parameters = _parameters(network, architecture, ends, 3)
    for name, shape in network.shapes(architecture, ends).items():
        assert parameters[name].shape == (3, *shape)
        assert parameters[name].dtype == torch.float32
    x = _inputs(3, 11, ends.inputs.row)
    y = network.apply(architecture, ends, parameters, x)
    assert y.shape == (3, 11, ends.outputs.row)
    for row in range(3):
        alone = {n: p[row : row + 1] for n, p in parameters.items()}
        own = network.apply(architecture, ends, alone, x[row][None])[0]
        torch.testing.assert_close(own, y[row])


@every_case
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("bias", [True, False])
def test_every_parameter_matters(
    cls: type[Network], ends: Ends, width: int, depth: int, norm: str, bias: bool
) -> None:
    """The gradient of the output reaches each parameter of each trial.

    But for biases before a batch norm, which takes them away again.
    """
    network = cls()
    settings = {"activation": "elu", "width": width, "depth": depth, "norm": norm, "bias": bias}
    architecture = _fit(cls, ends, **settings)
    if architecture is None:
        pytest.skip(f"refused: {norm}")
    parameters = _parameters(network, architecture, ends, 2)
    normed = {name.partition("_")[2] for name in parameters if name.startswith("gain")}
    assert normed == {name.partition("_")[2] for name in parameters if name.startswith("shift")}
    if depth:
        assert bias or not any(name.startswith("bias") for name in parameters)
    for value in parameters.values():
        # Where first values are zero, as those that end a block, nothing flows to what is before.
        value += 0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(5))
        value.requires_grad_()
    y = network.apply(architecture, ends, parameters, _inputs(2, 64, ends.inputs.row))
    (y * y).sum().backward()  # type: ignore[no-untyped-call]  # torch has not typed it
    for name, value in parameters.items():
        assert value.grad is not None, name
        what, _, layer = name.partition("_")
        if not (what == "bias" and layer in normed and norm == "batch"):
            assert bool((value.grad.flatten(1).abs() > 1e-5).any(dim=1).all()), name


@every_case
@every_initialisation
def test_first_values_follow_the_stream_alone(
    cls: type[Network], ends: Ends, width: int, depth: int, name: str
) -> None:
    """Equal generators give equal parameters, other generators others."""
    network = cls()
    settings = {"width": width, "depth": depth, "initialisation": name}
    architecture = _fit(cls, ends, **settings, norm="layer") or _architecture(**settings)
    shapes = network.shapes(architecture, ends)
    first, again, other = (
        network.initialise(architecture, ends, np.random.default_rng(s)) for s in (0, 0, 1)
    )
    assert list(first) == list(shapes)
    for key in shapes:
        assert first[key].shape == shapes[key]
        assert first[key].dtype == np.float32
        np.testing.assert_array_equal(first[key], again[key])
        if key.startswith("weight") and first[key].any():
            assert not np.array_equal(first[key], other[key])
        if key.startswith(("gain", "shift")):
            np.testing.assert_array_equal(first[key], float(key.startswith("gain")))


@pytest.mark.parametrize(
    ("cls", "traced"),
    [
        pytest.param(cls, traced, id=f"{cls.name}{'-traced' * traced}")
        for cls in networks.family
        # What is computed trial after trial cannot be traced, and states its modules.
        for traced in ((False, True) if cls.stacks else (False,))
    ],
)
@every_activation
@pytest.mark.parametrize(("norm", "bias"), [("none", True), ("layer", False), ("batch", True)])
def test_a_module_of_its_own_computes_the_same(
    cls: type[Network], name: str, norm: str, bias: bool, traced: bool
) -> None:
    """To rounding; that which the member states, and that which torch traces of its forward pass.

    With running moments, too, where the network keeps any.
    """
    network = cls()
    ends = Ends(Side(3), Side(64, IMAGE) if cls.images else Side(4))
    settings = {"width": 8, "activation": name, "norm": norm, "bias": bias}
    architecture = _fit(cls, ends, **settings)
    if architecture is None:
        pytest.skip(f"refused: {name} and {norm}")
    parameters = _parameters(network, architecture, ends, 2)
    # Gains of one and shifts of zero would hide themselves.
    parameters = {
        n: p + torch.linspace(-0.3, 0.4, p.numel()).view_as(p) for n, p in parameters.items()
    }
    x = _inputs(2, 11, 3)
    own = {name: value[0] for name, value in parameters.items()}
    make = (lambda *given: Network.module(network, *given)) if traced else network.module
    cases = [({}, network.apply(architecture, ends, parameters, x)[0])]
    if norm == "batch" and network.keeps_moments:
        moments = network.moments(architecture, ends, parameters, 3 * x + 1)
        by = network.apply_by(architecture, ends, parameters, x, moments)[0]
        cases.append(({name: value[0] for name, value in moments.items()}, by))
    for given, expected in cases:
        module = make(architecture, ends, own, given).eval()
        torch.testing.assert_close(module(x[0]), expected, rtol=1e-4, atol=1e-5)


# --- what a network states ------------------------------------------------------------------------


class _Plain(Network):
    """A layer of sines and a row of sums, as a user's own network: it states nothing else."""

    def shapes(self, architecture: Architecture, ends: Ends) -> dict[str, tuple[int, ...]]:
        width = architecture.width
        return {"into": (ends.inputs.row, width), "out_of": (width, ends.outputs.row)}

    def initialise(
        self, architecture: Architecture, ends: Ends, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float32]]:
        shapes = self.shapes(architecture, ends)
        return {name: rng.standard_normal(own, np.float32) for name, own in shapes.items()}

    def apply(
        self, architecture: Architecture, ends: Ends, parameters: Any, x: torch.Tensor
    ) -> torch.Tensor:
        return (x @ parameters["into"]).sin() @ parameters["out_of"]


def test_what_a_network_does_not_state_is_counted() -> None:
    """Products and activations of a network that says nothing of them, by hand."""
    network, architecture = _Plain(), _architecture(16, 0)
    ends = Ends(Side(3, labels=2, pac=2), Side(4))
    assert network.multiply_adds(architecture, ends) == 10 * 16 + 16 * 4
    assert network.units(architecture, ends) == 10 + 2 * 16  # the row, sums and their sines
    assert network.matrices(architecture, ends) == {}
    assert not network.is_affine(architecture)


@every_case
def test_products_are_those_that_torch_counts(
    cls: type[Network], ends: Ends, width: int, depth: int
) -> None:
    """What a network states is what the count would be; its matrices are its parameters."""
    network, architecture = cls(), _architecture(width, depth)
    counted = Network.multiply_adds(network, architecture, ends)
    stated = network.multiply_adds(architecture, ends)
    # Products with images, number by number, are no matrices to torch.
    assert counted <= stated <= counted * (1.2 if cls.images else 1)
    assert network.units(architecture, ends) <= 2 * Network.units(network, architecture, ends)
    shapes = network.shapes(architecture, ends)
    for name, (rows, columns) in network.matrices(architecture, ends).items():
        assert rows * columns == math.prod(shapes[name])


# --- activations ---------------------------------------------------------------------------------


class _Maxout(nn.Module):
    """The largest of each unit's sums, by a loop over its pieces."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, sums: torch.Tensor) -> torch.Tensor:
        largest = sums[..., 0 :: self.pieces]
        for piece in range(1, self.pieces):
            largest = torch.maximum(largest, sums[..., piece :: self.pieces])
        return largest


def _torch_activation(activation: Activation) -> nn.Module:
    """The counterpart in torch.nn; each member owes an entry."""
    s: Any = activation
    match activation.name:
        case "relu":
            return nn.ReLU()
        case "leaky_relu":
            return nn.LeakyReLU(s.slope)
        case "elu":
            return nn.ELU(s.alpha)
        case "tanh":
            return nn.Tanh()
        case "maxout":
            return _Maxout(s.pieces)
        case name:
            assert activation.plugin, f"{name} has no counterpart in this test: add one"
            pytest.skip("what torch has in the place of a plug-in is not stated")


ACTIVATIONS: list[dict[str, Any]] = [
    *({"name": name} for name in activations.family.names),
    {"name": "leaky_relu", "slope": 0.01},
    {"name": "leaky_relu", "slope": 0.0},
    {"name": "elu", "alpha": 0.3},
    {"name": "maxout", "pieces": 2},
]


@pytest.mark.parametrize("settings", ACTIVATIONS, ids=str)
def test_activations_are_those_of_torch(settings: dict[str, Any]) -> None:
    """Values and slopes, with one unit for `inputs` sums."""
    activation = activations.family.from_config(settings)
    sums = 3 * torch.randn(4, 6 * activation.inputs, generator=torch.Generator().manual_seed(1))
    ours, theirs = (sums.clone().requires_grad_() for _ in range(2))
    found, expected = activation.apply(ours), _torch_activation(activation)(theirs)
    assert found.shape == (4, 6)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
    for value in (found, expected):
        (value * torch.arange(6)).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-6, atol=1e-7)


@every_activation
@pytest.mark.parametrize("level", [-1e4, -80.0, 0.0, 80.0, 1e4])
def test_activations_are_finite_far_out(name: str, level: float) -> None:
    """Values, slopes and, for penalties, slopes of slopes."""
    default = activations.family.from_config(name)
    for activation in [default, *at_its_bounds(default)]:
        sums = torch.full((2, 4 * activation.inputs), level, requires_grad=True)
        value = activation.apply(sums)
        (slope,) = torch.autograd.grad(value.sum(), sums, create_graph=True)
        tensors = [value, slope]
        if slope.requires_grad:
            tensors += torch.autograd.grad((slope * slope).sum(), sums)
        for tensor in tensors:
            assert bool(torch.isfinite(tensor).all()), repr(activation)


# --- the perceptron ------------------------------------------------------------------------------


def _module(
    architecture: Architecture, parameters: dict[str, torch.Tensor], row: int, outputs: int
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for layer in range(architecture.depth + 1):
        weight = parameters[f"weight_{layer}"][row]
        linear = nn.Linear(*weight.shape, bias=architecture.bias)
        with torch.no_grad():
            linear.weight.copy_(weight.T)
            if architecture.bias:
                linear.bias.copy_(parameters[f"bias_{layer}"][row, 0])
        layers.append(linear)
        if layer == architecture.depth:
            break
        if architecture.norm != "none":
            kind: Any = nn.BatchNorm1d if architecture.norm == "batch" else nn.LayerNorm
            norm = kind(weight.shape[1])
            with torch.no_grad():
                norm.weight.copy_(parameters[f"gain_{layer}"][row, 0])
                norm.bias.copy_(parameters[f"shift_{layer}"][row, 0])
            layers.append(norm)
        layers.append(_torch_activation(architecture.activation))
    return nn.Sequential(*layers)


@every_size
@pytest.mark.parametrize("activation", ["relu", "maxout"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("bias", [True, False])
def test_mlp_equals_torch_nn(
    inputs: int, width: int, depth: int, outputs: int, activation: str, norm: str, bias: bool
) -> None:
    """The same weights in nn.Sequential give the same outputs; `depth` counts hidden layers."""
    network = networks.family["mlp"]()
    architecture = _architecture(width, depth, activation=activation, norm=norm, bias=bias)
    ends = _ends(inputs, outputs)
    parameters = _parameters(network, architecture, ends, 2)
    scatter = torch.Generator().manual_seed(3)
    for name, value in parameters.items():
        if name.startswith(("gain", "shift")):
            value += 0.3 * torch.randn(value.shape, generator=scatter)
    x = _inputs(2, 9, inputs)
    y = network.apply(architecture, ends, parameters, x)
    for row in range(2):
        module = _module(architecture, parameters, row, outputs)
        torch.testing.assert_close(module(x[row]), y[row], rtol=1e-4, atol=1e-5)


# --- first values --------------------------------------------------------------------------------


def _drawn(name: str, settings: dict[str, Any], seeds: int) -> NDArray[np.float32]:
    network = networks.family["mlp"]()
    architecture = _architecture(40, 2, initialisation=settings)
    drawn = [
        network.initialise(architecture, _ends(3, 1), np.random.default_rng(seed))[name]
        for seed in range(seeds)
    ]
    return np.concatenate([own.ravel() for own in drawn])


@pytest.mark.parametrize("name", ["weight_0", "bias_0", "weight_1", "bias_1", "weight_2"])
def test_fan_in_is_the_law_of_torch_nn_linear(name: str) -> None:
    """Kolmogorov-Smirnov against the uniform law of nn.Linear; Gaussian values fail."""
    values = _drawn(name, {"name": "fan_in"}, 60)
    inputs = 3 if name.endswith("0") else 40
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


@pytest.mark.parametrize("std", [0.02, 1.0])
def test_normal_is_normal(std: float) -> None:
    """Kolmogorov-Smirnov against the normal law; one with another spread fails."""
    values = _drawn("weight_1", {"name": "normal", "std": std}, 5)
    assert kstest(values, "norm", (0, std)).pvalue > 1e-4
    assert kstest(values, "norm", (0, 1.15 * std)).pvalue < 1e-4
    np.testing.assert_array_equal(_drawn("bias_1", {"name": "normal", "std": std}, 2), 0)


ORTHOGONAL_SHAPES = [(1, 1), (5, 5), (3, 8), (8, 3), (40, 40)]


@pytest.mark.parametrize(("inputs", "outputs"), ORTHOGONAL_SHAPES)
@pytest.mark.parametrize("gain", [1.0, 0.8])
def test_orthogonal_keeps_lengths(inputs: int, outputs: int, gain: float) -> None:
    """W^T W or W W^T is g^2 I, as of torch.nn.init.orthogonal_."""
    own = initialisations.family.from_config({"name": "orthogonal", "gain": gain})
    theirs = nn.init.orthogonal_(
        torch.empty(inputs, outputs), gain, torch.Generator().manual_seed(0)
    )
    for weight in (own.weight(np.random.default_rng(0), inputs, outputs), theirs.numpy()):
        assert weight.shape == (inputs, outputs)
        product = weight.T @ weight if inputs >= outputs else weight @ weight.T
        np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=2e-6)
    np.testing.assert_array_equal(own.bias(np.random.default_rng(0), inputs, outputs), 0)


def _without_signs(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    return np.asarray(np.linalg.qr(rng.standard_normal((size, size)))[0])


def test_orthogonal_is_uniform_among_its_kind() -> None:
    """Traces and first entries have the law of SciPy's Haar matrices; QR without signs fails."""
    own: Initialisation = initialisations.family["orthogonal"]()
    count, size = 3000, 4
    ours = np.stack([own.weight(np.random.default_rng(i), size, size) for i in range(count)])
    theirs = ortho_group.rvs(size, size=count, random_state=np.random.default_rng(0))
    raw = np.stack([_without_signs(np.random.default_rng(i), size) for i in range(count)])
    for statistic in (
        lambda w: np.trace(w, axis1=1, axis2=2),
        lambda w: w[:, 0, 0],
        lambda w: w[:, 1, 2],
    ):
        assert kstest(statistic(ours), statistic(theirs)).pvalue > 1e-4
    assert kstest(raw[:, 0, 0], theirs[:, 0, 0]).pvalue < 1e-4


def test_architecture_names_what_it_can_set() -> None:
    """Norms are words, activations members."""
    with pytest.raises(ValueError, match="norm"):
        _architecture(norm="instance")
    assert _architecture().activation.name == "relu"
