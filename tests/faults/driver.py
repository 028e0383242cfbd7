"""`ganstudy` with its times shortened, for tests; run as a program of its own.

Checkpoints come at every step, and the report, which takes longer than the training, is left out.
With `DWELL` in the environment the run stays where a test wants to find it, and says so; where it
has the first record of the run that is named, until it is interrupted.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import xarray as xr

from ganstudy import report
from ganstudy.cli import main
from ganstudy.engine import checkpoints
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.interruption import Interruption
from ganstudy.store import RunDirectory


def _dwell(where: str) -> None:
    if os.environ.get("DWELL") == where:
        print("dwelling", flush=True)
        time.sleep(600.0)


def _no_report(dataset: Any, provenance: Any, destination: Path, press: Any) -> Path:
    _dwell("report")
    return destination / "index.html"


def _then_dwell(function: Any, where: str) -> Any:
    def wrapped(*given: Any, **named: Any) -> Any:
        result = function(*given, **named)
        _dwell(where)
        return result

    return wrapped


def _dwell_once_landed(self: RunDirectory, pack: Any, again: Any) -> None:
    _write(self, pack, again)
    if os.environ.get("DWELL") == f"first record of {self.path.name}":
        del os.environ["DWELL"]
        print("dwelling", flush=True)
        noticed = signal.getsignal(signal.SIGINT)
        interruption = getattr(noticed, "__self__", None)
        assert isinstance(interruption, Interruption)
        while not interruption.asked:
            time.sleep(0.05)


_write = RunDirectory.write


if __name__ == "__main__":
    if os.environ.get("TERMINAL"):
        # The terminal that this process was given is the one that it hangs on.
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    checkpoints.EVERY = float(sys.argv.pop(1))
    report.build = _no_report
    report.Press = nullcontext  # type: ignore[misc, assignment]
    LocalExecutor.__init__ = _then_dwell(LocalExecutor.__init__, "start")  # type: ignore[method-assign]
    xr.Dataset.to_zarr = _then_dwell(xr.Dataset.to_zarr, "gather")  # type: ignore[method-assign]
    RunDirectory.write = _dwell_once_landed  # type: ignore[method-assign]
    main()
