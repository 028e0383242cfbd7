"""`energy_distance`: distances between the laws against distances within them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.divergences._kernel import KernelDivergence

if TYPE_CHECKING:
    from torch import Tensor


class EnergyDistance(KernelDivergence):
    r"""Energy distance; a maximum mean discrepancy without a bandwidth.

    Maths   $2 E |x - y| - E |x - x'| - E |y - y'|$, the $MMD^2$ of the kernel $-|x - y|$.
    Source  Szekely & Rizzo 2013; the kernel: Sejdinovic et al. 2013, theorem 22; as an objective
            of generators: Bellemare et al. 2017, Cramer GAN, section 4.
    """

    def kernel(self, distance: Tensor) -> Tensor:
        """-|x - y|."""
        return -distance
