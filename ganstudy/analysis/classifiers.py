"""Which critics are classifiers, as a dataset tells by the divergence of each trial."""

from __future__ import annotations

import json
from functools import cache

from ganstudy import divergences
from ganstudy.divergences import ClassifierDivergence

__all__ = ["is_classifier"]


@cache
def is_classifier(settings: str) -> bool:
    """Whether the best logit of the critic is log p - log q, of a divergence as JSON."""
    name = json.loads(settings)["name"] if settings else ""
    known = name in divergences.family.names
    return known and issubclass(divergences.family[name], ClassifierDivergence)
