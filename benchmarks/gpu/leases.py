"""Two workers on one device: each has a slot, and nobody else has it while they live."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.gpu.visit import Visit

_HOLD = """
import sys
from pathlib import Path
from ganstudy.schedule.devices import slots
with slots([sys.argv[1]], 1, folder=Path(sys.argv[2]))[0].leased():
    print("held", flush=True)
    sys.stdin.read()
"""


def measure(visit: Visit) -> Iterator[dict[str, Any]]:
    """A slot is waited for, is free once its holder was killed, and two differ."""
    from ganstudy.schedule.devices import slots

    device, failed = visit.device, []
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        first, second = slots([device], 2, folder=folder)
        if first.lock == second.lock:
            failed.append("two workers have one slot")
        with _holder(device, folder) as holder, _holder(device, folder, wait=False) as waiting:
            try:
                waiting.communicate(timeout=5)
                failed.append("a slot that is held was given twice")
            except subprocess.TimeoutExpired:
                pass
            holder.kill()
            assert waiting.stdout is not None
            if waiting.stdout.readline() != "held\n":
                failed.append("a slot whose holder was killed is not free")
            waiting.kill()
    yield {"failed": failed}


def _holder(device: str, folder: Path, wait: bool = True) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _HOLD, device, str(folder)]
    pipe = subprocess.PIPE
    holder = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    )
    if wait:
        assert holder.stdout is not None
        holder.stdout.readline()
    return holder


def lines(found: dict[str, Any]) -> list[str]:
    """For the page."""
    words = "; ".join(found["failed"]) or "as promised, also after a kill"
    return [f"- Slots and leases of one device: {words}."]
