"""`audit`: what a metric says where it is plain what it should say."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

import numpy as np

from ganstudy.kinds._theory import Check, Claim, OneByOne, Outcome, curve, metric, orbit
from ganstudy.kinds.audit import criteria
from ganstudy.kinds.audit.check import Reading, Size
from ganstudy.kinds.audit.checks import CHECKS
from ganstudy.kinds.audit.cloud import Cloud
from ganstudy.kinds.audit.published import SOURCE, verdict
from ganstudy.kinds.audit.settings import AuditSettings

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from numpy.typing import NDArray

    from ganstudy.trial import Trial
    from ganstudy.variable import Variable

    Array = NDArray[np.float64]

_ENDS = ("shape_margin", "value_margin", "passed", "published_shape", "published_value")
CLAIMS = (
    Claim(
        "as_published",
        "verdicts are the published ones",
        "Where a verdict on shape or values differs from the published one it is a close call: its "
        "margin is within chance of zero (with 500 samples or more)",
        SOURCE,
        "0.05, which criteria take for no difference, and four standard errors of the metric's "
        "mean over repeats",
    ),
)
VARIANTS = max(len(check.variants) for check in CHECKS.values())
"""Rows of the curves that are kept."""
_TOGETHER = 16
_LEAST = 500
"""Samples from which on verdicts should be those of 1,000."""


class Audit(AuditSettings, OneByOne):
    r"""A metric of fidelity or diversity along a sweep of generators, against what it should say.

    Maths   at each point of the sweep the metric of `samples` samples of q against as many of p,
            both standardised by p's mean and deviations, mean over `repeats` pairs of clouds. The
            margins say how far the curve's shape, and its values where they are known, lie inside
            what is allowed, the least of all variants of the check; a metric passes a check if
            neither is negative.
    Source  Räisä, van Breugel & van der Schaar 2025, "Position: all current generative fidelity and
            diversity metrics are flawed". Sweeps have as many points as steps say, fewer than
            theirs, and modes that are invented lie on a ring.
    """

    claims: ClassVar[tuple[Claim, ...]] = CLAIMS
    given: ClassVar[frozenset[str]] = OneByOne.given | {"check", "samples", "spread", "repeats"}

    def shape(self) -> Mapping[str, Any]:
        """Trials of one check make a pack."""
        return {"check": self.check}

    @property
    def scheduled(self) -> str:
        """Its sweep has as many points as steps."""
        return "the sweep"

    def cost(self) -> float:
        """Measured: distance matrices of samples by samples, in some tens of dimensions."""
        check = CHECKS[self.check]
        clouds = (self.steps + 1) * len(check.variants) * self.repeats
        # The mean of the squared sizes of a sweep that is even in their logarithm.
        larger = 0.15 * self.spread**2 if check.of_p else 1.0
        return 1e-2 + clouds * larger * self.samples**2 * (2e-8 + 6e-10 * check.dimensions)

    def described(self) -> tuple[Variable, ...]:
        """Whether it passes, by how much, and what was published."""
        both = (float("-inf"), float("inf"))
        return (
            metric("passed", "sanity checks passed", "higher", (0.0, 1.0)),
            metric("shape_margin", "margin of the curve's shape", "higher", both),
            metric("value_margin", "margin of the curve's known values", "higher", both),
            curve("response", "metric along the sweep (mean over variants)"),
            orbit("published_shape", "published verdict on the shape"),
            orbit("published_value", "published verdict on the values"),
        )

    def compute_one(self, trial: Trial[Self]) -> Outcome:
        """The metric's curves, and the verdict on them."""
        variants = CHECKS[self.check].variants
        drawn = [
            [self._along(trial, variant, row * self.repeats + one) for one in range(self.repeats)]
            for row, variant in enumerate(variants)
        ]
        values = np.array(drawn).mean(axis=1)
        error = np.array(drawn).std(axis=1, ddof=self.repeats > 1).max() / np.sqrt(self.repeats)
        shape, value = self.margins(values)
        # Sweeps that count modes have as many points as modes.
        kept = np.full((VARIANTS, self.steps + 1), np.nan)
        kept[: len(variants), : values.shape[1]] = values
        last = np.full(self.steps + 1, np.nan)
        curves = {"response": np.append(values.mean(axis=0), last)[: self.steps + 1]}
        published = verdict(self.audited.name, self.check) or (np.nan, np.nan)
        ends = (shape, value, float(min(shape, value) >= 0), *map(float, published))
        for name, end in zip(_ENDS, ends, strict=True):
            curves[name] = np.append(last[1:], end)
        shown = {name: found[self.recorded_steps] for name, found in curves.items()}
        return Outcome(shown, self._checks((shape, value), float(error)), kept)

    def _checks(self, margins: tuple[float, float], error: float) -> dict[str, Check]:
        """How far a margin lies on the other side of zero than the published verdict says."""
        published = verdict(self.audited.name, self.check)
        if published is None or self.samples < _LEAST or self.repeats == 1:
            return {}
        apart = [
            abs(margin)
            for margin, theirs in zip(margins, published, strict=True)
            if (margin >= 0) != theirs
        ]
        return {"as_published": (max(apart, default=0.0), criteria.NEAR + 4 * error)}

    def margins(self, values: Array) -> tuple[float, float]:
        """Of shape and values: the least of all variants, under the kinder reading of each."""
        check, judged = CHECKS[self.check], self.audited.judges
        if judged is None:
            raise TypeError(f"{self.audited.name} judges nothing")
        found = np.array(
            [
                [
                    check.margins(variant, row, judged, reading)
                    for variant, row in zip(check.variants, values, strict=True)
                ]
                for reading in get_args(Reading)
            ]
        )
        shape, value = found.min(axis=1).max(axis=0)
        return float(shape), float(value)

    def _along(self, trial: Trial[Self], variant: str, block: int) -> Array:
        """The metric at every point of the sweep, for one pair of clouds each."""
        values: list[float] = []
        clouds = self._clouds(trial, variant, block)
        # What a metric finds in a cloud of p it finds once for all beside it.
        for _, beside in groupby(clouds, itemgetter(0)):
            own = list(beside)
            real, fakes = own[0][1], np.stack([fake for _, _, fake in own])
            centre, width = real.mean(axis=0), real.std(axis=0)
            width = np.where(width > 0, width, 1.0)
            target = Cloud.of((real - centre) / width)
            values += self.audited.compute((fakes - centre) / width, target).tolist()
        return np.array(values)

    def _clouds(
        self, trial: Trial[Self], variant: str, block: int
    ) -> Iterator[tuple[Hashable, Array, Array]]:
        """Both clouds of each point of the sweep, behind what those that are taken together share:
        no more than `_TOGETHER`, since all of them are held.
        """
        check, size = CHECKS[self.check], Size(self.samples, self.spread)
        for place, x in enumerate(check.sweep(variant, self.steps + 1, size)):
            # One cloud of p all along, unless it depends on x.
            real = check.real(variant, x, size, trial.stream("data", block))
            fake = check.fake(variant, x, size, trial.stream("latent", 1000 * block + place))
            yield (place // _TOGETHER, real.tobytes(), fake.shape), real, fake
