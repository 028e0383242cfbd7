"""The histogram of samples over modes, on which the coverage metrics stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Array
    from ganstudy.targets import Target


def mode_counts(samples: Array, target: Target, radius: float) -> NDArray[np.int64]:
    """High-quality samples of each mode: those within `radius` standard deviations of its mean.

    A sample belongs to its nearest mode; a sample that is not finite belongs to none.

    Shapes  `(*pack, samples, dimension) -> (*pack, modes)`.
    """
    mixture = target.mixture()
    with np.errstate(over="ignore", invalid="ignore"):
        mode, distance = mixture.nearest(samples.astype(np.float64))
    modes = len(mixture.weights)
    near = distance <= radius
    clouds = int(np.prod(near.shape[:-1], dtype=int))
    offset = modes * np.arange(clouds).reshape(*near.shape[:-1], 1)
    counts = np.bincount((mode + offset)[near], minlength=clouds * modes)
    return counts.reshape(*near.shape[:-1], modes)
