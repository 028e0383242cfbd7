"""The process that trains a classifier: what ends it, and whom it ends with."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from processes import running
from tiny import LABELLED_PICTURES
from waiting import wait_until

from ganstudy import targets
from ganstudy.targets import trained_portably

TARGET = targets.from_config(LABELLED_PICTURES)
IMAGE = TARGET.image

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
    here = str(Path(__file__).parents[1])
    found_in = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    dying = subprocess.run(
        [sys.executable, "-c", DYING],
        env={**os.environ, "PYTHONPATH": found_in},
        capture_output=True,
        text=True,
        check=True,
    )
    child = int(dying.stdout)
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(child)
        wait_until(lambda: not running(process), 60)
