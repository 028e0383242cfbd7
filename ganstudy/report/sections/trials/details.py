"""What a row of the table of trials opens: its curve and its final samples, in few bytes."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
import xarray as xr
from markupsafe import Markup
from numpy.typing import NDArray

from ganstudy.report.contours import backdrop, features_of, in_a_plane
from ganstudy.report.embedded import as_json, target_path
from ganstudy.report.findings import Findings

Array = NDArray[np.float64]

MOST = 2000
"""Trials whose details are in the page; of more, those of the first seeds."""

POINTS = 128
"""Samples that are drawn of each."""

TOP = 254
"""Largest of the whole numbers that a byte holds; the one above stands for what does not exist."""


def details(findings: Findings) -> dict[str, Any]:
    """Details and arms by row of the table of trials, and what they share; None for what is left
    out.

    Numbers are bytes in base 64: a curve between its `low` and its `high`, and points in pairs in
    a square from its lower left.
    """
    ds, metric = findings.ds, findings.metric
    dims = (findings.arm, *findings.axes, "seed")
    status = ds["status"].transpose(*dims).values
    places = [place for place in np.ndindex(*status.shape) if status[place] != "excluded"]
    curves = ds[metric.name].transpose(*dims, "step").values
    clouds = _clouds(findings, dims)
    targets: dict[str, int] = {}
    known = sorted(range(len(places)), key=lambda row: places[row][-1])[:MOST]
    rows: list[dict[str, Any] | None] = [None] * len(places)
    for row in known:
        place = places[row]
        found = _curve(findings, curves[place])
        if clouds is not None:
            target = str(clouds[0][place])
            found |= _cloud(target, clouds[1].isel(dict(zip(dims, place, strict=True))))
            if "points" in found:
                found["target"] = targets.setdefault(target, len(targets))
        rows[row] = found
    return {
        "metric": metric.long_name,
        "steps": ds["step"].values.tolist(),
        "dims": [dim for dim in dims if dim in ds.attrs["axes"] or dim == "seed"],
        "colours": findings.colours,
        "arms": [place[0] for place in places],
        "targets": [_behind(target) for target in targets],
        "rows": rows,
    }


def note(findings: Findings) -> str:
    """What a row opens, and what the page leaves out."""
    planned = int((findings.ds["status"] != "excluded").sum())
    ds = findings.ds
    drawn = "samples" in ds and ds.sizes["feature"] > 1 and any(map(in_a_plane, findings.targets))
    samples = f" and up to {POINTS} of its final samples over the target" if drawn else ""
    text = f"A row opens the trial's {findings.metric.long_name} over training{samples}."
    if findings.unit != "seed":
        text += f" The column seed has the number of the {findings.unit}."
    if planned > MOST:
        text += (
            f" The page holds these of {MOST:,} of {planned:,} trials, those of the first seeds; "
            "the other rows give the call that finds them."
        )
    return text


def embedded(findings: Findings) -> Markup:
    """`details` as it may stand within a script element."""
    return as_json(details(findings))


def _clouds(findings: Findings, dims: tuple[str, ...]) -> tuple[Array, xr.Variable] | None:
    """Target and samples of every trial, if there are any in two dimensions or more."""
    ds = findings.ds
    if "samples" not in ds or "target_settings" not in ds or ds.sizes["feature"] < 2:
        return None
    targets = xr.broadcast(ds["target_settings"], ds["status"])[0].transpose(*dims).values
    # Read trial by trial, and without coordinates, which cost more than the numbers.
    return targets, ds["samples"].variable


def _curve(findings: Findings, values: Array) -> dict[str, Any]:
    """The curve and its range: that of the metric, or its own where that has no end."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return {}
    low, high = findings.metric.bounds if findings.metric.bounded else (finite.min(), finite.max())
    show = findings.show
    return {
        "curve": _bytes((values - low) / ((high - low) or 1.0)),
        "low": show(float(low)),
        "high": show(float(high)),
        "last": show(float(finite[-1])),
    }


def _cloud(target: str, of_trial: xr.Variable) -> dict[str, Any]:
    """The first samples within the window of the target, and the share of all beyond it."""
    if features_of(target) < 2 or not in_a_plane(target):
        return {}
    samples = of_trial.transpose("sample", "feature").values
    if not np.isfinite(samples).any():
        return {}
    behind = backdrop(target)
    plane = behind.project(samples)
    plane = plane[np.isfinite(plane).all(axis=1)]
    share = (plane - np.asarray(behind.centre)) / (2 * behind.half_width) + 0.5
    inside = ((share >= 0) & (share <= 1)).all(axis=1)
    return {
        "points": _bytes(share[:POINTS][inside[:POINTS]]),
        "outside": math.floor(100 * (1 - inside.mean()) + 0.5),
    }


def _behind(target: str) -> dict[str, Any]:
    behind = backdrop(target)
    centre = np.asarray(behind.centre)
    window = np.stack([centre - behind.half_width, centre + behind.half_width], axis=-1)
    return {"path": target_path(target, window), "dots": behind.points is not None}


def _bytes(shares: Array) -> str:
    """Shares of a range as bytes."""
    whole = np.where(np.isfinite(shares), np.round(TOP * np.clip(shares, 0, 1)), TOP + 1)
    return base64.b64encode(whole.astype(np.uint8).tobytes()).decode()
