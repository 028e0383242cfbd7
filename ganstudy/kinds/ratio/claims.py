"""What the texts say about estimates of density ratios, checked on one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.kinds._theory import Check, Claim

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.kinds.ratio.settings import RatioSettings

    Array = NDArray[np.float64]

HUSZAR = "Huszár, “Connection to direct importance estimation”"

CLAIMS = (
    Claim(
        "kl_by_ratio",
        "KL is a mean of log-ratios",
        "KL(p ‖ q) = E_p log p/q",
        f"{HUSZAR}; KL between normals in closed form, between others by quadrature",
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


def checks(
    settings: RatioSettings, p: Array, inside: tuple[float, ...], outside: tuple[float, ...]
) -> dict[str, Check]:
    """Those of one estimate: fresh samples of p, and its errors in and out of sample."""
    truth = settings.pair.log_ratio(p)
    error = float(truth.std() / np.sqrt(len(p)))
    found = {"kl_by_ratio": (abs(float(truth.mean()) - settings.pair.kl), 5 * error)}
    if settings.estimator == "neural":
        found["gradients_worse"] = (float(np.maximum(0.0, outside[0] - outside[1])), 0.0)
        quotient = inside[0] ** 2 / outside[0] ** 2
        tolerance = 5 * float(np.hypot(quotient * inside[2], outside[2]))
        found["worse_out_of_sample"] = (float(np.maximum(0.0, quotient - 1)), tolerance)
    return found
