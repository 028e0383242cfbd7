"""`supports`: p and q on parallel manifolds, where divergences stand still and critics saturate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from ganstudy import divergences
from ganstudy.divergences import ClassifierDivergence, DiscreteLaws, jensen_shannon
from ganstudy.divergences.wasserstein import Wasserstein
from ganstudy.kinds._losses import (
    critic_terms,
    fake_slopes,
    generator_slopes,
    of_single_logits,
    real_slopes,
)
from ganstudy.kinds._normal import normal
from ganstudy.kinds._theory import EPS, Check, Claim, Outcome, TheoryKind, curve, metric, orbit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

    Array = NDArray[np.float64]

NOTE = "Huszár, “Final note on differential entropy”"
WGAN = "Arjovsky, Chintala & Bottou 2017"
SOLVER = "a thousand roundings of the linear programme"

CLAIMS = (
    Claim(
        "js_pinned",
        "JS is one bit",
        "If q and p lie on different manifolds, JS(p, q) = log 2, exactly one bit, whatever the "
        "distance between them",
        f"{NOTE}; {WGAN}, example 1",
        "rounding of sums over the points",
    ),
    Claim(
        "js_flat",
        "JS has no gradient",
        "The derivative of JS(p, q) in the distance is zero",
        f"{NOTE}; {WGAN}, example 1",
        "none: JS at the distance and at a distance a hundredth larger are to be equal",
    ),
    Claim(
        "kl_infinite",
        "KL is infinite",
        "KL(q ‖ p) and KL(p ‖ q) are infinite, or not defined",
        f"{NOTE}; {WGAN}, example 1",
        "none: a count",
    ),
    Claim(
        "w1_distance",
        "W₁ = |θ|",
        "W₁(p, q) is the distance |θ| of the manifolds, by the linear programme",
        f"{WGAN}, example 1; Bouman, “Wasserstein metric”",
        SOLVER,
    ),
    Claim(
        "w1_slope",
        "W₁ has slope 1",
        "The derivative of W₁(p, q) in the distance is 1, wherever q is",
        f"{WGAN}, example 1",
        SOLVER + ", over the step of the difference",
    ),
    Claim(
        "vanishing",
        "the minimax gradient vanishes as the critic improves",
        "‖∇ E log(1 − D)‖ ≤ M ε/(1 − ε), with ε the distance of D from the perfect critic in value "
        "and slope and M the mean length of the generator's derivative, at every step",
        "Arjovsky & Bottou 2017, theorem 2.4; Bouman, “Concept Wasserstein GAN”",
        "rounding",
    ),
    Claim(
        "wasserstein_signal",
        "the best 1-Lipschitz critic has slope 1",
        "A trained 1-Lipschitz critic gives the generator a gradient of length 1",
        f"{WGAN}, theorem 3 and figure 2; Bouman, figure 3 of “Concept Wasserstein GAN”",
        "what gradient steps of the critic have left after the last step",
    ),
)


class Supports(TheoryKind):
    r"""Samples on two parallel manifolds at a distance, and a linear critic trained between them.

    Maths   p on $\{0\} \times [0, 1]^m \times \{0\}$, q the same shifted by the distance along the
            first coordinate. Critic logit $w \cdot x + b$, gradient steps on its exact loss on the
            samples; with `wasserstein`, w is kept in the unit ball. At every step the length of
            the generator's gradient $E_q \ell'(a(x)) w_1$ in the distance is recorded beside the
            critic's quality.
    Source  Arjovsky, Chintala & Bottou 2017, example 1; Arjovsky & Bottou 2017, theorem 2.4.
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS

    steps: int = Field(2000, ge=1, le=10**9, description="gradient steps of the critic")
    divergence: Annotated[
        divergences.Divergence,
        divergences.family.field("minimax"),
        AfterValidator(of_single_logits),
    ] = Field(
        default="minimax", validate_default=True, description="losses of critic and generator"
    )
    distance: float = Field(1.0, gt=0, description="of the manifolds")
    manifold: int = Field(1, ge=1, le=1000, description="dimension m of the manifolds")
    ambient: int = Field(2, ge=2, le=1000, description="dimension of the space")
    samples: int = Field(8, ge=2, le=40, description="points on each manifold")
    lr: float = Field(0.5, gt=0, description="step size of the critic")

    @model_validator(mode="after")
    def _fits(self) -> Supports:
        if self.manifold >= self.ambient:
            raise ValueError("the manifold must have a smaller dimension than the space")
        return self

    def shape(self) -> Mapping[str, Any]:
        """Trials are computed one by one and keep arrays of one shape."""
        return {}

    def cost(self) -> float:
        """Measured: a step takes three derivatives of the losses."""
        return self.steps * 1.5e-3

    def described(self) -> tuple[Variable, ...]:
        """How near the generator's gradient is to that of W1; and the critic's quality."""
        name = "length of the generator's gradient relative to 1, or its inverse"
        return (
            metric("signal", name, "higher", (0.0, 1.0), float("nan")),
            curve("generator_gradient", "length of the generator's gradient"),
            curve("critic_loss", "critic loss"),
            curve("critic_error", "distance of D from the perfect critic (mean)"),
            orbit("js", "JS(p, q)"),
            orbit("w1", "W1(p, q)"),
        )

    def compute(self, trials: Sequence[Trial[Self]]) -> list[Outcome]:
        """One by one."""
        with np.errstate(over="ignore", invalid="ignore"):
            return [trial.configuration.train_critic(trial) for trial in trials]

    def train_critic(self, trial: Trial[Self]) -> Outcome:
        """The critic's path and the checks of one trial."""
        real = np.zeros((self.samples, self.ambient))
        real[:, 1 : 1 + self.manifold] = trial.stream("data").random((self.samples, self.manifold))
        fake = real.copy()
        fake[:, 0] = self.distance
        w, b = 0.1 * trial.stream("init").normal(size=self.ambient), 0.0
        lipschitz = self.divergence.uninformed_loss() is None
        rows = []
        for _ in range(self.steps + 1):
            on_real, on_fake = (real * w).sum(-1) + b, (fake * w).sum(-1) + b
            pulls, _ = generator_slopes(self.divergence, on_fake)
            loss = float(critic_terms(self.divergence, on_real, on_fake).mean())
            rows.append([w[0], b, abs(pulls.mean() * w[0]), loss, *_errors(on_real, on_fake, w)])
            of_real, _ = real_slopes(self.divergence, on_real)
            of_fake, _ = fake_slopes(self.divergence, on_fake)
            slope = (of_real[:, None] * real + of_fake[:, None] * fake).mean(0)
            w, b = w - self.lr * slope, b - self.lr * float((of_real + of_fake).mean())
            if lipschitz:
                w = w / max(1.0, float(np.sqrt((w**2).sum())))
        path = np.array(rows)
        return self._outcome(path, real, fake)

    def _outcome(self, path: Array, real: Array, fake: Array) -> Outcome:
        at, length = self.recorded_steps, path[:, 2]
        finite = np.isfinite(path).all(-1)
        lost = float("nan") if finite.all() else float(np.argmin(finite))
        found = self._checks(path, real, fake)
        w1 = Wasserstein().exact(laws(real, fake))
        js = jensen_shannon(*masses(real, fake))
        inverse = np.where(length > 0, 1 / np.where(length > 0, length, 1.0), 0.0)
        curves = {
            "signal": np.minimum(length, inverse)[at],
            "generator_gradient": length[at],
            "critic_loss": path[at, 3],
            "js": np.full(len(at), js),
            "w1": np.full(len(at), w1),
        }
        if isinstance(self.divergence, ClassifierDivergence):
            curves["critic_error"] = path[at, 4]
        return Outcome(curves, found, self._gaussians(), lost)

    def _checks(self, path: Array, real: Array, fake: Array) -> dict[str, Check]:
        p, q = masses(real, fake)
        js = jensen_shannon(p, q)
        shift, h = np.eye(self.ambient)[0], 0.01 * self.distance
        exact = Wasserstein().exact
        w1 = exact(laws(real, fake))
        slope = (exact(laws(real, fake + h * shift)) - exact(laws(real, fake - h * shift))) / (
            2 * h
        )
        solver = 1e3 * EPS * max(1.0, self.distance) * self.samples
        with np.errstate(divide="ignore"):
            infinite = [float(np.sum(a[a > 0] * np.log(a / b)[a > 0])) for a, b in ((q, p), (p, q))]
        found: dict[str, Check] = {
            "js_pinned": (abs(js - math.log(2)), 16 * EPS * self.samples),
            "js_flat": (abs(jensen_shannon(*masses(real, fake + h * shift)) - js) / h, 0.0),
            "kl_infinite": (float(sum(math.isfinite(value) for value in infinite)), 0.0),
            "w1_distance": (abs(w1 - self.distance), solver),
            "w1_slope": (abs(slope - 1), solver / h),
        }
        if self.divergence.name == "minimax":
            known = path[:, 5] < 1
            bound = path[known, 5] / (1 - path[known, 5])
            excess = float((path[known, 2] - bound).max(initial=0.0))
            if known.any():
                found["vanishing"] = (excess, 16 * EPS)
        if self.divergence.uninformed_loss() is None:
            # Each step moves w by lr d; once it fills the ball, its tilt shrinks by 1 + lr d.
            stride = self.lr * self.distance
            left = (1 + stride) ** -max(0.0, len(path) - 2 - 2 / stride) + 64 * EPS
            found["wasserstein_signal"] = (abs(path[-1, 2] - 1), left)
        return found

    def _gaussians(self) -> Array:
        """Two normals at the distance: x, p, q, D*, and the critic of W1, for the figure."""
        std = self.distance / 8
        x = np.linspace(-0.5 * self.distance, 1.5 * self.distance, 201)
        p, q = normal(x, 0.0, std), normal(x, self.distance, std)
        far = np.clip((x**2 - (x - self.distance) ** 2) / (2 * std**2), -700, 700)
        return np.stack([x, p, q, 1 / (1 + np.exp(far)), self.distance / 2 - x], axis=-1)


def masses(real: Array, fake: Array) -> tuple[Array, Array]:
    """Masses of p and q on the union of their points; points that coincide are one."""
    points, at = np.unique(np.concatenate([real, fake]), axis=0, return_inverse=True)
    count, at = len(real), at.ravel()
    p, q = (np.bincount(part, minlength=len(points)) for part in (at[:count], at[count:]))
    return p / count, q / count


def laws(real: Array, fake: Array) -> DiscreteLaws:
    """Both clouds as laws on the points of either."""
    return DiscreteLaws(*masses(real, fake), np.unique(np.concatenate([real, fake]), axis=0))


def _errors(on_real: Array, on_fake: Array, w: Array) -> tuple[float, float]:
    """Mean distance of D from the perfect critic, and its largest one with the slope's added."""
    # 1 - D on p and D on q, without the cancellation of 1 - D.
    misses = np.concatenate([1 / (1 + np.exp(on_real)), 1 / (1 + np.exp(-on_fake))])
    steepest = float((misses * (1 - misses)).max() * np.sqrt((w**2).sum()))
    return float(misses.mean()), float(misses.max()) + steepest
