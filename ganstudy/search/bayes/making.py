"""From the values of a point to its trials, and back from the settings of a trial to its point."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganstudy.family import canonical_json
from ganstudy.search.bayes import halving
from ganstudy.search.bayes.keys import BayesKeys
from ganstudy.search.bayes.point import Arm, Point
from ganstudy.search.bayes.recognition import agrees, candidates, completed
from ganstudy.search.bayes.rungs import rungs_up_to, trained_to
from ganstudy.study.document import StudyError
from ganstudy.trial import Trial

if TYPE_CHECKING:
    from ganstudy.study import Study

__all__ = ["PointMaker"]


@dataclass(frozen=True)
class PointMaker:
    """Makes the points of a study; `repeat` is which search of each arm asks for them."""

    study: Study
    file: BayesKeys
    repeat: int

    def proposed(self, arm: Arm, values: Mapping[str, Any]) -> Point | None:
        """The point of an arm with these values, as its records will tell it.

        None if the study refuses it, or if its records would tell it to another arm.
        """
        point = self.point(arm, values)
        # Two labels may have one meaning, and what one arm draws another may state.
        found = point and self.recovered(point.trials[0][0].settings)
        return found if found and found.arm == arm else None

    def point(self, arm: Arm, values: Mapping[str, Any]) -> Point | None:
        """The point of an arm with these values, and its trials at every rung.

        None if the study refuses it: a rare combination is not met as the study is read.
        """
        with suppress(StudyError):
            return self._point(arm, values)
        return None

    def _point(self, arm: Arm, values: Mapping[str, Any]) -> Point:
        whole = self.study.resolve(arm, values)
        steps, pruner = whole.steps, self.file.pruner
        rungs: tuple[int, ...] = (steps,)
        if pruner is not None:
            rungs = rungs_up_to(pruner.first, pruner.factor, steps)
            key = canonical_json(whole.model_dump())
            rungs = rungs[halving.SKIPPED[pruner.name](key, len(rungs), pruner.factor) :]
        trials = []
        for rung in rungs:
            own = whole if rung == steps else self.study.resolve(arm, values, (trained_to(rung),))
            trials.append(tuple(Trial(own, seed) for seed in self.study.seeds))
        return Point(arm, dict(values), rungs, tuple(trials))

    def recovered(self, text: str) -> Point | None:
        """The point that has a trial of these settings, if there is one in the space.

        Candidates are read off the settings and proved by resolving them again, so that a record of
        another study, or of other shared settings, never passes for one of this search.

        Of several arms that have it, it is of that with the fewest continuous parameters: the
        others pass over what is fixed there.
        """
        settings = completed(json.loads(text))
        found = [own for arm in self.study.points if (own := self._of_arm(arm, settings, text))]
        return min(found, key=self._continuous, default=None)

    def _continuous(self, point: Point) -> int:
        space = (own for own in self.study.space if own.name in point.values)
        return sum(math.isinf(own.count) for own in space)

    def _of_arm(self, arm: Arm, settings: Mapping[str, Any], text: str) -> Point | None:
        if all(agrees(bundle, settings) for bundle in self.study.bundles(arm)):
            for values in candidates(self.study.space, settings, self.study.labels(arm)):
                point = self.point(arm, values)
                if point and any(trials[0].settings == text for trials in point.trials):
                    return point
        return None

    def stream(self, arm: Arm) -> tuple[int, ...]:
        """Entropy of an arm's search, by the labels of the arm and not by their order.

        The first search of an arm does not know that there are others.
        """
        text = canonical_json({name: str(x) for name, x in self.study.labels(arm).items()})
        digest = hashlib.sha256(text.encode()).digest()
        own = (self.file.seed, int.from_bytes(digest[:8], "big"))
        return (*own, self.repeat) if self.repeat else own
