"""Networks of convolutions: the same in plain torch.nn, their first values, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from tiny import DEVICE, PICTURES, trial
from torch import nn

from ganstudy import constraints, networks, tiles
from ganstudy.kinds.adversarial.kept_generator import without_ours
from ganstudy.networks import Architecture, Ends, Network, Side
from ganstudy.targets import Image

Parameters = Mapping[str, torch.Tensor]

IMAGE = Image(2, 8, 12)
NUMBERS = 2 * 8 * 12
LATENT, WIDTH, DEPTH = 5, 4, 2
GENERATOR = Ends(Side(LATENT, labels=3), Side(NUMBERS, IMAGE))
CRITIC = Ends(Side(NUMBERS, IMAGE, labels=3, pac=2), Side(1))
ALONE = Ends(Side(NUMBERS, IMAGE), Side(1))


@pytest.fixture(params=[False, True], ids=["apart", "in tiles"])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials one after the other, as on a CPU, and several at once, as on a GPU, with one lacking;
    either can be computed on both.
    """
    monkeypatch.setattr(tiles, "on_gpu", lambda x: request.param)
    monkeypatch.setattr(tiles, "TILE", 3)


either_way = pytest.mark.usefixtures("at_once")


def _network(name: str, **settings: Any) -> Network:
    own = {"resnet": {"group": 4, "blocks": 1}}.get(name, {})
    return networks.family.from_config({"name": name, **own, **settings})


def _architecture(**settings: Any) -> Architecture:
    base = {"width": WIDTH, "depth": DEPTH, "activation": "leaky_relu", **settings}
    return Architecture.model_validate(base)


def _parameters(
    network: Network, architecture: Architecture, ends: Ends, pack: int = 2
) -> dict[str, torch.Tensor]:
    """Random ones in double precision, none of them zero."""
    scatter = torch.Generator().manual_seed(7)
    trials = [network.initialise(architecture, ends, np.random.default_rng(i)) for i in range(pack)]
    stacked = {
        name: torch.from_numpy(np.stack([own[name] for own in trials])) for name in trials[0]
    }
    return {
        name: (value.double() + 0.2 * torch.randn(value.shape, generator=scatter)).to(DEVICE)
        for name, value in stacked.items()
    }


def _rows(ends: Ends, batch: int = 6, pack: int = 2) -> torch.Tensor:
    """Latents or samples, with labels where there are some."""
    rng, side = np.random.default_rng(3), ends.inputs
    x = rng.standard_normal((pack, batch, side.pac, side.numbers + side.labels))
    if side.labels:
        told = rng.integers(side.labels, size=x.shape[:3])
        x[..., side.numbers :] = np.eye(side.labels)[told]
    return torch.from_numpy(x.reshape(pack, batch, -1)).to(DEVICE)


# --- the same in torch.nn -------------------------------------------------------------------------


class _Theirs:
    """Modules of torch.nn with one trial's parameters, and their gradients by our names."""

    def __init__(self, own: Parameters) -> None:
        self.own = {name: value.detach().clone().requires_grad_() for name, value in own.items()}
        self.places: dict[str, nn.Parameter] = {}

    def __getitem__(self, name: str) -> torch.Tensor:
        return self.own[name]

    def load(self, module: nn.Module, names: Mapping[str, str]) -> nn.Module:
        """The module with our parameters, by its names; matrices of ours act from the right."""
        known = dict(module.double().to(DEVICE).named_parameters())
        assert known.keys() == names.keys()
        for theirs, ours in names.items():
            value = self.own[ours]
            with torch.no_grad():
                turned = value.t() if self._is_matrix(ours) else value
                known[theirs].copy_(turned.reshape(known[theirs].shape))
            self.places[ours] = known[theirs]
        return module

    def gradients(self) -> dict[str, torch.Tensor]:
        """What backward has left, in our shapes."""
        found = {}
        for name, value in self.own.items():
            inside = self.places.get(name)
            grad = value.grad if inside is None else inside.grad
            assert grad is not None, name
            turned = inside is not None and self._is_matrix(name)
            found[name] = (grad.t() if turned else grad).reshape(value.shape)
        return found

    def _is_matrix(self, name: str) -> bool:
        return self.own[name].ndim == 2 and name.startswith("weight")


