"""A constraint of the user's own."""

import numpy as np
from pydantic import Field

from ganstudy.constraints import Constraint


class LocalPenalty(Constraint):
    r"""The critic's gradient has norm 1 around the samples of p.

    Maths   $\lambda E (|\nabla a(x + \sigma z)| - 1)^2$, x from p, z standard normal.
    Source  Kodali et al. 2017, DRAGAN, with one scale for all data.
    """

    weight: float = Field(10.0, gt=0, description="lambda, the factor on the penalty")
    std: float = Field(0.1, gt=0, description="sigma, how far around")

    def draw(self, rng, progress, shape, groups):
        return np.float32(self.std) * rng.standard_normal((len(progress), *shape), dtype="f4")

    def penalty(self, gradient, real, fake, noise):
        """Shapes (pack, batch, dimension) -> (pack,)."""
        slopes = gradient(real + noise)
        norm = ((slopes * slopes).sum(-1) + 1e-12).sqrt()  # a root has no slope at zero
        return (self.weight * (norm - 1) ** 2).mean(-1)
