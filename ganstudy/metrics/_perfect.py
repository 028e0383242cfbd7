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
    shape, labels = (DRAWS, samples), None
    if metric.labelled:
        flat, drawn = target.sample_labelled(rng, DRAWS * samples)
        labels = drawn.reshape(shape)
    else:
        flat = target.sample(rng, DRAWS * samples)
    clouds = flat.reshape(*shape, target.dimension)
    # One of the user's own may look at all clouds that it is given, and is given one of a trial.
    ours = type(metric).__module__.startswith(f"{__package__}.")
    parts = [slice(None)] if ours else [slice(draw, draw + 1) for draw in range(DRAWS)]
    kept = np.empty(DRAWS)
    for own in parts:
        told = None if labels is None else labels[own]
        kept[own] = measured_by(metric, clouds[own], told, target)
    kept.setflags(write=False)
    return kept