def _norm(kind: str, channels: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm2d(channels, track_running_stats=False)
    return nn.GroupNorm(1, channels)


def _names(layers: list[nn.Module], weights: list[str]) -> dict[str, str]:
    """Names of a sequence's parameters, and ours: weighted layers and norms in one order."""
    names, place = {}, -1
    for number, layer in enumerate(layers):
        own = dict(layer.named_parameters())
        if isinstance(layer, nn.BatchNorm2d | nn.GroupNorm):
            names |= {f"{number}.weight": f"gain_{weights[place]}"}
            names |= {f"{number}.bias": f"shift_{weights[place]}"}
        elif own:
            place += 1
            names |= {f"{number}.{what}": f"{what}_{weights[place]}" for what in own}
    return names


def _dcgan_generator(own: _Theirs, norm: str, bias: bool) -> Callable[..., torch.Tensor]:
    """Radford et al. for 8x12 pixels: a matrix to 2x3, and twice doubled."""
    layers: list[nn.Module] = [nn.Linear(LATENT + 3, 8 * 6, bias), nn.Unflatten(1, (8, 2, 3))]
    for inputs, outputs in ((8, 4), (4, 2)):
        layers += [_norm(norm, inputs)] * (norm != "none")
        layers += [nn.LeakyReLU(0.2), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=bias)]
    layers += [nn.Tanh(), nn.Flatten()]
    return own.load(nn.Sequential(*layers), _names(layers, ["0", "1", "2"]))


