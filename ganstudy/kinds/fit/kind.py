"""`fit`: too simple a model fitted to a law with several modes, by exact gradient descent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field

from ganstudy import divergences
from ganstudy.kinds._losses import of_single_logits
from ganstudy.kinds._normal import normal
from ganstudy.kinds._theory import EPS, Check, Claim, Outcome, TheoryKind, curve, metric
from ganstudy.kinds.fit.line import Model, Objective

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

    Array = NDArray[np.float64]

FORWARD, REVERSE = ("forward_kl", "f_kl"), ("reverse_kl", "f_reverse_kl")
KEPT = 4
"""Every which grid point is kept for the figures."""
HALVINGS = 40

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
        "Everything about GANs, the figure of “The original definition”; Huszár, introduction",
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


class Fit(TheoryKind):
    r"""A mixture of normals descends a divergence from a law with equal, evenly spaced modes.

    Maths   $\theta \leftarrow \theta - t \nabla_\theta D(p, q_\theta)$ by quadrature, with t halved
            until the divergence falls (Armijo's rule) and raised by half again after a step. The
            gradient is that of the M-step at the best critic, $\int \ell(a^*(x)) \nabla q$.
    Source  "Everything about GANs", section "The original definition", the figure of KL directions;
            Goodfellow 2016, NIPS tutorial, figure 14.
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS

    steps: int = Field(400, ge=1, le=10**9, description="steps of the descent")
    objective: Literal["divergence", "wasserstein_1", "wasserstein_2"] = Field(
        "divergence", description="what is descended; `divergence` means the key of that name"
    )
    divergence: Annotated[
        divergences.Divergence,
        divergences.family.field("forward_kl"),
        AfterValidator(of_single_logits),
    ] = Field(
        default="forward_kl", validate_default=True, description="member whose functional it is"
    )
    modes: int = Field(2, ge=1, le=1000, description="modes of p")
    gap: float = Field(4.0, gt=0, description="distance of neighbouring modes")
    mode_std: float = Field(0.5, gt=0, description="standard deviation of a mode")
    components: int = Field(1, ge=1, le=1000, description="components of the model")
    lr: float = Field(0.1, gt=0, description="first step size that is tried")
    cells: int = Field(800, ge=100, le=100_000, description="cells of the grid")

    def shape(self) -> Mapping[str, Any]:
        """Trials are computed one by one; these fix the shape of what is kept."""
        return {"cells": self.cells}

    def cost(self) -> float:
        """Measured: a step with its trials takes a millisecond."""
        return self.steps * 1e-3

    def described(self) -> tuple[Variable, ...]:
        """Coverage of the least covered mode, and where q has its mass."""
        name = "share of its mass that q gives to the least covered mode"
        return (
            metric("coverage", name, "higher", (0.0, 1.0), 1.0),
            metric("between", "mass of q far from all modes", "lower", (0.0, 1.0), 0.003),
            curve("value", "what is descended"),
            curve("mean", "mean of q"),
            curve("std", "standard deviation of q"),
            curve("gradient_norm", "norm of the gradient"),
        )

    @property
    def centres(self) -> Array:
        """Modes of p, centred at zero."""
        return np.asarray(self.gap * (np.arange(self.modes) - (self.modes - 1) / 2), np.float64)

    def target(self, x: Array) -> Array:
        """Density of p."""
        return np.asarray(sum(normal(x, c, self.mode_std) for c in self.centres) / self.modes)

    def grid(self) -> Array:
        """Middles of cells that reach ten standard deviations beyond the outer modes."""
        reach = float(self.centres[-1]) + 2 * self.gap + 10 * self.mode_std
        edges = np.linspace(-reach, reach, self.cells + 1)
        return np.asarray((edges[1:] + edges[:-1]) / 2)

    def compute(self, trials: Sequence[Trial[Self]]) -> list[Outcome]:
        """One by one: each chooses its own steps."""
        # A step that is tried may end where the model has no width; it is then not taken.
        with np.errstate(all="ignore"):
            return [trial.configuration.descend(trial) for trial in trials]

    def descend(self, trial: Trial[Self]) -> Outcome:
        """The path of one trial and its checks."""
        x = self.grid()
        goal = Objective(self.objective, self.divergence, x, self.target(x))
        draws = trial.stream("init").normal(size=(2, self.components))
        start = np.stack(
            [
                self.gap / 2 * draws[0],
                np.log(self.gap / 2) + 0.2 * draws[1],
                np.zeros(self.components),
            ]
        )
        return self._outcome(goal, *self._descend(goal, start))

    def _descend(self, goal: Objective, start: Array) -> tuple[list[Array], Array, Array]:
        """Parameters, values and norms of the gradient at every step."""
        path, lr = [start], self.lr
        value, slope = _both(goal, start)
        values, norms = [value], [_norm(slope)]
        for _ in range(self.steps):
            here, norm = path[-1], norms[-1]
            # A step is at most as long as lr: some objectives start at 10^60 and as steep.
            direction = slope / max(1.0, norm)
            for _ in range(HALVINGS):
                tried = here - lr * direction
                reached, next_slope = _both(goal, tried)
                if reached <= value - 1e-4 * lr * norm * _norm(direction):
                    here, value, slope, lr = tried, reached, next_slope, 1.5 * lr
                    break
                lr /= 2
            else:
                lr = self.lr
            path.append(here)
            values.append(value)
            norms.append(_norm(slope))
        return path, np.array(values), np.array(norms)

    def _outcome(self, goal: Objective, path: list[Array], values: Array, norms: Array) -> Outcome:
        at, x = self.recorded_steps, goal.x
        fits = [Model(path[step]) for step in at]
        moments = np.array([fit.moments for fit in fits])
        nearest = np.abs(x[:, None] - self.centres).argmin(-1)
        far = np.abs(x[:, None] - self.centres).min(-1) > 3 * self.mode_std
        masses = np.stack([fit.density(x) for fit in fits]) * goal.dx
        cells = np.stack([masses[:, nearest == mode].sum(-1) for mode in range(self.modes)], -1)
        curves = {
            "coverage": np.minimum(self.modes * cells.min(-1), 1.0),
            "between": np.minimum(masses[:, far].sum(-1), 1.0),
            "value": values[at],
            "mean": moments[:, 0],
            "std": moments[:, 1],
            "gradient_norm": norms[at],
        }
        kept = np.stack([x, goal.p, masses[-1] / goal.dx], axis=-1)[::KEPT]
        return Outcome(curves, self._checks(goal, path, float(norms[-1])), kept)

    def _checks(self, goal: Objective, path: list[Array], norm: float) -> dict[str, Check]:
        variation = _variation(goal, path[0])
        found = {} if variation is None else {"variation": variation}
        if self.components > 1:
            return found
        name = self.divergence.name if self.objective == "divergence" else self.objective
        mean, std = Model(path[-1]).moments
        x, dx = goal.x, goal.dx
        left = 4 * norm * max(std**2, 1.0)
        if name in FORWARD:
            spread = float(np.sqrt((x**2 * goal.p).sum() * dx))
            found["moments"] = (max(abs(mean), abs(std - spread)), left + 1e-6)
        if name in REVERSE and self.modes > 1:
            own = normal(x, float(self.centres[0]), self.mode_std)
            rest = np.maximum(self.modes * goal.p / np.maximum(own, 1e-300), 1.0)
            overlap = float((own * np.log(rest)).sum() * dx)
            on_a_mode = np.array([[self.centres[0]], [math.log(self.gap / 4)], [0.0]])
            _, values, norms = self._descend(goal, on_a_mode)
            slack = 2 * overlap + 4 * float(norms[-1]) + 1e-9
            found["seeks"] = (abs(float(values[-1]) - math.log(self.modes)), slack)
        if name == "wasserstein_2":
            from scipy import stats

            fine = np.linspace(x[0], x[-1], 200_001)
            own = np.cumsum(self.target(fine)) * (fine[1] - fine[0])
            z = np.linspace(-8, 8, 20_001)
            quantiles = np.interp(stats.norm.cdf(z), own / own[-1], fine)
            spread = float((quantiles * z * stats.norm.pdf(z)).sum() * (z[1] - z[0]))
            found["transport"] = (max(abs(mean), abs(std - spread)), dx + left)
        return found


def _norm(slope: Array) -> float:
    return float(np.sqrt((slope**2).sum()))


def _both(goal: Objective, parameters: Array) -> tuple[float, Array]:
    """The objective and its gradient in the parameters."""
    model = Model(parameters)
    q = model.density(goal.x)
    return goal.value(q), model.gradient(goal.x, goal.variation(q), goal.dx)


def _variation(goal: Objective, parameters: Array) -> Check | None:
    """Gradient at the start against differences of the objective; the worst parameter.

    None where the objective is so large that its differences are rounding.
    """
    value, stated = _both(goal, parameters)
    h, scale = 1e-5, 1 + abs(value)
    if not scale < 1e3:
        return None
    grain = 16 * goal.dx**2 if goal.name != "divergence" else 0.0
    # A variation is known up to a constant, which the mass that leaves the grid multiplies.
    q = Model(parameters).density(goal.x)
    grain += 16 * float(q[0] + q[-1]) * float(goal.x[-1])
    worst = (0.0, 1.0)
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
        check = (abs(fine - float(stated[index])), abs(fine - coarse) + rounding + grain)
        worst = max(worst, check, key=lambda pair: pair[0] / pair[1])
    return worst
