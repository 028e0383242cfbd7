"""A GPU's own kernels against the same products and sums in double precision on the CPU.

Without a GPU Triton's interpreter computes what they say, and its compiler makes them for one:
`make kernels`.
"""

from __future__ import annotations

import copy
import os
import re
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch
from rounds import CASES
from tiny import DEVICE, trial
from torch import Tensor
from torch.utils import _pytree

from ganstudy.engine import fixed_tiles
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.program import program
from ganstudy.kinds.adversarial.training import initial

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"

launched = pytest.mark.skipif(
    DEVICE == "cpu" and not INTERPRETED, reason="runs where `make gpu-check` or `kernels` runs it"
)

SHAPES = [(33, 2, 16), (256, 32, 1), (256, 128, 128), (64, 1, 64), (7, 2, 5), (70, 65, 66)]
PACKS = (1, 2, 3, 5, 8, 64, 500)
MOST = 500 if DEVICE != "cpu" else 6
"""Trials of the largest pack: the interpreter takes them one by one."""

BY_ELEMENTS = ("activation ", "optimizer ", "f_")
"""Cases that differ within a kind by what is done to each number: no kernel of ours has part in it.
The interpreter takes one of each kind, a GPU all."""
ROUNDS = [
    case
    for case in CASES
    if DEVICE != "cpu"
    or not any(case.startswith(kind) for kind in BY_ELEMENTS)
    or case in [next(own for own in CASES if own.startswith(kind)) for kind in BY_ELEMENTS]
]


def _normal(*shape: int) -> torch.Tensor:
    rng = np.random.default_rng(sum(shape))
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32)).to(DEVICE)


def _assert_near(found: torch.Tensor, expected: torch.Tensor, terms: int) -> None:
    """Rounding of a sum of so many terms, each of about one."""
    error = (found.double().cpu() - expected).abs().max().item()
    assert error < 8 * terms**0.5 * 2**-23 * max(expected.abs().max().item(), 1.0)


@launched
@pytest.mark.parametrize(("rows", "inner", "columns"), SHAPES)
def test_products(rows: int, inner: int, columns: int) -> None:
    """Forward, and both gradients with their transposed operands; the same in every pack."""
    x, w, g = (
        _normal(MOST, rows, inner),
        _normal(MOST, inner, columns),
        _normal(MOST, rows, columns),
    )
    for a, b in ((x, w), (x.mT, g), (g, w.mT)):
        whole = fixed_tiles.product(a, b)
        _assert_near(whole, a.double().cpu().bmm(b.double().cpu()), a.shape[2])
        for pack in [own for own in PACKS if own <= MOST]:
            assert torch.equal(fixed_tiles.product(a[:pack], b[:pack]), whole[:pack])


@launched
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        *(((256, 1), (1,)), ((256,), (1,)), ((256, 32), (1,)), ((33, 128), (2,))),
        *(((3, 4, 5), (1, 2)), ((3, 4, 5), (1, 3)), ((1300,), (1,))),
    ],
)
def test_sums(shape: tuple[int, ...], axes: tuple[int, ...], keepdim: bool) -> None:
    """Over one axis or several, which stand together or apart; the same in every pack."""
    x = _normal(MOST, *shape)
    whole = fixed_tiles.within(x, axes, keepdim)
    expected = x.double().cpu().sum(axes, keepdim=keepdim)
    assert whole.shape == expected.shape
    _assert_near(whole, expected, int(np.prod([x.shape[axis] for axis in axes])))
    for pack in [own for own in PACKS if own <= MOST]:
        assert torch.equal(fixed_tiles.within(x[:pack], axes, keepdim), whole[:pack])


@launched
@pytest.mark.slow
@pytest.mark.parametrize("case", ROUNDS)
def test_rounds(case: str) -> None:
    """A round by these kernels is the round as written, to rounding; alone it has the same bits.

    By plain gradients: others divide by those, which may be of rounding alone.
    """
    settings: dict[str, Any] = {"batch": 64, **copy.deepcopy(CASES[case])}
    if not case.startswith("optimizer"):
        for player in ("generator", "critic"):
            settings[player] = {**settings.get(player, {}), "optimizer": "sgd", "lr": 0.01}
    found = _played(2, settings, DEVICE)
    with fixed_tiles.FixedTiles(DEVICE):
        tiled, alone = _played(2, settings, DEVICE), _played(1, settings, DEVICE)
    for own, whole, expected in zip(alone, tiled, found, strict=True):
        assert torch.equal(own, whole[:1])
        torch.testing.assert_close(whole, expected, rtol=1e-3, atol=1e-5)


def _played(count: int, settings: dict[str, Any], device: str) -> list[Tensor]:
    """What a round leaves of a pack's trials."""
    own, place = [trial(seed, **settings) for seed in range(count)], torch.device(device)
    rules, state = initial(own, place)
    batch = next(iter(batches(own, place)))
    played = rules.updates.play(program("eager", place.type), rules, state, batch)
    return [x for x in _pytree.tree_leaves(played) if isinstance(x, Tensor)]


@pytest.mark.skipif(
    find_spec("triton") is None or INTERPRETED, reason="needs Triton; `make kernels` has it"
)
@pytest.mark.parametrize("capability", [70, 80, 90, 100, 120])
def test_kernels_are_compiled_for_gpus(capability: int) -> None:
    """From Volta to Blackwell, by Triton and the assembler that it brings, with no GPU there.

    No multiplication of less than single precision, and none that is rounded before it is added.
    """
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from ganstudy.engine import gpu_kernels

    tiles = {"ROWS": 64, "COLUMNS": 32, "INNER": 32}
    sums = {"COUNT": 64, "INNER": 32}
    for kernel, constants in ((gpu_kernels.product, tiles), (gpu_kernels.total, sums)):
        names = kernel.arg_names
        types = {name: "*fp32" if name in ("a", "b", "x", "out") else "i32" for name in names}
        source = ASTSource(
            fn=kernel,
            signature=types | dict.fromkeys(constants, "constexpr"),
            constexprs={(names.index(name),): value for name, value in constants.items()},
        )
        target = GPUTarget("cuda", capability, 32)
        made = triton.compile(source, target=target, options=fixed_tiles.AS_WRITTEN)
        assert made.asm["cubin"]
        assert ("fma.rn.f32" in made.asm["ptx"]) == (kernel is gpu_kernels.product)
        assert not re.search(r"tf32|f16|mma|mul(\.rn)?\.f32", made.asm["ptx"])
