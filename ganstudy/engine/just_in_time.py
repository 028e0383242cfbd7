"""Just in time: a step whose graph each process compiles for itself, as for a GPU."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from ganstudy.engine.traced import Form, Traced

__all__ = ["JustInTime"]


class JustInTime(Traced):
    """By torch's compiler at the first call of each form."""

    def compile(self, form: Form) -> None:
        """Have torch compile the graph when it is first run, without compiler processes beside
        the workers, which already keep every core busy.

        Dynamo, its front, would not see through a gradient within a step; the graph holds only the
        operations that make it up.
        """
        assert form.graph is not None
        graph, _ = form.graph
        torch._inductor.config.compile_threads = 1
        compiled = torch.compile(graph, fullgraph=True, dynamic=False)

        def first(numbers: list[Tensor]) -> list[Tensor]:
            with warnings.catch_warnings(action="ignore"):  # of torch, by its own functions
                results: list[Tensor] = compiled(*numbers)
            form.run = lambda numbers: compiled(*numbers)
            return results

        form.run, form.graph = first, None
