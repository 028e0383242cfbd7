"""Recorded curves of a theory study by arm, setting, seed and step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ganstudy.analysis.intervals import known_mean
from ganstudy.report.findings import Findings
from ganstudy.score import TAIL

Array = NDArray[np.float64]


def recorded(findings: Findings, name: str) -> Array:
    """A curve, shape `(arms, settings, seeds, steps)`; NaN where it was not recorded."""
    if name not in findings.ds:
        shape = (len(findings.arms), len(findings.settings), findings.seeds)
        return np.full((*shape, findings.ds.sizes["step"]), np.nan)
    values = findings.flat(findings.ds[name].transpose(..., "seed", "step"))
    return np.asarray(values, dtype=np.float64)


def arrays(findings: Findings) -> Array:
    """The further numbers of every trial, shape `(arms, settings, seeds, rows, columns)`."""
    values = findings.flat(findings.ds["samples"].transpose(..., "seed", "sample", "feature"))
    return np.asarray(values, dtype=np.float64)


def diverged(findings: Findings) -> NDArray[np.bool_]:
    """Which trials diverged, shape `(arms, settings, seeds)`."""
    return np.asarray(findings.flat(findings.ds["status"] == "diverged"), np.bool_)


def tail(curves: Array) -> Array:
    """Mean over the last fifth of the steps, ignoring gaps; NaN where there is nothing."""
    return mean_along(curves[..., -last_steps(curves.shape[-1]) :], -1)


def over_seeds(values: Array) -> Array:
    """Mean over the seeds that have a number, `(arms, settings, seeds, *) -> (arms, settings, *)`.

    A trial that diverged or failed is no reason to be silent about the others; pages say that one
    is left out.
    """
    return mean_along(values, 2)


def mean_along(values: Array, axis: int) -> Array:
    """Mean of the numbers along an axis, NaN where there is none.

    Infinity is a number, as of a slope that overflows, and the mean is infinite then.
    """
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
        return known_mean(values, axis, known=lambda own: ~np.isnan(own))[0]


def last_steps(steps: int) -> int:
    """How many of so many recorded steps are the last fifth."""
    return max(1, round(TAIL * steps))


def name_of(findings: Findings, arm: int, setting: int) -> str:
    """A trial's place in words: its arm, and its setting if there are several."""
    label = setting_name(findings, setting)
    return f"{findings.arms[arm]}, {label}" if label else findings.arms[arm]


def setting_name(findings: Findings, setting: int) -> str:
    """A setting in words; where there is one axis, its value says enough."""
    values = findings.settings[setting]
    return values[0] if len(values) == 1 else findings.setting_label(values)
