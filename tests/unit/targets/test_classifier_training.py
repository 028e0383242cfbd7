"""A classifier of images, trained by a process that computes portably whoever asks for it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
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

DYING = """
import os
import psutil
from tiny import LABELLED_PICTURES
from ganstudy import targets

target = targets.from_config(LABELLED_PICTURES)
draw, drawn = type(target).sample_labelled, []

def dying(self, rng, count):
    drawn.append(count)
    if len(drawn) == 4:
        (child,) = psutil.Process().children()
        print(child.pid, flush=True)
        os._exit(0)
    return draw(self, rng, count)

type(target).sample_labelled = dying
targets.trained_portably(target, target.image)
"""


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


def test_a_process_that_ends_before_it_is_done_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have read something by then, or all."""
    assert IMAGE is not None
    python = tmp_path / "python"
    for reads in ("head --bytes 100000 >/dev/null", "cat >/dev/null"):
        python.write_text(f"#!/bin/sh\n{reads}\necho first >&2\necho no room is left >&2\nexit 3\n")
        python.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(python))
        with pytest.raises(RuntimeError, match="images ended with 3: no room is left"):
            trained_portably(TARGET, IMAGE, 20)


@pytest.mark.slow
def test_the_process_ends_with_the_one_that_asks() -> None:
    """Which may be killed at any time."""
    here = str(Path(__file__).parents[2])
    found_in = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    dying = subprocess.run(
        [sys.executable, "-c", DYING],
        env={**os.environ, "PYTHONPATH": found_in},
        capture_output=True,
        text=True,
        check=True,
    )
    child = int(dying.stdout)
    end = time.monotonic() + 60
    while _runs(child) and time.monotonic() < end:
        time.sleep(0.1)
    assert not _runs(child)


def _runs(process: int) -> bool:
    """One that has ended stays until somebody asks how, for which a container may have nobody."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
