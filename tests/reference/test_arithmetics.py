"""A trial's bits do not depend on its pack, on whichever arithmetic: other processors' included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from processors import EMULATOR, needs_emulator

BITS = Path(__file__).parent / "test_bit_for_bit.py"

FEW = "each_feature_alone and 33 and (penalty or kliep or batch)"
ALL = "test"

ARITHMETICS = {
    "no vectors": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "AVX2,STRICT",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    },
    "AVX2, any processor's products": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE"},
}
"""Beside the machine's own, under which the tests run themselves."""


def _run(tests: str, variables: dict[str, str], through: tuple[str, ...] = ()) -> None:
    options = ["-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-W", "ignore"]
    command = [*through, sys.executable, *options, "-m", "not slow", "-k", tests, str(BITS)]
    own = {**os.environ, **variables}
    ended = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_all_bits_under_another_arithmetic(arithmetic: str) -> None:
    """All that is quick: features, batches, shapes, convolutions and kinds without networks."""
    _run(ALL, ARITHMETICS[arithmetic])


@pytest.mark.slow
@needs_emulator
def test_bits_on_an_emulated_intel() -> None:
    """What this machine's own program does there, with products as on a Haswell: what is emulated
    takes vendor and instructions from this machine's `/proc/cpuinfo`.
    """
    assert EMULATOR is not None
    _run(FEW, {"MKL_CBWR": "AVX2,STRICT"}, (EMULATOR, "-cpu", "Haswell"))
