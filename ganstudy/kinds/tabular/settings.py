"""What a study sets of the game on a finite set."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ganstudy import divergences
from ganstudy.kinds._losses import admits_every_critic, of_single_logits, of_trained_critic
from ganstudy.kinds._theory import TheorySettings
from ganstudy.settings import Settings

__all__ = ["TabularSettings"]


class TabularCritic(Settings):
    """How the practical algorithm trains its critic."""

    steps: int = Field(1, ge=1, description="N_d, gradient steps before each generator step")
    lr: float = Field(1.0, gt=0, description="their size, in units of 1 / max p")


class TabularSettings(TheorySettings):
    """The algorithm, the objective, and the laws that it starts from."""

    algorithm: Literal["alternating", "descent", "practical"] = Field(
        "descent", description="how generator and critic move"
    )
    divergence: Annotated[
        divergences.Divergence,
        divergences.family.field("non_saturating"),
        AfterValidator(of_single_logits),
    ] = Field(default="non_saturating", validate_default=True, description="objective")
    points: int = Field(12, ge=2, le=60, description="points of the finite set")
    concentration: float = Field(
        5.0, gt=0, description="p is drawn from a symmetric Dirichlet law; large means nearly even"
    )
    spread: float = Field(0.5, gt=0, description="R starts log-normal with this deviation")
    lr: float = Field(0.5, gt=0, description="alpha of generator steps, in units of 1 / max p")
    critic: TabularCritic = Field(TabularCritic(), description="critic of the practical algorithm")

    @model_validator(mode="after")
    def _critic_is_free(self) -> Self:
        if self.algorithm != "practical":
            return self
        of_trained_critic(self.divergence, trainer="algorithm practical")
        if not admits_every_critic(self.divergence):
            raise ValueError(
                "algorithm practical needs a critic without a constraint, and "
                f"{self.divergence.name} does not say that its own is (`uninformed_loss`); use "
                "algorithm descent"
            )
        return self
