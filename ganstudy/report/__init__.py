"""From a study's dataset to figures and one self-contained page.

`build` imports matplotlib when it is called, and not before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Thread

from ganstudy.report.page import PageError, build

__all__ = ["PageError", "build", "imported_meanwhile"]


@contextmanager
def imported_meanwhile() -> Iterator[None]:
    """Import what the page is made with, a second and a half's work, while others train."""
    thread = Thread(target=_warm_up)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _warm_up() -> None:
    for name in ("zarr", "ganstudy.analysis", "ganstudy.report.findings"):
        import_module(name)
    from ganstudy.report.sections import family

    list(family)
