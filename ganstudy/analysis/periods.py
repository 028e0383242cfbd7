"""Periods in curves, on plain arrays."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py

Array = NDArray[np.float64]

FEWEST = 25
"""Records below which no period is looked for: background and cycle cannot be told apart."""
CERTAIN = 12.0
"""Frequencies expected to be as strong as the strongest from which p is 1, to exp(-12).

The shares of the frequencies are negatively associated: that none is as strong is no likelier than
were they independent. Beyond, the terms of the sum are large and cancel, as after a single spike.
"""
MEMORIES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.999)
WHITE = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7)
"""Backgrounds that are tried: correlation from one record to the next, and the white share."""


def periodicity(curves: Array) -> tuple[Array, Array, Array]:
    r"""Fisher's test for a period against red noise: strength, period in records, and p-value.

    Maths   of a curve without its line of regression, the periodogram $I_j$ at the m Fourier
            frequencies between zero and a half is divided by the spectrum of a background without
            a period, $S_j \propto (1-w)/(1 + \phi^2 - 2 \phi \cos 2\pi j/n) + w$: an autoregression
            under white noise, since a loss drifts and each of its records is of one batch. $\phi$
            and w are those of largest likelihood (Whittle). For the strongest of what is left,
            $g = \max_j (I_j/S_j) / \sum_j (I_j/S_j)$, and
            $P(g > x) = \sum_{k=1}^{\lfloor 1/x \rfloor} (-1)^{k-1} \binom{m}{k} (1 - kx)^{m-1}$.
            Strength is the share of the variance at that frequency.
            All three are NaN for fewer than `FEWEST` records, a gap, or a straight line.
    Shapes  `(*, steps) -> (*), (*), (*)`.
    Source  Fisher 1929, "Tests of significance in harmonic analysis"; Whittle 1953, "Estimation and
            information in stationary time series"; for losses that are red, as for climates,
            Allen and Smith 1996, "Monte Carlo SSA".
    """
    steps = curves.shape[-1]
    frequencies = (steps - 1) // 2
    if steps < FEWEST:
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
    whitened = power / np.where(usable[..., None], _background(power), 1.0)
    place = whitened.argmax(axis=-1)
    strongest = np.take_along_axis(power, place[..., None], axis=-1)[..., 0]
    strength = np.where(usable, strongest / np.where(usable, total, 1.0), np.nan)
    period = np.where(usable, steps / (place + 1), np.nan)
    left = whitened.sum(axis=-1)
    share = np.where(usable, whitened.max(axis=-1) / np.where(usable, left, 1.0), np.nan)
    p = np.vectorize(fisher_tail, otypes=[float])(share, frequencies)
    return strength, period, p


def _background(power: Array) -> Array:
    """The likeliest spectrum without a period, up to its scale; `(*, m) -> (*, m)`."""
    frequencies = power.shape[-1]
    # As of 2m + 1 records; of one more, a frequency's place differs by less than its width.
    cosine = np.cos(2 * np.pi * np.arange(1, frequencies + 1) / (2 * frequencies + 1))
    spectra = []
    for memory in MEMORIES:
        red = 1 / (1 + memory**2 - 2 * memory * cosine)
        spectra += [(1 - white) * red / red.mean() + white for white in WHITE]
    best = np.full((*power.shape[:-1], 1), np.inf)
    chosen = np.ones_like(power)
    for spectrum in spectra:
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.log((power / spectrum).mean(axis=-1, keepdims=True))
        unlikely = frequencies * scale + np.log(spectrum).sum()
        better = unlikely < best
        best = np.where(better, unlikely, best)
        chosen = np.where(better, spectrum, chosen)
    return chosen


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
