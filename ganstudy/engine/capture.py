"""Capture: a function of tensors on a tape, whose kernels a GPU then launches again as one.

A small step is hundreds of kernels of a few microseconds, each of which the host takes longer to
launch than the GPU to run. A tape launches them all at once, and they are the same kernels:
its numbers are those of the function, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree

__all__ = ["Captured", "Graph", "Tape"]

StateT = TypeVar("StateT")
BatchT = TypeVar("BatchT")
OtherT = TypeVar("OtherT")

_WARM_UPS = 3
"""Calls before the tape is made: libraries make their workspaces in them, compilers their code."""


class Tape(Protocol):
    """Kernels that were seen once and can be launched again, on the same memory."""

    def record(self, function: Callable[[], Any]) -> Any:
        """Call the function once, and keep what it launched; what it returned."""

    def replay(self) -> None:
        """Launch it all again."""


class Graph:
    """A tape that is a CUDA graph."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._graph = torch.cuda.CUDAGraph()

    def record(self, function: Callable[[], Any]) -> Any:
        """Call the function on a stream of its own a few times, then once more for the record."""
        # torch's own stream for records stays on the device of the first one.
        aside, recorded = (
            torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]  # torch has not typed it
            for _ in range(2)
        )
        aside.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):
                function()
        torch.cuda.current_stream(self._device).wait_stream(aside)
        with torch.cuda.graph(self._graph, stream=recorded):
            return function()

    def replay(self) -> None:
        """Launch the graph on the current stream."""
        self._graph.replay()


class Captured:
    r"""A pure step $(s', d) = f(s, b)$ that is recorded when it is first called.

    The state stands in one place in memory and is overwritten by each step, as are the results
    beside it: whoever wants them beyond the next call copies them before. A state that is not the
    one that was returned last, after a resume for example, is copied in.
    """

    def __init__(
        self,
        step: Callable[[StateT, BatchT], tuple[StateT, OtherT]],
        tape: Callable[[], Tape],
    ) -> None:
        self._step, self._new = step, tape
        self._tape: Tape | None = None

    def __call__(self, state: StateT, batch: BatchT) -> tuple[StateT, OtherT]:
        """The state after the step, and what comes beside it, where they stand in memory."""
        if self._tape is None:
            self._capture(state, batch)
        if state is not self._state:
            _overwrite(self._state, state)
        _overwrite(self._batch, batch)
        assert self._tape is not None
        self._tape.replay()
        return self._state, self._other

    def _capture(self, state: StateT, batch: BatchT) -> None:
        self._state: Any = _pytree.tree_map(_copy, state)
        self._batch: Any = _pytree.tree_map(_copy, batch)
        tape = self._new()

        def step() -> Any:
            after, other = self._step(self._state, self._batch)
            _overwrite(self._state, after)
            return other

        self._other: Any = tape.record(step)
        # The record was made by steps that count for nothing.
        _overwrite(self._state, state)
        self._tape = tape


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def _overwrite(there: Any, new: Any) -> None:
    leaves = zip(_pytree.tree_leaves(there), _pytree.tree_leaves(new), strict=True)
    moved = [(old, own) for old, own in leaves if isinstance(old, Tensor) and old is not own]
    # What goes from one place to another, as parameters that a slot remembers, is read before any
    # place is written.
    places = {_storage(own) for own in _pytree.tree_leaves(there) if isinstance(own, Tensor)}
    kept = [own.clone() if _storage(own) in places else own for _, own in moved]
    for (old, _), own in zip(moved, kept, strict=True):
        old.copy_(own, non_blocking=True)


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
