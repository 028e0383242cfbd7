"""`orthogonal`: weights that keep lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ganstudy.initialisations._base import Initialisation

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Orthogonal(Initialisation):
    r"""Weights a multiple of a random matrix with orthonormal rows or columns, biases zero.

    Maths   $W = g Q$ with $Q^T Q = I$ or $Q Q^T = I$, Q uniform (Haar) among them.
    Source  Saxe, McClelland & Ganguli 2014; `torch.nn.init.orthogonal_`. Metz et al. 2017, Unrolled
            GAN, appendix A, use it with gain 0.8.
    """

    gain: float = Field(1.0, gt=0, description="g, the factor on lengths")

    def weight(self, rng: np.random.Generator, inputs: int, outputs: int) -> NDArray[np.float32]:
        """Q of the QR decomposition of a normal matrix, with the signs that make it uniform."""
        tall = rng.standard_normal((max(inputs, outputs), min(inputs, outputs)))
        q, r = np.linalg.qr(tall)
        q *= np.sign(np.diagonal(r))
        oriented = q if inputs >= outputs else q.T
        return np.asarray(self.gain * oriented, np.float32)
