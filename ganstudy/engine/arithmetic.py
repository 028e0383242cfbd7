"""Arithmetic: what decides the last bits of a number. Set before torch loads, and kept in words.

A sum has as many values as orders in which it can be taken, and libraries choose the order, and
the polynomial of an exponential, by the processor that they meet. Importing this module does not
import torch.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ganstudy import portable
from ganstudy.engine import mkl_vendor
from ganstudy.engine.vectors import compiler, vectors
from ganstudy.processor import features, processor, vendor_and_family

if TYPE_CHECKING:
    from ganstudy.trial import ProgramName

__all__ = ["NotPortable", "check", "computing", "described", "environment", "out_of_reach", "pin"]

_MKL = "MKL_CBWR"

_STRICT = "AUTO,STRICT"
"""What MKL is asked for: without it a product may depend on how many stand beside it."""

_PLAIN = "AUTO"
"""The same for MKL's products with vectors of 512 bits, which depend on nothing beside them either
way, and are faster by up to a third where they need not be strict."""

_MKL_BRANCHES = {
    **{1: "as it likes", 2: "AUTO", 3: "COMPATIBLE", 4: "SSE2", 6: "SSSE3", 7: "SSE4_1"},
    **{8: "SSE4_2", 9: "AVX", 10: "AVX2", 12: "AVX512", 14: "AVX512_E1"},
}
_MKL_STRICT = 0x10000


class NotPortable(Exception):
    """This process computes with something that other processors do not have."""


def pin() -> None:
    """Fix what decides the bits of a step, for this process and those that it starts.

    What the user has set is left alone. It acts until torch is loaded; `described` says what came
    of it.
    """
    # A process that started this one, perhaps on another processor, may have set either of ours.
    if os.environ.get(_MKL, _STRICT) not in (_STRICT, _PLAIN):
        return
    if mkl_vendor.misled(*vendor_and_family(), features()):
        mkl_vendor.answer()
    os.environ[_MKL] = _PLAIN if _multiplies_512_bits() else _STRICT


def _multiplies_512_bits() -> bool:
    """Whether MKL's products are those for 512 bits: Intel's, or as on Intel."""
    intel = vendor_and_family()[0] == "GenuineIntel"
    return (intel or mkl_vendor.is_answered()) and "avx512f" in features()


def environment(program: ProgramName) -> dict[str, str]:
    """Variables of a process that is started to train by a program."""
    if program == "portable":
        return portable.environment()
    return {_MKL: os.environ.get(_MKL, _STRICT)}


@contextmanager
def computing(program: ProgramName, device: str) -> Iterator[None]:
    """Compute as a program does.

    Errors  `NotPortable` if the portable program cannot be had in this process or on the device.
    """
    check(program, device)
    with _current(device), _mode(program, device):
        yield


def _current(device: str) -> AbstractContextManager[object]:
    """A GPU as the one for which kernels are launched and streams are made, whatever they act on;
    unless it is told so, a process takes the first.
    """
    if not _is_gpu(device):
        return nullcontext()
    import torch

    return torch.cuda.device(device)


def _mode(program: ProgramName, device: str) -> AbstractContextManager[object]:
    if program == "portable":
        from ganstudy.portable.functions import Portable

        return Portable()  # type: ignore[no-untyped-call]  # torch has not typed it
    if program == "eager" and _is_gpu(device):
        return _on_gpu(device)
    return nullcontext()


@contextmanager
def _on_gpu(device: str) -> Iterator[None]:
    """Products and sums in fixed tiles; convolutions of single precision, by kernels that add up in
    one order and are not chosen by a race between them.
    """
    import torch

    from ganstudy.engine.fixed_tiles import FixedTiles

    fixed = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    with fixed, FixedTiles(device):
        yield


def check(program: ProgramName, device: str) -> None:
    """Refuse a program that this process cannot run as it is meant.

    Errors  `NotPortable` that says what is missing.
    """
    if reason := out_of_reach(program, device) or (program == "portable" and _unportable()):
        raise NotPortable(reason)


def out_of_reach(program: ProgramName, device: str) -> str:
    """What no process of this machine can be given for a program; empty if nothing."""
    if program == "portable" and device != "cpu":
        return f"the portable program is for processors, not for {device}"
    if program == "portable" and (missing := portable.lacking()):
        return f"the portable program needs {' and '.join(missing)}, which this processor lacks"
    if program == "eager" and _is_gpu(device) and (reason := _without_kernels()):
        why = f"a GPU's kernels are made by Triton, which {reason}"
        return f"{why}; a processor needs none (--devices cpu)"
    return ""


@functools.cache
def described(program: ProgramName, device: str = "cpu") -> str:
    """What a program computes with in this process, in words that are equal where it is the same.

    The portable program names no processor. Elsewhere all that is known to choose between two
    roundings is named, since the branches of MKL are not the same ones on every vendor's.
    """
    import torch

    versions = f"torch {torch.__version__}, NumPy {np.__version__}, {' '.join(platform.libc_ver())}"
    if program == "portable":
        return f"portable, {versions}"
    parts = [
        versions,
        f"ATen {torch.backends.cpu.get_cpu_capability()}",
        f"MKL {_mkl_branch()}",
        f"NumPy for {_numpy_features()}",
        f"OpenBLAS for {_openblas_core()}",
        processor(),
    ]
    if program == "compiled":
        parts.insert(2, f"C++ for {_compiled_for()}")
    if most := os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA")):
        parts.append(f"oneDNN for {most} at most")
    if torch.get_num_threads() > 1:
        parts.append(f"{torch.get_num_threads()} threads")
    if _is_gpu(device):
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]  # torch has not typed it
        hip = torch.version.hip
        built = f"ROCm {hip}, MIOpen" if hip else f"CUDA {torch.version.cuda}, cuDNN"
        parts += [torch.cuda.get_device_name(device), f"{built} {cudnn}"]
        if program == "eager":
            # The module's own: distributions that hold it have several names.
            parts.append(f"fixed tiles by Triton {import_module('triton').__version__}")
        elif torch.get_float32_matmul_precision() != "highest":
            parts.append("TF32")
    return ", ".join(parts)


def _is_gpu(device: str) -> bool:
    return device.partition(":")[0] == "cuda"


def _without_kernels() -> str:
    """Why this process cannot make a GPU's kernels; empty if it can."""
    if find_spec("triton") is None:
        return "is not installed here"
    if not os.environ.get("CC") and not any(map(shutil.which, ("gcc", "clang"))):
        return "needs a C compiler: gcc, clang or what CC names"
    return ""


