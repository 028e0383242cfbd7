"""What `studies/metric_audit.yaml` found: verdicts that stand beside each metric in reports."""

from __future__ import annotations

VERDICTS: dict[str, str] = {}
"""For each check, in the order of the kind `audit`, T or F for the shape of the curve, then for its
values, by the mean of both seeds; `tests/unit/test_audit.py` makes some of them again."""


def passed(name: str) -> str:
    """How many sanity checks a metric passes, in words; empty for one that was not audited."""
    if name not in VERDICTS:
        return ""
    verdicts = VERDICTS[name].split()
    return f"passes {verdicts.count('TT')} of {len(verdicts)} sanity checks"
