"""A pure step as a graph of operations, traced once for each form of its arguments.

Tracing takes a few tenths of a second. What a graph becomes, `ahead` and `just_in_time` say.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from ganstudy.engine import arithmetic
from ganstudy.engine.known_zeros import remove_zeros
from ganstudy.engine.local_buffers import MENDED
from ganstudy.engine.tensors import filled, leaves, likeness, tensors, with_tensors
from ganstudy.engine.thin_products import AS_SUMS
from ganstudy.whole_file import name_digest

if TYPE_CHECKING:
    from torch.fx import GraphModule

__all__ = ["DECIDING", "Form", "NotCompiled", "Traced"]

DECIDING: Mapping[str, Any] = {"unroll_reductions_threshold": 1}
"""Options of torch's compiler that decide bits. A sum of fewer than eight terms, as a loss of a
batch of five, would become a part of a loop over trials, the last of which go through other code.
"""


class NotCompiled(Exception):
    """A step that cannot be compiled, or whose library cannot be loaded."""


class Traced(ABC):
    """A pure function of some rules and of tensors, compiled for each form of its arguments.

    It computes what the function does, up to the order of its sums. The rules are any dataclass
    that holds tensors; all that is no tensor in them and in the arguments is fixed in a form.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._rules: object = None
        self._of_rules: list[Tensor] = []
        self._like: object = None
        self._forms: dict[object, Form] = {}
        self._known: list[tuple[object, Form]] = []

    def __call__(self, rules: object, *arguments: Any) -> Any:
        """The function's result.

        Errors  `NotCompiled`.
        """
        given = self._leaves(rules, arguments)
        form = self._form(rules, arguments, given)
        if form.run is None:
            self.compile(form)
        return form(self._of_rules, given)

    @abstractmethod
    def compile(self, form: Form) -> None:
        """Give a form its runner.

        Errors  `NotCompiled`.
        """

    def traced(self, rules: object, *arguments: Any) -> Form:
        """The form of these arguments, which may not have its runner yet.

        Errors  `NotCompiled`.
        """
        return self._form(rules, arguments, self._leaves(rules, arguments))

    def _leaves(self, rules: object, arguments: tuple[Any, ...]) -> list[Any]:
        if rules is not self._rules:
            self._rules, self._of_rules, self._forms = rules, tensors(rules), {}
            self._like = likeness(rules)
        return leaves(arguments)

    def _form(self, rules: object, arguments: tuple[Any, ...], given: list[Any]) -> Form:
        key = tuple(x.shape if isinstance(x, Tensor) else x for x in given)
        if key not in self._forms:
            # Packs of one architecture are alike in all that is no tensor, and traced once.
            like = (self._like, likeness(arguments))
            found = next((form for known, form in self._known if known == like), None)
            if found is None:
                found = Form.of(self._function, rules, self._of_rules, arguments)
                self._known.append((like, found))
            self._forms[key] = found
        return self._forms[key]


@dataclasses.dataclass
class Form:
    """A function for arguments of one form: its library's name, and the runner once it is there.

    results  what the function returns, without the numbers
    graph    its operations, with an example of what goes in, until the runner is there
    """

    name: str
    results: object
    graph: tuple[GraphModule, tuple[Tensor, ...]] | None
    run: Callable[[list[Tensor]], list[Tensor]] | None = None

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        rules: object,
        of_rules: list[Tensor],
        arguments: tuple[Any, ...],
    ) -> Form:
        """Trace the function; the graph is that of the arguments' shapes, whatever is in them."""
        whole, results = leaves(arguments), list[object]()

        def flat(*given: Tensor) -> list[Any]:
            own, rest = iter(given[: len(of_rules)]), iter(given[len(of_rules) :])
            filling = (next(rest) if isinstance(leaf, Tensor) else leaf for leaf in whole)
            result = function(with_tensors(rules, own), *filled(arguments, filling))
            flattened = leaves(result)
            results.append(filled(result, itertools.repeat(None)))
            return flattened

        example = [x.contiguous() for x in [*of_rules, *whole] if isinstance(x, Tensor)]
        try:
            graph = make_fx(flat, decomposition_table=AS_SUMS, tracing_mode="fake")(*example)
        except Exception as error:  # whatever the step's own operations raise
            raise NotCompiled(f"a step cannot be traced: {error}") from error
        _remove_detached(graph)
        remove_zeros(graph)
        graph.recompile()
        return cls(_name(graph, example), results[-1], (graph, tuple(example)))

    def __call__(self, of_rules: list[Tensor], given: list[Any]) -> Any:
        """What the library computes of the rules' tensors and the arguments'."""
        numbers = [x.contiguous() for x in [*of_rules, *given] if isinstance(x, Tensor)]
        assert self.run is not None
        return filled(self.results, iter(self.run(numbers)))


def _remove_detached(graph: GraphModule) -> None:
    """Put each tensor in place of itself cut off from gradients, which the graph has behind it;
    the compiler fuses less across those.
    """
    detach = torch.ops.aten.detach.default
    for node in graph.graph.find_nodes(op="call_function", target=detach):
        node.replace_all_uses_with(node.args[0])
        graph.graph.erase_node(node)


def _name(graph: GraphModule, example: Sequence[Tensor]) -> str:
    """A digest of all that decides a library's bits."""
    asked = sorted(item for item in os.environ.items() if item[0].startswith("TORCHINDUCTOR_"))
    parts = [
        arithmetic.described("compiled"),
        str([item for item in asked if item[0] != "TORCHINDUCTOR_CACHE_DIR"]),
        str(sorted(DECIDING.items())),
        MENDED,
        graph.code,
        str([(x.dtype, x.shape) for x in example]),
        *(f"{name} {value.tolist()}" for name, value in graph.named_buffers()),
    ]
    return name_digest("\n".join(parts).encode())
