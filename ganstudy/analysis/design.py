"""The layout of a grid study: its arms, its settings, and which of them can be compared.

An *arm* is a value of the compared axis; a *setting* is one combination of the values of all other
axes. Some of these are *given*: they change what there is to learn, such as the target, and no arm
could choose their values. Every other module asks this one, so that a study with no axes is not a
special case there.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from ganstudy.analysis.handling import STUDY, of_run, with_arm
from ganstudy.statuses import STATUSES
from ganstudy.variable import SETTINGS

WhichSettings = Literal["shared", "own"]
"""`shared`: only settings planned for every arm, like for like; `own`: all settings of each arm."""

FRESH = "fresh_seed"
"""Axis of repeated searches: trials of one search that differ by their seed alone, not a setting.
"""

OWN = "own"
"""Label of what a run has alone on an axis that other runs beside it have."""


def with_arms(ds: xr.Dataset) -> xr.Dataset:
    """The dataset with a compared axis: a study without axes is a single arm named after it.

    Errors  `ValueError` if the study has axes and does not say which of them it compares.
    """
    compare = str(ds.attrs.get("compare") or "")
    axes = [str(dim) for dim in ds["status"].dims if dim not in ("repeat", "trial", "seed")]
    if compare in axes:
        return ds
    if axes:
        raise ValueError(
            f"`compare` is {compare!r}, which is not an axis of {', '.join(axes)}: keep it, or say"
            f" which is compared, as by ds.assign_attrs(compare={axes[0]!r})"
        )
    alone = ds.assign_coords(study=str(ds.attrs.get("study", "study")))
    return with_arm(alone, "study").assign_attrs(compare="study")


def for_tables(ds: xr.Dataset) -> xr.Dataset:
    """The dataset with a compared axis, for statistics: without what its targets and divergences
    are as JSON, which would be a column of every table that is made of them."""
    return with_arms(ds).drop_vars(SETTINGS, errors="ignore")


def arm_dim(ds: xr.Dataset) -> str:
    """Name of the compared axis."""
    return str(with_arms(ds).attrs["compare"])


@of_run
def setting_dims(ds: xr.Dataset) -> list[str]:
    """Names of all other axes, in study order."""
    return [str(dim) for dim in ds["status"].dims if dim not in (arm_dim(ds), "seed")]


@of_run
def given_dims(ds: xr.Dataset) -> list[str]:
    """Names of the axes that change what there is to learn: no arm could choose their values."""
    given = [*np.atleast_1d(ds.attrs.get("given", [])), STUDY]
    return [dim for dim in setting_dims(ds) if dim in given]


def factor_dims(ds: xr.Dataset) -> list[str]:
    """Names of the axes, the compared one first, whose values are settings."""
    return [arm_dim(ds), *(dim for dim in setting_dims(ds) if dim != FRESH)]


def testable(ds: xr.Dataset) -> bool:
    """Whether what is drawn anew in each seed is all that chance decides.

    It is not where each arm was searched once: a p-value over seeds would hold for the one point
    that was found, and four equal arms would be told apart in nine studies of ten. Nor is it where
    seeds were added as results came in, which `settlement` allows for; nor where all is `computed`.
    """
    if computed(ds) or int(ds.attrs.get("searches", 0)) == 1:
        return False
    return not seeds_added(ds)


def seeds_added(ds: xr.Dataset) -> bool:
    """Whether seeds were added as results came in: in this run, or in any that is compared here."""
    return "settled_by" in ds.attrs or bool(ds.attrs.get("seeds_added", 0))


def chosen_on_seeds(ds: xr.Dataset) -> bool:
    """Whether an arm stands at a point that was chosen on the seeds that score it.

    No interval over these seeds holds then.
    """
    return bool(ds.attrs.get("chosen_on_seeds", 0))


def drawn(ds: xr.Dataset) -> bool:
    """Whether limits say how far chance reaches: not where nothing is drawn by chance, and not
    where points were chosen on the seeds that score them.
    """
    return not (computed(ds) or chosen_on_seeds(ds))


def computed(ds: xr.Dataset) -> bool:
    """Whether a seed chooses where a computation starts, and chance has no other part in it."""
    return bool(ds.attrs.get("deterministic", 0))


@of_run
def planned(ds: xr.Dataset) -> xr.DataArray:
    """Whether the study has this grid point; dims (arm, settings…)."""
    return (for_tables(ds)["status"] != "excluded").any("seed")


@of_run
def in_comparison(ds: xr.Dataset, settings: WhichSettings = "shared") -> xr.DataArray:
    """Whether a grid point takes part in comparisons of arms; dims (arm, settings…).

    Averages over different settings say as much about the settings as about the arms, so `shared`
    keeps only settings that are planned for every arm.

    Errors  `ValueError` if `shared` is asked for and no setting is planned for every arm.
    """
    points = planned(ds)
    if settings == "own":
        return points
    shared = points.all(arm_dim(ds))
    if not bool(shared.any()):
        raise ValueError("no setting is planned for every arm; compare with settings='own'")
    return points & shared


@of_run
def status_counts(ds: xr.Dataset) -> xr.DataArray:
    """Number of trials by status; dims (arm, status), every status present."""
    status = with_arms(ds)["status"]
    over = [*setting_dims(ds), "seed"]
    counts = xr.concat([(status == name).sum(over) for name in STATUSES], dim="status")
    counts = counts.assign_coords(status=list(STATUSES)).transpose(arm_dim(ds), "status")
    return counts.rename("trials").assign_attrs(long_name="number of trials")


def label_text(value: object) -> str:
    """The value of an axis as text: numbers without a decimal tail."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def arm_labels(values: xr.DataArray) -> list[str]:
    """Labels of arms: text stands for itself, plain values after the name of their axis."""
    labels = [label_text(value) for value in values.values.tolist()]
    text = values.dtype.kind in "OUST" and not all(map(_plain, labels))
    return labels if text else [f"{values.name} {label}" for label in labels]


def _plain(label: str) -> bool:
    """Whether a label is a truth value, a number, or that there is none."""
    try:
        float(label)
    except ValueError:
        return label in ("true", "false", "none")
    return True
