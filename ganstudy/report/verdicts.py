"""One sentence that answers the study, with its grade, for each kind of answer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from markupsafe import Markup

from ganstudy.analysis.design import factor_dims, seeds_added
from ganstudy.report import accounted, explained, prose, reference
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import QUALITY, Findings
from ganstudy.report.prose import STRONG
from ganstudy.report.sections import claims, effects, settled
from ganstudy.report.sections import ranking as ranked_section
from ganstudy.report.sections.search import figures as budget


@dataclass(frozen=True)
class Verdict:
    """The sentence, the expression that its numbers come from, and how sure it is.

    grade  `clear`, `leaning` or `open`; empty where nothing was tested
    """

    text: Markup
    call: str
    grade: str = ""


def verdict(findings: Findings) -> Verdict:
    """The answer of the kind that the study wants."""
    if findings.answer == "claims" and bool(findings.claims["trials"].any()):
        return Verdict(claims.lead(findings.claims), claims.call(findings.claims))
    if findings.answer == "effects" and explained.drawable(findings):
        return effect(findings)
    if findings.settlement is not None:
        return Verdict(settled.lead(findings), settled.LEAD_CALL)
    return ranking(findings)


def picture(findings: Findings) -> Drawing | None:
    """Arms with their intervals and seeds, what explains the score, or what a budget finds.

    A study of claims shows the classical pictures of its kind, further down.
    """
    if findings.answer == "claims" or not np.isfinite(findings.ranked["mean"]).any():
        return None
    if findings.answer == "effects" and explained.drawable(findings):
        return effects.draw_shares(findings)
    if findings.searched and findings.answer == "budget" and budget.has_curve(findings.searched):
        return budget.draw_curve(findings)
    return ranked_section.draw_arms(findings)


def ranking(findings: Findings) -> Verdict:
    """Which arm is best, how good it is, and how it stands to the others."""
    ranked = findings.ranked
    call = _call(findings)
    if not np.isfinite(ranked["mean"]).any():
        return Verdict(Markup("No trial has a score, so the question stays open."), call)
    if findings.all_diverged:
        return Verdict(Markup("Every trial that ran diverged, so no arm can be named best."), call)
    name = findings.metric.long_name
    row = ranked.isel({findings.arm: 0})
    value = with_interval(findings, row)
    first = _first(findings)
    average = _average(findings, first)
    good = quality(findings, [findings.quality_of(arm) for arm in first])
    single, by_wins = len(findings.arms) == 1, ranked.attrs["basis"] == "wins"
    if single or not (by_wins or np.isfinite(ranked["mean"].values[1:]).any()):
        text = Markup("{} reaches {} in {}{}{}{}.").format(
            STRONG.format(first[0]),
            value,
            name,
            average,
            good,
            accounted.alone(findings) if single else "; no other arm has a score",
        )
        return Verdict(text, call)
    if findings.all_equal:
        text = Markup("{} {} in {}, with {}{}{}: no arm wins.")
        how = "have the worst score" if reference.all_worst(findings) else "do equally well"
        grade = "open" if findings.graded and findings.seeds > 1 else ""
        every = "Both arms" if len(first) == 2 else f"All {len(first)} arms"
        value = with_interval(findings, row.assign(low=math.nan))
        return Verdict(text.format(every, how, name, value, average, good), call, grade)
    better = "" if findings.metric.higher_is_better else " (lower is better)"
    relations, grade = _relations(findings, first)
    verb = "wins most often" if by_wins else "ranks first"
    if len(first) > 1:
        verb, value = _shared(findings, len(first))
        first = [prose.quoted(arm) for arm in first]
    text = Markup("{} {} in {}{}, with {}{}{}{}{}.").format(
        prose.listing(map(STRONG.format, first)),
        verb,
        name,
        better,
        value,
        average,
        good,
        relations,
        accounted.beside(findings),
    )
    return Verdict(text, call, grade)


def _first(findings: Findings) -> list[str]:
    """The best arm and those that equal it, in order."""
    equal = findings.ranked["equals_best"].values
    return [arm for arm, its in zip(findings.ranked_arms, equal, strict=True) if its]


def _average(findings: Findings, first: list[str]) -> str:
    """What the means of the best arms are over, where they are averages."""
    over = findings.averaged_over
    if findings.ranked.attrs["basis"] == "wins":
        # An arm that has lost all trials of a setting has a mean over the others alone.
        counts = [int(findings.spanned[findings.arms.index(arm)]) for arm in first]
        same = len(set(counts)) == 1
        told = prose.listing(map(str, counts))
        over = prose.plural(counts[0], "setting") if same else f"{told} settings"
        if _partly(findings, first):
            over = f"what survived of {over}"
    return "" if findings.averaged_settings == 1 else f" on average over {over}"


def _partly(findings: Findings, arms: list[str]) -> bool:
    """Whether one of these arms has lost trials of settings that are in its mean."""
    lost = findings.compared.lost & findings.compared.spanned
    return bool(findings.by_arm(lost)[[findings.arms.index(arm) for arm in arms]].any())


def _shared(findings: Findings, count: int) -> tuple[str, Markup]:
    """How so many arms share the first place, and their means, which by wins may differ."""
    ranked = findings.ranked.isel({findings.arm: slice(count)})
    if ranked.attrs["basis"] == "means":
        row = ranked.isel({findings.arm: 0}).assign(low=math.nan)
        return "rank first, equally,", with_interval(findings, row)
    verb = "win equally often" if count == len(findings.arms) else "win most often, equally,"
    means = findings.together(ranked["mean"].values.tolist())
    return verb, prose.listing(map(STRONG.format, means))


def effect(findings: Findings) -> Verdict:
    """Which axis explains more of the score than others, and how it stands to them."""
    found = findings.effects
    found = found.isel(effect=np.isfinite(found["share"].values))
    single = [name for name in found["effect"].values.tolist() if name in factor_dims(findings.ds)]
    share = {name: float(found["share"].sel(effect=name)) for name in single}
    order = sorted(single, key=lambda name: -share[name])
    pairs = findings.compared_effects
    grades = {
        name: str(pairs["grade"].sel(effect=order[0], other=name).item()) for name in order[1:]
    }
    first = [name for name in order if share[order[0]] - share[name] <= prose.ROUNDING]
    shown = {name: explained.with_interval(findings, found.sel(effect=name)) for name in order}
    others = prose.listing(f"{name} {shown[name]}" for name in order if name not in first)
    name = findings.metric.long_name
    if share[order[0]] <= 0:
        every = prose.listing(f"{axis} {own}" for axis, own in shown.items())
        text = Markup("No axis explains any of the variance of {}: {}").format(name, every)
    else:
        how, rest = "explains more of" if others else "explains part of", " than any other axis"
        if len(first) > 1:
            how, rest = "explain equally much of", ", more than any other axis"
        told = dict.fromkeys(STRONG.format(shown[axis]) for axis in first)
        text = Markup("{} {} the variance of {}{}: {}{}").format(
            prose.listing(map(STRONG.format, first)),
            how,
            name,
            rest if others else "",
            prose.listing(told) + (" each" if len(told) < len(first) else ""),
            Markup("; {}").format(others) if others else "",
        )
        stands = {axis: grade for axis, grade in grades.items() if axis not in first}
        text += _standing(stands) if any(grades.values()) or not grades else _untested(findings)
    call = "analysis.factor_effects(ds).assign(lead=analysis.compare_effects(ds)['grade'])"
    return Verdict(text + Markup("."), call, prose.least_sure(grades.values()))


def with_interval(findings: Findings, row: xr.Dataset) -> Markup:
    """`7.39 of 8 (95 % interval over 5 seeds, 7.21 to 7.57)`, `0.2 (q = p has 0)`.

    The interval is that of a fixed number of seeds, and only told of such.
    """
    metric = findings.metric
    mean, *ends = findings.together([float(row[name]) for name in ("mean", "low", "high")])
    value = STRONG.format(mean)
    top = metric.bounds[1]
    beside = []
    if metric.higher_is_better and metric.perfect == top and top != 1:
        value = Markup("{} of {}").format(value, prose.short(top))
    elif math.isfinite(metric.perfect):
        # What a theory aims at need not be a generator: an estimate may be without error.
        goal = "the goal is {}" if findings.theory else "q&nbsp;=&nbsp;p has {}"
        beside.append(Markup(goal).format(prose.short(metric.perfect)))
    fixed = findings.drawn and not seeds_added(findings.ds)
    if math.isfinite(float(row["low"])) and fixed:
        interval = Markup("95% interval over {}, {} to {}").format(
            prose.plural(int(row["seeds"]), findings.unit),
            *ends,
        )
        beside.insert(0, interval)
    return Markup("{} ({})").format(value, Markup("; ").join(beside)) if beside else value


def quality(findings: Findings, shares: Iterable[float | None]) -> str:
    """What stands beside a number of modes: how many samples are on any; empty for other metrics.

    A mode counts as covered by a few samples, and a third of them may lie between modes. Arms that
    share a place have a share of samples each.
    """
    known = [share for share in shares if share is not None]
    if not known:
        return ""
    if any(map(math.isnan, known)):
        return ", with no record of how many samples are of high quality"
    ends = dict.fromkeys(map(prose.percent, (min(known), max(known))))
    return f" and {' to '.join(ends)} of samples of high quality"


def _relations(findings: Findings, first: list[str]) -> tuple[Markup, str]:
    """How the best arm, or those that share its place, stand to others; the least sure grade."""
    ranked = findings.ranked
    if not findings.graded or findings.seeds == 1:
        return _untested(findings), ""
    arms, grades = findings.ranked_arms[1:], ranked["grade"].values[1:].tolist()
    if not any(grades):
        none = "; no other arm has scores of two seeds where it has them, so nothing is compared"
        return Markup(none), ""
    stands = {arm: own for arm, own in zip(arms, grades, strict=True) if arm not in first}
    return _standing(stands), prose.least_sure(grades)


def _untested(findings: Findings) -> Markup:
    """Why nothing is graded; empty of what is computed, and where it is settled otherwise."""
    if findings.ds.attrs.get("searches") == 1:
        who = "each arm was" if findings.searched else "arms were"
        return Markup("; {} searched once, which tells none apart from another").format(who)
    if not findings.graded:
        return Markup("")
    if findings.seeds == 1:
        return Markup("; there is one seed, so there is no interval and nothing is compared")
    return Markup("; of so few {} nothing is compared").format(findings.units)


def _standing(grades: dict[str, str]) -> Markup:
    """`: clearly ahead of a and b, open against c; d could not be compared`."""
    parts, untested = [], [name for name, grade in grades.items() if not grade]
    for grade, relation in prose.RELATIONS.items():
        names = [name for name, own in grades.items() if own == grade]
        if names:
            every = len(names) == len(grades) > 1
            whom = Markup("every other") if every else prose.names(names)
            parts.append(Markup("{} {}").format(relation, whom))
    text = Markup(": {}").format(Markup(", ").join(parts)) if parts else Markup("")
    lacking = Markup("; {} could not be compared").format(prose.names(untested))
    return text + lacking if untested else text


def _call(findings: Findings) -> str:
    used = "" if findings.settings_used == "shared" else ", settings='own'"
    call = f"analysis.rank_arms(ds{used})"
    if findings.quality_of(findings.arms[0]) is not None and QUALITY in findings.ds:
        call += f".assign(quality=analysis.arm_scores(ds, '{QUALITY}'{used})['mean'])"
    arm = str(findings.ds.attrs["compare"])
    over = [*findings.axes, "seed"]
    own = "" if not used else ", 'own'"
    lost = "analysis.trial_scores(ds)['score'].isnull()"
    if findings.ranked.attrs["basis"] == "wins":
        lost = f"{lost} & ~analysis.trial_scores(ds)['unbounded']"
    if not findings.unscored.any() or arm not in findings.ds.dims:
        return call
    return f"{call}.assign(lost=({lost} & analysis.in_comparison(ds{own})).sum({over}))"
