r"""The value of a state at the best critic: what the generator descends, by convex optimisation.

The n data points are p and the n generated points are q, with mass 1/n each; a critic has one logit
for each site, at most `bound` in size, so that no value is infinite.

-   Where the critic's loss is a sum over sites, $\sum_x p_x r(a_x) + q_x s(a_x)$, so is the value:
    the best logit is a minimum on an interval, and with the critic held fixed the M-step descends
    $\sum_x \int_0^{q_x} \ell(a^*(p_x, t)) \, dt$ for a generator's loss $\ell$. In a zero-sum game
    ($\ell = -s$) this is minus the critic's least loss.
    In others it is known up to a constant, and here zero at recovery.
-   Where the loss compares samples (`paired`) it is convex in the logits of all sites together. The
    value is minus the critic's least loss, that of the min-max game, whatever the generator's loss.
-   Where the theory restricts the critic (to Lipschitz functions, to a kernel's) the member has the
    exact value.

Values are means over the terms of the critic's loss, one for each law, or one for each pair: the
scale of Sun, Fang & Schwing 2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences import DiscreteLaws
from ganstudy.divergences.relativistic_pairing import RelativisticPairing
from ganstudy.kinds._losses import (
    admits_every_critic,
    critic_gradient,
    critic_terms,
    generator_terms,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ganstudy.divergences import Divergence
    from ganstudy.kinds.basins.settings import BasinsSettings

    Array = NDArray[np.float64]
    Indices = NDArray[np.int64]

TERMS = 2
"""Terms of a critic's loss that is no mean over pairs."""
_HALVINGS = 60
"""Of the interval of logits, to below rounding."""


def zero_sum(divergence: Divergence) -> bool:
    """Whether the generator's loss is minus the critic's on q, whatever the logits."""
    grid = np.linspace(-5, 5, 101)
    total = critic_terms(divergence, 0 * grid, grid) + generator_terms(divergence, grid)
    return bool(np.ptp(total) < 1e-9)


def of_states(settings: BasinsSettings, data: Array) -> Array:
    """The value of every state of the lattice, `(states,)`; data points `(points, dimension)`."""
    divergence, lattice = settings.divergence, settings.lattice
    if not admits_every_critic(divergence):
        return _shared(lattice.states, _by_member(settings, lattice.positions(data)))
    # Critics that may do anything see which sites coincide, and not where these are.
    if divergence.paired:
        states = _anonymous(lattice.states, settings.points)
        free = settings.pairs == "random"
        return _shared(states, lambda state: best_of_pairs(settings, state)[0], free)
    covered, missed = by_mass(settings)
    if not zero_sum(divergence):
        # The constant of an integral says nothing.
        covered = covered - covered[1]
    counts = (lattice.states[..., None] == np.arange(settings.points)).sum(1)
    # A site without data adds as much for each point there, so that it is enough to count them.
    return np.asarray(covered[counts].sum(-1) + missed[settings.points - counts.sum(-1)])


def by_mass(settings: BasinsSettings) -> tuple[Array, Array]:
    """What a site adds to the value, by how many generated points are there, `(points + 1,)`.

    At a data point, and elsewhere. The integral over the mass of q is one over its logarithm, in
    which best logits change evenly.
    """
    n, divergence, zero = settings.points, settings.divergence, np.zeros(1)
    nodes, weights = np.polynomial.legendre.leggauss(8)
    added, integrals = np.zeros((2, n + 1)), []
    for row, p in enumerate((1 / n, 0.0)):
        alone = critic_terms(divergence, best_logits(settings, np.array([p]), zero), zero)
        # With the loss on p at a = 0, which cancels in a zero-sum game and is a constant in others.
        added[row] = -p * float((alone + generator_terms(divergence, zero))[0])
        for count in range(1, n + 1):
            # Best logits jump where p = q and stop at their bound: kinks of the loss.
            kinks = np.log(count / n / np.array([1 / n, *_masses_at_bound(settings, p)]))
            cuts = np.unique([*_evenly(settings), *kinks[kinks > 0]])
            half = np.diff(cuts)[:, None] / 2
            q = count / n * np.exp(-(cuts[:-1, None] + half * (1 + nodes))).ravel()
            integrals.append((row, count, np.full_like(q, p), q, (half * weights).ravel()))
    _, _, *laws, _ = zip(*integrals, strict=True)
    # Halving the intervals of all takes hardly longer than those of one.
    logits = best_logits(settings, *map(np.concatenate, laws))
    for row, count, _, q, weight in integrals:
        own, logits = logits[: len(q)], logits[len(q) :]
        added[row, count] += float(weight @ (q * generator_terms(divergence, own)))
    return added[0] / TERMS, added[1] / TERMS


