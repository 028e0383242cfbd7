"""Vectors: those that steps are compiled for, and the compiler that makes them."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from importlib import metadata
from unittest import mock

from ganstudy import machine_cache
from ganstudy.processor import features
from ganstudy.whole_file import name_digest, write_whole

__all__ = ["compiler", "compiler_vectors", "vectors"]


def compiler() -> tuple[str, str]:
    """The C++ compiler's command, and what it says of its version."""
    command = os.environ.get("CXX", "g++")
    asked = [command, "-dumpfullversion", "-dumpversion"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return command, answer


def vectors() -> str:
    """The vectors that steps are compiled for: the widest here of those that torch knows."""
    facts = [metadata.version("torch"), *compiler(), os.environ.get("ATEN_CPU_CAPABILITY")]
    digest = name_digest(repr([*facts, sorted(features())]).encode())
    kept = machine_cache.folder() / f"ganstudy_vectors_{digest}.sealed"
    with suppress(OSError):
        name, _, seal = kept.read_bytes().rpartition(b" ")
        if seal == name_digest(name).encode():
            return name.decode()
    found = compiler_vectors()
    with suppress(OSError):
        machine_cache.folder(made=True)
        content = f"{found} {name_digest(found.encode())}"
        write_whole(kept, content.encode(), durable=False)
    return found


def compiler_vectors() -> str:
    """The vectors that torch's compiler takes from now on in this process.

    It is not asked to try them first, narrower ones included, which takes seconds: a compiler that
    cannot have them fails at the first step. Matrix tiles are tried, since compilers that can have
    all else know some of those and not others.
    """
    from torch._inductor import config, cpu_vec_isa

    trial = cpu_vec_isa.VecISA.check_build

    def tried(vectors: cpu_vec_isa.VecISA, code: str) -> bool:
        return trial(vectors, code) if isinstance(vectors, cpu_vec_isa.VecAMX) else True

    cpu_vec_isa.valid_vec_isa_list.cache_clear()
    with (
        config.patch({"cpp.vec_isa_ok": True}),
        mock.patch.object(cpu_vec_isa.VecISA, "check_build", tried),
    ):
        return str(cpu_vec_isa.pick_vec_isa())
