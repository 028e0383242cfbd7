"""What libraries read when they load, and choose their loops by: for a process to be started."""

from __future__ import annotations

import numpy as np

from ganstudy.processor import features

__all__ = ["WIDE", "environment", "lacking"]

WIDE = ("AVX512", "X86_V4")
"""How NumPy's names of what goes beyond AVX2 and FMA begin."""


def environment() -> dict[str, str]:
    """Variables of a process that is started to compute portably."""
    found = np.show_config("dicts")["SIMD Extensions"]
    known = {*found.get("found", ()), *found.get("not found", ())}
    return {
        "ATEN_CPU_CAPABILITY": "avx2",
        # MKL's other branches are chosen by the vendor of the processor.
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": " ".join(
            sorted(name for name in known if name.startswith(WIDE))
        ),
    }


def lacking() -> list[str]:
    """Instruction sets that portable arithmetic needs, and this processor lacks."""
    return [feature for feature in ("avx2", "fma") if feature not in features()]
