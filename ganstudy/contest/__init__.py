"""Arms against each other, seed by seed, until a question is settled; plain arrays.

Below the searches, which it tells for whom seeds are added, and below the analysis, which draws
what it knows.
"""

from ganstudy.contest.contest import (
    LEVEL,
    Contest,
    Method,
    Played,
    Standing,
    StoppingRules,
    paired_differences,
    play,
)

__all__ = [
    "LEVEL",
    "Contest",
    "Method",
    "Played",
    "Standing",
    "StoppingRules",
    "paired_differences",
    "play",
]
