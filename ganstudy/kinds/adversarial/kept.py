"""What is kept of an adversarial trial: the keys below `trial.record`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from ganstudy.metrics import Metric
from ganstudy.metrics import family as metric_family
from ganstudy.settings import Settings

__all__ = ["Equilibrium", "Recording"]


class Equilibrium(Settings):
    """What is measured of the game itself when training has ended."""

    responses: int = Field(200, ge=1, description="steps of each player's answer to the other")
    parameters: int = Field(
        1000, ge=0, description="most parameters of both players whose Jacobian is taken"
    )


class Recording(Settings):
    """What is kept of a trial."""

    every: int = Field(100, ge=1, le=10**9, description="M-steps between two records of the curves")
    samples: int = Field(2000, ge=1, description="samples that the metrics see, kept at the end")
    metrics: tuple[Annotated[Metric, metric_family.field("modes_covered")], ...] = Field(
        default=("modes_covered", "high_quality", "mode_kl"),
        validate_default=True,
        strict=False,
        min_length=1,
        description="metrics that are recorded as curves",
    )
    # It came after studies had been run: where it is not set, ids of trials do not know of it.
    equilibrium: Equilibrium | None = Field(
        None,
        exclude_if=lambda equilibrium: equilibrium is None,
        description="duality gap and eigenvalues of the game at the end; default: none, they cost",
    )
    # Left out of the canonical form, and so of ids: a film changes no number of a trial.
    frames: int = Field(
        10,
        ge=0,
        exclude=True,
        description="frames of samples and critic in the plane, which change no id; 0 for none",
    )
    generator: bool = Field(
        False,
        exclude=True,
        description="whether the trained generator is kept beside its record; it changes no id",
    )

    @field_validator("metrics")
    @classmethod
    def _each_once(cls, metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
        names = [metric.recorded_as for metric in metrics]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"recorded more than once: {', '.join(repeated)}")
        return metrics
