"""What is settled, in words; and why rules cannot be changed once scores have been seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ganstudy.contest import Contest, Played, Standing

__all__ = ["changed_rule", "progress"]


def progress(labels: Sequence[str], contest: Contest, played: Played) -> list[str]:
    """What is settled, and how far the evidence on each pair with the leader is."""
    rules, seeds, standing = contest.rules, played.seeds, played.standing
    if standing is None:
        return [f"no look yet: the first is after {rules.start} seeds of every arm"]
    had = int(standing.seeds.max())
    done = "settled" if standing.settled else "open"
    leader = labels[standing.leader]
    said = [f"{done} after {had} seeds of at most {rules.most}; leader: {leader}"]
    for pair, arms in enumerate(contest.pairs):
        if standing.leader in arms:
            first, second = (labels[arm] for arm in arms)
            said.append(f"  {first} - {second}: {_pair(labels, contest, pair, standing)}")
    if (seeds > standing.seeds).any():
        said.append(f"  in training: up to {int(seeds.max())} seeds")
    return said


def _pair(labels: Sequence[str], contest: Contest, pair: int, standing: Standing) -> str:
    first, second = contest.pairs[pair]
    if standing.better[pair]:
        ahead = labels[first if standing.better[pair] > 0 else second]
        return f"{ahead} is better, told apart"
    if standing.equal[pair]:
        return f"equal to within {contest.rules.equal_within:g}"
    seeds = int(min(standing.seeds[first], standing.seeds[second]))
    return f"open, {_evidence(contest, pair, seeds, standing)}"


def _evidence(contest: Contest, pair: int, seeds: int, standing: Standing) -> str:
    """How far a pair is from being told apart."""
    most, needed = contest.reached(pair, seeds), contest.needed(standing)
    after = f"after {seeds} seeds"
    if contest.rules.method == "e_process":
        return f"evidence {math.exp(most):,.2g} of {math.exp(needed[-1]):,.0f} {after}"
    now = abs(contest.apart[pair, seeds - 1])
    return f"|z| {now:.2f} of {needed[seeds - 1]:.2f} {after}"


def changed_rule(fixed: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    """What differs from that under which scores have been seen, and why it has to stay, or nothing.

    fixed, kept  `Study.fixed` now, and when scores were first seen; arms may be more than then
    """
    for key, was in kept.items():
        now = fixed.get(key)
        more = key == "arms" and set(was) <= set(now or ())
        if key in _WHY and was != now and not more:
            changed = f"{key} was {was} when these scores were first looked at, and is {now} now"
            if isinstance(was, list) and isinstance(now, list):
                changed = (
                    f"{key} have changed since scores were first looked at ({_told(was, now)})"
                )
            return f"{changed}; {_WHY[key]}. Keep it, or start anew with --fresh"
    return ""


def _told(was: Sequence[str], now: Sequence[str]) -> str:
    """What has gone of a list, and what is new in it."""
    gone, new = (", ".join(own for own in a if own not in b) for a, b in ((was, now), (now, was)))
    return "; ".join(f"{what}: {own}" for what, own in (("gone", gone), ("new", new)) if own)


_SPENT = "the error of group_sequential is spent"

_WHY = {
    "seeds.method": "a method that is chosen by its outcome has no error rate",
    "seeds.equal_within": "a margin that is chosen by the scores has no error rate",
    "seeds.max": f"{_SPENT} by a largest number that is fixed for good",
    "seeds.start": f"{_SPENT} at looks that are fixed for good",
    "score": "a score that is chosen by its outcome has no error rate",
    "compare": "a question that is chosen by its outcome has no error rate",
    "arms": "pairs that are chosen by the scores have no error rate",
    "settings": "a mean over settings that are chosen by the scores has no error rate",
}
