"""What a study sets of an audit."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from ganstudy import metrics
from ganstudy.kinds._theory import OneOf, TheorySettings
from ganstudy.kinds.audit.checks import CHECKS
from ganstudy.kinds.audit.cloud import Cloud

__all__ = ["AuditSettings"]


class AuditSettings(TheorySettings):
    """The metric, the check, and how thoroughly it is made."""

    steps: int = Field(
        10,
        ge=10,
        le=100,
        multiple_of=2,
        description="steps of the sweep, from one end to the other",
    )
    audited: Annotated[metrics.Metric, metrics.family.field("density")] = Field(
        default="density", validate_default=True, description="the metric"
    )
    check: Annotated[str, OneOf(CHECKS)] = Field(
        "mean_shift", description="the sanity check it is put through"
    )
    samples: int = Field(1000, ge=20, description="samples of each law")
    spread: float = Field(
        10.0, gt=1, le=100, description="how many times more, and fewer, sweeps of sizes go to"
    )
    repeats: int = Field(
        10, ge=1, le=1000, description="pairs of clouds whose mean a verdict is about"
    )

    @model_validator(mode="after")
    def _is_judged(self) -> Self:
        if self.audited.judges is None:
            known = sorted(member.name for member in metrics.family if member.judges)
            raise ValueError(
                f"{self.audited.name} is no metric of fidelity or diversity, which audits are for: "
                f"{', '.join(known)}"
            )
        return self

    @model_validator(mode="after")
    def _is_measured_as_it_says(self) -> Self:
        """Of the samples themselves, and of as many as the metric and the sweep of sizes need."""
        law = Cloud.of(np.zeros((self.samples, 1)))
        if self.audited.seen(law) is not law:
            self._refuse(
                "audited", "audited: the samples of a check have no features; leave these out"
            )
        if self.samples < (least := self.audited.fewest(law)):
            why = f"{self.audited.name} needs {least:,} (got {self.samples})"
            self._refuse("samples", f"samples: {why}")
        if round(self.samples / self.spread) < 2:
            fewest = f"{self.samples} / {self.spread:g}"
            why = f"spread: sweeps of sizes begin with {fewest} samples, fewer than 2"
            self._refuse("spread", why)
        return self
