"""MKL's question for the processor's vendor: when it is answered, and that it computes as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganstudy.engine.mkl_vendor import misled
from ganstudy.engine.packing import why_no_compiler

COMPILED = pytest.mark.skipif(bool(why_no_compiler()), reason="no C++ compiler")


def _said(code: str, cache: Path, **variables: str) -> str:
    """What a new process prints in which nothing is answered on import: MKL's branch is its own."""
    own = {"MKL_CBWR": "AVX2,STRICT", "TORCHINDUCTOR_CACHE_DIR": str(cache), **variables}
    command = [sys.executable, "-c", "from ganstudy.engine import mkl_vendor\n" + code]
    ended = subprocess.run(
        command, env={**os.environ, **own}, capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


ANSWERED = "mkl_vendor.answer(); print(mkl_vendor.is_answered())"


def test_only_processors_that_were_measured_are_misled() -> None:
    assert misled("AuthenticAMD", "26")
    assert not misled("AuthenticAMD", "25")
    assert not misled("GenuineIntel", "6")
    assert not misled("", "")


@COMPILED
def test_a_damaged_library_is_made_anew(tmp_path: Path) -> None:
    assert _said("print(mkl_vendor.is_answered())", tmp_path) == "False"
    assert _said(ANSWERED, tmp_path) == "True"
    (library,) = tmp_path.glob("*.so")
    # Such a one is loaded and then ends the process.
    library.write_bytes(library.read_bytes()[: library.stat().st_size // 2])
    assert _said(ANSWERED, tmp_path) == "True"


def test_without_a_compiler_nothing_is_answered(tmp_path: Path) -> None:
    assert _said(ANSWERED, tmp_path, CXX="/nowhere/g++") == "False"


PRODUCTS = """
mkl_vendor.answer()
import numpy, torch
from ganstudy.engine import arithmetic
random = numpy.random.default_rng(0)
for terms, columns in ((2, 32), (32, 32), (64, 128), (128, 33)):
    a = torch.tensor(random.normal(size=(12, 256, terms)).astype("f"))
    b = torch.tensor(random.normal(size=(12, terms, columns)).astype("f"))
    product = a @ b
    torch.testing.assert_close(product.double(), a.double() @ b.double(), atol=1e-4, rtol=0)
    for first, last in ((0, 2), (3, 7), (5, 12)):
        assert torch.equal(a[first:last] @ b[first:last], product[first:last]), terms
print(arithmetic.described("eager"))
"""


@COMPILED
def test_products_are_right_and_depend_on_no_neighbour(tmp_path: Path) -> None:
    """On whichever processor; the words of the arithmetic say what MKL was told."""
    assert "AUTO STRICT as on Intel" in _said(PRODUCTS, tmp_path, MKL_CBWR="AUTO,STRICT")
