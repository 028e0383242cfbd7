"""`tabular`: the GAN game on a finite set, where critics can be exact."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ganstudy.divergences import ClassifierDivergence
from ganstudy.kinds._losses import admits_every_critic, critic_gradient, generator_terms
from ganstudy.kinds._theory import Claim, Outcome, TheoryKind, curve, metric, orbit
from ganstudy.kinds.tabular import finite_game as game
from ganstudy.kinds.tabular.claims import CLAIMS, checks
from ganstudy.kinds.tabular.settings import TabularSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

    Array = NDArray[np.float64]


class Tabular(TabularSettings, TheoryKind):
    r"""The game on a finite set: law p, generator R = q/p, one free logit of the critic a point.

    Maths   `alternating`: the best critic, f = 1/(1 + R) for the log loss, then the best generator
            against it, a point mass. `descent`: the best critic, then
            $R \leftarrow R - \alpha P_0 \nabla_R g(R, f^*)$. `practical`: N_d gradient steps of the
            critic, from where it was, then that same generator step.
            A step that leaves the simplex is projected onto it.
    Source  Bouman, "Computing the GAN equilibrium", algorithm 1 (alternating minimization),
            algorithm 2 (generator loss gradient descent) and the practical algorithm 2; method 3
            for Wasserstein, with the critic of the exact linear programme.
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS
    given: ClassVar[frozenset[str]] = TheoryKind.given | {"points", "concentration"}

    def shape(self) -> Mapping[str, Any]:
        """Algorithm, divergence, number of points and of D-steps."""
        return {
            "algorithm": self.algorithm,
            "divergence": self.divergence.model_dump(),
            "points": self.points,
            "critic.steps": self.critic.steps if self.algorithm == "practical" else 0,
        }

    def cost(self) -> float:
        """Measured: a critic's gradient takes 0.1 ms, a linear programme 1 ms for ten points."""
        programme = 0.0 if admits_every_critic(self.divergence) else 1e-5 * self.points**2
        inner = self.critic.steps if self.algorithm == "practical" else 0
        return self.steps * (2e-4 + programme + 1e-4 * inner)

    def described(self) -> tuple[Variable, ...]:
        """Distance to the equilibrium, costs, and the orbit."""
        unit = (0.0, 1.0)
        return (
            metric("total_variation", "distance of q from p (total variation)", "lower", unit, 0.0),
            curve("cost", "divergence of q from p that the generator descends"),
            curve("support", "points that share the mass of q (exponential of its entropy)"),
            curve("critic_error", "distance of the critic's D from the best (mean over p)"),
            orbit("from_descent", "distance from algorithm 2 with the same start"),
            orbit("fullest", "point with most mass of q"),
            orbit("critic_steps_taken", "D-steps before each M-step of the practical algorithm"),
        )

    def compute(self, trials: Sequence[Trial[Self]]) -> list[Outcome]:
        """All trials of a pack step by step, as rows of one array."""
        # A critic that runs away is a result; its trial is marked, and the others continue.
        with np.errstate(over="ignore", invalid="ignore"):
            return self._compute(trials)

    def _compute(self, trials: Sequence[Trial[Self]]) -> list[Outcome]:
        settings = [trial.configuration for trial in trials]
        p = np.stack([_reference(trial) for trial in trials])
        ratio = np.stack([_start(trial, row) for trial, row in zip(trials, p, strict=True)])
        lr = np.array([[s.lr] for s in settings]) / p.max(-1, keepdims=True)
        critic_lr = np.array([[s.critic.lr] for s in settings]) / p.max(-1, keepdims=True)
        ties = np.stack([trial.stream("latent").random(self.steps) for trial in trials], axis=-1)
        divergence, logits = self.divergence, np.zeros_like(p)
        path, critics, reference = [ratio], [logits], ratio
        apart = [np.zeros(len(trials))]
        diverged_at = np.full(len(trials), np.nan)
        for step in range(self.steps):
            if self.algorithm == "practical":
                for _ in range(self.critic.steps):
                    slope = critic_gradient(divergence, logits, p, p * ratio)
                    logits = logits - critic_lr * slope
                exact = game.terms_at_best(divergence, p, reference)
                reference = game.generator_step(p, reference, exact, lr)
            else:
                logits = game.best_logits(divergence, p, ratio)
            terms = generator_terms(divergence, logits)
            if self.algorithm == "alternating":
                ratio = game.point_mass(p, terms, ties[step])
            else:
                ratio = game.generator_step(p, ratio, terms, lr)
            lost = ~np.all(np.isfinite(logits) & np.isfinite(ratio), axis=-1)
            diverged_at[lost & np.isnan(diverged_at)] = step + 1
            ratio = np.where(lost[:, None], np.nan, ratio)
            path.append(ratio)
            critics.append(logits)
            apart.append(game.total_variation(p, ratio, reference))
        whole, seen, gaps = np.stack(path, 1), np.stack(critics, 1), np.stack(apart, 1)
        return [
            dataclasses.replace(
                self._outcome(p[row], whole[row], seen[row], gaps[row], float(lr[row, 0])),
                diverged_at=float(diverged_at[row]),
            )
            for row in range(len(trials))
        ]

    def _outcome(self, p: Array, path: Array, critics: Array, apart: Array, lr: float) -> Outcome:
        at = self.recorded_steps
        rows, mass = path[at], p * path[at]
        surprise = -np.where(mass > 0, mass * np.log(np.where(mass > 0, mass, 1.0)), 0.0)
        curves = {
            "total_variation": game.total_variation(p, rows, np.ones_like(rows)),
            "cost": np.array([self.divergence.exact(game.laws(p, row)) for row in rows]),
            "support": np.exp(surprise.sum(-1)),
            "fullest": mass.argmax(-1).astype(np.float64),
        }
        if self.algorithm == "practical":
            curves["from_descent"] = apart[at]
            curves["critic_steps_taken"] = np.full(len(at), float(self.critic.steps))
            if isinstance(self.divergence, ClassifierDivergence):
                curves["critic_error"] = _critic_error(p, path, critics)[at]
        last = np.stack([p, p * path[0], mass[-1]], axis=-1)
        return Outcome(curves, checks(self, p, path, lr), arrays=last)


def _reference(trial: Trial[TabularSettings]) -> Array:
    settings = trial.configuration
    draws = trial.stream("data").gamma(settings.concentration, size=settings.points)
    return np.asarray(draws / draws.sum())


def _start(trial: Trial[TabularSettings], p: Array) -> Array:
    settings = trial.configuration
    ratio = np.exp(settings.spread * trial.stream("init").normal(size=settings.points))
    return np.asarray(ratio / (p * ratio).sum())


def _critic_error(p: Array, path: Array, critics: Array) -> Array:
    """E_p |D - D*| at the generator that the critic was trained against."""
    believed = 1 / (1 + np.exp(-critics[1:]))
    error = (p * np.abs(believed - 1 / (1 + path[:-1]))).sum(-1)
    return np.concatenate([[np.nan], error])
