"""`mmd`: the maximum mean discrepancy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.divergences._kernel import KernelDivergence

if TYPE_CHECKING:
    from torch import Tensor


class MMD(KernelDivergence):
    r"""Generative moment matching: descends $MMD^2$ with a sum of rational quadratic kernels.

    Maths   $k(x, y) = \sum_\alpha (1 + |x - y|^2 / (2 \alpha b^2))^{-\alpha}$ over $\alpha$ in
            {0.2, 0.5, 1, 2, 5}, whose slow tails still pull samples that lie far away.
    Source  Li, Swersky & Zemel 2015 and Dziugaite et al. 2015 (Gaussian kernels); this kernel:
            Binkowski et al. 2018, "Demystifying MMD GANs".
    """

    bandwidth: float = Field(
        0.5, gt=0, description="b, the distance at which samples are told apart"
    )

    @property
    def comparisons(self) -> int:
        """Powers take their time."""
        return 15

    def kernel(self, distance: Tensor) -> Tensor:
        """The sum over alpha; powers of numbers of at least 1."""
        bandwidth = (distance.new_zeros(()) + self.bandwidth)[..., None]
        scaled = distance * distance / (2 * bandwidth * bandwidth)
        return sum(((1 + scaled / a) ** -a for a in (0.2, 0.5, 1.0, 2.0, 5.0)), start=0 * scaled)
