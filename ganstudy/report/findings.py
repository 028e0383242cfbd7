"""Everything the report states, computed from the dataset when it is first asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis import (
    RecordedMetric,
    arm_dim,
    arm_scores,
    best_setting_scores,
    claim_verdicts,
    compare_effects,
    equilibrium,
    factor_effects,
    in_comparison,
    is_search,
    is_settled_by_seeds,
    metric_names,
    perfect_sampler,
    planned,
    rank_arms,
    setting_dims,
    setting_scores,
    settlement,
    stability,
    status_counts,
    trial_scores,
    tuned,
    with_arms,
)
from ganstudy.analysis.across import QUALITY as QUALITY
from ganstudy.analysis.design import (
    WhichSettings,
    arm_labels,
    drawn,
    label_text,
    testable,
)
from ganstudy.analysis.handling import in_memory, whole
from ganstudy.report.layout import Layout
from ganstudy.report.searched import Searched

COVERAGE = "modes_covered"
"""A mode counts as covered by a few samples: its headlines name the share of good ones too."""


class Findings(Layout):
    """A study as a page lays it out, and the statistics of `ganstudy.analysis` on it."""

    @classmethod
    def of(
        cls,
        dataset: xr.Dataset,
        provenance: Mapping[str, Any] | None = None,
        metric: str | None = None,
    ) -> Findings:
        """The findings of a gathered study; of a search, those of its arms at their best points.

        `metric` takes the place of the headline metric, though not in the choice of best points.
        Samples and films stay where they are, on disk in a dataset that was opened there: sections
        read what they draw.
        """
        dataset = whole(dataset)
        arms = tuned(dataset) if is_search(dataset) else dataset
        ds = with_arms(in_memory(arms if metric is None else arms.assign_attrs(score=metric)))
        arm, axes = arm_dim(ds), setting_dims(ds)
        overlap = bool(planned(ds).all(arm).any())
        used: WhichSettings = "shared" if overlap else "own"
        return cls(
            ds=ds,
            metric=RecordedMetric.of(ds),
            arm=arm,
            axes=axes,
            arms=arm_labels(ds[arm]),
            settings=list(
                product(*([label_text(v) for v in ds[axis].values.tolist()] for axis in axes))
            ),
            settings_used=used,
            gathered=dataset,
            provenance=provenance or {},
        )

    @cached_property
    def searched(self) -> Searched | None:
        """What the search found; None for a study that is no search by results."""
        return Searched.of(self.gathered) if is_search(self.gathered) else None

    @cached_property
    def ranked(self) -> xr.Dataset:
        """The arms from best to worst."""
        return rank_arms(self.ds, settings=self.settings_used)

    @cached_property
    def settlement(self) -> xr.Dataset | None:
        """What is settled, in a study whose seeds are added until it is."""
        return settlement(self.ds) if is_settled_by_seeds(self.ds) else None

    @cached_property
    def best(self) -> xr.Dataset:
        """Every arm at its own best setting."""
        return best_setting_scores(self.ds)

    def best_at(self, arm: int) -> str:
        """Where an arm is best: `slow, 5`, or where that differs `ring: slow, 5; grid: fast, 1`."""
        best = self.best.isel({self.arm: arm})
        dims, sizes = best["ties"].dims, best["ties"].shape
        each = [best.isel(dict(zip(dims, at, strict=True))) for at in np.ndindex(*sizes)]
        given, chosen = (
            [", ".join(label_text(own[axis].item()) for axis in axes) for own in each]
            for axes in (self.given, self.chosen)
        )
        if len({*chosen}) == 1:
            return chosen[0]
        return "; ".join(map(": ".join, zip(given, chosen, strict=True)))

    @cached_property
    def cells(self) -> xr.Dataset:
        """Every arm at every setting."""
        return setting_scores(self.ds)

    @cached_property
    def stability(self) -> xr.Dataset:
        """Divergences, drops and drawdown."""
        return stability(self.ds)

    @cached_property
    def equilibrium(self) -> xr.Dataset:
        """How far losses and critics are from where they would rest."""
        return equilibrium(self.ds)

    @cached_property
    def counts(self) -> xr.DataArray:
        """Trials by arm and status."""
        return status_counts(self.ds)

    @cached_property
    def effects(self) -> xr.Dataset:
        """Variance explained by each axis."""
        return factor_effects(self.ds)

    @cached_property
    def compared_effects(self) -> xr.Dataset:
        """Which axis explains more of the variance."""
        return compare_effects(self.ds)

    @cached_property
    def scale(self) -> xr.Dataset:
        """What a perfect sampler scores."""
        return perfect_sampler(self.ds)

    @cached_property
    def claims(self) -> xr.Dataset:
        """Verdicts on the claims that trials check."""
        return claim_verdicts(self.ds)

    @property
    def answer(self) -> str:
        """What kind of answer the study wants: `ranking`, `effects`, `claims` or `budget`."""
        wanted = str(self.ds.attrs.get("answer", ""))
        default = "claims" if self.theory else "budget" if self.searched else "ranking"
        return wanted or default

    @property
    def graded(self) -> bool:
        """Whether differences are graded.

        Those of computations without chance are as they are, those of arms that were searched once
        each hold for the points that were found, and a study whose seeds were added until it was
        settled says of its own what is.
        """
        return testable(self.ds)

    @property
    def drawn(self) -> bool:
        """Whether intervals say how far chance reaches."""
        return drawn(self.ds)

    @property
    def all_diverged(self) -> bool:
        """Whether trials ran and none of them to its end."""
        diverged, ran = (int(self.stability[name].sum()) for name in ("diverged", "trials"))
        return diverged == ran > 0

    @property
    def all_equal(self) -> bool:
        """Whether all arms have the same mean, and means put them in order."""
        equal = self.ranked["equals_best"] & self.ranked["mean"].notnull()
        return self.ranked.attrs["basis"] == "means" and bool(equal.all())

    @cached_property
    def unscored(self) -> NDArray[np.int64]:
        """Trials of each arm that take part in the comparison and have no score."""
        scores = trial_scores(self.ds)
        gone = scores["score"].isnull() & ~scores["unbounded"]
        return self._compared(gone)

    @cached_property
    def unbounded(self) -> NDArray[np.int64]:
        """Trials, or searches, of each arm that take part in the comparison and are worse than any
        number."""
        return self.by_arm(self.compared.lost)

    @property
    def fitted(self) -> list[str]:
        """Arms that lack a score where others have one, so that their means are fitted."""
        pairs = zip(self.ranked_arms, self.ranked["fitted"].values, strict=True)
        return [arm for arm, fitted in pairs if fitted]

    def _compared(self, which: xr.DataArray) -> NDArray[np.int64]:
        used = which & in_comparison(self.ds, self.settings_used)
        return np.asarray(self.flat(used).sum(axis=(1, 2)), np.int64)

    def quality_of(self, arm: str) -> float | None:
        """Share of high-quality samples of an arm; None where the score is no coverage of modes.

        NaN where the study does not record it.
        """
        if self.metric.name != COVERAGE:
            return None
        if QUALITY not in metric_names(self.ds):
            return math.nan
        scores = arm_scores(self.ds, QUALITY, settings=self.settings_used)
        return float(scores["mean"].values[self.arms.index(arm)])

    @property
    def theory(self) -> bool:
        """Whether trials check claims, rather than train a generator."""
        return bool(self.claims.sizes["claim"])

    @property
    def ranked_arms(self) -> list[str]:
        """Labels of the arms, best first."""
        return arm_labels(self.ranked[self.arm])

    def with_status(self, name: str) -> dict[str, int]:
        """Number of trials with a status by arm, for the arms that have any."""
        counts = self.counts.sel(status=name).values.tolist()
        return {arm: count for arm, count in zip(self.arms, counts, strict=True) if count}


def held_out(findings: Findings) -> bool:
    """Whether there are seeds enough to choose a setting on others than are scored."""
    return bool(findings.best["held_out"].notnull().any())
