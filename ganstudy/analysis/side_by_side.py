"""An array of several runs: each one's numbers where its labels are, and read when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    Block = Mapping[str, Sequence[int]]

__all__ = ["SideBySide"]


class SideBySide(BackendArray):
    """Variables of runs within one array, as xarray reads a file.

    parts  each variable, with its run's places along every dimension of the array; along one that
           it lacks it is the same at all of them
    gap    what stands where no run has anything
    """

    def __init__(
        self,
        parts: Sequence[tuple[xr.Variable, Block]],
        dims: Sequence[str],
        shape: Sequence[int],
        gap: Any,
    ) -> None:
        self._parts, self._dims, self._gap = parts, dims, gap
        self.shape = tuple(shape)
        self.dtype = np.result_type(*(values.dtype for values, _ in parts))

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Called by xarray."""
        outer = indexing.IndexingSupport.OUTER
        return indexing.explicit_indexing_adapter(key, self.shape, outer, self.read)

    def read(self, key: Sequence[Any] = ()) -> NDArray[Any]:
        """What numbers, slices and arrays select, each along its dimension; by default all."""
        along = [np.arange(size) for size in self.shape]
        wanted = [a[k] for a, k in zip(along, key, strict=True)] if key else along
        found = np.full([w.size for w in wanted], self._gap, self.dtype)
        for values, block in self._parts:
            here, own = zip(
                *(
                    _common(np.atleast_1d(places), block[dim], size)
                    for dim, places, size in zip(self._dims, wanted, self.shape, strict=True)
                ),
                strict=True,
            )
            if all(map(len, own)):
                chosen = dict(zip(self._dims, own, strict=True))
                part = values.isel({dim: chosen[str(dim)] for dim in values.dims})
                part = part.transpose(*(dim for dim in self._dims if dim in values.dims))
                along_all = [len(chosen[d]) if d in values.dims else 1 for d in self._dims]
                found[np.ix_(*here)] = part.values.reshape(along_all)
        return found.reshape([size for w in wanted for size in w.shape])


def _common(
    wanted: NDArray[np.intp], block: Sequence[int], size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which of the wanted places a run has, and where each of these is among its own."""
    own = np.full(size, -1)
    own[list(block)] = np.arange(len(block))
    here = np.flatnonzero(own[wanted] >= 0)
    return here, own[wanted[here]]
