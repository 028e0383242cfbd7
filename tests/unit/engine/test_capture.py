"""A captured step: on a tape that calls the function again, which is all that a GPU's does."""

from __future__ import annotations

import copy
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from rounds import CASES
from tiny import trial
from torch import Tensor
from torch.utils import _pytree

from ganstudy.engine import fixed_tiles
from ganstudy.engine.arithmetic import NotPortable, check, computing
from ganstudy.engine.capture import Captured, Graph
from ganstudy.kinds.adversarial.batches import batches
from ganstudy.kinds.adversarial.program import playing, program
from ganstudy.kinds.adversarial.state import Batches, State
from ganstudy.kinds.adversarial.training import initial
from ganstudy.trial import ProgramName

CPU = torch.device("cpu")


class _Again:
    """A tape that is the function itself, with its results in one place in memory."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def record(self, function: Callable[[], Any]) -> Any:
        self.log.append("record")
        self.function, self.kept = function, function()
        return self.kept

    def replay(self) -> None:
        self.log.append("replay")
        new = self.function()
        for name, value in new.items():
            self.kept[name].copy_(value)


def _step(state: list[Tensor], batch: Tensor) -> tuple[list[Tensor], dict[str, Tensor]]:
    return [state[0] + batch], {"seen": batch * 2}


def test_a_tape_is_made_once_and_counts_for_nothing() -> None:
    """The state after three steps is that of three steps, whatever the record took."""
    log: list[str] = []
    captured = Captured(_step, lambda: _Again(log))
    state: list[Tensor] = [torch.zeros(2)]
    for number in (1.0, 10.0, 100.0):
        state, other = captured(state, torch.full((2,), number))
        np.testing.assert_array_equal(other["seen"], [2 * number] * 2)
    np.testing.assert_array_equal(state[0], [111.0, 111.0])
    assert log == ["record", "replay", "replay", "replay"]


def test_a_state_from_elsewhere_is_taken_up() -> None:
    """After a resume the next step starts from what was resumed."""
    captured = Captured(_step, lambda: _Again([]))
    first = [torch.zeros(2)]
    captured(first, torch.ones(2))
    after, _ = captured([torch.full((2,), 5.0)], torch.ones(2))
    np.testing.assert_array_equal(after[0], [6.0, 6.0])
    np.testing.assert_array_equal(first[0], [0.0, 0.0])


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(name, marks=() if name.startswith("updates ") else pytest.mark.slow)
        for name in CASES
    ],
)
def test_a_captured_round_is_the_round(case: str) -> None:
    """Of the engine's own states and batches, with optimizer slots and an average."""
    settings: dict[str, Any] = {"batch": 64, **copy.deepcopy(CASES[case])}
    settings["generator"] = {**settings.get("generator", {}), "average": 0.9}
    own = [trial(seed, **settings) for seed in (0, 1)]
    game, start = initial(own, CPU)
    plain = playing(program("eager", "cpu"), game, CPU)

    def step(state: State, batch: Batches) -> tuple[State, dict[str, Tensor]]:
        return plain(state, batch)

    captured = Captured(step, lambda: _Again([]))
    expected, found = start, start
    for batch in itertools.islice(batches(own, CPU), 4):
        expected, on_the_way = plain(expected, batch)
        found, beside = captured(found, batch)
        assert on_the_way.keys() == beside.keys()
        for name, value in on_the_way.items():
            np.testing.assert_array_equal(beside[name], value, err_msg=name)
    same = zip(_pytree.tree_leaves(found), _pytree.tree_leaves(expected), strict=True)
    assert all(torch.equal(one, other) for one, other in same)
    assert found.generator.slots.keys() == expected.generator.slots.keys()


def test_what_moves_within_a_state_is_read_before_it_is_written() -> None:
    """Parameters that the next step remembers, in whichever order, and what is seen of them."""

    def step(state: list[Tensor], batch: Tensor) -> tuple[list[Tensor], dict[str, Tensor]]:
        return [state[0] + batch, state[0], state[1].view(1, 2)[0]], {}

    captured = Captured(step, lambda: _Again([]))
    state = [torch.zeros(2) for _ in range(3)]
    for number in (1.0, 10.0, 100.0):
        state, _ = captured(state, torch.full((2,), number))
    assert [own[0].item() for own in state] == [111.0, 11.0, 1.0]


