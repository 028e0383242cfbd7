"""Periods in curves, on plain arrays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py

Array = NDArray[np.float64]

CERTAIN = 12.0
"""Frequencies expected to be as strong as the strongest from which p is 1, to exp(-12).

The shares of the frequencies are negatively associated: that none is as strong is no likelier than
were they independent. Beyond, the terms of the sum are large and cancel, as after a single spike.
"""


def periodicity(curves: Array) -> tuple[Array, Array, Array]:
    r"""Fisher's test for a period: strength, period in records, and p-value.

    Maths   of a curve without its line of regression, $g = \max_j I_j / \sum_j I_j$ over the
            periodogram at the m Fourier frequencies between zero and a half; for white noise
            $P(g > x) = \sum_{k=1}^{\lfloor 1/x \rfloor} (-1)^{k-1} \binom{m}{k} (1 - kx)^{m-1}$.
            All three are NaN for fewer than eight records, a gap, or a straight line.
    Shapes  `(*, steps) -> (*), (*), (*)`.
    Source  Fisher 1929, "Tests of significance in harmonic analysis".
    """
    steps = curves.shape[-1]
    frequencies = (steps - 1) // 2
    if steps < 8:
        nothing = np.full(curves.shape[:-1], np.nan)
        return nothing, nothing.copy(), nothing.copy()
    time = np.arange(steps) - (steps - 1) / 2
    level = curves.mean(axis=-1, keepdims=True)
    slope = (curves @ time)[..., None] / (time @ time)
    rest = curves - level - slope * time
    flat = np.abs(rest).max(axis=-1) <= 1e-9 * np.abs(curves).max(axis=-1)
    power = np.abs(np.fft.rfft(rest, axis=-1)[..., 1 : frequencies + 1]) ** 2
    total = power.sum(axis=-1)
    usable = ~flat & (total > 0)
    strength = np.where(usable, power.max(axis=-1) / np.where(usable, total, 1.0), np.nan)
    period = np.where(usable, steps / (power.argmax(axis=-1) + 1), np.nan)
    p = np.vectorize(fisher_tail, otypes=[float])(strength, frequencies)
    return strength, period, p


def fisher_tail(strength: float, frequencies: int) -> float:
    """The chance that the largest of so many ordinates of noise has at least this share."""
    if math.isnan(strength):
        return math.nan
    expected = frequencies * (1 - strength) ** (frequencies - 1)
    if expected > CERTAIN:
        return 1.0
    k = np.arange(1, min(frequencies, int(1 / strength)) + 1)
    # The coefficients of thousands of frequencies are larger than any float, the terms are not.
    chosen = gammaln(frequencies + 1) - gammaln(k + 1) - gammaln(frequencies - k + 1)
    terms = np.exp(chosen + xlog1py(frequencies - 1, -np.minimum(k * strength, 1.0)))
    return min(max(math.fsum(np.where(k % 2, terms, -terms)), 0.0), 1.0)
