"""What a study sets of two laws, and of how their ratio is estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from ganstudy.kinds._theory import OneOf, TheorySettings
from ganstudy.kinds.ratio.estimators import ESTIMATORS
from ganstudy.kinds.ratio.laws import LAWS

if TYPE_CHECKING:
    from ganstudy.kinds.ratio.laws import Laws

__all__ = ["RatioSettings"]


class RatioSettings(TheorySettings):
    """The laws, and how their ratio is estimated."""

    steps: int = Field(1, ge=1, le=1, description="an estimator is fitted once")
    estimator: Annotated[str, OneOf(ESTIMATORS)] = Field(
        "logistic", description="how the ratio is estimated"
    )
    laws: Annotated[str, OneOf(LAWS)] = Field(
        "normal", description="p and q: two normal laws, or a mixture of two against Student's t"
    )
    dimension: int = Field(2, ge=1, le=100, description="dimension of the laws")
    shift: float = Field(1.0, ge=0, description="distance of the means of p from that of q")
    scale: float = Field(
        0.8, gt=0, description="standard deviation of p, or of its modes, in each direction"
    )
    samples: int = Field(500, ge=100, description="samples of each law to fit, and to test")

    @model_validator(mode="after")
    def _are_two_laws(self) -> Self:
        if (self.laws, self.shift, self.scale) == ("normal", 0, 1):
            why = "p is q with shift: 0 and scale: 1, and their ratio is 1 everywhere"
            self._refuse("shift", why)
        return self

    @property
    def pair(self) -> Laws:
        """The laws, with their log-ratio."""
        return LAWS[self.laws](self.dimension, self.shift, self.scale)
