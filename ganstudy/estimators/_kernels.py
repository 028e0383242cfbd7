r"""Estimators whose ratio is a sum of kernels, $r(x) = \sum_k c_k e^{-|x - x_k|^2 / 2 s^2}$.

The centres $x_k$ are the first samples of p in the batch. The width s is `bandwidth` times the
median distance between these and as many samples of q, the usual rule without tuning.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.elementary import distances
from ganstudy.estimators._base import Estimator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.networks import Architecture, Ends
    from ganstudy.networks._base import Shapes

LEAST = 1e-6
"""Coefficients below this are taken for it: no ratio is zero, and every logit has a slope."""

_SMALLEST = 1e-20
"""What is divided by is at least this."""

_NARROWEST, _WIDEST = 1e-9, 1e18
"""Widths at which a kernel is a point and at which it is flat, with squares that float32 holds."""

_KERNEL = 10
"""Multiply-adds that the exponential of one kernel costs."""


class KernelRatio(Estimator, ABC):
    """The ratio as a sum of kernels with positive coefficients; a member finds these.

    Sums go through products of matrices, and no power, exponential or logarithm acts on anything
    smaller than a batch: bits then do not depend on the pack.
    """

    bandwidth: float = Field(0.2, gt=0, description="width of the kernels in median distances")
    iterations: int = Field(30, ge=1, description="steps of the fit")

    @abstractmethod
    def coefficients(self, on_p: Tensor, on_q: Tensor) -> Tensor:
        """Coefficients from the kernels at samples of p and of q.

        Shapes  `(pack, batch, centres)` each `-> (pack, centres, 1)`; those below `LEAST` are
                raised to it afterwards.
        """

    def shapes(self, architecture: Architecture, ends: Ends) -> Shapes:
        """`centres`, `coefficients` and `width`; there is one output, whatever the architecture."""
        return {
            "centres": (self.centres, ends.inputs.row),
            "coefficients": (self.centres, 1),
            "width": (1, 1),
        }

    def initialise(
        self, architecture: Architecture, ends: Ends, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float32]]:
        """The ratio that is one everywhere."""
        shapes = self.shapes(architecture, ends)
        first = {"centres": 0.0, "coefficients": 1 / self.centres, "width": _WIDEST}
        return {name: np.full(shapes[name], value, np.float32) for name, value in first.items()}

    def apply(
        self, architecture: Architecture, ends: Ends, parameters: Mapping[str, Tensor], x: Tensor
    ) -> Tensor:
        """log r, to any distance: the nearest centre's exponent is taken out of the sum."""
        exponents = _exponents(x, parameters["centres"], parameters["width"])
        nearest = exponents.detach().amin(-1, keepdim=True)
        return ((nearest - exponents).exp() @ parameters["coefficients"]).log() - nearest

    def fit(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Centres, width, and the member's coefficients."""
        centres = real[:, : self.centres]
        apart = distances(centres, fake[:, : self.centres]).flatten(1)
        median = apart.median(dim=1).values
        width = (self.bandwidth * median).clamp(min=_NARROWEST)[:, None, None]
        on_p, on_q = ((-_exponents(x, centres, width)).exp() for x in (real, fake))
        coefficients = self.coefficients(on_p, on_q).clamp(min=LEAST)
        return {"centres": centres, "coefficients": coefficients, "width": width}

    def products(self, batch: int, inputs: int) -> int:
        """The kernels of both batches, before and after the fit."""
        return 4 * batch * self.centres * (inputs + _KERNEL)


def means(kernels: Tensor) -> Tensor:
    """Mean of each kernel over a batch, `(pack, batch, centres) -> (pack, centres, 1)`."""
    batch = kernels.shape[1]
    return kernels.mT @ kernels.new_full((kernels.shape[0], batch, 1), 1 / batch)


def at_least_some(values: Tensor) -> Tensor:
    """Values that can be divided by."""
    return values.clamp(min=_SMALLEST)


def _exponents(x: Tensor, centres: Tensor, width: Tensor) -> Tensor:
    scaled = distances(x, centres) / width
    return 0.5 * scaled * scaled
