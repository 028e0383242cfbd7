"""`ratio`: density ratios estimated from samples of two laws whose ratio is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from ganstudy.kinds._theory import Claim, OneByOne, Outcome, metric
from ganstudy.kinds.ratio.claims import CLAIMS, checks
from ganstudy.kinds.ratio.estimators import ESTIMATORS
from ganstudy.kinds.ratio.settings import RatioSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds.ratio.estimators import LogRatio
    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

    Array = NDArray[np.float64]

BY_FEATURES = ("logistic", "telescoping", "dre_infinity", "neural")
"""What is quick at each point."""

STEP = 1e-3
"""Half the distance of the points whose difference is the gradient of an estimate."""


class Ratio(RatioSettings, OneByOne):
    r"""log p/q estimated from samples, for two laws that are known.

    Maths   `normal`: $q = N(0, I)$ and $p = N(\mu, \sigma^2 I)$ with $|\mu|$ the shift, so that
            $\log \frac pq = -d \log \sigma + \frac{|x|^2}2 - \frac{|x - \mu|^2}{2 \sigma^2}$.
            `mixture_and_student`: half of p is there and half at $-\mu$, and q is Student's t with
            five degrees of freedom; no estimator has the features of their log-ratio. Errors are
            root mean squares over equally many points of p and q, relative to the root mean square
            of the truth (of the log-ratio about its mean); gradients of estimates are central
            differences.
    Source  Huszár, "Connection to direct importance estimation"; Sugiyama, Suzuki & Kanamori 2012,
            "Density ratio estimation in machine learning".
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS
    given: ClassVar[frozenset[str]] = OneByOne.given | {
        "laws",
        "dimension",
        "shift",
        "scale",
        "samples",
    }

    def cost(self) -> float:
        """Measured, roughly: the gradient asks for the estimate at 2 d points for each point."""
        per_point = 2e-5 if self.estimator in BY_FEATURES else 1e-6 * self.samples / 5
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

    def compute_one(self, trial: Trial[Self]) -> Outcome:
        """Fit on one set of samples, measure on it and on another."""
        laws = self.pair
        fitted, fresh = (
            laws.samples(self.samples, trial.stream(p)) for p in ("data", "evaluation")
        )
        seed = int(trial.stream("init").integers(2**31))
        estimate = ESTIMATORS[self.estimator](*fitted, seed)
        inside, outside = (self._errors(estimate, np.concatenate(x)) for x in (fitted, fresh))
        kl, js = self._divergences(estimate, *fresh)
        true_kl, true_js = self._divergences(laws.log_ratio, *fresh)
        found = {
            "ratio_error": outside[0],
            "ratio_error_in_sample": inside[0],
            "gradient_error": outside[1],
            "gradient_error_in_sample": inside[1],
            "kl_error": abs(kl - true_kl),
            "js_error": abs(js - true_js),
        }
        curves = {name: np.array([np.nan, value]) for name, value in found.items()}
        return Outcome(curves, checks(self, fresh[0], inside, outside))

    def _errors(self, estimate: LogRatio, x: Array) -> tuple[float, float, float]:
        """Relative errors of log-ratio and gradient; and the standard error of the first's square.

        The standard error is a share of the mean square itself.
        """
        truth, slopes = self.pair.log_ratio(x), self.pair.gradient(x)
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
