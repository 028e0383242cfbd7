"""What a sampler proposes for an arm, from points and what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganstudy.search.bayes.samplers import Question, propose

if TYPE_CHECKING:
    from ganstudy.search.bayes.making import PointMaker
    from ganstudy.search.bayes.outcomes import Outcomes
    from ganstudy.search.bayes.point import Arm, Point

__all__ = ["Proposals"]

ATTEMPTS = 20
"""Proposals of known points after which a sampler is passed over for random ones."""
RANDOM_ATTEMPTS = 500
"""Random points in a row that are all known: the space counts as used up."""


@dataclass(frozen=True)
class Proposals:
    """Asks the sampler of a study, which carries nothing from one proposal to the next."""

    make: PointMaker
    outcomes: Outcomes

    def of(self, arm: Arm, before: Sequence[Point], beside: Sequence[Point]) -> Iterator[Point]:
        """Proposals one after another, any of which may be known; they end with random ones.

        before  points that are recorded, in the order in which the sampler is told of them
        beside  points in training, which count as the worst of those before
        """
        study, file = self.make.study, self.make.file
        number = len(before) + len(beside)
        known = tuple(known for _, known in self.outcomes.known(before, lies=beside))
        learns = file.sampler in ("tpe", "gp")
        sampler = "random" if learns and len(before) < file.startup else file.sampler
        for attempt in range(ATTEMPTS + RANDOM_ATTEMPTS):
            question = Question(
                space=study.space,
                arm=study.labels(arm),
                directions=tuple(self.outcomes.objectives.values()),
                known=known,
                number=number + attempt,
                seed=(*self.make.stream(arm), number, attempt),
                stream=self.make.stream(arm),
            )
            values = propose(sampler if attempt < ATTEMPTS else "random", question)
            yield self.make.point(arm, values)
