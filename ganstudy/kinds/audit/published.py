"""Verdicts of Räisä et al. 2025 on the metrics that we share, as their program prints them.

For each check, in the order of `CHECKS`: T or F for the shape of the curve, then for its values. A
verdict "high" or "low" of a diversity metric is a T. Their integrated alpha-precision and
beta-recall are measured in the space of a trained embedding, which ours leave out: they are not the
same metrics. Theirs are standardised by p, with 1,000 samples and the mean of ten repeats.
"""

from __future__ import annotations

from ganstudy.kinds.audit.checks import CHECKS

SOURCE = "Räisä, van Breugel & van der Schaar 2025, tables 3 and 4, and the program's notebook"

_VERDICTS = {
    "precision": "TF FF TF TF TF TT FF FF TF TT TF FF TF FF FF",
    "density": "TT TF TF FT TT TT FF FF TF TT TT TT TT FF FF",
    "symmetric_precision": "TF FF FF FF FF FF TT FF FF TT TF TT TT FF FF",
    "probabilistic_precision": "TF TF TF TF TF TF FF FF TF TT TF TT TF FF FF",
    "recall": "TF FF TF FF TF TT FF FF FF FT FF FT TT FF FF",
    "coverage": "TT TT FF TT TT FF FF FF FF FF FT TT TT FF FF",
    "symmetric_recall": "TF TF FF FF TF FF TT FF FF FF FF TT TT FF FF",
    "probabilistic_recall": "TF TF TF TF TF TF FF FF FF FT FF TT TF FF FF",
}


def verdict(metric: str, check: str) -> tuple[bool, bool] | None:
    """Of shape and values; None for a metric that they did not look at."""
    if metric not in _VERDICTS:
        return None
    # Strict: a check more is missed here, and shifts no verdict.
    both = dict(zip(CHECKS, _VERDICTS[metric].split(), strict=True))[check]
    return both[0] == "T", both[1] == "T"
