"""What the features of samples are called, and in which units the data came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.targets import RowsTarget
from ganstudy.variable import FEATURES

if TYPE_CHECKING:
    import xarray as xr

    from ganstudy.search import Search

__all__ = ["with_features"]


def with_features(dataset: xr.Dataset, plan: Search) -> xr.Dataset:
    """The dataset with named features, where all trials have the same data and these have names."""
    targets = {getattr(t.configuration, "target", None) for t in plan.trials.values()}
    target = targets.pop() if len(targets) == 1 else None
    features = target.features if isinstance(target, RowsTarget) else None
    if features is None or dataset.sizes.get("feature") != len(features.names):
        return dataset
    named = dataset.assign_coords(feature=list(features.names))
    named["feature"].attrs["long_name"] = f"columns of {target.source}"  # type: ignore[union-attr]  # it has features
    values = zip(FEATURES, (features.mean, features.scale), strict=True)
    return named.assign({own.name: (own.dims, column) for own, column in values})
