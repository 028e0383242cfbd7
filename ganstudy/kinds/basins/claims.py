"""What is known of the landscape of the generator's points, checked at its states."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences import DiscreteLaws
from ganstudy.divergences.minimax import Minimax
from ganstudy.divergences.relativistic_pairing import RelativisticPairing
from ganstudy.divergences.wasserstein import Wasserstein
from ganstudy.kinds._losses import admits_every_critic, critic_terms
from ganstudy.kinds._theory import EPS, Check, Claim
from ganstudy.kinds.basins import best_critics
from ganstudy.kinds.basins.lattice import LEVEL, bad_basins, barrier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds.basins.settings import BasinsSettings

    Array = NDArray[np.float64]

SUN = "Sun, Fang & Schwing 2020"
CRITICS = "the logits' bound, and what finding the best critic leaves open"
ROOM = 1e-3
"""What the bound may leave of a value that is stated of critics without one."""

CLAIMS = (
    Claim(
        "best_critic",
        "the best critic found is the one that theory names",
        "On random laws on the data points the least critic loss that was found is that of the "
        "closed form",
        "the divergence's own source",
        CRITICS,
    ),
    Claim(
        "zero_sum",
        "a zero-sum generator descends the critic's best value",
        "If the losses add up to zero, the integral of the generator's loss at the best critic is "
        "minus the critic's least loss, at every state",
        "envelope theorem; Goodfellow et al. 2014, theorem 1",
        "the masses at which the integral ends, and what finding the best critic leaves open",
    ),
    Claim(
        "separable_values",
        "JS-GAN: values of recovery, collapse and half the way",
        "The JS-GAN's value is −log 2 at recovery, ½ (log(1/(1 + n))/n + log(n/(n + 1))) at "
        "collapse, and ½ (log(1/n)/n + (1 − 1/n) log((n − 1)/n)) when one point has left it; for "
        "two points −0.693, −0.477 and −0.347",
        f"{SUN}, the case of two points; by counting for n",
        CRITICS,
    ),
    Claim(
        "separable_basins",
        "JS-GAN: nⁿ − n! bad basins",
        "Every way of covering some data points and missing others is a bad basin of the JS-GAN: "
        "there are nⁿ − n!",
        f"{SUN}, the theorem on separable GANs",
        "none: a count",
    ),
    Claim(
        "fixed_pairs_values",
        "fixed pairs: −log 2 for each pair on a cycle",
        "With fixed pairs the relativistic value is −log 2 times the share of pairs (x, y) on "
        "cycles of the graph of pairs; for two points −0.693, −0.347 and −0.347",
        f"{SUN}, the theorem on relativistic pairing",
        CRITICS,
    ),
    Claim(
        "fixed_pairs_basins",
        "fixed pairs: no bad basin",
        "With fixed pairs every state has a way to recovery on which the value never rises",
        f"{SUN}, the theorem on relativistic pairing",
        "none: a count",
    ),
    Claim(
        "random_pairs_barrier",
        "random pairs: collapse lies behind a barrier of (log 2)/n²",
        "With random pairs the relativistic value at collapse is −(log 2)/n, and every way out "
        "rises by (log 2)/n²: there are bad basins; for two points −0.693, −0.347 and −0.173",
        f"by counting pairs; {SUN} prove their absence for fixed pairs alone",
        CRITICS,
    ),
    Claim(
        "transport_walk",
        "W₁ falls evenly on the way out of collapse",
        "Between two data points the Wasserstein value falls from collapse to recovery, along a "
        "straight line, and no way has to rise",
        "W₁ between two points of equal mass",
        "a thousand roundings of the linear programme",
    ),
)


def checks(settings: BasinsSettings, data: Array, values: Array, law: Array) -> dict[str, Check]:
    """Every claim that this trial can check.

    data    data points, `(points, dimension)`
    values  of the states of the lattice
    law     a random law on the data points
    """
    divergence, lattice, n = settings.divergence, settings.lattice, settings.points
    # e^-bound is what a bounded critic of the log loss leaves.
    solved = 4 * n * math.exp(-settings.bound) + LEVEL
    has_room = solved < ROOM
    out = values[lattice.walk()]
    found: dict[str, Check] = {}
    if admits_every_critic(divergence) and not divergence.paired:
        best = _closed_form(settings, DiscreteLaws(np.full(n, 1 / n), law, data))
        found |= {} if best is None else {"best_critic": best}
        if best_critics.zero_sum(divergence):
            left = best_critics.not_integrated(settings) + LEVEL
            found["zero_sum"] = (_envelope_error(settings, values), left)
    if isinstance(divergence, Minimax):
        if has_room:
            stated = (-math.log(2), *_separable(n))
            seen = (values.min(), out[0], out[1])
            found["separable_values"] = (_apart(seen, stated), solved)
        # A data point under all generated points has the logit -log n: a bound below it makes
        # states alike that differ.
        if settings.bound >= math.log(n):
            wrong = bad_basins(lattice, values) - (n**n - math.factorial(n))
            found["separable_basins"] = (float(abs(wrong)), 0.0)
    if isinstance(divergence, RelativisticPairing):
        if settings.pairs == "fixed":
            if has_room:
                cycles = np.array([_on_cycles(state, n) for state in lattice.states])
                apart = np.abs(values + math.log(2) * cycles / n)
                found["fixed_pairs_values"] = (float(apart.max()), solved)
            found["fixed_pairs_basins"] = (float(bad_basins(lattice, values)), 0.0)
        elif has_room:
            start = int(lattice.walk()[0])
            stated = (-math.log(2), -math.log(2) / n, math.log(2) / n**2)
            seen = (values.min(), out[0], barrier(lattice, values, start))
            found["random_pairs_barrier"] = (_apart(seen, stated), 2 * solved)
    if isinstance(divergence, Wasserstein) and n == 2:
        line = out[0] * (1 - np.linspace(0, 1, len(out)))
        rise = barrier(lattice, values, int(lattice.walk()[0]))
        error = max(float(np.abs(out - line).max()), rise)
        found["transport_walk"] = (error, 1e3 * EPS * max(1.0, float(out[0])) + LEVEL)
    return found


def _apart(seen: tuple[float, ...], stated: tuple[float, ...]) -> float:
    return float(np.abs(np.array(seen) - np.array(stated)).max())


def _separable(n: int) -> tuple[float, float]:
    """The JS-GAN's value at collapse, and with one of the points gone elsewhere."""
    stayed = (n - 1) / n
    collapsed = (math.log(1 / (1 + n)) / n + math.log(n / (n + 1))) / 2
    return collapsed, (math.log(1 / n) / n + stayed * math.log(stayed)) / 2


