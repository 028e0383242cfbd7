"""uLSIF and RuLSIF: ratios by least squares, their width and ridge by leave-one-out in closed form.

Shapes  samples `(samples, dimension)`, as many of p as of q; kernels `(samples, centres)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganstudy.kinds.ratio.kernels import CENTRES, LEAST, kernel, median_distance

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    LogRatio = Callable[[Array], Array]

RELATIVE = 0.1
"""`rulsif` estimates p/(RELATIVE p + (1 - RELATIVE) q)."""
WIDTHS = tuple(float(10**power) for power in np.linspace(-1, 0.25, 11))
RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""What cross-validation chooses from: widths in median distances, and ridges."""


def ulsif(p: Array, q: Array, seed: int) -> LogRatio:
    """uLSIF: least squares without a sign, negative coefficients raised to zero afterwards, width
    and ridge by leave-one-out cross-validation in closed form (Kanamori, Hido & Sugiyama 2009,
    sections 3.1 to 3.3).

    Cross-validation minimises the squared error of the ratio, not of its logarithm: widths that it
    cannot tell apart differ in the latter.
    """
    ratio = relative_ratio(p, q, 0.0)
    return lambda x: np.asarray(np.log(np.maximum(ratio(x), LEAST)))


def rulsif(p: Array, q: Array, seed: int) -> LogRatio:
    """RuLSIF: the same for the bounded ratio of p to a mixture of both (Yamada, Suzuki, Kanamori,
    Hachiya & Sugiyama 2013, "Relative density-ratio estimation for robust distribution
    comparison", section 2), from which p/q follows.

    Departure: they leave out folds; leaving out one sample of each law has a closed form here too.
    """
    bounded = relative_ratio(p, q, RELATIVE)

    def log_ratio(x: Array) -> Array:
        found = np.clip(bounded(x), 0, 0.99 / RELATIVE)
        ratio = (1 - RELATIVE) * found / (1 - RELATIVE * found)
        return np.asarray(np.log(np.maximum(ratio, LEAST)))

    return log_ratio


def relative_ratio(
    p: Array,
    q: Array,
    relative: float,
    widths: tuple[float, ...] = WIDTHS,
    ridges: tuple[float, ...] = RIDGES,
) -> Callable[[Array], Array]:
    """p/(relative p + (1 - relative) q), by the width (in median distances) and the ridge that
    predict best.
    """
    centres, median = p[:CENTRES], median_distance(p, q)
    _, width, ridge = min(
        (left_out(p, q, centres, share * median, ridge, relative), share * median, ridge)
        for share in widths
        for ridge in ridges
    )
    on_p, on_q = (kernel(x, centres, width) for x in (p, q))
    second = relative * (on_p.T @ on_p) / len(p) + (1 - relative) * (on_q.T @ on_q) / len(q)
    model = np.linalg.solve(second + ridge * np.eye(len(centres)), on_p.mean(0))
    return lambda x: np.asarray(kernel(x, centres, width) @ np.maximum(model, 0))


def left_out(
    p: Array, q: Array, centres: Array, width: float, ridge: float, relative: float
) -> float:
    r"""Mean over i of $\frac\alpha2 r_i(x_i)^2 + \frac{1 - \alpha}2 r_i(y_i)^2 - r_i(x_i)$, where
    $r_i$ is the fit without the i-th samples $x_i$ of p and $y_i$ of q.

    The system without a sample of each differs from the whole by a matrix of rank two (Woodbury).
    """
    on_p, on_q = (kernel(x, centres, width) for x in (p, q))
    count, shares = len(p), np.array([relative, 1 - relative]) / len(p)
    second = shares[0] * (on_p.T @ on_p) + shares[1] * (on_q.T @ on_q)
    system = second + ridge * (count - 1) / count * np.eye(len(centres))
    solved = np.linalg.solve(system, np.column_stack([on_p.mean(0), on_p.T, on_q.T])).T
    both, reached = (on_p, on_q), (solved[1 : 1 + count], solved[1 + count :])
    plain = (count * solved[:1] - reached[0]) / (count - 1)
    # What the two samples add: the solution of two equations, sample by sample.
    pulled = [share * (own * plain).sum(-1) for share, own in zip(shares, both, strict=True)]
    (a, b), (c, d) = (
        [share * (own * other).sum(-1) for other in reached]
        for share, own in zip(shares, both, strict=True)
    )
    determinant = (1 - a) * (1 - d) - b * c
    of_p = ((1 - d) * pulled[0] + b * pulled[1]) / determinant
    of_q = (c * pulled[0] + (1 - a) * pulled[1]) / determinant
    added = of_p[:, None] * reached[0] + of_q[:, None] * reached[1]
    models = np.maximum((count - 1) / count * (plain + added), 0)
    on_x, on_y = (on_p * models).sum(-1), (on_q * models).sum(-1)
    squares = relative * on_x**2 + (1 - relative) * on_y**2
    return float((squares / 2 - on_x).mean())
