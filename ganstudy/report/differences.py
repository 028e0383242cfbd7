"""How far arms are behind the best, in a sentence."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup

from ganstudy.report import prose
from ganstudy.report.findings import Findings

__all__ = ["MOST_LISTED", "behind"]

MOST_LISTED = 6
"""Arms that a sentence lists; the tables have the rest."""


def behind(findings: Findings) -> Markup | None:
    """Paired differences from the best, how sure they are, and what would have been clear."""
    if findings.all_equal or len(findings.arms) == 1 or findings.settlement is not None:
        return None
    sign, ranked = findings.metric.sign, findings.ranked
    parts = []
    for place, arm in enumerate(findings.ranked_arms[1:], start=1):
        row = ranked.isel({findings.arm: place})
        behind = -sign * float(row["difference"])
        if not math.isfinite(behind):
            continue
        limits = sorted(-sign * float(row[end]) for end in ("difference_low", "difference_high"))
        if behind == limits[0] == limits[1] == 0:
            continue  # they are equal in every seed, and the verdict names both
        told, *ends = findings.together([behind, *limits])
        text = f"{prose.quoted(arm)} by {told}"
        if findings.graded and all(map(math.isfinite, limits)):
            spread = "" if {*ends} == {told} else f"{ends[0]} to {ends[1]}, "
            won = f"better in {prose.percent(float(row['won']))} of {findings.units}"
            text += f" ({spread}{won}): {row['grade'].item()}"
        parts.append(text)
    if not parts:
        return None
    more = len(parts) - MOST_LISTED
    parts = [*parts[:MOST_LISTED], *([f"{more} more in the table below"] if more > 0 else [])]
    text = Markup("Paired within {}{}, behind {}: {}.").format(
        findings.units, _ties(findings), prose.quoted(findings.ranked_arms[0]), "; ".join(parts)
    )
    return text + _seen(findings)


def _ties(findings: Findings) -> str:
    """How seeds count in which arms tie, where there are any."""
    won = findings.ranked["won"].values[1:] * findings.ranked["seeds"].values[1:]
    means = findings.ranked["seed_mean"].values
    tied = (means[1:] == means[0]).any() or (np.abs(won - np.round(won)) > 0.01).any()
    return ", ties counting half" if findings.graded and findings.seeds > 1 and tied else ""


def _seen(findings: Findings) -> Markup:
    """What difference would have been clear, for the arms whose difference is not."""
    ranked = findings.ranked
    if not findings.graded or findings.seeds == 1:
        return Markup("")
    unsure = ~np.isin(ranked["grade"].values, ["", "clear"])
    least = ranked["detectable"].values[unsure]
    least = least[~np.isnan(least)]
    if not least.size:
        return Markup("")
    if np.isinf(least).any():
        few = Markup(" With so few {} no difference, however large, could have been clear.")
        return few.format(findings.units)
    low, high = findings.together([float(least.min()), float(least.max())])
    return Markup(
        " Of those that are not clear, a difference of {} would have been in four studies of five."
    ).format(low if low == high else f"{low} to {high}")