def _images(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and labels of rows of two samples, put together by hand."""
    first, second = x.chunk(2, dim=1)
    pictures = [own[:, :NUMBERS].reshape(-1, 2, 8, 12) for own in (first, second)]
    labels = torch.cat([own[:, NUMBERS:] for own in (first, second)], dim=1)
    return torch.cat(pictures, dim=1), labels


def _dcgan_critic(own: _Theirs, norm: str, bias: bool, labels: str) -> Callable[..., torch.Tensor]:
    planes = 6 if labels == "concatenation" else 0
    layers: list[nn.Module] = []
    for place, (inputs, outputs) in enumerate(((4 + planes, 4), (4, 8))):
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=bias)]
        layers += [_norm(norm, outputs)] * (norm != "none" and place > 0) + [nn.LeakyReLU(0.2)]
    layers += [nn.Flatten()]
    body = own.load(nn.Sequential(*layers), _names(layers, ["0", "1"]))
    last = nn.Linear(48, 1, bias)
    head = own.load(last, {what: f"{what}_2" for what, _ in last.named_parameters()})

    def judge(x: torch.Tensor) -> torch.Tensor:
        images, told = _images(x)
        if planes:
            images = torch.cat([images, told[:, :, None, None].expand(-1, -1, 8, 12)], dim=1)
        features = body(images)
        logits: torch.Tensor = head(features)
        if not planes:
            logits = (
                logits + torch.einsum("bk,kf,bf->b", told, own["weight_labels"], features)[:, None]
            )
        return logits

    return judge


class _Block(nn.Module):
    """A residual block of R3GAN: one, three and one pixels, in groups of four channels."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(4, 8, 1, bias=bias), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=bias), nn.LeakyReLU(0.2)),
            nn.Conv2d(8, 4, 1, bias=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = self.layers(x)
        return x + changed


def _blocks(own: _Theirs, bias: bool) -> list[nn.Module]:
    """One at each of three sizes."""
    found = []
    for size in range(3):
        names = {f"layers.{2 * n}.weight": f"weight_{size}_0_{n + 1}" for n in range(3)}
        if bias:
            names |= {f"layers.{2 * n}.bias": f"bias_{size}_0_{n + 1}" for n in range(2)}
        found.append(own.load(_Block(bias), names))
    return found


def _resnet_generator(own: _Theirs, norm: str, bias: bool) -> Callable[..., torch.Tensor]:
    latent = own.load(nn.Linear(LATENT + 3, 4, bias=False), {"weight": "weight_latent"})
    image = own.load(nn.Conv2d(4, 2, 1, bias=False), {"weight": "weight_image"})
    doubled = nn.Upsample(scale_factor=2, mode="bilinear")
    first, second, third = _blocks(own, bias)

    def generate(x: torch.Tensor) -> torch.Tensor:
        x = torch.einsum("bc,chw->bchw", latent(x), own["weight_first"].reshape(4, 2, 3))
        result: torch.Tensor = image(third(doubled(second(doubled(first(x))))))
        return result.flatten(1)

    return generate


def _resnet_critic(own: _Theirs, norm: str, bias: bool, labels: str) -> Callable[..., torch.Tensor]:
    planes = 6 if labels == "concatenation" else 0
    image = own.load(nn.Conv2d(4 + planes, 4, 1, bias=False), {"weight": "weight_image"})
    last = own.load(nn.Conv2d(4, 4, (2, 3), groups=4, bias=False), {"weight": "weight_last"})
    head = own.load(nn.Linear(4, 1, bias=False), {"weight": "weight_logit"})
    halved = nn.AvgPool2d(2)
    first, second, third = _blocks(own, bias)

    def judge(x: torch.Tensor) -> torch.Tensor:
        images, told = _images(x)
        if planes:
            images = torch.cat([images, told[:, :, None, None].expand(-1, -1, 8, 12)], dim=1)
        features = last(third(halved(second(halved(first(image(images))))))).flatten(1)
        logits: torch.Tensor = head(features)
        if not planes:
            logits = (
                logits + torch.einsum("bk,kf,bf->b", told, own["weight_labels"], features)[:, None]
            )
        return logits

    return judge


CASES = [
    *(("dcgan", norm, bias) for norm in ("none", "batch", "layer") for bias in (True, False)),
    ("resnet", "none", True),
    ("resnet", "none", False),
]
every_network = pytest.mark.parametrize(("name", "norm", "bias"), CASES)


def _losses(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A sum over outputs, and the squared slopes in each row that penalties see."""
    weight = torch.linspace(-1, 2, y.numel(), dtype=y.dtype).reshape(y.shape).to(y.device)
    total = (weight * y).sum()
    (slopes,) = torch.autograd.grad(total, x, create_graph=True)
    return total + (slopes * slopes).sum()


def _check(
    network: Network,
    architecture: Architecture,
    ends: Ends,
    theirs: Callable[[_Theirs], Callable[..., torch.Tensor]],
) -> None:
    """Values, and gradients of a loss with a penalty, in all parameters of each trial."""
    parameters, rows = _parameters(network, architecture, ends), _rows(ends)
    y = network.apply(architecture, ends, parameters, rows)

    def loss(own: Parameters) -> torch.Tensor:
        def total(x: torch.Tensor) -> torch.Tensor:
            y = network.apply(architecture, ends, own, x)
            weight = torch.linspace(-1, 2, y[0].numel(), dtype=y.dtype).reshape(y[0].shape)
            return (weight.to(y.device) * y).sum()

        slopes = torch.func.grad(total)(rows)
        return total(rows) + (slopes * slopes).sum()

    ours = torch.func.grad(loss)(parameters)
    for row in range(2):
        own = _Theirs({name: value[row] for name, value in parameters.items()})
        module, x = theirs(own), rows[row].clone().requires_grad_()
        expected = module(x)
        torch.testing.assert_close(y[row], expected, rtol=1e-9, atol=1e-10)
        _losses(expected, x).backward()  # type: ignore[no-untyped-call]  # torch has not typed it
        for name, gradient in own.gradients().items():
            torch.testing.assert_close(ours[name][row], gradient, rtol=1e-7, atol=1e-8)


def test_every_network_of_images_is_here() -> None:
    own = {member.name for member in networks.family if member.images and not member.plugin}
    owing = "write its generator and its critic in torch.nn alone, and name it in CASES"
    assert own == {name for name, _, _ in CASES}, owing


@either_way
@every_network
def test_generators_equal_torch_nn(name: str, norm: str, bias: bool) -> None:
    """The same weights in modules that are put together by hand."""
    made = {"dcgan": _dcgan_generator, "resnet": _resnet_generator}[name]
    architecture = _architecture(norm=norm, bias=bias)
    _check(_network(name), architecture, GENERATOR, lambda own: made(own, norm, bias))


@either_way
@every_network
@pytest.mark.parametrize("labels", ["projection", "concatenation"])
def test_critics_equal_torch_nn(name: str, norm: str, bias: bool, labels: str) -> None:
    """Of pairs of labelled samples, told either way."""
    made = {"dcgan": _dcgan_critic, "resnet": _resnet_critic}[name]
    architecture, network = _architecture(norm=norm, bias=bias), _network(name, labels=labels)
    _check(network, architecture, CRITIC, lambda own: made(own, norm, bias, labels))


@either_way
def test_running_moments_are_those_of_torch_nn() -> None:
    """`moments` of a batch in evaluation: the batch's own output, and that of nn.BatchNorm2d."""
    network, architecture = _network("dcgan"), _architecture(norm="batch")
    parameters, rows = _parameters(network, architecture, GENERATOR), _rows(GENERATOR, 32)
    moments = network.moments(architecture, GENERATOR, parameters, rows)
    assert {name: value.shape for name, value in moments.items()} == {
        f"{what}_{layer}": (2, 1, channels)
        for layer, channels in ((0, 8), (1, 4))
        for what in ("mean", "deviation")
    }
    own = network.apply(architecture, GENERATOR, parameters, rows)
    by = network.apply_by(architecture, GENERATOR, parameters, rows, moments)
    torch.testing.assert_close(by, own, rtol=1e-9, atol=1e-10)
    twice = {name: 2 * value for name, value in moments.items()}
    changed = network.apply_by(architecture, GENERATOR, parameters, rows, twice)
    assert float((changed - own).abs().max()) > 0.01


@either_way
@pytest.mark.parametrize("name", ["dcgan", "resnet"])
def test_many_rows_are_computed_in_parts(name: str) -> None:
    """Where nobody asks for gradients, as when samples are measured."""
    network, architecture = _network(name), _architecture()
    parameters, rows = _parameters(network, architecture, ALONE), _rows(ALONE, 600)
    whole = network.apply(architecture, ALONE, parameters, rows)
    with torch.no_grad():
        parts = network.apply(architecture, ALONE, parameters, rows)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "activation"), [("dcgan", "maxout"), ("resnet", "leaky_relu")])
def test_a_generator_is_handed_on_in_classes_of_torch(name: str, activation: str) -> None:
    """What `load_generator` gives: blocks and scaled images are traced away, samples stay."""
    network, architecture = _network(name), _architecture(activation=activation)
    parameters, rows = _parameters(network, architecture, GENERATOR), _rows(GENERATOR)
    own = {what: value[0] for what, value in parameters.items()}
    whole = without_ours(network.module(architecture, GENERATOR, own, {})).eval()
    assert all(type(part).__module__.startswith("torch.") for part in whole.modules())
    expected = network.apply(architecture, GENERATOR, parameters, rows)[0]
    torch.testing.assert_close(whole(rows[0]), expected, rtol=1e-9, atol=1e-10)


# --- first values ---------------------------------------------------------------------------------


def test_each_pixel_of_a_transposed_convolution_has_the_law() -> None:
    """The weights that add up in one of the four pixels are one draw: orthogonal, if that is it."""
    network = _network("dcgan")
    architecture = _architecture(initialisation="orthogonal", width=8)
    (first,) = (network.initialise(architecture, GENERATOR, np.random.default_rng(0)),)
    weight = torch.from_numpy(first["weight_1"])
    assert weight.shape == (16, 8, 4, 4)
    pixels = torch.eye(16 * 9).reshape(-1, 16, 3, 3)
    painted = nn.functional.conv_transpose2d(pixels, weight, stride=2, padding=1)
    for y, x in ((1, 1), (1, 2), (2, 1), (2, 2)):
        matrix = painted[:, :, y, x]  # from nine pixels of sixteen channels, four of which reach it
        torch.testing.assert_close(matrix.T @ matrix, torch.eye(8), rtol=1e-4, atol=1e-5)


def test_fan_in_counts_what_adds_up() -> None:
    """Of a convolution as in nn.Conv2d; of a transposed one a quarter of its kernel."""
    network, architecture = _network("dcgan"), _architecture(width=16)
    critic = network.initialise(architecture, CRITIC, np.random.default_rng(0))
    module = nn.Conv2d(4 + 6, 16, 4)
    for value, theirs in (
        (critic["weight_0"], module.weight),
        (critic["bias_0"], module.bias),
    ):
        bound = (10 * 16) ** -0.5
        assert 0.85 * bound < np.abs(value).max() <= bound
        assert theirs is not None
        assert float(theirs.detach().abs().max()) <= bound
    generator = network.initialise(architecture, GENERATOR, np.random.default_rng(0))
    bound = (32 * 4) ** -0.5
    assert 0.99 * bound < np.abs(generator["weight_1"]).max() <= bound


@pytest.mark.parametrize("name", ["dcgan", "resnet"])
def test_a_projection_adds_up_features_and_not_labels(name: str) -> None:
    """Its law was that of as many inputs as there are labels, which are far fewer."""
    network = _network(name, labels="projection")
    first = network.initialise(_architecture(width=16), CRITIC, np.random.default_rng(0))
    weight = first["weight_labels"]
    bound = weight.shape[1] ** -0.5
    assert weight.shape[0] == 2 * 3
    assert 0.9 * bound < np.abs(weight).max() <= bound
    orthogonal = _architecture(width=16, initialisation="orthogonal")
    rows = network.initialise(orthogonal, CRITIC, np.random.default_rng(0))["weight_labels"]
    np.testing.assert_allclose(rows @ rows.T, np.eye(6), atol=1e-6)


def test_residual_blocks_begin_as_the_identity() -> None:
    """With weights of variance gain^2 / inputs before, gain^4 = 1 / blocks, as Fixup's."""
    network = _network("resnet", blocks=2, group=8)
    architecture = _architecture(initialisation={"name": "normal", "std": 1.0}, width=32)
    first = network.initialise(architecture, ALONE, np.random.default_rng(0))
    for name, value in first.items():
        if name.endswith("_3"):
            np.testing.assert_array_equal(value, 0)
        elif name.endswith(("_1", "_2")) and name.startswith("weight"):
            assert float(value.std()) == pytest.approx(6**-0.25, rel=0.05)
    assert first["weight_image"].std() == pytest.approx(1, rel=0.2)


# --- spectral norm --------------------------------------------------------------------------------


def test_spectral_norm_divides_convolutions_as_torch_does() -> None:
    """By the norm of the matrix from a patch to the channels, once the iteration has converged."""
    network, architecture = _network("dcgan"), _architecture()
    parameters = _parameters(network, architecture, ALONE)
    constraint = constraints.family["spectral_norm"]()
    matrices = network.matrices(architecture, ALONE)
    assert list(matrices) == ["weight_0", "weight_1", "weight_2"]
    first = constraint.initial(np.random.default_rng(0), matrices)
    slots = {
        name: torch.from_numpy(np.stack([own] * 2)).double().to(DEVICE)
        for name, own in first.items()
    }
    for _ in range(200):
        constrained, slots = constraint.constrain(parameters, slots, True)
    for name, (inputs, outputs) in {"weight_0": (2, 4), "weight_1": (4, 8)}.items():
        for row in range(2):
            module = nn.Conv2d(inputs, outputs, 4, bias=False).double()
            module.weight.data = parameters[name][row].clone()
            nn.utils.parametrizations.spectral_norm(module, n_power_iterations=200)
            torch.testing.assert_close(constrained[name][row], module.weight, rtol=1e-6, atol=1e-8)
    for name in ("bias_0", "bias_2"):
        assert torch.equal(constrained[name], parameters[name])


# --- what is refused ------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "ring": ({"target": "ring"}, "dcgan is for images, and samples of this target are none"),
    "depth": ({"critic": {"depth": 4}}, "halves 8x8 pixels 1 to 3 times: `depth: 3`, not 4"),
    "shallow": ({"generator": {"depth": 0}}, "`depth: 1`, not 0"),
    "odd sides": (
        {"target": {"name": "images", "path": str(PICTURES), "size": 27}},
        "27x27 pixels cannot be halved; `target.size: 28` can",
    ),
    "norm": (
        {"critic": {"network": "resnet", "norm": "layer"}},
        "resnet has no sums to normalise: `norm: none`",
    ),
    "groups": (
        {"generator": {"network": "resnet", "width": 10}},
        "no whole groups of `group: 16` in 20 channels .* `group: 10` divides them",
    ),
    "maxout": (
        {"generator": {"network": {"name": "resnet"}, "activation": "maxout"}},
        "maxout takes 5 for one",
    ),
    "zero by zero": (
        {"critic": {"network": "resnet"}, "constraint": "spectral_norm"},
        "matrices of network resnet begin at zero, and spectral_norm would divide them",
    ),
    "batch norm and penalty": (
        {"critic": {"norm": "batch"}, "constraint": "gradient_penalty"},
        "which `critic.norm: batch` mixes with others",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_in_words(case: str) -> None:
    """With the nearest that can."""
    settings, message = REFUSED[case]
    base: dict[str, Any] = {
        "target": "digits",
        "generator": {"network": "dcgan"},
        "critic": {"network": "dcgan"},
    }
    for key, value in settings.items():
        base[key] = {**base[key], **value} if key in ("generator", "critic") else value
    with pytest.raises(ValidationError, match=message):
        trial(**base)


@pytest.mark.parametrize(
    ("sides", "most"), [((8, 8), 3), ((28, 28), 2), ((64, 64), 6), ((7, 8), 0), ((32, 12), 2)]
)
def test_sides_that_can_be_halved(sides: tuple[int, int], most: int) -> None:
    """As often as both are even."""
    ends = Ends(Side(4), Side(3 * sides[0] * sides[1], Image(3, *sides)))
    for depth in range(8):
        problem = _network("dcgan").unfit(_architecture(depth=depth), ends)
        assert (not problem) == (1 <= depth <= most)
        assert most or "cannot be halved" in problem
