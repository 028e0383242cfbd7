"""How results.zarr is opened; xarray and zarr are imported by whoever does that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.store.place import RunError
from ganstudy.whole_file import Damaged

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

    from ganstudy.store.digests import Digests

__all__ = ["ORDER", "opened"]

ORDER = "order_of_variables"
"""Attribute on disk with the names of variables in their order: zarr lists by the alphabet."""


def opened(results: Path, known: Digests) -> xr.Dataset:
    """The dataset, of which nothing is believed that is not as its digests say.

    Errors  `Damaged`; `RunError` for codecs that run code; `OSError` where it cannot be read.
    """
    import xarray as xr

    from ganstudy.store.gathered_store import GatheredStore

    store = GatheredStore(results, digests=known)
    # Without chunks: what one gets does not depend on whether dask is installed.
    try:
        dataset: xr.Dataset = xr.open_zarr(store, chunks=None)
    except RunError:
        raise
    except Exception as error:  # whatever zarr raises for what it did not write
        if isinstance(error, OSError) and error.errno:  # the system's, which says nothing of it
            raise
        raise Damaged(f"{type(error).__name__}: {error}") from None
    # How it lies here is of zarr 2, by which xarray writes no zarr 3.
    dataset = dataset.drop_encoding()
    order = [name for name in dataset.attrs.pop(ORDER, ()) if name in dataset.variables]
    return dataset[[*order, *(name for name in dataset.variables if name not in order)]]
