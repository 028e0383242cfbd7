"""The words for what a process computes with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ganstudy.divergences import family
from ganstudy.engine import arithmetic
from ganstudy.engine.session import Session, outside_steps
from ganstudy.trial import ProgramName


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    arithmetic.described.cache_clear()
    yield
    arithmetic.described.cache_clear()


def test_loops_of_an_older_processor_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """oneDNN's convolutions have other bits by them; the portable program asks it for none."""
    usual = {program: arithmetic.described(program) for program in ("eager", "portable")}
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    arithmetic.described.cache_clear()
    assert "oneDNN for SSE41 at most" in arithmetic.described("eager")
    assert "oneDNN" not in usual["eager"] + usual["portable"]
    assert arithmetic.described("portable") == usual["portable"]


def test_what_a_gpu_computes_with_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library of its convolutions, too, which may be another one beside the same torch."""
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: "NVIDIA H200")
    monkeypatch.setattr("torch.version.cuda", "13.0")
    monkeypatch.setattr("torch.backends.cudnn.version", lambda: 91300)
    said = arithmetic.described("compiled", "cuda:0")
    assert said.endswith("NVIDIA H200, CUDA 13.0, cuDNN 91300")
    # Its distribution has another name than the module, such as pytorch-triton.
    monkeypatch.setitem(sys.modules, "triton", SimpleNamespace(__version__="3.6.0"))
    monkeypatch.setattr("torch.version.hip", "7.0")
    said = arithmetic.described("eager", "cuda:0")
    assert said.endswith("NVIDIA H200, ROCm 7.0, MIOpen 91300, fixed tiles by Triton 3.6.0")


def test_a_compiled_step_is_named_by_all_that_stands_in_it() -> None:
    """Bits of one divergence depend on the others: in a run to which one was added they were of two
    arithmetics under one name, and `verify` called that a fault. Floats order no sum.
    """

    def said(program: ProgramName, *beside: Any) -> str:
        return Session(program=program, beside=tuple(map(family.from_config, beside))).arithmetic

    two = said("compiled", "wasserstein", "minimax")
    assert two == said("compiled", "minimax", "wasserstein", "minimax")
    assert two == arithmetic.described("compiled") + ", one step for minimax and wasserstein"
    assert two != said("compiled", "wasserstein", "minimax", "reverse_kl")
    assert said("compiled", {"name": "f_alpha", "alpha": 0.3}) == said("compiled", "f_alpha")
    assert outside_steps(two) == arithmetic.described("compiled")
    assert said("eager", "minimax") == said("eager") == arithmetic.described("eager")