def _on_cycles(state: Array, n: int) -> int:
    """Data points from which following pairs leads back to them."""
    found = 0
    for start in range(n):
        at = start
        for _ in range(n):
            at = int(state[at]) if at < n else at
            if at == start:
                found += 1
                break
    return found


def _best_values(settings: BasinsSettings, p: Array, q: Array) -> Array:
    """The critic's value at the best logits of each site, by its losses; `(*, sites) -> (*,)`."""
    logits = best_critics.best_logits(settings, p, q)
    zero = np.zeros_like(logits)
    real = critic_terms(settings.divergence, logits, zero)
    fake = critic_terms(settings.divergence, zero, logits)
    both = critic_terms(settings.divergence, np.zeros(1), np.zeros(1))[0]
    # Each law's loss has been counted with the other's at zero, and has mass one.
    return np.asarray(both - (p * real + q * fake).sum(-1)) / best_critics.TERMS


def _closed_form(settings: BasinsSettings, laws: DiscreteLaws) -> Check | None:
    """None where the best logits lie beyond the bound; where no logit is best, the bound leaves
    what larger ones would still win.
    """
    divergence, bound = settings.divergence, settings.bound
    best, least = divergence.optimal_logits(laws), divergence.critic_minimum(laws)
    left = 0.0
    if not divergence.attained:
        left = divergence.expected_losses(laws, np.clip(best, -bound, bound))[0] - least
    elif np.abs(best).max() > bound:
        return None
    error = float(_best_values(settings, laws.p, laws.q)) + least / best_critics.TERMS
    return abs(error), 1e-9 * bound + left / best_critics.TERMS


def _envelope_error(settings: BasinsSettings, values: Array) -> float:
    """Largest difference from the critic's value over the states of the section."""
    n, lattice = settings.points, settings.lattice
    states = np.unique(lattice.section())
    sites = np.arange(lattice.sites)
    q = (lattice.states[states][..., None] == sites).sum(1) / n
    p = np.broadcast_to((sites < n) / n, q.shape)
    return float(np.abs(values[states] - _best_values(settings, p, q)).max())
