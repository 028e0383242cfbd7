"""`clip`: weights in a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ganstudy.constraints._base import Constraint

if TYPE_CHECKING:
    from torch import Tensor


class Clip(Constraint):
    r"""Weight clipping: after each D-step every parameter is moved into $[-c, c]$.

    Maths   $w \leftarrow \min(\max(w, -c), c)$; the critic is then K-Lipschitz with a K that
            depends on c and on the architecture, not 1-Lipschitz.
    Source  Arjovsky, Chintala & Bottou 2017, algorithm 1, line 7.
    """

    bound: float = Field(0.01, gt=0, description="c, the largest absolute value of a parameter")

    def clash(self, other: Constraint) -> str:
        """With what scales the clipped weights anew."""
        if other.name != "spectral_norm":
            return ""
        return "spectral_norm divides the weights by their norm, and so undoes the bound of clip"

    def project(self, parameters: Tensor) -> Tensor:
        """Parameters clipped to the box."""
        return parameters.clamp(-self.bound, self.bound)
