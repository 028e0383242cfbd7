"""Arms in a contest: which pairs are settled, who leads, and who needs another seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganstudy.contest.evidence import evidence, leaning, one_sided_evidence, tendency
from ganstudy.contest.group_sequential import critical_values, looks, running_t

__all__ = [
    *("LEVEL", "Contest", "Method", "Played", "StoppingRules", "Standing"),
    *("paired_differences", "play"),
]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
Method = Literal["e_process", "group_sequential"]

LEVEL = 0.05
"""Chance that any pair is told apart wrongly, over all pairs and looks; and so for equal pairs."""


@dataclass(frozen=True)
class StoppingRules:
    """When a question counts as settled, and how seeds are added until it is.

    start, most   seeds of an arm before the first look, and at the end
    step          seeds that are added between looks; group_sequential has looks of its own
    equal_within  differences below it, in units of the score, count as none; None: no arms do
    """

    start: int
    most: int
    step: int = 1
    equal_within: float | None = None
    method: Method = "e_process"

    def after(self, seeds: int) -> int:
        """The number of seeds at the next look; the same number at the end."""
        if self.method == "group_sequential":
            return next((n for n in looks(self.start, self.most) if n > seeds), self.most)
        return min(seeds + self.step, self.most)


@dataclass(frozen=True)
class Standing:
    """What is known when each arm has had some seeds; pairs as of `Contest.pairs`.

    seeds    `(arms,)`: how many
    leader   the best of the arms that no other arm has been told apart from as the better one
    better   `(pairs,)`: 1 where the first arm of a pair is told apart as better, -1 the second
    equal    `(pairs,)`: they do equally well to within `equal_within`
    active   `(arms,)`: the leader and those whose pair with it is open; none once all are settled
    """

    seeds: Counts
    leader: int
    better: Counts
    equal: Flags
    active: Flags

    @property
    def settled(self) -> bool:
        """Whether every other arm is told apart from the leader, or does as well as it."""
        return not self.active.any()


@dataclass(frozen=True)
class Contest:
    """Arms, compared seed by seed under some rules.

    Seeds come in one order, and what is known of a pair after n of them depends on these n alone.
    Every error is bounded over all n up to the last; so nothing that decides how far one looks can
    raise it, be it other pairs, a kill, or a later wish for more seeds.

    differences  `(pairs, seeds)` as of `paired_differences`
    """

    rules: StoppingRules
    arms: int
    differences: Array

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """The first and second arm of each pair."""
        return list(combinations(range(self.arms), 2))

    @cached_property
    def strength(self) -> Array:
        """How far it speaks against exchangeable arms, either way, `(pairs, seeds)`; see `bar`."""
        if self.rules.method == "e_process":
            return evidence(self.differences)
        return np.abs(self._running_t)

    @cached_property
    def apart(self) -> Array:
        """How far it speaks against exchangeable arms, `(pairs, seeds)`; see `bar`.

        Minus infinity where it points one way and the mean difference the other.
        """
        if self.rules.method == "e_process":
            side = leaning(self.differences)
        else:
            side = np.sign(self._running_t)
        return np.where(side == self._tendency, self.strength, -np.inf)

    @cached_property
    def alike(self) -> Array:
        """How far it speaks against differences of `equal_within` and more, `(pairs, seeds)`."""
        margin = self.rules.equal_within
        if margin is None:
            return np.full(self.differences.shape, -np.inf)
        toward = one_sided_evidence if self.rules.method == "e_process" else running_t
        above, below = toward(self.differences + margin), toward(margin - self.differences)
        return np.minimum(above, below)

    def bar(self, level: float) -> Array:
        """What `apart` and `alike` must reach for a claim at a level after each seed, `(seeds,)`.

        Infinite between the looks of `group_sequential`.
        """
        if self.rules.method == "e_process":
            return np.full(self.differences.shape[1], -math.log(level))
        at = looks(self.rules.start, self.rules.most)
        values = np.full(max(self.rules.most, self.differences.shape[1]), np.inf)
        values[np.array(at) - 1] = critical_values(at, level)
        return values[: self.differences.shape[1]]

    def standing(self, seeds: Counts) -> Standing:
        """What is known when each arm has had so many seeds; a pair goes by those of both."""
        both = np.array([min(seeds[i], seeds[j]) for i, j in self.pairs], dtype=np.int64)
        past = np.arange(self.differences.shape[1]) < both[:, None]
        at = self._first_claim(np.where(past, self.apart, -np.inf))
        mean, every = self._tendency, np.arange(len(at))
        side, now = mean[every, np.maximum(at, 0)], mean[every, both - 1]
        # A mean that has turned since the claim takes it back.
        better = np.where((at >= 0) & (side == now), side, 0).astype(np.int64)
        equal = np.zeros(len(at), dtype=bool)
        if self.rules.equal_within is not None:
            equal = self._first_claim(np.where(past, self.alike, -np.inf)) >= 0
        leader = self._leader(seeds, better)
        open_with = np.zeros(self.arms, dtype=bool)
        for pair, (i, j) in enumerate(self.pairs):
            if leader in (i, j) and not better[pair] and not equal[pair]:
                open_with[[i, j]] = True
        return Standing(seeds, leader, better, equal, open_with)

    def reached(self, pair: int, seeds: int) -> float:
        """The most that has spoken for a difference of a pair by so many seeds; see `apart`."""
        return float(self.apart[pair, :seeds].max())

    def needed(self, standing: Standing) -> Array:
        """What an open pair must reach by Holm's correction after each seed, `(seeds,)`."""
        left = max(int((standing.better == 0).sum()), 1)
        return self.bar(LEVEL / left)

    # Asked for at each look, of which there are as many as seeds.
    @cached_property
    def _tendency(self) -> Array:
        return tendency(self.differences)

    @cached_property
    def _running_t(self) -> Array:
        return running_t(self.differences)

    def _first_claim(self, strength: Array) -> Counts:
        """The place at which each pair's claim is made first, by Holm over pairs; -1 for none."""
        found = np.full(len(strength), -1)
        while left := int((found < 0).sum()):
            crossed = strength >= self.bar(LEVEL / left)
            fresh = (found < 0) & crossed.any(axis=1)
            if not fresh.any():
                break
            found[fresh] = crossed[fresh].argmax(axis=1)
        return found

    def _leader(self, seeds: Counts, better: Counts) -> int:
        """The unbeaten arm that is ahead of most others of its kind over the seeds of all these.

        Arms that have beaten each other in a ring, as can happen by an error, are all candidates.
        """
        beaten = np.zeros(self.arms, dtype=bool)
        for side, (i, j) in zip(better, self.pairs, strict=True):
            if side:
                beaten[j if side > 0 else i] = True
        candidates = ~beaten if not beaten.all() else beaten
        shared = int(seeds[candidates].min())
        ahead = self._tendency[:, shared - 1]
        lead = np.where(candidates, 0.0, -np.inf)
        for sign, (i, j) in zip(ahead, self.pairs, strict=True):
            if candidates[i] and candidates[j]:
                lead[i] += sign
                lead[j] -= sign
        return int(np.argmax(lead))


