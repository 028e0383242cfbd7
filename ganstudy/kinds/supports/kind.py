"""`supports`: p and q on parallel manifolds, where divergences stand still and critics saturate."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from ganstudy.divergences import ClassifierDivergence, jensen_shannon
from ganstudy.divergences.wasserstein import Wasserstein
from ganstudy.kinds._losses import critic_terms, fake_slopes, generator_slopes, real_slopes
from ganstudy.kinds._normal import normal
from ganstudy.kinds._theory import Claim, OneByOne, Outcome, curve, metric, orbit
from ganstudy.kinds.supports.claims import CLAIMS, checks
from ganstudy.kinds.supports.clouds import laws, masses
from ganstudy.kinds.supports.settings import SupportsSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

    Array = NDArray[np.float64]


class Supports(SupportsSettings, OneByOne):
    r"""Samples on two parallel manifolds at a distance, and a linear critic trained between them.

    Maths   p on $\{0\} \times [0, 1]^m \times \{0\}$, q the same shifted by the distance along the
            first coordinate. Critic logit $w \cdot x + b$, gradient steps on its exact loss on the
            samples; with `wasserstein`, w is kept in the unit ball. At every step the length of
            the generator's gradient $E_q \ell'(a(x)) w_1$ in the distance is recorded beside the
            critic's quality.
    Source  Arjovsky, Chintala & Bottou 2017, example 1; Arjovsky & Bottou 2017, theorem 2.4.
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS
    given: ClassVar[frozenset[str]] = OneByOne.given | {
        "distance",
        "manifold",
        "ambient",
        "samples",
    }

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

    @np.errstate(over="ignore", invalid="ignore")
    def compute_one(self, trial: Trial[Self]) -> Outcome:
        """The critic's path and the checks of one trial."""
        real = np.zeros((self.samples, self.ambient))
        real[:, 1 : 1 + self.manifold] = trial.stream("data").random((self.samples, self.manifold))
        fake = real.copy()
        fake[:, 0] = self.distance
        w, b = 0.1 * trial.stream("init").normal(size=self.ambient), 0.0
        lipschitz = isinstance(self.divergence, Wasserstein)
        rows = []
        for _ in range(self.steps + 1):
            on_real, on_fake = (real * w).sum(-1) + b, (fake * w).sum(-1) + b
            (pulls,) = generator_slopes(self.divergence, on_fake, 1)
            loss = float(critic_terms(self.divergence, on_real, on_fake).mean())
            rows.append([w[0], b, abs(pulls.mean() * w[0]), loss, *_errors(on_real, on_fake, w)])
            (of_real,) = real_slopes(self.divergence, on_real, 1)
            (of_fake,) = fake_slopes(self.divergence, on_fake, 1)
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
        found = checks(self, path, real, fake)
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

    def _gaussians(self) -> Array:
        """Two normals at the distance: x, p, q, D*, and the critic of W1, for the figure."""
        std = self.distance / 8
        x = np.linspace(-0.5 * self.distance, 1.5 * self.distance, 201)
        p, q = normal(x, 0.0, std), normal(x, self.distance, std)
        far = np.clip((x**2 - (x - self.distance) ** 2) / (2 * std**2), -700, 700)
        return np.stack([x, p, q, 1 / (1 + np.exp(far)), self.distance / 2 - x], axis=-1)


def _errors(on_real: Array, on_fake: Array, w: Array) -> tuple[float, float]:
    """Mean distance of D from the perfect critic, and its largest one with the slope's added."""
    # 1 - D on p and D on q, without the cancellation of 1 - D.
    misses = np.concatenate([1 / (1 + np.exp(on_real)), 1 / (1 + np.exp(-on_fake))])
    steepest = float((misses * (1 - misses)).max() * np.sqrt((w**2).sum()))
    return float(misses.mean()), float(misses.max()) + steepest
