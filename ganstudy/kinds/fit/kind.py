"""`fit`: too simple a model fitted to a law with several modes, by exact gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ganstudy.kinds._theory import Claim, OneByOne, Outcome, curve, metric
from ganstudy.kinds.fit.claims import CLAIMS, checks
from ganstudy.kinds.fit.descent import descend
from ganstudy.kinds.fit.line import Model, Objective
from ganstudy.kinds.fit.settings import FitSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

    Array = NDArray[np.float64]

KEPT = 4
"""Every which grid point is kept for the figures."""


class Fit(FitSettings, OneByOne):
    r"""A mixture of normals descends a divergence from a law with equal, evenly spaced modes.

    Maths   $\theta \leftarrow \theta - t \nabla_\theta D(p, q_\theta)$ by quadrature, with t halved
            until the divergence falls (Armijo's rule) and raised by half again after a step. The
            gradient is that of the M-step at the best critic, $\int \ell(a^*(x)) \nabla q$.
    Source  "Everything about GANs", section "The original definition", the figure of KL directions;
            Goodfellow 2016, NIPS tutorial, figure 14.
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS
    given: ClassVar[frozenset[str]] = OneByOne.given | {"modes", "gap", "mode_std"}
    deterministic: ClassVar[bool] = True

    def shape(self) -> Mapping[str, Any]:
        """The cells of what is kept."""
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

    # A step that is tried may end where the model has no width; it is then not taken.
    @np.errstate(all="ignore")
    def compute_one(self, trial: Trial[Self]) -> Outcome:
        """The path of one trial and its checks."""
        x = self.grid()
        goal = Objective(self.objective, self.divergence, x, self.density(x))
        draws = trial.stream("init").normal(size=(2, self.components))
        start = np.stack(
            [
                self.gap / 2 * draws[0],
                np.log(self.gap / 2) + 0.2 * draws[1],
                np.zeros(self.components),
            ]
        )
        return self._outcome(goal, *descend(goal, start, self.steps, self.lr))

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
        return Outcome(curves, checks(self, goal, path, float(norms[-1])), kept)
