"""The soak of docs/faults.md, a part of it: workers are killed, and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_nothing_is_lost_or_leaks_under_kills() -> None:
    # More than the four open files that it lets grow, so that one left by each kill is found.
    asked = ("--trials", "96", "--kills", "9")
    found = subprocess.run(
        [sys.executable, "benchmarks/soak.py", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert found.returncode in (0, 1), found.stderr
    held = json.loads(found.stdout)["held"]
    assert {name for name, kept in held.items() if not kept} == set()
