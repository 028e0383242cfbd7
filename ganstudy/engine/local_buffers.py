"""A mend of torch's compiler, whose fused loops read one trial's numbers in place of another's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

__all__ = ["MENDED", "mended"]

MENDED = "no buffer of one trial in a loop over several"
"""A part of the name of each library, so that those which were made without are not loaded."""


@contextmanager
def mended() -> Iterator[None]:
    """Compile loops apart that torch would fuse around a buffer, where each round of theirs takes
    several trials at once: the buffer has the place of one, and all got the numbers of the last.

    Source  pytorch/pytorch, issue 185702, mended there by pull request 185855, which no release has
            that this package was tested with; with it nothing is left to do.
    """
    from torch._inductor.codegen.cpp import OuterLoopFusedSchedulerNode
    from torch._inductor.virtualized import V

    fused: Any = OuterLoopFusedSchedulerNode.check_outer_fusion_loop_level_attr

    def checked(node: Any, kernels: Any, depth: int) -> bool:
        buffers = getattr(V.local_buffer_context, "local_buffers", {})
        tiled = any(loop.steps != 1 for own in kernels for loop in own.loop_nest.loops[:depth])
        return not (buffers and tiled) and bool(fused(node, kernels, depth))

    name = "check_outer_fusion_loop_level_attr"
    with mock.patch.object(OuterLoopFusedSchedulerNode, name, checked):
        yield
