"""A classifier of images, trained by a process that computes portably whoever asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny import LABELLED_PICTURES

from ganstudy import targets
from ganstudy.targets import trained_portably

TARGET = targets.from_config(LABELLED_PICTURES)
IMAGE = TARGET.image
assert IMAGE is not None

GOLDEN = {5: "3701c6d0c7dc933b", 600: "d5790f23537d9900"}
"""Of all that a classifier is, by the steps of its training; made on an AMD EPYC 7003 (Zen 3)."""


def _digest(made: Mapping[str, NDArray[Any]]) -> str:
    found = hashlib.sha256()
    for name, values in sorted(made.items()):
        found.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return found.hexdigest()[:16]


@pytest.mark.slow
@pytest.mark.parametrize("steps", GOLDEN)
def test_it_is_the_same_on_every_processor_and_whoever_asks(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process computes as its processor likes best, and then as one of long ago."""
    assert IMAGE is not None
    assert _digest(trained_portably(TARGET, IMAGE, steps)) == GOLDEN[steps]
    if steps < 10:
        asked = {"ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "SSE4_2"}
        asked |= {"ATEN_CPU_CAPABILITY": "default", "OPENBLAS_CORETYPE": "Nehalem"}
        for name, value in asked.items():
            monkeypatch.setenv(name, value)
        assert _digest(trained_portably(TARGET, IMAGE, steps)) == GOLDEN[steps]
