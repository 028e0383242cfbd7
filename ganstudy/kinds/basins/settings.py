"""What a study sets of the landscape over generated points."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ganstudy import divergences
from ganstudy.divergences.relativistic_pairing import RelativisticPairing
from ganstudy.kinds._losses import of_law
from ganstudy.kinds._theory import TheorySettings
from ganstudy.kinds.basins.lattice import Lattice

__all__ = ["BasinsSettings"]

_STATES = 20_000
"""Most states of a landscape: each has a best critic."""


class BasinsSettings(TheorySettings):
    """The objective, the data points, and how finely the way between them is cut."""

    steps: int = Field(
        8, ge=2, le=60, description="moves of a generated point from one data point to another"
    )
    divergence: Annotated[
        divergences.Divergence, divergences.family.field("minimax"), AfterValidator(of_law)
    ] = Field(default="minimax", validate_default=True, description="objective")
    points: int = Field(2, ge=2, le=5, description="n, data points and generated points")
    pairs: Literal["fixed", "random"] = Field(
        "random",
        description="which pairs relativistic_pairing looks at: the i-th data point with the i-th "
        "generated point, or, as minibatches do on average, every data point with every other",
    )
    bound: float = Field(
        25.0, gt=0, le=30, description="largest |logit| of a critic; for unbounded divergences"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        states = self.lattice.sites**self.points
        if states > _STATES:
            raise ValueError(
                f"{self.points} points and {self.steps} steps make {states:,} states, more than "
                f"{_STATES:,}; take fewer steps"
            )
        if self.pairs == "fixed" and not isinstance(self.divergence, RelativisticPairing):
            raise ValueError(
                f"pairs: fixed is for relativistic_pairing; {self.divergence.name} compares no "
                "pairs"
            )
        return self

    @property
    def lattice(self) -> Lattice:
        """Where generated points can be."""
        return Lattice(self.points, self.steps)
