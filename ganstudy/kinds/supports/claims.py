"""What the texts say about laws on disjoint supports, checked on two clouds and a critic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ganstudy.divergences import jensen_shannon
from ganstudy.divergences.wasserstein import Wasserstein
from ganstudy.kinds._theory import EPS, Check, Claim
from ganstudy.kinds.supports.clouds import laws, masses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds.supports.settings import SupportsSettings

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
        f"{WGAN}, theorem 3; Bouman, figure 3 of “Concept Wasserstein GAN”",
        "what gradient steps of the critic have left after the last step",
    ),
)


def checks(settings: SupportsSettings, path: Array, real: Array, fake: Array) -> dict[str, Check]:
    """Those of one critic: its path, as `Supports` records it, and the two clouds."""
    p, q = masses(real, fake)
    js = jensen_shannon(p, q)
    shift, h = np.eye(settings.ambient)[0], 0.01 * settings.distance
    exact = Wasserstein().exact
    w1 = exact(laws(real, fake))
    slope = (exact(laws(real, fake + h * shift)) - exact(laws(real, fake - h * shift))) / (2 * h)
    solver = 1e3 * EPS * max(1.0, settings.distance) * settings.samples
    with np.errstate(divide="ignore"):
        infinite = [float(np.sum(a[a > 0] * np.log(a / b)[a > 0])) for a, b in ((q, p), (p, q))]
    found: dict[str, Check] = {
        "js_pinned": (abs(js - math.log(2)), 16 * EPS * settings.samples),
        "js_flat": (abs(jensen_shannon(*masses(real, fake + h * shift)) - js) / h, 0.0),
        "kl_infinite": (float(sum(math.isfinite(value) for value in infinite)), 0.0),
        "w1_distance": (abs(w1 - settings.distance), solver),
        "w1_slope": (abs(slope - 1), solver / h),
    }
    if settings.divergence.name == "minimax":
        known = path[:, 5] < 1
        bound = path[known, 5] / (1 - path[known, 5])
        excess = float((path[known, 2] - bound).max(initial=0.0))
        if known.any():
            found["vanishing"] = (excess, 16 * EPS)
    if isinstance(settings.divergence, Wasserstein):
        # Each step moves w by lr d; once it fills the ball, its tilt shrinks by 1 + lr d.
        stride = settings.lr * settings.distance
        left = (1 + stride) ** -max(0.0, len(path) - 2 - 2 / stride) + 64 * EPS
        found["wasserstein_signal"] = (abs(path[-1, 2] - 1), left)
    return found
