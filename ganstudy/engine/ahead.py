"""Ahead of time: a pure step compiled once for a machine, and called without asking again.

The text of its graph, with the shapes of its arguments and all that decides a compiler's bits, is
the name of a shared library. One process makes it while others wait or make another; all load it,
from the second run on at once.
"""

from __future__ import annotations

import functools
import logging
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from ganstudy import machine_cache
from ganstudy.engine.local_buffers import mended
from ganstudy.engine.traced import DECIDING, Form, NotCompiled, Traced
from ganstudy.engine.vectors import compiler_vectors, vectors
from ganstudy.garbage import uncollected
from ganstudy.whole_file import name_digest, write_whole

__all__ = ["AheadOfTime", "load_library", "make", "make_library"]

_log = logging.getLogger("ganstudy")


class AheadOfTime(Traced):
    """By a library for each form, made once for a machine."""

    def compile(self, form: Form) -> None:
        """Make its library, if this machine lacks it, and load it.

        Errors  `NotCompiled`.
        """
        make([form])
        load_library(form)


def make(forms: Sequence[Form]) -> None:
    """Make the libraries that this machine lacks; what another process is making is left to it.

    Errors  `NotCompiled`.
    """
    try:
        missing = {f.name: f for f in forms if f.run is None and _made(f.name) is None}
        with uncollected(littering=True) if missing else nullcontext():
            while missing:
                before = len(missing)
                for name in [*missing]:
                    with suppress(Timeout), _lock(name).acquire(timeout=0):
                        if _made(name) is None:
                            make_library(missing[name])
                        del missing[name]
                if len(missing) == before:
                    with _lock(next(iter(missing))):
                        pass
    except OSError as error:
        raise NotCompiled(f"a compiled step cannot be kept: {error}") from error


def load_library(form: Form) -> None:
    """Get the runner from the library, which has been made.

    Errors  `NotCompiled`.
    """
    try:
        path = _made(form.name)
    except OSError as error:
        raise NotCompiled(f"a compiled step cannot be read: {error}") from error
    if path is None:
        raise NotCompiled(f"the library {form.name} is gone")
    form.run, form.graph = _runner(path), None


def make_library(form: Form) -> None:
    """Make the library; it appears under its name and digest only when it is whole.

    Errors  `NotCompiled`.
    """
    import torch._inductor

    # It warns of what it calls by name, which is no fault.
    logging.getLogger("torch._inductor.ir").setLevel(logging.ERROR)
    assert form.graph is not None
    wanted, found = vectors(), compiler_vectors()
    if found != wanted:
        # What the compiler keeps of its own trials is damaged; an empty cache is the cure.
        raise NotCompiled(f"the compiler would make steps for {found}, as no run here before")
    options: dict[str, Any] = {"compile_threads": 1, "cpp.vec_isa_ok": True}
    options |= {**DECIDING, **_quicker()}
    with tempfile.TemporaryDirectory(prefix="ganstudy-", dir=_folder()) as place:
        options["aot_inductor.output_path"] = str(Path(place) / "step.so")
        try:
            # It warns of its own functions, too.
            with warnings.catch_warnings(action="ignore"), mended():
                made = torch._inductor.aot_compile(*form.graph, options=options)
            content = Path(str(made)).read_bytes()
            calls = b"".join(own.read_bytes() for own in Path(place).glob("*.wrapper.json"))
        except Exception as error:  # whatever torch's compiler or that of C++ raises
            raise NotCompiled(f"a step cannot be compiled: {error}") from error
        target = _folder() / f"{form.name}-{name_digest(content + calls)}.so"
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


def _lock(name: str) -> FileLock:
    return FileLock(_folder() / f"{name}.lock", fallback_to_soft=False)


def _folder() -> Path:
    path = machine_cache.folder(made=True) / "ganstudy"
    path.mkdir(exist_ok=True)
    return path


def _made(name: str) -> Path | None:
    """The library of a name, if there is one that is as it was written."""
    for path in _folder().glob(f"{name}-*.so"):
        if path.stem == f"{name}-{name_digest(path.read_bytes() + _calls(path))}":
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