class _Cuda:
    """What is asked of torch for a GPU, with the streams and devices that are entered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inside: list[str] = []
        stream = mock.MagicMock
        monkeypatch.setattr("torch.cuda.CUDAGraph", lambda: "graph")
        monkeypatch.setattr("torch.cuda.Stream", lambda on: stream(on=on, name="stream"))
        monkeypatch.setattr("torch.cuda.current_stream", lambda on: stream(on=on))
        monkeypatch.setattr("torch.cuda.stream", lambda own: self._in(f"stream of {own.on}"))
        monkeypatch.setattr("torch.cuda.device", lambda on: self._in(f"device {on}"))
        monkeypatch.setattr("torch.cuda.graph", self._graph)

    @contextmanager
    def _in(self, what: str) -> Iterator[None]:
        self.inside.append(what)
        yield
        self.inside.remove(what)

    def _graph(self, graph: str, stream: Any) -> AbstractContextManager[None]:
        return self._in(f"{graph} on stream of {stream.on}")


@pytest.mark.parametrize("program", ["eager", "compiled"])
def test_a_gpu_that_is_not_the_first_is_the_one_that_computes(
    program: ProgramName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its round was recorded on the first one, while its kernels ran unrecorded."""
    monkeypatch.setattr("ganstudy.engine.arithmetic.find_spec", lambda name: name)
    cuda, seen = _Cuda(monkeypatch), list[list[str]]()
    with computing(program, "cuda:1"):
        Graph(torch.device("cuda:1")).record(lambda: seen.append([*cuda.inside]))
    assert seen == [
        *[["device cuda:1", "stream of cuda:1"]] * 3,
        ["device cuda:1", "graph on stream of cuda:1"],
    ]
    assert not cuda.inside


def test_what_goes_through_fixed_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products and sums of a trial do, gradients of them too; sums over the pack do not."""
    seen: list[str] = []

    def product(a: Tensor, b: Tensor) -> Tensor:
        seen.append("product")
        return torch.from_numpy(np.matmul(a.numpy(force=True), b.numpy(force=True)))

    def within(x: Tensor, axes: tuple[int, ...], keepdim: bool) -> Tensor:
        seen.append(f"sum over {axes}")
        return torch.from_numpy(x.numpy(force=True).sum(axes, keepdims=keepdim))

    monkeypatch.setattr(fixed_tiles, "product", product)
    monkeypatch.setattr(fixed_tiles, "within", within)
    x, w = torch.randn(3, 5, 2), torch.randn(3, 2, 4)

    def loss(w: Tensor) -> Tensor:
        return ((x.bmm(w) + torch.zeros(3, 1, 4)).mean(-1).sum(1) ** 2).sum()

    with fixed_tiles.FixedTiles("cpu"):
        gradient = torch.func.grad(loss)(w)
        assert seen == ["product", "sum over (2,)", "sum over (1,)", "product"]
        far = torch.cat([x[..., :1] - torch.inf, 100 * x], dim=-1)
        found = far.logsumexp(-1), far.logsumexp((1, 2), keepdim=True), far[:, :, :1].logsumexp(-1)
        assert seen[4:] == ["sum over (2,)", "sum over (1, 2)", "sum over (2,)"]
    expected = far.logsumexp(-1), far.logsumexp((1, 2), keepdim=True), far[:, :, :1].logsumexp(-1)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient, torch.func.grad(loss)(w))


def test_a_gpu_without_its_compiler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sums would depend on the pack, and no record would say so."""
    monkeypatch.setattr("ganstudy.engine.arithmetic.find_spec", lambda name: None)
    with pytest.raises(NotPortable, match=r"Triton.*--devices cpu"):
        check("eager", "cuda:0")
    check("compiled", "cuda:0")
    with computing("eager", "cpu"):
        pass


def test_a_gpu_without_a_compiler_of_c_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Triton would raise in each trial, and each would be blamed."""
    monkeypatch.setattr("ganstudy.engine.arithmetic.find_spec", lambda name: name)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(NotPortable, match="needs a C compiler: gcc, clang or what CC names"):
        check("eager", "cuda:0")
    check("eager", "cpu")
    monkeypatch.setenv("CC", "/opt/cc")
    check("eager", "cuda:0")


def test_what_lies_on_the_host_is_left_to_torch() -> None:
    """As images do that a feature's network makes grey between two records on a GPU."""
    images = torch.arange(6.0).reshape(2, 3)
    with fixed_tiles.FixedTiles("cuda"):
        torch.testing.assert_close(images.mean(1), torch.tensor([1.0, 4.0]))
        torch.testing.assert_close(images[None].bmm(images.T[None]), (images @ images.T)[None])


@pytest.mark.slow
def test_its_kernels_bring_no_compiler_along() -> None:
    """Torch's, which takes two seconds of each process to import."""
    code = (
        "import sys, torch; from ganstudy.engine.fixed_tiles import FixedTiles\n"
        "with FixedTiles('cuda'): torch.ones(2, 3).mean(1)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"
