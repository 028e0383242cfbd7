"""MKL's question for the processor's vendor: when it is answered, and that it computes as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganstudy.engine import arithmetic, mkl_vendor
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
    assert misled("AuthenticAMD", "26", {"avx2", "avx512f"})
    assert misled("AuthenticAMD", "25", {"avx2", "avx512f"})
    assert not misled("AuthenticAMD", "25", {"avx2"})  # Zen 3
    assert not misled("GenuineIntel", "6", {"avx512f"})
    assert not misled("", "", set())


@pytest.mark.parametrize(
    ("vendor", "family", "instructions", "answers", "asked"),
    [
        ("GenuineIntel", "6", {"avx2", "avx512f"}, False, "AUTO"),
        ("GenuineIntel", "6", {"avx2"}, False, "AUTO,STRICT"),
        ("AuthenticAMD", "25", {"avx2", "avx512f"}, True, "AUTO"),
        ("AuthenticAMD", "25", {"avx2", "avx512f"}, False, "AUTO,STRICT"),
        ("AuthenticAMD", "25", {"avx2"}, False, "AUTO,STRICT"),
        ("AuthenticAMD", "27", {"avx2", "avx512f"}, False, "AUTO,STRICT"),
    ],
)
def test_products_are_strict_where_they_were_not_proven_without(
    vendor: str,
    family: str,
    instructions: set[str],
    answers: bool,
    asked: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever this process was started with by one of another processor; not what a user set."""
    monkeypatch.setattr(arithmetic, "vendor_and_family", lambda: (vendor, family))
    monkeypatch.setattr(arithmetic, "features", lambda: instructions)
    monkeypatch.setattr(mkl_vendor, "answer", lambda: None)
    monkeypatch.setattr(mkl_vendor, "is_answered", lambda: answers)
    for inherited, expected in {"AUTO": asked, "AUTO,STRICT": asked, "AVX2": "AVX2"}.items():
        monkeypatch.setenv("MKL_CBWR", inherited)
        arithmetic.pin()
        assert os.environ["MKL_CBWR"] == expected
    monkeypatch.delenv("MKL_CBWR")
    arithmetic.pin()
    assert arithmetic.environment("compiled") == {"MKL_CBWR": asked}


@pytest.mark.slow
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
import os
import numpy, torch
from ganstudy.engine import arithmetic
torch.set_num_threads(1)
random = numpy.random.default_rng(0)

def elsewhere(values, offset):
    memory = torch.empty(values.numel() + offset)
    return memory.as_strided(values.shape, values.stride(), offset).copy_(values)

def factors(pack, *common):
    # Of a product, and of those that its gradients are.
    rows, terms, columns = (int(random.choice(list(own) + [random.integers(1, 300)]))
                            for own in common)
    shapes = (rows, terms), (terms, columns), (rows, columns)
    a, b, gradient = (torch.tensor(random.normal(size=(pack, *own)).astype("f")) for own in shapes)
    return (a, b), (gradient, b.mT), (a.mT, gradient), (gradient.mT, a)

compared = 0
for _ in range(150):
    for x, y in factors(12, (7, 33, 64, 256, 512), *[(1, 2, 16, 32, 64, 128)] * 2):
        product = x @ y
        torch.testing.assert_close(product.double(), x.double() @ y.double(), atol=1e-4, rtol=0)
        for first, last in ((0, 2), (3, 7), (5, 12)):
            few, offset = slice(first, last), int(random.integers(17))
            again = elsewhere(x[few], offset) @ elsewhere(y[few], offset)
            assert torch.equal(again, product[few]), (x.shape, y.shape, few, offset)
            again = x[few] @ y[few]
            assert torch.equal(again, product[few]), (x.shape, y.shape, few)
            compared += 2

# Players that are convolutional have products of their own, wherever in a pack's memory they lie.
for _ in range(150):
    for xs, ys in factors(3, (1, 49, 64, 784), (9, 144, 576, 4096), (1, 2, 16, 64)):
        for x, y in zip(xs, ys):
            product, offset = x @ y, int(random.integers(17))
            torch.testing.assert_close(product.double(), x.double() @ y.double(), atol=1e-3, rtol=0)
            again = elsewhere(x, offset) @ elsewhere(y, offset)
            assert torch.equal(again, product), (x.shape, y.shape, offset)
            compared += 1
print(compared, os.environ["MKL_CBWR"], arithmetic.described("eager"))
"""


@pytest.mark.slow
@COMPILED
def test_products_are_right_and_depend_on_no_neighbour(tmp_path: Path) -> None:
    """On whichever processor, and whatever lies where in memory; the words of the arithmetic say
    what MKL was told.
    """
    compared, asked, words = _said(PRODUCTS, tmp_path, MKL_CBWR="AUTO").split(" ", 2)
    assert compared == "5400"
    assert f"MKL {asked.replace(',', ' ')} as on Intel" in words
