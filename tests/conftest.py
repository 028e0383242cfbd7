"""One thread for every numerical library, and our arithmetic, before any of them is imported.

What lasts as long as the process is looked through for garbage once, and not again and again.

Figures are drawn where nobody sees them, by the test's own process, and no test leaves one to the
next.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest

os.environ["MPLBACKEND"] = "agg"

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"

# A shell has what it starts in the background ignore Ctrl-C, and so would all that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Processes that tests start compile the package once, and not each of them all of it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_configure(config: pytest.Config) -> None:
    """In each process that runs tests; the one that hands them out waits for no import."""
    gc.set_threshold(10_000, 10, 10)
    if config.getoption("dist", "no") == "no":
        # In a new environment nothing is compiled: two workers do not both begin with torch.
        if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
            for name in ("scipy.stats", "sklearn.metrics", "sympy", "networkx", "xarray", "optuna"):
                import_module(name)
        import_module("ganstudy.engine")
        import_module("torch").set_num_threads(1)


def pytest_collection_finish() -> None:
    """Modules and tests stay: a look through them all took a third of a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def figures_are_printed_here() -> Iterator[None]:
    """A press of its own would cost each run half a second; its own tests have one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganstudy.report.press.cores", lambda: 1)
        yield


@pytest.fixture(autouse=True)
def no_figure_is_left() -> Iterator[None]:
    """Close what a test drew: pyplot keeps figures, and the next test may count them."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
