"""The atlas: eight divergences, two constraints and six targets, searched alike; its trials.

`python -m ganstudy.atlas RUNS` makes the file and the page of the documentation from finished runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FILE", "open_atlas"]

FILE = Path(__file__).with_name("atlas.nc")


def open_atlas() -> xr.Dataset:
    """Every trial of the atlas: settings, curves of scores, status; no samples. See docs/atlas.md.

    The six studies lie along `study`, as `ganstudy.open_runs(..., along="study")` joins them.

    Errors  `FileNotFoundError` where the package came without it.
    """
    # For `ds.gan`.
    import ganstudy.analysis.accessor  # noqa: F401
    from ganstudy.atlas.packed import opened

    return opened(FILE)
