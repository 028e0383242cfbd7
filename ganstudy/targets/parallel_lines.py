"""`parallel_lines`: a law on a line, some way off the line on which a generator may live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.targets._base import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganstudy.targets._base import Array


class ParallelLines(Target):
    r"""Uniform on a segment at distance theta from the axis; disjoint from any law on that axis.

    Maths   p is the law of $(\theta, u)$ with u uniform on $[0, 1]$; it has no density. Against q,
            the law of $(0, u)$: $JS = \log 2$, $KL = \infty$ and $W_1 = |\theta|$ for
            $\theta \ne 0$, all zero at 0.
    Source  Arjovsky et al. 2017, Wasserstein GAN, example 1. There the data lie at 0 and the
            generator moves theta; the divergences are the same. That a generator stays on the
            axis is for the kind of trial to say: a network leaves it.
    """

    theta: float = Field(1.0, description="distance of the segment from the axis")

    @property
    def dimension(self) -> int:
        """The plane."""
        return 2

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Points of the segment."""
        drawn = np.full((count, 2), self.theta, np.float32)
        drawn[:, 1] = rng.random(count, dtype=np.float32)
        return drawn

    def moments(self) -> tuple[Array, Array]:
        """Mean (theta, 1/2); no variance across the segment, 1/12 along it."""
        return np.array([self.theta, 0.5]), np.diag([0.0, 1 / 12])
