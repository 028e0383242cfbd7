"""Which critics are classifiers, as a dataset tells by the divergence of each trial."""

from __future__ import annotations

import json
from functools import cache

from ganstudy import divergences

__all__ = ["is_classifier"]


@cache
def is_classifier(settings: str) -> bool:
    """Whether the critic's logit is that of a probability D, of a divergence as JSON."""
    name = json.loads(settings)["name"] if settings else ""
    if name not in divergences.family.names:
        return False
    member = divergences.family[name]
    return member.log_ratio or member.classifies
