"""Claims: what trials checked of the statements of the source texts, and whether they held."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ganstudy.analysis.best_points import of_arms
from ganstudy.analysis.design import for_tables

FACTS = ("long_name", "claim", "source", "tolerance", "printed")


@of_arms
def claim_verdicts(ds: xr.Dataset) -> xr.Dataset:
    """Every claim of a dataset, and how it fared over all trials that could check it.

    A trial records the error of a claim and the tolerance that its computation explains; the claim
    holds in it if error <= tolerance. The worst trial is the one with the largest error relative to
    its tolerance.

    Returns  variables (claim,): `trials` (that checked it), `held` (trials in which it held),
             `unchecked` (trials that have a tolerance for it, and an error that is no number),
             `error` and `tolerance` of the worst trial, and the texts `long_name`, `statement`,
             `source`, `reason` (of the tolerance) and `printed` (a statement as printed that is
             held to be a slip). No claims, no entries.
    """
    ds = for_tables(ds)
    names = [str(name) for name in ds.data_vars if ds[name].attrs.get("role") == "claim"]
    rows = [_verdict(ds, name) for name in names]
    columns = ("trials", "held", "unchecked", "error", "tolerance")
    numbers = np.array(rows, dtype=np.float64).reshape(len(names), len(columns))
    variables = {key: ("claim", numbers[:, i]) for i, key in enumerate(columns)}
    texts = {
        key: ("claim", np.array([ds[name].attrs[fact] for name in names], dtype=object))
        for key, fact in zip(
            ("long_name", "statement", "source", "reason", "printed"), FACTS, strict=True
        )
    }
    return xr.Dataset({**variables, **texts}, coords={"claim": np.array(names, dtype=object)})


def _verdict(ds: xr.Dataset, name: str) -> tuple[int, int, int, float, float]:
    error = ds[name].values.astype(np.float64).ravel()
    tolerance = ds[f"{name}_tolerance"].values.astype(np.float64).ravel()
    checked = ~np.isnan(error)
    unchecked = int((~checked & ~np.isnan(tolerance)).sum())
    error, tolerance = error[checked], tolerance[checked]
    if not error.size:
        return 0, 0, unchecked, np.nan, np.nan
    single = np.finfo(np.float32)
    worst = np.argmax(error / np.clip(tolerance, single.tiny, single.max))
    # Beyond single precision an error is infinite in the record, and then nothing is known.
    held = int(((error <= tolerance) & np.isfinite(error)).sum())
    return error.size, held, unchecked, error[worst], tolerance[worst]
