"""Which parameters of a search decide, and whether chance explains what is seen."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.budget import eligible, parameters_of, point_scores
from ganstudy.analysis.design import for_tables
from ganstudy.analysis.handling import of_search
from ganstudy.analysis.metric import RecordedMetric
from ganstudy.search.bayes.samplers import Known, to_study
from ganstudy.study.space import AnyParameter, Choice

Array = NDArray[np.float64]

FEWEST = 8
"""Points with a value below which importances are not computed."""
BEST = 0.25
"""Share of points that importances compare with all of them; of 40 points, ten."""
PERMUTATIONS = 59
"""Enough for an exact level of 5 %; each takes some milliseconds for every arm."""


@of_search
def importances(
    ds: xr.Dataset, metric: str | None = None, *, permutations: int = PERMUTATIONS
) -> xr.Dataset:
    """How much each parameter decides whether a point is among the best quarter of its arm.

    Shares sum to one, whether or not there is anything to share: of 40 points of pure noise the
    largest of three is 0.6 on average. The scores of all arms are therefore dealt out among their
    points anew, `permutations` times, and the largest share of any parameter and arm is noted. `p`
    is how often it is at least the share seen (with the data themselves among the permutations),
    and so holds for the largest of all shares. A sampler visits good regions more often, which
    blurs importances: compare those of one arm with each other, and do not read small differences.

    NaN for an arm with fewer than `FEWEST` points with a value, or whose best quarter is all of
    them, for ties.
    Points that may not be chosen have none. Repeated searches of an arm count as one.

    Returns  variables (axes..., parameter): `share`, `p`; and `by_chance`, the share that the
             largest one reaches by chance in one case of twenty; NaN without permutations.
    Source   Watanabe et al. 2023, "PED-ANOVA", as in `optuna.importance`; Westfall and Young 1993,
             "Resampling-based multiple testing", for the largest statistic.
    """
    ds, fact = for_tables(ds), RecordedMetric.of(ds, metric)
    own = [dim for dim in ("repeat", "trial") if dim in ds.dims]
    told = point_scores(ds, metric).where(eligible(ds)).transpose(..., *own)
    space = parameters_of(ds)
    columns = [ds[p.dimension].broadcast_like(told).transpose(*told.dims).values for p in space]
    axes, shape = told.dims[: -len(own)], told.shape[: -len(own)]

    def name(arm: tuple[int, ...]) -> list[tuple[str, str]]:
        return sorted((str(d), str(told[d].values[at])) for d, at in zip(axes, arm, strict=True))

    searches = {}
    # By name, so that scores are dealt out alike whatever is written first in the study.
    for arm in sorted(np.ndindex(*shape), key=name):
        scores = told.values[arm].ravel()
        kept = np.flatnonzero(np.isfinite(scores))
        lower = np.sort(-fact.sign * scores[kept])
        if len(kept) >= FEWEST and lower[math.ceil(BEST * len(lower)) - 1] < lower[-1]:
            values = [column[arm].ravel()[kept] for column in columns]
            searches[arm] = _Points(space, values, -fact.sign * scores[kept])
    rng = np.random.default_rng(0)
    shares = np.full((*shape, len(space)), np.nan)
    for arm, points in searches.items():
        shares[arm] = points.shares(points.scores)
    dealt = np.array(
        [
            max(points.shares(rng.permutation(points.scores)).max() for points in searches.values())
            for _ in range(permutations if searches else 0)
        ]
    )
    as_large = (dealt[:, None] >= shares.ravel() - 1e-12).sum(axis=0).reshape(shares.shape)
    p = np.where(np.isfinite(shares), (1 + as_large) / (1 + len(dealt)), np.nan)
    dims = (*axes, "parameter")
    return xr.Dataset(
        {
            "share": (dims, shares, {"long_name": "importance"}),
            "p": (dims, p if len(dealt) else np.full_like(p, np.nan), {"long_name": "p-value"}),
            "by_chance": np.quantile(dealt, 0.95, method="higher") if len(dealt) else np.nan,
        },
        coords={d: told[d] for d in dims[:-1]} | {"parameter": [p.dimension for p in space]},
        attrs={"metric": fact.name, "permutations": len(dealt)},
    )


class _Points:
    """The points of one arm, whose scores can be dealt out anew.

    columns  of each parameter, its value at each point
    scores   of each point, lower is better: Optuna takes no direction beside a target
    """

    def __init__(
        self,
        space: Sequence[AnyParameter],
        columns: Sequence[NDArray[np.generic]],
        scores: Array,
    ) -> None:
        self.scores = scores
        self.space = space
        known = []
        for number, score in enumerate(scores):
            point = {p.name: _plain(p, own[number]) for p, own in zip(space, columns, strict=True)}
            here = {name: value for name, value in point.items() if value is not None}
            known.append(Known(here, (float(score),)))
        self.varied = [p.name for p in space if len({str(k.point.get(p.name)) for k in known}) > 1]
        self.study = to_study(space, ["minimize"], known)

    def shares(self, scores: Array) -> Array:
        """Importance of each parameter, were these the scores; 0 for one that does not vary."""
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        with warnings.catch_warnings():
            # That low values are sought is meant.
            warnings.filterwarnings("ignore", message="PedAnovaImportanceEvaluator computes")
            found = get_param_importances(
                self.study,
                evaluator=PedAnovaImportanceEvaluator(target_quantile=BEST),
                params=self.varied,
                target=lambda trial: float(scores[trial.number]),
            )
        return np.array([found.get(parameter.name, 0.0) for parameter in self.space])


def _plain(parameter: AnyParameter, value: object) -> object:
    """A stored value as the parameter has it; None where it took no part."""
    if isinstance(parameter, Choice):
        # Numbers are stored as floats: 1.0 is the label 1. NaN and empty text are none.
        return {label: label for label in parameter.labels}.get(value)
    number = float(str(value))
    if np.isnan(number):
        return None
    return int(number) if parameter.whole else number
