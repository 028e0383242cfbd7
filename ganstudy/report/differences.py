"""How far arms are behind the best, in a sentence."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup

from ganstudy.analysis import compare_arms
from ganstudy.report import prose
from ganstudy.report.findings import Findings

__all__ = ["MOST_LISTED", "behind"]

MOST_LISTED = 6
"""Arms that a sentence lists; the tables have the rest."""


def behind(findings: Findings) -> Markup | None:
    """Paired differences from the best, how sure they are, and what would have been clear.

    Where a trial is worse than any number they are no differences of scores, but shares of wins.
    """
    if findings.all_equal or len(findings.arms) == 1 or findings.settlement is not None:
        return None
    best = prose.quoted(findings.ranked_arms[0])
    within = Markup("Paired within {}{},").format(findings.units, _ties(findings))
    if findings.ranked.attrs["basis"] == "wins":
        said = [(f"{best} is better than", text) for text in _won(findings)]
    else:
        # Of what two arms have in common one may be ahead that least squares put behind.
        sides = _differences(findings)
        said = [(f"{side} {best}:", text) for side, own in sides.items() for text in own]
    if not said:
        return None
    if more := max(len(said) - MOST_LISTED, 0):
        said = [*said[:MOST_LISTED], (said[MOST_LISTED - 1][0], f"{more} more in the table below")]
    parts = [
        Markup("{} {}").format(side, "; ".join(text for own, text in said if own == side))
        for side in sorted({side for side, _ in said}, reverse=True)  # behind before ahead of
    ]
    return Markup("{} {}.").format(within, Markup("; ").join(parts)) + _seen(findings)


def _won(findings: Findings) -> list[str]:
    """Of each arm, in how many seeds the best one is better."""
    if findings.seeds == 1:
        return []
    parts = []
    for place, arm in enumerate(findings.ranked_arms[1:], start=1):
        row = findings.ranked.isel({findings.arm: place})
        won, grade = 1 - float(row["won"]), str(row["grade"].item())
        if math.isfinite(won):
            text = f"{prose.quoted(arm)} in {prose.percent(won)} of {findings.units}"
            parts.append(f"{text}: {grade}" if findings.graded and grade else text)
    return parts


def _differences(findings: Findings) -> dict[str, list[str]]:
    """By how much arms are behind the best, and ahead of it; not those equal in every seed."""
    sign, ranked = findings.metric.sign, findings.ranked
    sides: dict[str, list[str]] = {"ahead of": [], "behind": []}
    for place, arm in enumerate(findings.ranked_arms[1:], start=1):
        row = ranked.isel({findings.arm: place})
        behind = -sign * float(row["difference"])
        if not math.isfinite(behind):
            continue
        limits = sorted(-sign * float(row[end]) for end in ("difference_low", "difference_high"))
        if behind == limits[0] == limits[1] == 0:
            continue  # the verdict names both
        side = "behind" if behind >= 0 else "ahead of"
        if behind < 0:
            behind, limits = -behind, [-limits[1], -limits[0]]
        told, *ends = findings.together([behind, *limits])
        text = f"{prose.quoted(arm)} by {told}"
        if findings.graded and all(map(math.isfinite, limits)):
            spread = "" if {*ends} == {told} else f"{ends[0]} to {ends[1]}, "
            won = f"better in {prose.percent(float(row['won']))} of {findings.units}"
            text += f" ({spread}{won}): {row['grade'].item()}"
        sides[side].append(text)
    return sides


def _ties(findings: Findings) -> str:
    """How seeds count in which arms tie, where there are any."""
    pairs = compare_arms(findings.ds, settings=findings.settings_used)
    best = pairs.isel(other=findings.arms.index(findings.ranked_arms[0]))
    won = (best["won"] * best["seeds"]).values[best["seeds"].values > 0]
    means = findings.ranked["seed_mean"].values
    tied = (means[1:] == means[0]).any() or (np.abs(won - np.round(won)) > 0.01).any()
    return ", ties counting half" if findings.graded and findings.seeds > 1 and tied else ""


def _seen(findings: Findings) -> Markup:
    """What difference would have been clear, for the arms whose difference is not."""
    ranked = findings.ranked
    if not findings.graded or findings.seeds == 1:
        return Markup("")
    grades, least = ranked["grade"].values, ranked["detectable"].values
    never = np.isinf(least)
    said = Markup("")
    if never.any():
        arms = [arm for arm, few in zip(findings.ranked_arms, never, strict=True) if few]
        who = prose.names(arms) if len(arms) <= MOST_LISTED else f"{len(arms)} arms"
        which = Markup("" if never[grades != ""].all() else " of {}").format(who)
        said = Markup(" With so few {} no difference{}, however large, could have been clear.")
        said = said.format(findings.units, which)
    least = least[np.isfinite(least) & (grades != "clear")]
    if not least.size:
        return said
    low, high = findings.together([float(least.min()), float(least.max())])
    return said + Markup(
        " Of {} that are not clear, a difference of {} would have been in four studies of five."
    ).format("the others" if said else "those", low if low == high else f"{low} to {high}")
