"""What a study sets of a fit, and the law that is fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from ganstudy import divergences
from ganstudy.kinds._losses import admits_every_critic, of_single_logits
from ganstudy.kinds._normal import normal
from ganstudy.kinds._theory import TheorySettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["FitSettings"]

_IN_PAIRS = 4000
"""Cells that are compared in pairs at most: 128 MB for each table of them."""


class FitSettings(TheorySettings):
    """The objective, the modes of p, and the model."""

    steps: int = Field(400, ge=1, le=10**9, description="steps of the descent")
    objective: Literal["divergence", "wasserstein_1", "wasserstein_2"] = Field(
        "divergence", description="what is descended; `divergence` means the key of that name"
    )
    divergence: Annotated[
        divergences.Divergence,
        divergences.family.field("forward_kl"),
        AfterValidator(of_single_logits),
    ] = Field(
        default="forward_kl", validate_default=True, description="member whose functional it is"
    )
    modes: int = Field(2, ge=1, le=1000, description="modes of p")
    gap: float = Field(4.0, gt=0, description="distance of neighbouring modes")
    mode_std: float = Field(0.5, gt=0, description="standard deviation of a mode")
    components: int = Field(1, ge=1, le=1000, description="components of the model")
    lr: float = Field(0.1, gt=0, description="first step size that is tried")
    cells: int = Field(800, ge=100, le=100_000, description="cells of the grid")

    @field_validator("cells")
    @classmethod
    def _pairs_have_room(cls, cells: int, info: ValidationInfo) -> int:
        divergence = info.data.get("divergence")
        if divergence is None or info.data.get("objective") != "divergence":
            return cells
        # What no bound is known of may be a distance between points, with a table of them.
        if not admits_every_critic(divergence) and cells > _IN_PAIRS:
            raise ValueError(
                f"{divergence.name} does not say that its critic is without a constraint "
                "(`uninformed_loss`): it may compare all pairs of cells, and takes at most "
                f"{_IN_PAIRS:,} (got {cells:,})"
            )
        return cells

    @property
    def centres(self) -> Array:
        """Modes of p, centred at zero."""
        return np.asarray(self.gap * (np.arange(self.modes) - (self.modes - 1) / 2), np.float64)

    def density(self, x: Array) -> Array:
        """Density of p."""
        return np.asarray(sum(normal(x, c, self.mode_std) for c in self.centres) / self.modes)

    def grid(self) -> Array:
        """Middles of cells that reach ten standard deviations beyond the outer modes."""
        reach = float(self.centres[-1]) + 2 * self.gap + 10 * self.mode_std
        edges = np.linspace(-reach, reach, self.cells + 1)
        return np.asarray((edges[1:] + edges[:-1]) / 2)
