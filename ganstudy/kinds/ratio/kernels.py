"""Kernels of the estimators that are not critics'.

Shapes  samples and centres `(count, dimension)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CENTRES = 100
"""Kernels stand at the first samples of p, as many as this."""
LEAST = 1e-6
"""Ratios below this are taken for it: kernel methods may estimate zero."""


def median_distance(p: Array, q: Array) -> float:
    """That between samples of p and q, the usual width without tuning."""
    return float(np.median(np.sqrt(_squares(p[:CENTRES], q[:CENTRES]))))


def kernel(x: Array, centres: Array, width: float) -> Array:
    """Gaussian kernels, `(points, centres)`."""
    return np.asarray(np.exp(-_squares(x, centres) / (2 * width**2)))


def _squares(x: Array, y: Array) -> Array:
    """Squared distances, coordinate by coordinate."""
    total = np.zeros((len(x), len(y)))
    for column in range(x.shape[1]):
        total += (x[:, None, column] - y[None, :, column]) ** 2
    return total