def not_integrated(settings: BasinsSettings) -> float:
    """Most that the masses of q at which `by_mass` ends take from a value, of all sites."""
    ends = np.array([-settings.bound, settings.bound])
    largest = np.abs(generator_terms(settings.divergence, ends)).max()
    return float(np.exp(-_evenly(settings)[-1]) * largest / TERMS)


def _evenly(settings: BasinsSettings) -> Array:
    """Where the integral over the logarithm of a mass is cut: at each unit, from the whole mass."""
    return np.arange(0.0, 2 * settings.bound + 10)


def _masses_at_bound(settings: BasinsSettings, p: float) -> Array:
    """Masses of q at which the best logit comes to lie at one of its bounds; those that exist."""
    ends, one = np.array([-settings.bound, settings.bound]), np.ones(2)
    of_p, of_q = (
        critic_gradient(settings.divergence, ends, *laws)
        for laws in ((one, 0 * one), (0 * one, one))
    )
    seen = (of_q > 0) & (p * of_p < 0)
    return -p * of_p[seen] / of_q[seen]


def best_logits(settings: BasinsSettings, p: Array, q: Array) -> Array:
    """The least logit, in size, that minimises p r(a) + q s(a) at each site; by bisection."""
    low, high = np.full_like(p, -settings.bound), np.full_like(p, settings.bound)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = critic_gradient(settings.divergence, middle, p, q)
        rises = (slope < 0) | ((slope == 0) & (middle < 0))
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return (low + high) / 2


def best_of_pairs(settings: BasinsSettings, state: Indices) -> tuple[float, Array]:
    """The value of a state, and a best critic's logits at its sites; by L-BFGS-B.

    Sites 0 to n - 1 are the data points. The loss is convex, so that what is left of its slope
    bounds what is left of the value.
    """
    import torch
    from scipy.optimize import minimize

    n, divergence = settings.points, settings.divergence
    # A chain of n pairs, each as far apart as a single logit can be from zero.
    bound = n * settings.bound
    by_pair = isinstance(divergence, RelativisticPairing)
    if by_pair and settings.pairs == "random":
        real, fake = np.repeat(np.arange(n), n), np.tile(state, n)
    else:
        real, fake = np.arange(n), state
    sides = [torch.from_numpy(np.ascontiguousarray(side)) for side in (real, fake)]

    def loss(logits: Array) -> tuple[float, Array]:
        a = torch.from_numpy(logits.copy()).requires_grad_()
        # Each pair is a batch of its own, whatever a batch makes of its pairs.
        batches = [a[side][:, None] if by_pair else a[side] for side in sides]
        mean = divergence.critic_loss(*batches).mean()
        (slope,) = torch.autograd.grad(mean, a)
        return mean.item(), slope.numpy()

    sites = max(n, int(state.max()) + 1)
    start = np.where(np.arange(sites) < n, bound, -bound) * ~np.isin(
        np.arange(sites), state[state < n]
    )
    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-bound, bound)] * sites,
        options={"ftol": 0.0, "gtol": 1e-11, "maxiter": 1000},
    )
    return -float(found.fun) / (1 if by_pair else TERMS), np.asarray(found.x)


def _by_member(settings: BasinsSettings, positions: Array) -> Callable[[Indices], float]:
    """The member's own exact value of a state."""
    n, divergence = settings.points, settings.divergence

    def value(state: Indices) -> float:
        # Sites without mass would constrain the critic for nothing.
        sites, at = np.unique([*range(n), *state], return_inverse=True)
        p, q = (np.bincount(part, minlength=len(sites)) / n for part in (at[:n], at[n:]))
        return -divergence.critic_minimum(DiscreteLaws(p, q, positions[sites])) / TERMS

    return value


def _anonymous(states: Indices, points: int) -> Indices:
    """States with sites between data points numbered in the order in which they are named."""
    named = states.copy()
    for place in range(points):
        column = states[:, place]
        for earlier in range(place + 1):
            first = (states[:, earlier] == column) & (column >= points)
            named[first & (named[:, place] == column), place] = points + earlier
    return named


def _shared(states: Indices, value: Callable[[Indices], float], free: bool = True) -> Array:
    """Values of states; each once for states that are the same.

    free  whether the order of the generated points says nothing
    """
    keys = np.sort(states, axis=-1) if free else states
    found, at = np.unique(keys, axis=0, return_inverse=True)
    return np.array([value(state) for state in found])[at.ravel()]
