"""Steps on a device that keeps no numbers: what a GPU would refuse or wait for is an error there.

torch's `meta` tensors have shapes alone. Whoever asks one for a number fails, as does an operation
that takes tensors of two devices; and no tensor of the host may take part in a step. This is no
GPU: kernels, their order of sums and graphs are for `make gpu-check`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from types import ModuleType
from typing import Any

import pytest
import torch
from rounds import CASES
from tiny import trial
from torch import Tensor
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from ganstudy.engine.fixed_tiles import FixedTiles
from ganstudy.engine.tensors import tensors, with_tensors
from ganstudy.engine.traced import Form
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.program import Program, program
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


class _InAnyOrder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has not typed it
    """Operations that a GPU adds up in an order of its own: by how many trials there are, or by
    chance (`torch.use_deterministic_algorithms` has the list).
    """

    EXACT = ("all", "any", "amax", "amin", "argmax", "argmin", "max", "min", "median")
    BY_CHANCE = (
        *("bilinear2d_backward", "index_put", "index_add", "scatter_add", "put"),
        *("cumsum", "gather", "embedding_dense_backward", "histc", "bincount", "index_select"),
        *("reflection_pad2d_backward", "replication_pad2d_backward", "grid_sampler_2d_backward"),
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
        if (summed and single and not of_pack) or name.removeprefix("upsample_") in self.BY_CHANCE:
            self.seen.add(name)
        return result


class _Strangers(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has not typed it
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


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand for those of Triton, which is not there without a GPU."""
    module: Any = ModuleType("ganstudy.engine.gpu_kernels")
    module.product = module.total = _Kernel()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("ganstudy.engine.gpu_kernels", module, raising=False)
    monkeypatch.setattr("ganstudy.tiles.on_gpu", lambda x: True)


def _there(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device=NOWHERE)


def _packs() -> dict[str, list[dict[str, Any]]]:
    """Cases that may meet, by the first: in one pack the members of all of them are computed."""
    found: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    for name, case in CASES.items():
        key = trial(**{"batch": 64, **case}).configuration.pack_key()
        found.setdefault(key, (name, []))[1].append(case)
    return dict(found.values())


PACKS = _packs()


def _round(*cases: dict[str, Any]) -> tuple[Rules, State, Batches]:
    """The rules of two trials or more, their state and a batch, none of them with any numbers."""
    pack = cases if len(cases) > 1 else 2 * cases
    own = [trial(seed, **{"batch": 64, **case}) for seed, case in enumerate(pack)]
    rules, state = initial(own, HOST)
    batch = next(iter(batches(own, HOST)))
    shapes: Iterator[Tensor] = map(_there, tensors(rules))
    return with_tensors(rules, shapes), *_pytree.tree_map(_there, (state, batch))


@pytest.mark.parametrize("pack", PACKS)
def test_a_round_asks_the_host_for_nothing(pack: str) -> None:
    """Nor adds up in an order that another pack, or the next time, would change."""
    rules, state, batch = _round(*PACKS[pack])
    with _InAnyOrder() as sums, FixedTiles(NOWHERE), _Strangers() as strangers:
        played = rules.updates.play(program("eager", "cuda"), rules, state, batch)
    assert not strangers.seen
    assert not sums.seen
    assert {x.device for x in _pytree.tree_leaves(played) if isinstance(x, Tensor)} == {NOWHERE}


@pytest.mark.slow
@pytest.mark.parametrize("pack", PACKS)
def test_its_graph_holds_nothing_of_the_host(pack: str) -> None:
    """What torch's compiler is given for a GPU: no tensor that was made while it was traced."""
    rules, state, batch = _round(*PACKS[pack])
    forms: list[Form] = []

    def seen(name: str) -> Any:
        written, compiled = (getattr(program(of, "cuda"), name) for of in ("eager", "compiled"))

        def step(*given: Any) -> Any:
            forms.append(compiled.traced(*given))
            return written(*given)

        return step

    rules.updates.play(Program(*(seen(f.name) for f in fields(Program))), rules, state, batch)
    assert forms
    for form in forms:
        assert form.graph is not None
        graph, _ = form.graph
        assert not [*graph.buffers(), *graph.parameters()]
        assert "cpu" not in graph.code


@pytest.mark.parametrize("fault", ["asks", "mixes", "brings"])
def test_a_fault_is_seen(fault: str) -> None:
    """A D-step that looks at a number; one with a constant of the host; one that copies it."""
    written = program("eager", "cuda")

    def faulty(*given: Any) -> Any:
        state, diagnostics = written.d_step(*given)
        loss = diagnostics["critic_loss"]
        if fault == "asks" and float(loss.sum()) > 0:
            return state, {}
        constant = torch.ones(loss.shape)
        return state, {"critic_loss": loss * (constant if fault == "mixes" else constant.to(loss))}

    rules, state, batch = _round({"divergence": "minimax"})
    steps = Program(faulty, written.m_step, written.joint)
    with _Strangers() as strangers:
        if fault == "brings":
            rules.updates.play(steps, rules, state, batch)
            assert strangers.seen
        else:
            with pytest.raises(RuntimeError, match="meta"):
                rules.updates.play(steps, rules, state, batch)
