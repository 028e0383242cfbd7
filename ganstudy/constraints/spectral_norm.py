"""`spectral_norm`: layers that stretch nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from ganstudy.constraints._base import Constraint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from ganstudy.constraints._base import Matrices, Parameters

_SMALLEST = 1e-12
"""Least length of a vector by which another is divided, as in `torch.nn.functional.normalize`."""


class SpectralNorm(Constraint):
    r"""Each weight matrix is divided by its largest singular value.

    Maths   $\bar W = c W / \sigma(W)$, $\sigma(W) = u^T W v$ with u, v from a power iteration that
            makes one step in each D-step; the gradient, and what is taken of it in turn, see u and
            v as constants. With 1-Lipschitz
            activations and no `norm` a perceptron of `scale` 1 is $c^{layers}$-Lipschitz. A
            convolution is seen as the matrix from a patch to its channels: the layer then stretches
            by up to $c \lceil k/s \rceil$, with k the kernel's edge and s its stride, since
            patches overlap.
    Source  Miyato et al. 2018, algorithm 1 and section 2.1. `torch.nn.utils.spectral_norm`
            iterates in M-steps as well; here u stands still there, and v follows the new weights.
    """

    divides: ClassVar[bool] = True
    fixes: ClassVar[bool] = True

    norm: float = Field(1.0, gt=0, description="c, the spectral norm of every layer")

    def constrain(
        self, parameters: Parameters, slots: Mapping[str, Tensor], update: bool
    ) -> tuple[Parameters, dict[str, Tensor]]:
        """Weights with the asked norm, and the new left singular vectors."""
        constrained, vectors = dict(parameters), {}
        for name, weight in parameters.items():
            if (slot := slots.get(_slot(name))) is None:
                continue
            matrix, left = weight.reshape(len(slot), slot.shape[1], -1), slot[:, None, :]
            fixed = matrix.detach()
            right = _normalised(left @ fixed)
            if update:
                left = _normalised(right @ fixed.mT)
                vectors[_slot(name)] = left[:, 0]
                right = _normalised(left @ fixed)
            largest = left @ matrix @ right.mT
            scale = (weight.new_zeros(()) + self.norm)[..., None]
            constrained[name] = (scale * matrix / largest).reshape(weight.shape)
        return constrained, vectors

    def initial(
        self, rng: np.random.Generator, matrices: Matrices
    ) -> dict[str, NDArray[np.float32]]:
        """A random direction for each matrix."""
        vectors = {}
        for name, (rows, _) in matrices.items():
            vector = rng.standard_normal(rows, dtype=np.float32)
            vectors[_slot(name)] = vector / np.linalg.norm(vector)
        return vectors


def _slot(weight: str) -> str:
    return f"singular_{weight}"


def _normalised(rows: Tensor) -> Tensor:
    return rows / (rows @ rows.mT).sqrt().clamp(min=_SMALLEST)
