"""The search behind the arms: what it tried, what it found, and how far that can be trusted."""

from __future__ import annotations

import math
from itertools import compress
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from ganstudy.analysis import status_counts
from ganstudy.analysis.budget_curve import drawn_by
from ganstudy.report import latex, prose
from ganstudy.report.differences import MOST_LISTED
from ganstudy.report.findings import Findings
from ganstudy.report.prose import Sentence
from ganstudy.report.searched import Searched
from ganstudy.report.sections._base import Chart, Section
from ganstudy.report.sections.search import figures, importances, parallel
from ganstudy.report.sections.search.figures import found_in
from ganstudy.report.sections.search.tables import (
    best_table,
    front_table,
    point_table,
    tried_values,
)
from ganstudy.search.bayes.samplers import SAMPLERS
from ganstudy.statuses import INCOMPLETE


def sentence(searched: Searched) -> Markup:
    """What stands behind every number of the page: tuned arms, and on which seeds they are scored.

    What one search of an arm found is one draw, however many seeds score it: no arms are told apart
    by it.
    """
    counts = status_counts(searched.ds).sum(str(searched.ds.attrs["compare"]))
    lost = {
        status: int(count)
        for status, count in zip(counts["status"].values.tolist(), counts.values, strict=True)
        if count and status in INCOMPLETE
    }
    one, name = len(searched.groups) == 1, drawn_by(searched.ds)
    sampler = SAMPLERS.get(name)  # None of one that this version does not know
    text = Markup("{} shown at the best of its {}, as {} found it{}{}").format(
        "The study is" if one else "Each arm is",
        searched.budget,
        sampler.called if sampler else name,
        ", which draws the first at random" if sampler and sampler.learns else "",
        "" if one else _budgets(searched) + _untuned(searched),
    )
    if lost:
        named = prose.listing(f"{count} {status}" for status, count in lost.items())
        noun = "trial" if sum(lost.values()) == 1 else "trials"
        text += Markup(" ({} {} among all points)").format(named, noun)
    text += _constrained(searched) + _unmeasured(searched)
    if searched.repeats > 1:
        return text + Markup(
            ". {} was searched {} times, with other draws and other seeds, and the best point of "
            "each search{} is scored on {}, which no search has seen: what is averaged and tested "
            "here are whole searches."
        ).format(
            "It" if one else "Each",
            searched.repeats,
            searched.chosen_by,
            prose.plural(searched.fresh, "fresh seed"),
        )
    text += _scored(searched)
    if len(searched.groups) > 1:
        text += Markup(
            " Each was searched once. Another search would have found other points, and how much "
            "that changes is not known: no arm is told apart from another."
        )
    return text


def _budgets(searched: Searched) -> Markup:
    """Whether all arms had the same budget, as the end of a sentence."""
    if searched.fewest == searched.tried.max():
        return Markup("; all arms had this budget")
    text = Markup("; the budget is {} for all arms, and the space of those with fewer has no more")
    return text.format(searched.points)


def _untuned(searched: Searched) -> Markup:
    """Parameters of which some searches tried one value only, as the end of a sentence.

    What was recorded before a parameter was added has the value that was fixed then, and is part
    of the budget.
    """
    names: dict[tuple[str, ...], list[str]] = {}
    for name, tried in tried_values(searched).items():
        alone = [len(own) == 1 and None not in own for own in tried]
        if any(alone) and any(len(own - {None}) > 1 for own in tried):
            names.setdefault(tuple(_named(searched, alone)), []).append(name)
    text = Markup("; {} tried one value only of {}, others several")
    return Markup("").join(
        text.format(prose.names(prose.first_of(searches, MOST_LISTED, "")), prose.listing(own))
        for searches, own in names.items()
    )


def _named(searched: Searched, which: ArrayLike) -> list[str]:
    """Names of some searches; of an arm all of whose searches they are, its own."""
    named: list[str] = []
    for group, name in enumerate(searched.groups):
        own = slice(group * searched.repeats, (group + 1) * searched.repeats)
        these = np.asarray(which)[own]
        named += [name] if these.all() else compress(searched.rows[own], these)
    return named


def _scored(searched: Searched) -> Markup:
    """How optimistic the scores of a single search are."""
    if searched.fresh:
        return Markup(". The best point{} is scored on {}, which the search has not seen.").format(
            searched.chosen_by, prose.plural(searched.fresh, "fresh seed")
        )
    text = Markup(". Points are chosen on the seeds that score them, which is optimistic")
    held = searched.by_row(searched.best["held_out"])[:, -1].astype(float)
    order = np.argsort(-searched.metric.sign * np.where(np.isfinite(held), held, -np.inf))
    if np.isfinite(held).any():
        known = [
            f"{prose.quoted(searched.rows[row])} {searched.show(held[row])}"
            for row in order
            if math.isfinite(held[row])
        ]
        best = prose.listing(prose.first_of(known, MOST_LISTED, "in the table below"))
        text += Markup("; with each seed's point chosen on the other seeds: {}").format(best)
    return text + Markup(".")


