"""What `studies/metric_audit.yaml` found: verdicts that stand beside each metric in reports."""

from __future__ import annotations

AUDITED = {
    "precision": "TF FF TF TF TF TT FF FF TF TF TF TF TF FF FF",
    "density": "TT TF TF FF FF TT FF FF FF TF TT TT TT FF FF",
    "clipped_density": "TT TF TT TT FT TT FF FF TF TT TT TT TT FF FF",
    "symmetric_precision": "TF FF FF FF FF FF TT FF FF TT TF TT TT FF FF",
    "probabilistic_precision": "TF TF TF TF TF TF FF FF TF TT TF TT TF FF FF",
    "alpha_precision": "TF TF FF FF FF FF TF TF TF TF TT TT TT FF FF",
    "recall": "TF FF FF FF TF TF FF FF FF FF FF FF TT FF FF",
    "coverage": "TT TT FF TT TT TF FF FF FF FF FT TT TT FF FF",
    "clipped_coverage": "TF TF FF TT TT FF FF FF FF TT TT TT TT FF FF",
    "symmetric_recall": "TF TF TF FF TF TF TT FF FF FF FF TT TT FF FF",
    "probabilistic_recall": "TF TF TF TF TF TF FF FF FF FF FF TT TF FF FF",
    "beta_recall": "TF TF FF TF FF FF FF TF FF TT FF TT TF FF FF",
}
"""For each check, in the order of the kind `audit`, T or F for the shape of the curve, then for its
values, by the mean of both seeds; `tests/unit/kinds/test_audit.py` makes some of them again."""


def passed(name: str) -> str:
    """How many sanity checks a metric passes, in words; empty for one that was not audited."""
    if name not in AUDITED:
        return ""
    verdicts = AUDITED[name].split()
    return f"passes {verdicts.count('TT')} of {len(verdicts)} sanity checks"
