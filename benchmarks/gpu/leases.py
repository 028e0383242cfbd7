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
slot, = slots([sys.argv[1]], 1, folder=Path(sys.argv[2]))
print("asks", flush=True)
with slot.leased():
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
        with _asking(device, folder) as holder:
            if _line(holder) != "held":
                failed.append("a slot that is free is not given")
            with _asking(device, folder) as waiting:
                try:
                    waiting.communicate(timeout=3)
                    failed.append("a slot that is held was given twice")
                except subprocess.TimeoutExpired:
                    holder.kill()
                    if _line(waiting) != "held":
                        failed.append("a slot whose holder was killed is not free")
                    waiting.kill()
            holder.kill()
    yield {"failed": failed}


def _asking(device: str, folder: Path) -> subprocess.Popen[str]:
    """A process that has loaded all it needs, and asks for the slot."""
    command = [sys.executable, "-c", _HOLD, device, str(folder)]
    pipe = subprocess.PIPE
    asking = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    )
    if (line := _line(asking)) != "asks":
        raise RuntimeError(f"a process that was to ask for a slot said {line!r}")
    return asking


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def lines(found: dict[str, Any]) -> list[str]:
    """For the page."""
    words = "; ".join(found["failed"]) or "as promised, also after a kill"
    return [f"- Slots and leases of one device: {words}."]
