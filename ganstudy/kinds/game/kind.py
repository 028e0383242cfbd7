"""`game`: two players with a number each, where stability can be computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ganstudy.kinds._theory import Claim, Outcome, TheoryKind, curve, metric, orbit
from ganstudy.kinds.game.claims import CLAIMS, checks, spectrum
from ganstudy.kinds.game.fields import DiracGAN, Linear
from ganstudy.kinds.game.moves import Moves
from ganstudy.kinds.game.settings import GameSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ganstudy.kinds.game.fields import VectorField
    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

    Array = NDArray[np.float64]

WINDOW = 50
"""Steps over which the contraction is averaged."""


class Game(GameSettings, TheoryKind):
    r"""Two numbers that descend different losses: V = xy, quadratic games, the Dirac-GAN.

    Maths   `bilinear`: the generator descends V = theta psi, the critic -V.
            `quadratic`: each loss has curvature c besides, V = c theta^2 / 2 + theta psi
            - c psi^2 / 2. `dirac_gan`: p a point mass at 0, q one at theta, the critic's logit
            psi x above its best where p = q, under the losses of any divergence that trains one.
    Source  "Everything about GANs", section "GAN problem"; Mescheder, Geiger & Nowozin 2018 for
            the Dirac-GAN and its regularizers; Gidel et al. 2019 for extragradient; Daskalakis et
            al. 2018 for optimism; Mescheder, Nowozin & Geiger 2017 for consensus; the sources of
            other methods are those of the update schemes of these names. A round of `lookahead`
            is one step of its slow players.
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS
    given: ClassVar[frozenset[str]] = TheoryKind.given | {"game", "curvature", "start", "radius"}
    deterministic: ClassVar[bool] = True

    def shape(self) -> Mapping[str, Any]:
        """Everything but sizes."""
        kept = {"game", "divergence", "method", "order", "first", "critic", "rounds", "regularizer"}
        return self.model_dump(include=kept)

    def cost(self) -> float:
        """Measured: three derivatives of the losses take 1 ms, arithmetic 0.1 ms."""
        turns = max(len(self.turns), 1) * (self.rounds if self.method == "lookahead" else 1)
        return self.steps * turns * (1e-3 if self.game == "dirac_gan" else 1e-4)

    def described(self) -> tuple[Variable, ...]:
        """Contraction, distance, and the orbit."""
        name = "growth per step of the distance to the equilibrium"
        return (
            metric("growth", name, "lower", (0.0, float("inf"))),
            curve("distance", "distance to the equilibrium"),
            orbit("theta", "parameter of the generator"),
            orbit("psi", "parameter of the critic"),
        )

    def field(self, trials: Sequence[Trial[Self]]) -> VectorField:
        """The losses of trials of one pack."""
        settings = [trial.configuration for trial in trials]
        if self.game != "dirac_gan":
            bend = [s.curvature if s.game == "quadratic" else 0.0 for s in settings]
            return Linear(np.array([[[c, 1.0], [-1.0, c]] for c in bend]))
        weight, slope = (np.array([getattr(s, n) for s in settings]) for n in ("weight", "slope"))
        ridges = sum(name in self.regularizer for name in ("r1", "r2"))
        pull, noise = (
            weight * (name in self.regularizer) for name in ("gradient_penalty", "instance_noise")
        )
        return DiracGAN(self.divergence, ridges * weight, pull, noise, slope)

    def moves(self, trials: Sequence[Trial[Self]]) -> Moves:
        """How the players of trials of one pack move."""
        settings = [trial.configuration for trial in trials]
        names = ("lr", "momentum", "consensus", "symplectic", "lead", "share", "bound")
        columns = {name: np.array([[getattr(s, name)] for s in settings]) for name in names}
        if "clip" not in self.regularizer:
            columns["bound"] = np.full_like(columns["bound"], np.inf)
        return Moves(self.method, self.turns, self.rounds, **columns)

    def origin(self, trial: Trial[Self]) -> Array:
        """Where the players of a trial start."""
        if self.start is not None:
            return np.array(self.start)
        angle = trial.stream("init").uniform(0, 2 * np.pi)
        return self.radius * np.array([np.cos(angle), np.sin(angle)])

    def compute(self, trials: Sequence[Trial[Self]]) -> list[Outcome]:
        """All trials of a pack step by step, as rows of one array."""
        field, moves = self.field(trials), self.moves(trials)
        start = np.stack([trial.configuration.origin(trial) for trial in trials])
        whole = moves.start(field, start)
        path = [whole]
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(self.steps):
                whole = moves.update(field, whole)
                path.append(whole)
            paths = np.stack(path, axis=1)
            return [self._outcome([trial], paths[i]) for i, trial in enumerate(trials)]

    def _outcome(self, trials: Sequence[Trial[Self]], path: Array) -> Outcome:
        """Path `(steps + 1, 4)` of one trial."""
        at = self.recorded_steps
        finite = np.isfinite(path).all(-1)
        lost = float("nan") if finite.all() else float(np.argmin(finite))
        distance = np.hypot(path[:, 0], path[:, 1])
        before = np.maximum(np.arange(len(path)) - WINDOW, 0)
        passed = np.arange(len(path)) - before
        growth = np.full(len(path), np.nan)
        known = (passed > 0) & finite & (distance > 0) & (distance[before] > 0)
        ratio = distance[known] / distance[before[known]]
        growth[known] = ratio ** (1 / passed[known])
        curves = {
            "growth": growth[at],
            "distance": np.where(finite, distance, np.nan)[at],
            "theta": np.where(finite, path[:, 0], np.nan)[at],
            "psi": np.where(finite, path[:, 1], np.nan)[at],
        }
        configuration = trials[0].configuration
        field, moves = configuration.field(trials), configuration.moves(trials)
        found = checks(configuration, field, moves, path) if finite.all() else {}
        return Outcome(curves, found, spectrum(configuration, field, moves), lost)
