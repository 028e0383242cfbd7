"""What the texts say about simple models of laws with several modes, checked on a descent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.kinds._normal import normal
from ganstudy.kinds._theory import EPS, Check, Claim, worst_of
from ganstudy.kinds.fit.descent import both, descend
from ganstudy.kinds.fit.line import Model, Objective

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds.fit.settings import FitSettings

    Array = NDArray[np.float64]

FORWARD, REVERSE = ("forward_kl", "f_kl"), ("reverse_kl", "f_reverse_kl")

CLAIMS = (
    Claim(
        "variation",
        "the M-step's gradient is that of the divergence",
        "At the best critic, the gradient of the generator's loss in the model's parameters is "
        "that of the divergence, by central differences",
        "Goodfellow et al. 2014, theorem 1; Huszár, “Connection to KL minimisation”; Everything "
        "about GANs, last section",
        "change of the difference quotient from step h to 2h, rounding over h, mass that leaves "
        "the grid, and for W₁ and W₂ sixteen times the square of the grid's width",
    ),
    Claim(
        "moments",
        "KL(p ‖ q) covers",
        "A Gaussian that minimises KL(p ‖ q) has the mean and the standard deviation of p: it "
        "covers all modes, and the gap between them",
        "Everything about GANs, the figure of “The original definition”; Thickstun, eq. 1",
        "what is left of the gradient over the curvature, and the tails beyond the grid",
    ),
    Claim(
        "seeks",
        "KL(q ‖ p) seeks",
        "Started on one of M separated modes, a Gaussian that descends KL(q ‖ p) stays there, at "
        "log M up to the modes' overlap (other starts may end in a worse minimum that covers)",
        "Everything about GANs, the figure of “The original definition”",
        "the overlap E log(1 + Σ p_j/p_i) of a mode with the others, twice, and what is left of "
        "the gradient",
    ),
    Claim(
        "transport",
        "W₂ has a closed form",
        "The Gaussian nearest to p in W₂ has the mean of p and the standard deviation "
        "E[Q_p(Φ(Z)) Z]",
        "Kantorovich problem on the line, stationarity in mean and standard deviation",
        "the grid's width, and what is left of the gradient",
    ),
)


def checks(
    settings: FitSettings, goal: Objective, path: list[Array], norm: float
) -> dict[str, Check]:
    """Those of one descent: its objective, its parameters at every step, its last gradient."""
    variation = _variation(goal, path[0])
    found = {} if variation is None else {"variation": variation}
    if settings.components > 1:
        return found
    name = settings.divergence.name if settings.objective == "divergence" else settings.objective
    mean, std = Model(path[-1]).moments
    x, dx = goal.x, goal.dx
    left = 4 * norm * max(std**2, 1.0)
    if name in FORWARD:
        spread = float(np.sqrt((x**2 * goal.p).sum() * dx))
        found["moments"] = (float(np.maximum(abs(mean), abs(std - spread))), left + 1e-6)
    if name in REVERSE and settings.modes > 1:
        own = normal(x, float(settings.centres[0]), settings.mode_std)
        rest = np.maximum(settings.modes * goal.p / np.maximum(own, 1e-300), 1.0)
        overlap = float((own * np.log(rest)).sum() * dx)
        on_a_mode = np.array([[settings.centres[0]], [math.log(settings.gap / 4)], [0.0]])
        _, values, norms = descend(goal, on_a_mode, settings.steps, settings.lr)
        slack = 2 * overlap + 4 * float(norms[-1]) + 1e-9
        found["seeks"] = (abs(float(values[-1]) - math.log(settings.modes)), slack)
    if name == "wasserstein_2":
        from scipy import stats

        fine = np.linspace(x[0], x[-1], 200_001)
        own = np.cumsum(settings.density(fine)) * (fine[1] - fine[0])
        z = np.linspace(-8, 8, 20_001)
        quantiles = np.interp(stats.norm.cdf(z), own / own[-1], fine)
        spread = float((quantiles * z * stats.norm.pdf(z)).sum() * (z[1] - z[0]))
        found["transport"] = (float(np.maximum(abs(mean), abs(std - spread))), dx + left)
    return found


def _variation(goal: Objective, parameters: Array) -> Check | None:
    """Gradient at the start against differences of the objective; the worst parameter.

    None where the objective is so large that its differences are rounding.
    """
    value, stated = both(goal, parameters)
    h, scale = 1e-5, 1 + abs(value)
    if not scale < 1e3:
        return None
    grain = 16 * goal.dx**2 if goal.name != "divergence" else 0.0
    # A variation is known up to a constant, which the mass that leaves the grid multiplies.
    q = Model(parameters).density(goal.x)
    grain += 16 * float(q[0] + q[-1]) * float(goal.x[-1])
    found = []
    for index in np.ndindex(2, parameters.shape[1]):
        unit = np.zeros_like(parameters)
        unit[index] = h

        def slope(reach: float, unit: Array = unit) -> float:
            up, down = (
                goal.value(Model(parameters + s * unit).density(goal.x)) for s in (reach, -reach)
            )
            return (up - down) / (2 * reach * h)

        fine, coarse = slope(1), slope(2)
        rounding = 64 * EPS * scale * math.sqrt(len(goal.x)) / h
        found.append((abs(fine - float(stated[index])), abs(fine - coarse) + rounding + grain))
    return worst_of(found)
