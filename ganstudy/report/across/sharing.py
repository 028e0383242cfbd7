"""What is left of differences between arms once another axis is the same for all."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from markupsafe import Markup

from ganstudy.analysis import (
    RecordedMetric,
    arm_dim,
    is_search,
    of_study,
    spread_of_arms,
    study_effects,
)
from ganstudy.analysis.studies import grid_axes, tested
from ganstudy.report import prose
from ganstudy.report.across import words
from ganstudy.report.across.words import share, value
from ganstudy.report.prose import Sentence


def shared(ds: xr.Dataset, name: str) -> list[Sentence]:
    """How far arms are apart at each label of every other axis."""
    said = []
    for axis in further_axes(ds):
        labels = ds[axis].values.tolist()
        found = spread_of_arms(ds, axis)
        call = f"analysis.spread_of_arms({name}, {axis!r})"
        for study in ds["study"].values.tolist():
            own, one = found.sel(study=study), of_study(ds, study)
            fact = RecordedMetric.of(one)
            if not np.isfinite(own["spread"]).all():
                text = Markup("On {} fewer than three {} have a finite score of every arm.")
                text = text.format(study, prose.several(words.one(ds)))
                said.append(Sentence(text, f"{call}.sel(study={study!r})"))
                continue
            shown = []
            for label in labels:
                row = own.sel({axis: label}).rename(spread="mean")
                shown.append(f"{value(one, fact, row)} with {axis} {label}")
            grade = own["grade"].sel({axis: labels[0], "to": labels[-1]}).item()
            text = Markup("On {} the {} are apart in {} by {}{}.").format(
                study,
                prose.several(arm_dim(ds)),
                fact.long_name,
                prose.listing(shown),
                f": the difference is {grade}" if grade else "",
            )
            said.append(Sentence(text, f"{call}.sel(study={study!r})"))
        if tested(ds).any():
            said.append(Sentence(_apart(ds, found, axis), call))
        said += explained(ds, name, axis)
    return said


def _apart(ds: xr.Dataset, found: xr.Dataset, axis: str) -> Markup:
    """How many pairs of arms at least lean, at each label of another axis."""
    labels = ds[axis].values.tolist()
    apart = found["told_apart"].sum("study").values.tolist()
    vanished = int(found["vanished"].sel({axis: labels[0], "to": labels[-1]}).sum())
    be = "is" if vanished == 1 else "are"
    gone = f"; {vanished} of those with {labels[0]} {be} open with {labels[-1]}"
    return Markup("Over all targets{}, of {} of {} the lead is clear or leans in {}{}.").format(
        "" if tested(ds).all() else " that are tested",
        prose.plural(int(found["pairs_of_all"]), "pair"),
        prose.several(arm_dim(ds)),
        prose.listing(f"{n} with {axis} {x}" for n, x in zip(apart, labels, strict=True)),
        gone if apart[0] else "",
    )


def explained(ds: xr.Dataset, name: str, axis: str) -> list[Sentence]:
    """What the arms and another axis explain of the variance on each target."""
    found = study_effects(ds)
    said = []
    for effect in (arm_dim(ds), axis):
        if effect not in found["effect"].values:
            continue
        own = found.sel(effect=effect)
        parts = [
            f"{share(own.sel(study=study), 'share')} on {study}"
            for study in ds["study"].values.tolist()
            if math.isfinite(float(own["share"].sel(study=study)))
        ]
        if not parts:  # all scores are equal
            continue
        at = " at the points that searches chose" if is_search(ds) else ""
        text = Markup("Of the variance of scores{}, {} explains {}.")
        text = text.format(at, effect, prose.listing(parts))
        said.append(Sentence(text, f"analysis.study_effects({name}).sel(effect={effect!r})"))
    return said


def further_axes(ds: xr.Dataset) -> list[str]:
    """Axes of the grid beside that of the arms, such as their constraint."""
    return [axis for axis in grid_axes(ds) if axis != arm_dim(ds) and ds.sizes[axis] > 1]
