"""Metrics that compare clouds of points, whatever the points are: samples, or features of them."""

from __future__ import annotations

from abc import ABC
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from ganstudy.features import Features, Seen
from ganstudy.features import family as feature_family
from ganstudy.metrics._base import Metric

if TYPE_CHECKING:
    from ganstudy.targets import Target
    from ganstudy.variable import Variable


def name_in(metric: str, features: str | None) -> str:
    """What a metric is recorded as, with its feature space if it has one."""
    return f"{metric}_in_{features}" if features else metric


class CloudMetric(Metric, ABC):
    """A metric that looks at samples, or at features of them; its name says which.

    In a feature space its limit on the number of features does not apply, since features that are
    of use are many. What a perfect generator has there is then not stated: the perfect sampler of
    the dataset shows it.
    """

    # It came after studies had been run: where it is not set, ids of trials do not know of it.
    features: Annotated[Features | None, feature_family.field("classifier")] = Field(
        None,
        exclude_if=lambda features: features is None,
        description="the space that it looks at; null: the numbers of the samples",
    )

    @property
    def recorded_as(self) -> str:
        """With the feature space, such as `precision_in_classifier`."""
        return name_in(self.name, None if self.features is None else self.features.name)

    def seen(self, target: Target) -> Target:
        """The law of features of p, if there are any."""
        return target if self.features is None else Seen(target=target, features=self.features)

    def gone(self, target: Target) -> str:
        """Its data, or what its features are computed with."""
        own = "" if self.features is None else self.features.gone
        return super().gone(target) or own

    def unfit(self, target: Target, samples: int) -> str | None:
        """As of any metric, but for the number of features."""
        if self.features is None:
            return super().unfit(target, samples)
        if why := self.features.problem(target):
            return f"metric {self.recorded_as}: {why}"
        least = self.fewest(self.seen(target))
        if why := self.problem(self.seen(target)):
            return why
        if samples < least:
            return f"metric {self.recorded_as} needs {least:,} samples (got {samples})"
        return self.unseen_problem(self.seen(target))

    def variable(self, target: Target) -> Variable:
        """With the feature space in its name and beside it."""
        own = super().variable(self.seen(target))
        if self.features is None:
            return own
        space, most = self.features.about(target), self.most_features
        about = {**own.about, "most_features": "any", "features": space}
        if most is not None and self.features.dimension(target) > most:
            about["value_at_equality"] = np.nan
        return replace(own, long_name=f"{own.long_name} {space}", about=about)
