"""Arms beyond their means: middles of distributions, chances to be better, and ranks."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup

from ganstudy.analysis import compare_by_resampling, interquartile_mean, rank_table
from ganstudy.report import prose
from ganstudy.report.findings import Findings
from ganstudy.report.sections.trials import Table


def table(findings: Findings) -> Table:
    """Arms in the order of the ranking, compared with the best."""
    used = findings.settings_used
    middle = interquartile_mean(findings.ds, settings=used)
    pairs = compare_by_resampling(findings.ds, settings=used)
    ranks = rank_table(findings.ds, settings=used)
    order = [findings.arms.index(arm) for arm in findings.ranked_arms]
    best = order[0]
    rows = []
    for index in order:
        numbers = [
            float(middle[index]),
            float(ranks["rank"][index]),
            *(float(pairs[name][index, best]) for name in ("improvement", "low", "high", "p")),
        ]
        if index == best:
            numbers[2:] = [math.nan] * 4
        cells = [value if np.isfinite(value) else None for value in numbers]
        rows.append([findings.arms[index], *cells])
    headings = [
        findings.arm,
        "interquartile mean",
        "mean rank",
        f"chance to beat {findings.arms[best]}",
        "bootstrap difference, low",
        "high",
        "permutation p",
    ]
    return Table(headings, [None] * len(headings), rows)


def note(findings: Findings) -> Markup:
    """What the columns are, and what the ranks can decide."""
    ranks = rank_table(findings.ds, settings=findings.settings_used)
    critical, blocks = float(ranks["critical_difference"]), int(ranks["blocks"])
    text = Markup(
        "Interquartile mean: of the middle half of the trials. Chance to beat: share of trials, "
        "paired by setting and seed, that are better, ties counting half. Bootstrap: BCa interval "
        "over seeds, which is too narrow for few seeds. Permutation p: sign flips of seeds, Holm "
        "over all pairs; with {} it cannot be below {}."
    ).format(prose.plural(findings.seeds, "seed"), prose.short(0.5 ** (findings.seeds - 1)))
    if math.isfinite(critical):
        text += Markup(
            " Mean ranks over {} differ if they are {} apart (Nemenyi, 5% level; Friedman p = {})."
        ).format(
            prose.plural(blocks, "seed"), prose.short(critical), prose.short(float(ranks["p"]))
        )
    return text