def call(searched: Searched) -> str:
    """The expression that returns the numbers of the sentence."""
    best = "analysis.best_by_budget(searched)[['held_out']].isel(trial=-1)"
    counted = "points=searched.sizes['trial'], trials=analysis.status_counts(searched)"
    if searched.fewest < searched.points:
        counted += ", tried=(searched['status'] != 'excluded').any('seed').sum('trial')"
    if searched.constraints:
        counted += ", kept=analysis.eligible(searched), known=analysis.all_measured(searched)"
    if searched.fresh:
        counted += ", repeats=searched.sizes['repeat'], fresh=searched['fresh'].sum()"
    return f"{best}.assign({counted})"


def _constrained(searched: Searched) -> Markup:
    """What the constraints left, as the end of a sentence; empty without constraints."""
    if not searched.constraints:
        return Markup("")
    kept, known = searched.eligible, searched.measured
    keeping = int(kept.sum())
    text = Markup(", of points with {}, which {} of {}{} {}").format(
        prose.listing(searched.constraints),
        keeping,
        known.sum(),
        searched.ended,
        "does" if keeping == 1 else "do",
    )
    none = _named(searched, known.any(axis=1) & ~kept.any(axis=1))
    if none:
        text += Markup("; no point of {} does, and it is shown at the one that fails least").format(
            prose.listing(none)
        )
    return text


def _unmeasured(searched: Searched) -> Markup:
    """Searches with scores but no point of which all was measured, as the end of a sentence."""
    scored = np.isfinite(searched.by_row(searched.told).astype(float)).any(axis=1)
    none = _named(searched, scored & ~searched.measured.any(axis=1))
    if not none:
        return Markup("")
    text = Markup("; no point of {} could be measured in all that is sought, and it {}")
    return text.format(
        prose.listing(none), "has no score" if searched.fresh else "is shown at its first"
    )


def _no_search(findings: Findings) -> str:
    return "the study is a grid, not a search" if findings.searched is None else ""


def _no_importances(findings: Findings) -> str:
    known = findings.searched is None or importances.exceeds(findings.searched)
    return _no_search(findings) or (
        "" if known else "no parameter decides more than chance explains"
    )


def _no_lines(findings: Findings) -> str:
    return _no_search(findings) or parallel.missing(found_in(findings))


def _no_front(findings: Findings) -> str:
    known = findings.searched is None or figures.has_front(findings.searched)
    return _no_search(findings) or ("" if known else "the search has one objective")


def _settings(findings: Findings) -> list[str]:
    return found_in(findings).settings


class SearchSection(Section):
    """What was tried and found, which parameters matter, and the Pareto front."""

    place = 50
    label = "Search"
    charts = (
        Chart(
            "budget",
            """What a search of k points finds, with held-out scores.

            Left, or on `ax`: `analysis.budget_curve`; right: every point. Of a sampler that learns,
            or beside a pruner, a single search has no curve, and `ax` has the points.
            """,
            lambda findings: figures.draw_budget(findings),
            lambda axes, findings: figures.draw_budget_on(axes, findings),
            missing=_no_search,
            legend="markers",
            settings=_settings,
        ),
        Chart(
            "importances",
            """How much each parameter of a search decides (`analysis.importances`).""",
            lambda findings: importances.draw(found_in(findings)),
            lambda axes, findings: importances.draw_on(axes, found_in(findings)),
            missing=_no_importances,
            single=True,
            legend="colours",
            settings=_settings,
        ),
        Chart(
            "parallel_coordinates",
            """Every point of a search as a line through its parameters to its objectives.""",
            lambda findings: parallel.draw(found_in(findings)),
            lambda axes, findings: parallel.draw_on(axes, found_in(findings)),
            missing=_no_lines,
            single=True,
            legend="lines",
            settings=_settings,
        ),
        Chart(
            "pareto",
            """All points of a search by its first two objectives, with each arm's Pareto front.""",
            lambda findings: figures.draw_pareto(found_in(findings)),
            lambda axes, findings: figures.draw_pareto_on(axes, found_in(findings)),
            missing=_no_front,
            single=True,
            legend="markers",
            settings=_settings,
        ),
    )

    def sentences(self) -> list[Sentence]:
        """That arms are tuned, and chosen on their own seeds."""
        found = found_in(self.findings)
        said = [Sentence(sentence(found), call(found))]
        if decisive := importances.sentence(found):
            said.append(Sentence(decisive, importances.CALL))
        return said

    def files(self) -> dict[str, str]:
        """All points; the best of each arm, and the front, for a paper."""
        findings, found = self.findings, found_in(self.findings)
        caption = f"The best of {found.budget} of each search, chosen on its own seeds."
        written = {
            "points.csv": point_table(found, findings.arm).csv(),
            "best_points.tex": latex.by_arm(findings, best_table(found), caption, "best_points"),
        }
        if front := front_table(found):
            caption = (
                "Points that no other one of their arm matches in every objective and beats in one."
            )
            written["pareto.tex"] = latex.by_arm(findings, front, caption, "pareto")
        return written

    def facts(self) -> dict[str, Any]:
        """The best point of each arm, those on the front, and the lines of all points."""
        found = found_in(self.findings)
        lines = None if parallel.missing(found) else parallel.embedded(found)
        return {"best": best_table(found), "front": front_table(found), "parallel": lines}
