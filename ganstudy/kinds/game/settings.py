"""What a study sets of a game of two numbers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ganstudy import divergences
from ganstudy.kinds._theory import TheorySettings

__all__ = ["GameSettings"]


class GameSettings(TheorySettings):
    """The losses, how the players move, and where they start."""

    steps: int = Field(500, ge=1, le=10**9, description="steps of both players")
    game: Literal["bilinear", "quadratic", "dirac_gan"] = Field(
        "bilinear", description="the losses"
    )
    curvature: float = Field(0.1, description="c of the quadratic game")
    divergence: Annotated[divergences.Divergence, divergences.family.field("non_saturating")] = (
        Field(default="non_saturating", validate_default=True, description="of the Dirac-GAN")
    )
    method: Literal["gradient", "momentum", "extragradient", "optimistic", "consensus"] = Field(
        "gradient", description="how a gradient becomes a step"
    )
    order: Literal["simultaneous", "alternating"] = Field(
        "simultaneous", description="both at once, or the generator after the critic"
    )
    lr: float = Field(0.1, gt=0, description="step size h of both players")
    momentum: float = Field(
        -0.5, gt=-1, lt=1, description="of the method momentum; may be negative"
    )
    consensus: float = Field(1.0, gt=0, description="weight of the method consensus")
    regularizer: Literal["none", "r1", "gradient_penalty", "instance_noise"] = Field(
        "none", description="of the Dirac-GAN's critic"
    )
    weight: float = Field(
        0.5, gt=0, description="of r1 and gradient_penalty; standard deviation of instance_noise"
    )
    radius: float = Field(1.0, gt=0, description="distance of the start from the equilibrium")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.order == "alternating" and self.method not in ("gradient", "momentum"):
            raise ValueError(f"the method {self.method} is defined for simultaneous steps only")
        if self.regularizer != "none" and self.game != "dirac_gan":
            raise ValueError(f"a regularizer needs the game dirac_gan, not {self.game}")
        return self
