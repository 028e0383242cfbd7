"""What a study sets of two laws on parallel manifolds and of the critic between them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from ganstudy import divergences
from ganstudy.kinds._losses import of_single_logits, of_trained_critic
from ganstudy.kinds._theory import TheorySettings

__all__ = ["SupportsSettings"]


class SupportsSettings(TheorySettings):
    """The manifolds, their distance, and how the critic is trained."""

    steps: int = Field(2000, ge=1, le=10**9, description="gradient steps of the critic")
    divergence: Annotated[
        divergences.Divergence,
        divergences.family.field("minimax"),
        AfterValidator(of_single_logits),
        AfterValidator(of_trained_critic),
    ] = Field(
        default="minimax", validate_default=True, description="losses of critic and generator"
    )
    distance: float = Field(1.0, gt=0, description="of the manifolds")
    manifold: int = Field(1, ge=1, le=1000, description="dimension m of the manifolds")
    ambient: int = Field(2, ge=2, le=1000, description="dimension of the space")
    samples: int = Field(8, ge=2, le=40, description="points on each manifold")
    lr: float = Field(0.5, gt=0, description="step size of the critic")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.manifold >= self.ambient:
            raise ValueError("the manifold must have a smaller dimension than the space")
        return self
