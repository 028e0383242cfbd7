"""The scale of a metric: what a perfect generator scores at this sample size, and the worst."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ganstudy.analysis.handling import of_run
from ganstudy.analysis.metric import RecordedMetric, metric_names


@of_run
def perfect_sampler(ds: xr.Dataset) -> xr.Dataset:
    """What every metric says of samples of p itself, and its worst value.

    A perfect generator does not score the value at p = q: its samples are few, and many metrics are
    biased at that size. The gathered dataset holds each metric of twenty clouds of p, as large as
    those of the trials; a score between `low` and `high` is as good as a score gets. Where the
    target differs between points of the grid, the clouds of all targets are taken together.

    Returns  variables (metric,): `mean`, `low` and `high` (the range over clouds), `spread` (their
             standard deviation), `worst` (what a diverged trial scores) and `at_equality`, the
             stated value at p = q. The first four are NaN where the dataset has no clouds of p.
    """
    names = metric_names(ds)
    values = [np.concatenate(_clouds(ds, name) or [np.array([np.nan])]) for name in names]
    facts = [RecordedMetric.of(ds, name) for name in names]
    return xr.Dataset(
        {
            "mean": ("metric", [v.mean() for v in values]),
            "low": ("metric", [v.min() for v in values]),
            "high": ("metric", [v.max() for v in values]),
            "spread": ("metric", [v.std(ddof=1) if v.size > 1 else np.nan for v in values]),
            "worst": ("metric", [fact.worst for fact in facts]),
            "at_equality": ("metric", [fact.perfect for fact in facts]),
        },
        coords={"metric": names},
    )


def differs_by_target(ds: xr.Dataset, name: str) -> bool:
    """Whether what a perfect generator scores depends on the target, by more than rounding."""
    first, *others = _clouds(ds, name) or [np.empty(0)]
    return not all(own.shape == first.shape and np.allclose(own, first) for own in others)


def _clouds(ds: xr.Dataset, name: str) -> list[NDArray[np.float64]]:
    """The metric of clouds of p, an array for each law."""
    stored = f"{name}_perfect"
    if stored not in ds or not ds[stored].size:
        return []
    own = ds[stored]
    own = own if "draw" in own.dims else own.expand_dims("draw")
    laws = own.transpose(..., "draw").values.astype(np.float64).reshape(-1, own.sizes["draw"])
    # Parts of a run that are put together again have what all share at each of them.
    each = {law.tobytes(): law[~np.isnan(law)] for law in laws}
    return [known for known in each.values() if known.size]
