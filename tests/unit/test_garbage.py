"""Garbage is left where looking for it costs more, and goes in the end."""

from __future__ import annotations

import gc
import weakref

import pytest

from ganstudy.garbage import uncollected


class Ring:
    """What holds only itself."""

    def __init__(self) -> None:
        self.itself = self


def litter() -> weakref.ref[Ring]:
    with uncollected(littering=True):
        assert not gc.isenabled()
        return weakref.ref(Ring())


@pytest.mark.slow
def test_a_compilers_garbage_waits_for_the_next_compiler() -> None:
    first = litter()
    gc.collect()
    assert first() is not None
    second = litter()
    assert first() is None
    assert second() is not None
    gc.unfreeze()


def test_what_fails_leaves_python_looking() -> None:
    with pytest.raises(ValueError, match="no step"), uncollected():
        raise ValueError("no step")
    assert gc.isenabled()
    gc.unfreeze()


def test_who_looks_for_nothing_goes_on_so() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()
