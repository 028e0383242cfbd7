"""The words for what a process computes with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ganstudy.engine import arithmetic


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
