"""What a sampler proposes for an arm, from points and what came of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ganstudy.search.bayes.samplers import Question, propose, quasi_random
from ganstudy.study.space import at_random, listed

if TYPE_CHECKING:
    from ganstudy.search.bayes.making import PointMaker
    from ganstudy.search.bayes.outcomes import Outcomes
    from ganstudy.search.bayes.point import Arm, Point

__all__ = ["Proposals"]

ATTEMPTS = 20
"""Proposals of known points after which a sampler that draws is passed over for random ones."""
ALONG = 2**16
"""Points of a sequence in a row that are all known, after which random ones take over."""
RANDOM_ATTEMPTS = 500
"""Random points in a row that are all known, after which those of the space are listed."""


@dataclass(frozen=True)
class Proposals:
    """Asks the sampler of a study, which carries nothing from one proposal to the next."""

    make: PointMaker
    outcomes: Outcomes

    def of(self, arm: Arm, before: Sequence[Point], beside: Sequence[Point]) -> Iterator[Point]:
        """Proposals one after another, any of which may be known; they end with all that there are.

        before  points that are recorded, in the order in which the sampler is told of them
        beside  points in training, which count as the worst of those before
        """
        yield from self._beyond(arm, (*before, *beside), self._values(arm, before, beside))

    def drawn(self, arm: Arm, known: Sequence[Point], count: int) -> Iterator[Point]:
        """Random points for the next numbers of an arm, those that it would draw, none of it known.

        Fewer than `count` where its space has no more.
        """
        taken = {frozenset(point.values.items()) for point in known}
        met = {point.trials[0][0].settings for point in known}
        for number in range(len(known), len(known) + count):
            for values in self._random(arm, number):
                if (own := frozenset(values.items())) in taken:
                    continue
                taken.add(own)
                point = self.make.point(arm, values)
                if point is not None and (settings := point.trials[0][0].settings) not in met:
                    met.add(settings)
                    yield point
                    break

    def _random(self, arm: Arm, number: int) -> Iterator[dict[str, Any]]:
        study, stream = self.make.study, self.make.stream(arm)
        for attempt in range(RANDOM_ATTEMPTS):
            rng = np.random.default_rng((*stream, number, attempt))
            yield at_random(study.space, rng, study.labels(arm))
        yield from listed(study.space, np.random.default_rng(stream), study.labels(arm))

    def others(self, arm: Arm, known: Sequence[Point]) -> Iterator[str]:
        """Settings of all points of an arm but these; of continuous parameters one draw each."""
        study, rng = self.make.study, np.random.default_rng(self.make.stream(arm))
        for point in self._beyond(arm, known, listed(study.space, rng, study.labels(arm))):
            yield point.trials[0][0].settings

    def _beyond(
        self, arm: Arm, known: Sequence[Point], proposed: Iterable[Mapping[str, Any]]
    ) -> Iterator[Point]:
        """The points of these values, without those that are known: making one takes its time.

        What the arm cannot have is passed over.
        """
        taken = {frozenset(point.values.items()) for point in known}
        for values in proposed:
            if frozenset(values.items()) in taken:
                continue
            if (point := self.make.proposed(arm, values)) is not None:
                yield point

    def _values(
        self, arm: Arm, before: Sequence[Point], beside: Sequence[Point]
    ) -> Iterator[dict[str, Any]]:
        study, file = self.make.study, self.make.file
        number = len(before) + len(beside)
        sampler = "random" if len(before) < file.at_random else file.sampler
        first = Question(
            space=study.space,
            arm=study.labels(arm),
            directions=tuple(self.outcomes.objectives.values()),
            known=tuple(known for _, known in self.outcomes.known(before, lies=beside)),
            number=number,
            seed=(*self.make.stream(arm), number, 0),
            stream=self.make.stream(arm),
        )
        if sampler == "qmc":
            yield from itertools.islice(quasi_random(first), ALONG)
        for attempt in range(ATTEMPTS + RANDOM_ATTEMPTS):
            question = replace(first, seed=(*first.stream, number, attempt))
            own = sampler if attempt < ATTEMPTS and sampler != "qmc" else "random"
            yield propose(own, question)
        yield from listed(study.space, np.random.default_rng(first.seed), first.arm)
