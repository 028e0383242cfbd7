"""`ratio`: density ratios estimated from samples of two laws whose ratio is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from ganstudy.kinds._theory import Check, Claim, Outcome, TheoryKind, metric
from ganstudy.kinds.ratio.estimators import ESTIMATORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ganstudy.kinds.ratio.estimators import LogRatio
    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

    Array = NDArray[np.float64]

HUSZAR = "Huszár, “Connection to direct importance estimation”"
STEP = 1e-3
"""Half the distance of the points whose difference is the gradient of an estimate."""

CLAIMS = (
    Claim(
        "kl_by_ratio",
        "KL is a mean of log-ratios",
        "KL(p ‖ q) = E_p log p/q, so that an estimate of the ratio is one of KL (and of JS)",
        f"{HUSZAR}; closed form of KL between normals",
        "five standard errors of the mean of the true log-ratio over fresh samples of p",
    ),
    Claim(
        "gradients_worse",
        "a neural classifier's gradients are worse than its ratios",
        "A neural classifier fits the gradient of the log-ratio worse than the log-ratio: its "
        "relative error out of sample is larger",
        f"{HUSZAR}, last paragraph",
        "none: a comparison of two errors on the same points",
    ),
    Claim(
        "worse_out_of_sample",
        "a neural classifier is worse out of sample",
        "A neural classifier's error of the log-ratio is larger on fresh samples than on those "
        "that it was fitted to",
        f"{HUSZAR}, last paragraph",
        "five standard errors of the difference of the mean squared errors, as a share",
    ),
)


class Ratio(TheoryKind):
    r"""log p/q estimated from samples, for two normal laws.

    Maths   $q = N(0, I)$ and $p = N(\mu, \sigma^2 I)$ with $|\mu|$ the shift, so that
            $\log \frac pq = -d \log \sigma + \frac{|x|^2}2 - \frac{|x - \mu|^2}{2 \sigma^2}$.
            Errors are root mean squares over equally many points of p and q, relative to the root
            mean square of the truth (of the log-ratio about its mean); gradients of estimates are
            central differences.
    Source  Huszár, "Connection to direct importance estimation"; Sugiyama, Suzuki & Kanamori 2012,
            "Density ratio estimation in machine learning".
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS

    steps: int = Field(1, ge=1, le=1, description="an estimator is fitted once")
    estimator: Literal[
        "logistic",
        "neural",
        "kliep",
        "ulsif",
        "rulsif",
        "kernel_mean_matching",
        "nearest_neighbours",
    ] = Field("logistic", description="how the ratio is estimated")
    dimension: int = Field(2, ge=1, le=100, description="dimension of the laws")
    shift: float = Field(1.0, ge=0, description="distance of their means")
    scale: float = Field(0.8, gt=0, description="standard deviation of p in each direction")
    samples: int = Field(500, ge=100, description="samples of each law to fit, and to test")

    def shape(self) -> Mapping[str, Any]:
        """Trials are computed one by one."""
        return {}

    def cost(self) -> float:
        """Measured, roughly: the gradient asks for the estimate at 2 d points for each point."""
        per_point = 2e-5 if self.estimator in ("logistic", "neural") else 1e-6 * self.samples / 5
        return 0.5 + per_point * 4 * self.samples * self.dimension

    def described(self) -> tuple[Variable, ...]:
        """Errors of the log-ratio, of its gradient, and of KL and JS."""
        endless = (0.0, float("inf"))
        return (
            metric(
                "ratio_error",
                "relative error of the log-ratio out of sample",
                "lower",
                endless,
                0.0,
            ),
            metric(
                "ratio_error_in_sample",
                "relative error of the log-ratio in sample",
                "lower",
                endless,
                0.0,
            ),
            metric(
                "gradient_error",
                "relative error of its gradient out of sample",
                "lower",
                endless,
                0.0,
            ),
            metric(
                "gradient_error_in_sample",
                "relative error of its gradient in sample",
                "lower",
                endless,
                0.0,
            ),
            metric("kl_error", "error of the estimate of KL", "lower", endless, 0.0, "nats"),
            metric("js_error", "error of the estimate of JS", "lower", endless, 0.0, "nats"),
        )

    def compute(self, trials: Sequence[Trial[Self]]) -> list[Outcome]:
        """One by one."""
        return [trial.configuration.estimate(trial) for trial in trials]

    def estimate(self, trial: Trial[Self]) -> Outcome:
        """Fit on one set of samples, measure on it and on another."""
        fitted, fresh = (self._samples(trial.stream(p)) for p in ("data", "evaluation"))
        seed = int(trial.stream("init").integers(2**31))
        estimate = ESTIMATORS[self.estimator](*fitted, seed)
        inside, outside = (self._errors(estimate, np.concatenate(x)) for x in (fitted, fresh))
        kl, js = self._divergences(estimate, *fresh)
        true_kl, true_js = self._divergences(self.log_ratio, *fresh)
        found = {
            "ratio_error": outside[0],
            "ratio_error_in_sample": inside[0],
            "gradient_error": outside[1],
            "gradient_error_in_sample": inside[1],
            "kl_error": abs(kl - true_kl),
            "js_error": abs(js - true_js),
        }
        curves = {name: np.array([np.nan, value]) for name, value in found.items()}
        return Outcome(curves, self._checks(fresh[0], inside, outside))

    def log_ratio(self, x: Array) -> Array:
        """The truth at points `(points, dimension)`."""
        centred = ((x - self._mean) ** 2).sum(-1) / (2 * self.scale**2)
        return np.asarray((x**2).sum(-1) / 2 - centred - self.dimension * np.log(self.scale))

    def gradient(self, x: Array) -> Array:
        """Its gradient, `(points, dimension)`."""
        return np.asarray(x - (x - self._mean) / self.scale**2)

    @property
    def kl(self) -> float:
        """KL(p || q) in closed form."""
        spread = self.dimension * (self.scale**2 - 1 - 2 * np.log(self.scale))
        return float(spread + self.shift**2) / 2

    @property
    def _mean(self) -> Array:
        return np.full(self.dimension, self.shift / np.sqrt(self.dimension))

    def _samples(self, stream: np.random.Generator) -> tuple[Array, Array]:
        p, q = stream.normal(size=(2, self.samples, self.dimension))
        return self._mean + self.scale * p, q

    def _errors(self, estimate: LogRatio, x: Array) -> tuple[float, float, float]:
        """Relative errors of log-ratio and gradient; and the standard error of the first's square.

        The standard error is a share of the mean square itself.
        """
        truth, slopes = self.log_ratio(x), self.gradient(x)
        squares = (estimate(x) - truth) ** 2
        columns = []
        for unit in STEP * np.eye(self.dimension):
            columns.append((estimate(x + unit) - estimate(x - unit)) / (2 * STEP))
        missed = ((np.stack(columns, -1) - slopes) ** 2).sum(-1)
        ratio = float(np.sqrt(squares.mean() / truth.var()))
        gradient = float(np.sqrt(missed.mean() / (slopes**2).sum(-1).mean()))
        share = float(squares.std() / np.sqrt(len(x)) / squares.mean())
        return ratio, gradient, share

    def _divergences(self, estimate: LogRatio, p: Array, q: Array) -> tuple[float, float]:
        """KL and JS from a log-ratio, as means over samples."""
        on_p, on_q = estimate(p), estimate(q)
        log_loss = np.logaddexp(0, -on_p).mean() + np.logaddexp(0, on_q).mean()
        return float(on_p.mean()), float(np.log(2) - log_loss / 2)

    def _checks(
        self, p: Array, inside: tuple[float, ...], outside: tuple[float, ...]
    ) -> dict[str, Check]:
        truth = self.log_ratio(p)
        error = float(truth.std() / np.sqrt(len(p)))
        found = {"kl_by_ratio": (abs(float(truth.mean()) - self.kl), 5 * error)}
        if self.estimator == "neural":
            found["gradients_worse"] = (max(0.0, outside[0] - outside[1]), 0.0)
            excess = inside[0] ** 2 / outside[0] ** 2 - 1
            tolerance = 5 * float(np.hypot(inside[2], outside[2]))
            found["worse_out_of_sample"] = (max(0.0, excess), tolerance)
        return found
