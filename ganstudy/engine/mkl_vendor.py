"""MKL's question who made the processor, answered where the true answer costs half of its products.

MKL uses vectors of 512 bits on Intel's processors alone, and of 256 on all others. AMD's of the
fifth generation (Zen 5) multiply 512 bits at once: with the narrow ones they stay at half of their
rate. MKL asks a function of its own; a library loaded before torch, in which one of that name says
that it is Intel's, goes before it. MKL still asks the processor itself for the vectors it has.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Set
from contextlib import suppress
from pathlib import Path

from ganstudy import machine_cache
from ganstudy.whole_file import Damaged, name_digest, read_named, write_whole

__all__ = ["answer", "is_answered", "misled"]

_QUESTION = "mkl_serv_intel_cpu_true"
_SOURCE = f'extern "C" int {_QUESTION}() {{ return 1; }}\n'

FAMILIES = {("AuthenticAMD", "25"), ("AuthenticAMD", "26")}
"""Processors, by vendor and family, on which products were measured to be faster so: Zen 4, by a
tenth, and Zen 5, twice. Zen 3 has Zen 4's family, and no vectors of 512 bits."""


def misled(vendor: str, family: str, features: Set[str]) -> bool:
    """Whether MKL takes vectors of half the width on such a processor for its vendor's name."""
    return (vendor, family) in FAMILIES and "avx512f" in features


def answer() -> None:
    """Answer for this process, unless torch has loaded MKL already.

    The library is made once for a machine; without a C++ compiler MKL hears the truth, and the
    words of the arithmetic say so.
    """
    if "torch" in sys.modules or is_answered():
        return
    command = [os.environ.get("CXX", "g++"), "-x", "c++", "-shared", "-fPIC", "-O1", "-", "-o"]
    name = f"ganstudy_mkl_vendor_{name_digest(repr([command, _SOURCE]).encode())}"
    with suppress(OSError, subprocess.SubprocessError):
        # A library that is cut short ends a process that loads it.
        library = _whole(name) or _made(command, name)
        # Where libraries that are loaded later look for names first.
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def _whole(name: str) -> Path | None:
    """The library of a name, if there is one that is as it was written."""
    for path in machine_cache.folder().glob(f"{name}-*.so"):
        with suppress(Damaged, OSError):
            read_named(path)
            return path
    return None


def _made(command: list[str], name: str) -> Path:
    with tempfile.TemporaryDirectory(prefix="ganstudy-") as folder:
        made = Path(folder) / "made.so"
        subprocess.run(
            [*command, str(made)], input=_SOURCE.encode(), check=True, capture_output=True
        )
        content = made.read_bytes()
    library = machine_cache.folder(made=True) / f"{name}-{name_digest(content)}.so"
    write_whole(library, content, durable=False)
    return library


def is_answered(library: ctypes.CDLL | None = None) -> bool:
    """Whether this process answers, and a library of torch's, if it is given, asks at all."""
    try:
        answers = bool(getattr(ctypes.CDLL(None), _QUESTION)())
    except (AttributeError, OSError, TypeError):  # not there; Windows opens no library of no name
        return False
    return answers and (library is None or hasattr(library, _QUESTION))
