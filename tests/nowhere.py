"""A GPU that keeps no numbers: torch's `meta` device, whose tensors have shapes alone.

Whoever asks one for a number fails, as does an operation that takes tensors of two devices.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import torch
from tiny import trial
from torch import Tensor
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from ganstudy.engine.fixed_tiles import FixedTiles
from ganstudy.engine.tensors import tensors, with_tensors
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.program import program
from ganstudy.kinds.adversarial.state import Batches, State
from ganstudy.kinds.adversarial.step import Rules
from ganstudy.kinds.adversarial.training import initial

HOST, NOWHERE = torch.device("cpu"), torch.device("meta")


class _Kernel:
    """A kernel of fixed tiles, as far as it is launched."""

    def __getitem__(self, grid: tuple[int, ...]) -> Any:
        return self._launch

    def _launch(self, *given: Any, **named: Any) -> None:
        assert {x.device for x in given if isinstance(x, Tensor)} == {NOWHERE}


class InAnyOrder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has not typed it
    """Operations that a GPU adds up in an order of its own: by how many trials there are, or by
    chance (`torch.use_deterministic_algorithms` has the list).
    """

    EXACT = ("all", "any", "amax", "amin", "argmax", "argmin", "max", "min", "median")
    BY_CHANCE = (
        *("bilinear2d_backward", "index_put", "index_add", "scatter_add", "put"),
        *("cumsum", "embedding_dense_backward", "histc", "bincount"),
        *("reflection_pad2d_backward", "replication_pad2d_backward", "grid_sampler_2d_backward"),
        "cdist_backward",
    )

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = str(func.overloadpacket).partition(".")[2].rstrip("_")
        summed = torch.Tag.reduction in func.tags and name not in self.EXACT
        of_pack = name in ("sum", "mean") and (len(args) < 2 or 0 in args[1])
        single = isinstance(result, Tensor) and result.dtype == torch.float32
        if (summed and single and not of_pack) or _plain(name) in self.BY_CHANCE:
            self.seen.add(name)
        return result


def _plain(name: str) -> str:
    return name.lstrip("_").removeprefix("upsample_")


class Strangers(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has not typed it
    """Operations in which a tensor of the host took part."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        taking_part = _pytree.tree_leaves((args, kwargs, result))
        if any(isinstance(x, Tensor) and x.device != NOWHERE for x in taking_part):
            self.seen.append(str(func))
        return result


def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have computed what a GPU computes, with what stands for kernels of Triton, which is not there
    without one.
    """
    module: Any = ModuleType("ganstudy.engine.gpu_kernels")
    module.product = module.total = _Kernel()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("ganstudy.engine.gpu_kernels", module, raising=False)
    monkeypatch.setattr("ganstudy.tiles.on_gpu", lambda x: True)


def _there(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device=NOWHERE)


def round_of(*cases: dict[str, Any]) -> tuple[Rules, State, Batches]:
    """The rules of two trials or more, their state and a batch, none of them with any numbers."""
    pack = cases if len(cases) > 1 else 2 * cases
    own = [trial(seed, **{"batch": 64, **case}) for seed, case in enumerate(pack)]
    rules, state = initial(own, HOST)
    batch = next(iter(batches(own, HOST)))
    shapes: Iterator[Tensor] = map(_there, tensors(rules))
    return with_tensors(rules, shapes), *_pytree.tree_map(_there, (state, batch))


def play(*cases: dict[str, Any]) -> None:
    """Play a round of trials: the host is asked for nothing, and nothing of it takes part; nor is
    anything added up in an order that another pack, or the next time, would change.
    """
    rules, state, batch = round_of(*cases)
    with InAnyOrder() as sums, FixedTiles(NOWHERE), Strangers() as strangers:
        played = rules.updates.play(program("eager", "cuda"), rules, state, batch)
    assert not strangers.seen
    assert not sums.seen
    assert {x.device for x in _pytree.tree_leaves(played) if isinstance(x, Tensor)} == {NOWHERE}
