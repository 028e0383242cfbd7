"""Resampling of few numbers, on plain arrays: intervals by bootstrap, tests by sign flips."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EXACT = 14
"""Pairs up to which all 2^n sign flips are made; beyond, random ones are made."""
RANDOM_FLIPS = 9999
RESAMPLES = 9999


def bca_interval(values: Array, confidence: float = 0.95) -> tuple[float, float]:
    """Bias-corrected and accelerated bootstrap interval of a mean; NaN is a missing value.

    The random stream is fixed, so that equal data have equal intervals. With fewer than three
    values the limits are NaN; equal values give an interval of zero width.

    Source  Efron 1987, "Better bootstrap confidence intervals", as in SciPy.
    """
    known = values[np.isfinite(values)]
    if known.size < 3:
        return (np.nan, np.nan)
    if np.ptp(known) <= 1e-12 * np.abs(known).max():
        return (float(known[0]), float(known[0]))
    from scipy.stats import bootstrap

    limits = bootstrap(
        (known,),
        np.mean,
        confidence_level=confidence,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return (float(limits.low), float(limits.high))


def sign_flip_p(differences: Array) -> float:
    r"""Two-sided p-value of the paired permutation test of a zero mean; NaN pairs are left out.

    Maths   if arms are exchangeable within a pair, every choice of signs of the differences is as
            likely; p is the share of choices whose mean is at least as far from zero as the one
            seen. With n pairs it cannot be below $2^{1-n}$: 0.0625 with five. NaN without a pair.
    Source  Fisher 1935, "The design of experiments", section 21.
    """
    known = differences[np.isfinite(differences)]
    if not known.size:
        return np.nan
    observed = abs(known.sum())
    slack = 1e-12 * np.abs(known).sum()
    if known.size <= EXACT:
        signs = np.array(list(product((1.0, -1.0), repeat=known.size)))
        return float(np.mean(np.abs(signs @ known) >= observed - slack))
    rng = np.random.default_rng(0)
    signs = rng.choice((1.0, -1.0), size=(RANDOM_FLIPS, known.size))
    extreme = int((np.abs(signs @ known) >= observed - slack).sum())
    return (extreme + 1) / (RANDOM_FLIPS + 1)