def paired_differences(scores: Array) -> Array:
    """What the first arm of each pair is ahead by in each seed, averaged over settings.

    scores  the higher the better; NaN where there is none, minus infinity for what is worse than
            any number

    Only settings that both arms have a score for count. Of these, one that is worse than any number
    counts before all that are finite: the arm with fewer of them is infinitely far ahead.

    Shapes  `(arms, settings, seeds) -> (pairs, seeds)`.
    """
    found = []
    for i, j in combinations(range(len(scores)), 2):
        first, second = scores[i], scores[j]
        both = ~np.isnan(first) & ~np.isnan(second)
        lost = np.isneginf(np.where(both, first, 0.0)), np.isneginf(np.where(both, second, 0.0))
        count = lost[1].sum(axis=0) - lost[0].sum(axis=0)
        finite = both & ~lost[0] & ~lost[1]
        total = np.subtract(first, second, out=np.zeros(first.shape), where=finite).sum(axis=0)
        mean = total / np.maximum(finite.sum(axis=0), 1)
        with np.errstate(invalid="ignore"):
            apart = np.where(count != 0, np.sign(count) * np.inf, mean)
        found.append(np.where(both.any(axis=0), apart, np.nan))
    return np.array(found).reshape(-1, scores.shape[-1])


class Played(NamedTuple):
    """The seeds that each arm is to have, `(arms,)`, and what was known at the last look."""

    seeds: Counts
    standing: Standing | None


def play(contest: Contest, recorded: Flags) -> Played:
    """The seeds that each arm is to have as far as records say, and what is known at the last look.

    The contest is played from its first seed up to a look that lacks a record. Records alone
    decide, in whatever order they came: played again it is the same, and with more seeds allowed
    it continues from there.

    Shapes  recorded `(arms, seeds)`.
    """
    rules = contest.rules
    there = np.logical_and.accumulate(recorded, axis=1).sum(axis=1)
    seeds = np.full(contest.arms, min(rules.start, rules.most), dtype=np.int64)
    standing = None
    while (there >= seeds).all():
        standing = contest.standing(seeds)
        if standing.settled:
            break
        own = seeds[standing.active]
        # An arm that comes back into the contest first catches up.
        due = own.max() if own.min() < own.max() else rules.after(int(own.max()))
        if due == own.min():
            break
        seeds = np.where(standing.active, due, seeds)
    return Played(seeds, standing)
