"""How far one target predicts another, and which metrics agree."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from markupsafe import Markup

from ganstudy.analysis import (
    metric_agreement,
    rank_agreement,
)
from ganstudy.report import prose
from ganstudy.report.across.words import one, share
from ganstudy.report.prose import Sentence


def predicts(ds: xr.Dataset, name: str) -> list[Sentence]:
    """How often the ranking of one target is that of another."""
    found = rank_agreement(ds)
    names = ds["study"].values.tolist()
    pairs = [(first, two) for i, first in enumerate(names) for two in names[i + 1 :]]
    if not pairs or not math.isfinite(float(found["same_way_across"])):
        return []
    same = {pair: found.sel(study=pair[0], other=pair[1]) for pair in pairs}
    order = sorted(pairs, key=lambda pair: float(same[pair]["same_way"]))

    def shown(pair: tuple[str, str]) -> str:
        return f"{pair[0]} and {pair[1]} {share(same[pair], 'same_way', 'same_low', 'same_high')}"

    text = Markup(
        "Of two arms, the one that one {0} finds better on one target is the better by a {0} on "
        "another in {1} of pairs, on average over pairs of targets"
    ).format(one(ds), prose.percent(float(found["same_way_across"])))
    if math.isfinite(within := float(found["same_way_within"])):
        again = Markup("; by another {} of the same target in {}")
        text += again.format(one(ds), prose.percent(within))
    text += Markup(". Guessing is right in half.")
    if len(order) > 1:
        alike = Markup(" Least alike are {}, most alike {}.")
        text += alike.format(shown(order[0]), shown(order[-1]))
    return [Sentence(text, f"analysis.rank_agreement({name})")]


def metrics(ds: xr.Dataset, name: str) -> list[Sentence]:
    """Which pairs of metrics order trials alike, and which do not."""
    found = metric_agreement(ds)
    metrics = found["metric"].values.tolist()
    mean = found["mean"].values
    pairs = [
        (int(i), int(j))
        for i, j in zip(*np.triu_indices(len(metrics), 1), strict=True)
        if math.isfinite(mean[i, j])
    ]
    if not pairs:
        return []
    order = sorted(pairs, key=lambda at: -mean[at])

    def shown(at: tuple[int, int]) -> str:
        row = found.isel(metric=at[0], other=at[1])
        ends = [float(row[f"mean_{end}"]) for end in ("low", "high")]
        told, low, high = prose.numbers([float(mean[at]), *ends])
        pair = f"{metrics[at[0]]} and {metrics[at[1]]} {told}"
        limits = f"{low} to {high}; " if math.isfinite(ends[0]) else ""
        return f"{pair} ({limits}{prose.plural(int(row['studies']), 'target')})"

    text = Markup(
        "Over the trials that ran to their end, metrics order them alike (Spearman's correlation): "
        "most {}; least {}."
    ).format(prose.listing(map(shown, order[:3])), prose.listing(map(shown, order[:2:-1][:3])))
    if len(order) <= 3:
        text = Markup(
            "Over the trials that ran to their end, metrics order them alike (Spearman's "
            "correlation): {}."
        ).format(prose.listing(map(shown, order)))
    return [Sentence(text, f"analysis.metric_agreement({name})")]
