"""From a study's dataset to figures and one self-contained page.

`build` imports matplotlib when it is called, and not before.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import suppress

from ganstudy.report.look import Look, end_look
from ganstudy.report.page import PageError, build
from ganstudy.report.press import Press

__all__ = ["Look", "PageError", "Press", "build", "end_look", "import_ahead"]

_HEAVY = ("xarray", "zarr", "dask.array", "ganstudy.analysis", "ganstudy.report.style")
_SOMETIMES = ("scipy.stats", "scipy.optimize")
"""What only some pages need, and takes a second."""


def import_ahead() -> Iterator[None]:
    """Import what gathering and `build` need, in parts of some tenths of a second.

    What cannot be imported is left to whoever needs it, and says what is wrong with it.
    """
    from ganstudy.report.sections import family

    for module in (*_HEAVY, *(f"{family.package}.{name}" for name in family.files), *_SOMETIMES):
        with suppress(Exception):
            importlib.import_module(module)
        yield
