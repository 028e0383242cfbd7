"""What a perfect generator would score: a number means nothing alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.metrics import _clouds
from ganstudy.metrics._base import measured_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.metrics._base import Metric
    from ganstudy.targets import Target

DRAWS = 20
"""Clouds of p that are measured: enough for a mean and a spread."""


def perfect_sampler(metric: Metric, target: Target, samples: int) -> NDArray[np.float64]:
    """The metric of clouds of p itself, of the size that trials are measured with; `(draws,)`.

    They are compared with the same reference cloud as trials are, so that what its chance does to
    the score of a trial it does to these.
    """
    rng = np.random.default_rng(np.random.SeedSequence(_clouds.REFERENCE_SEED, spawn_key=(2,)))
    shape = (DRAWS, samples)
    if metric.labelled:
        flat, labels = target.sample_labelled(rng, DRAWS * samples)
        clouds = flat.reshape(*shape, target.dimension)
        values = measured_by(metric, clouds, labels.reshape(shape), target)
    else:
        flat = target.sample(rng, DRAWS * samples)
        values = measured_by(metric, flat.reshape(*shape, target.dimension), None, target)
    kept = np.array(values, np.float64)
    kept.setflags(write=False)
    return kept
