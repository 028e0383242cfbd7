"""A trial's bits do not depend on its pack, on whichever arithmetic: other processors' included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from processors import EMULATOR, OTHER_MAKERS, needs_emulator

from ganstudy.processor import features

BITS = Path(__file__).parent / "test_bit_for_bit.py"

FEW = "each_feature_alone and 33 and (penalty or kliep or batch)"
ALL = "pack or neighbour or certain_to_show or has_an_end"
"""Those that compare a trial alone with one in a pack."""

ARITHMETICS = {
    "the oldest": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    },
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2,STRICT"},
}
"""Beside the machine's own, under which the tests run themselves. Each operation is one library's,
so that what one is told is nothing to another.
"""
WIDER = pytest.mark.skipif(
    "avx512f" not in features(), reason="this processor's own arithmetic is that of AVX2"
)


def _run(tests: str, variables: dict[str, str], through: tuple[str, ...] = ()) -> None:
    options = ["-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-W", "ignore"]
    command = [*through, sys.executable, *options, "-m", "not slow", "-k", tests, str(BITS)]
    own = {**os.environ, **variables}
    ended = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("arithmetic", ["the oldest", pytest.param("AVX2", marks=WIDER)])
def test_all_bits_under_another_arithmetic(arithmetic: str) -> None:
    """All of packs that is quick: features, batches, shapes, convolutions, exact kinds."""
    _run(ALL, ARITHMETICS[arithmetic])


@pytest.mark.slow
@needs_emulator
def test_bits_on_an_emulated_processor_of_another_maker() -> None:
    """What this machine's own program does there, with that maker's products of AVX2: what is
    emulated takes vendor and instructions from this machine's `/proc/cpuinfo`.
    """
    assert EMULATOR is not None
    _run(FEW, {"MKL_CBWR": "AVX2,STRICT"}, (EMULATOR, "-cpu", OTHER_MAKERS))