def _unportable() -> str:
    """Why this process cannot be portable; empty if it can."""
    import torch

    wide = [name for name in _numpy_features().split() if name.startswith(portable.WIDE)]
    if (
        torch.backends.cpu.get_cpu_capability() != "AVX2"
        or _mkl_branch() != "COMPATIBLE"
        or _openblas_core() != "Haswell"
        or wide
    ):
        variables = " ".join(f"{k}={v!r}" for k, v in environment("portable").items())
        return f"a process that trains by the portable program is started with {variables}"
    return ""


def _mkl_branch() -> str:
    """The branch that MKL takes, as it says itself; `unknown` where torch has another library."""
    import torch

    if not torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]  # torch has not typed it
        return "absent"
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        mode: int = library.mkl_serv_cbwr_get(-1)
    except (OSError, AttributeError):
        return f"unknown ({os.environ.get('MKL_CBWR', 'unset')} asked)"
    branch = _MKL_BRANCHES.get(mode & ~_MKL_STRICT, str(mode))
    strict = " STRICT" if mode & _MKL_STRICT else ""
    return branch + strict + (" as on Intel" if mkl_vendor.is_answered(library) else "")


def _numpy_features() -> str:
    """Instruction sets beyond its baseline that NumPy uses here."""
    found = np.show_config("dicts")["SIMD Extensions"].get("found", ())
    return " ".join(found) or "its baseline"


def _openblas_core() -> str:
    from threadpoolctl import threadpool_info

    cores = {
        str(library["architecture"])
        for library in threadpool_info()
        if library["internal_api"] == "openblas"
    }
    return " and ".join(sorted(cores)) or "none"


def _compiled_for() -> str:
    """What the compiler makes of a step: its vectors, and its own version."""
    command, version = compiler()
    return f"{vectors()} ahead of time by {Path(command).name} {version}"
