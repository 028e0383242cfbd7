"""Ahead of time: a pure step compiled once for a machine, and called without asking again.

A step is traced to a graph of operations, a few tenths of a second; the graph's text, with the
shapes of its arguments and all that decides a compiler's bits, is the name of a shared library. One
process makes it while others wait or make another; all load it, from the second run on at once.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from ganstudy import machine_cache
from ganstudy.engine import arithmetic
from ganstudy.engine.known_zeros import remove_zeros
from ganstudy.engine.tensors import filled, leaves, likeness, tensors, with_tensors
from ganstudy.engine.thin_products import AS_SUMS
from ganstudy.whole_file import digest_of, write_whole

if TYPE_CHECKING:
    from torch.fx import GraphModule

__all__ = ["AheadOfTime", "Form", "NotCompiled", "make"]

_log = logging.getLogger("ganstudy")


class NotCompiled(Exception):
    """A step that cannot be compiled, or whose library cannot be loaded."""


class AheadOfTime:
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
            make([form])
            form.load()
        return form(self._of_rules, given)

    def traced(self, rules: object, *arguments: Any) -> Form:
        """The form of these arguments, to be made beside others; see `make`.

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

    def load(self) -> None:
        """Get the runner from the library, which has been made."""
        path = _made(self.name)
        if path is None:
            raise NotCompiled(f"the library {self.name} is gone")
        self.run, self.graph = _runner(path), None

    def compile(self) -> None:
        """Make the library; it appears under its name and digest only when it is whole."""
        import torch._inductor

        # It warns of what it calls by name, which is no fault.
        logging.getLogger("torch._inductor.ir").setLevel(logging.ERROR)
        assert self.graph is not None
        wanted, found = arithmetic.vectors(), arithmetic.compiler_vectors()
        if found != wanted:
            # What the compiler keeps of its own trials is damaged; an empty cache is the cure.
            raise NotCompiled(f"the compiler would make steps for {found}, as no run here before")
        options: dict[str, Any] = {"compile_threads": 1, "cpp.vec_isa_ok": True, **_quicker()}
        with tempfile.TemporaryDirectory(prefix="ganstudy-", dir=_folder()) as place:
            options["aot_inductor.output_path"] = str(Path(place) / "step.so")
            try:
                with warnings.catch_warnings(action="ignore"):  # of torch, by its own functions
                    made = torch._inductor.aot_compile(*self.graph, options=options)
                content = Path(str(made)).read_bytes()
                calls = b"".join(own.read_bytes() for own in Path(place).glob("*.wrapper.json"))
            except Exception as error:  # whatever torch's compiler or that of C++ raises
                raise NotCompiled(f"a step cannot be compiled: {error}") from error
            target = _folder() / f"{self.name}-{digest_of(content + calls)}.so"
            if calls:
                write_whole(target.with_suffix(".json"), calls, durable=False)
            write_whole(target, content, durable=False)


def _quicker() -> dict[str, Any]:
    """What a library is made sooner with, in the same bits, as far as this torch knows of it."""
    from torch._inductor import config

    options = {
        # Precompiled headers take 12 s and 300 MB, and save 3 s of every step from then on.
        "aot_inductor.precompile_headers": len([*_folder().glob("*.so")]) >= 4,
        # What calls the loops holds no number: as fast as by torch's own level, in a second less.
        "aot_inductor.compile_wrapper_opt_level": "Og",
        # Nobody looks up lines of a library, and to note them takes a tenth of the time.
        "aot_inductor.enable_line_tables": False,
    }
    known = config.get_config_copy()
    return {name: value for name, value in options.items() if name in known}


def _remove_detached(graph: GraphModule) -> None:
    """Put each tensor in place of itself cut off from gradients, which the graph has behind it;
    the compiler fuses less across those.
    """
    detach = torch.ops.aten.detach.default
    for node in graph.graph.find_nodes(op="call_function", target=detach):
        node.replace_all_uses_with(node.args[0])
        graph.graph.erase_node(node)


def make(forms: Sequence[Form]) -> None:
    """Make the libraries that this machine lacks; what another process is making is left to it.

    Errors  `NotCompiled`.
    """
    missing = {f.name: f for f in forms if f.run is None and _made(f.name) is None}
    try:
        while missing:
            before = len(missing)
            for name in [*missing]:
                with suppress(Timeout), _lock(name).acquire(timeout=0):
                    if _made(name) is None:
                        missing[name].compile()
                    del missing[name]
            if len(missing) == before:
                with _lock(next(iter(missing))):
                    pass
    except OSError as error:
        raise NotCompiled(f"a compiled step cannot be kept: {error}") from error


def _lock(name: str) -> FileLock:
    return FileLock(_folder() / f"{name}.lock", fallback_to_soft=False)


def _folder() -> Path:
    path = machine_cache.folder() / "ganstudy"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _made(name: str) -> Path | None:
    """The library of a name, if there is one that is as it was written."""
    for path in _folder().glob(f"{name}-*.so"):
        if path.stem == f"{name}-{digest_of(path.read_bytes() + _calls(path))}":
            return path
        _log.warning("%s is damaged; its step is compiled anew", path)
        path.unlink(missing_ok=True)
    return None


def _calls(library: Path) -> bytes:
    """What a library calls of torch by name, solvers for instance; it lies beside it, if any."""
    path = library.with_suffix(".json")
    return path.read_bytes() if path.is_file() else b""


@functools.cache
def _runner(path: Path) -> Callable[[list[Tensor]], list[Tensor]]:
    """The function of a library, once in each process.

    By the class that torch's own loaders wrap: importing those takes longer than all the rest.
    """
    try:
        # A library, and how many calls it can serve at once.
        runner = torch._C._aoti.AOTIModelContainerRunnerCpu(str(path), 1)
    except Exception as error:  # torch names no kinds of what can be wrong with a library
        raise NotCompiled(f"{path} cannot be loaded: {error}") from error
    run: Callable[[list[Tensor]], list[Tensor]] = runner.run
    return run


def _name(graph: GraphModule, example: Sequence[Tensor]) -> str:
    """A digest of all that decides a library's bits."""
    asked = sorted(item for item in os.environ.items() if item[0].startswith("TORCHINDUCTOR_"))
    parts = [
        arithmetic.described("compiled"),
        str([item for item in asked if item[0] != "TORCHINDUCTOR_CACHE_DIR"]),
        graph.code,
        str([(x.dtype, x.shape) for x in example]),
        *(f"{name} {value.tolist()}" for name, value in graph.named_buffers()),
    ]
    return digest_of("\n".join(parts).encode())
