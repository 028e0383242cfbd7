"""The vectors that a machine remembers."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganstudy.engine import vectors


@pytest.mark.parametrize("damage", [b"\xe7\x00", b"", b"AVX512"])
def test_what_is_damaged_is_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    """Every trial failed of it, or every step was compiled for other vectors than were meant."""
    asked: list[int] = []
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(vectors, "compiler_vectors", lambda: asked.append(1) or "AVX2")
    assert (vectors.vectors(), vectors.vectors(), len(asked)) == ("AVX2", "AVX2", 1)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage)
    assert (vectors.vectors(), vectors.vectors(), len(asked)) == ("AVX2", "AVX2", 2)
