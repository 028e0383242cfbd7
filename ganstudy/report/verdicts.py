"""One sentence that answers the study, with its grade, for each kind of answer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from markupsafe import Markup

from ganstudy.analysis import in_comparison, trial_scores
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
        return Verdict(claims.lead(findings.claims), claims.COUNTED)
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
            "" if single else "; no other arm has a score",
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
        _left_out(findings),
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
    return "" if findings.averaged_settings == 1 else f" on average over {over}"


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
    order = sorted(single, key=lambda name: -float(found["share"].sel(effect=name)))
    pairs = findings.compared_effects
    grades = {
        name: str(pairs["grade"].sel(effect=order[0], other=name).item()) for name in order[1:]
    }
    shown = [explained.with_interval(findings, found.sel(effect=name)) for name in order]
    parts = [Markup("{} {}").format(*own) for own in zip(order[1:], shown[1:], strict=True)]
    name = findings.metric.long_name
    if float(found["share"].sel(effect=order[0])) <= 0:
        text = Markup("No axis explains any of the variance of {}: {}").format(
            name, prose.listing([f"{order[0]} {shown[0]}", *parts])
        )
    else:
        text = Markup("{} explains {} the variance of {}{}: {}{}").format(
            STRONG.format(order[0]),
            "more of" if parts else "part of",
            name,
            " than any other axis" if parts else "",
            STRONG.format(shown[0]),
            Markup("; {}").format(prose.listing(parts)) if parts else "",
        )
        text += _standing({name: grade for name, grade in grades.items() if grade})
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
    if not findings.graded:
        once = findings.ds.attrs.get("searches") == 1
        text = "; {} searched once, which tells none apart from another" if once else ""
        return Markup(text).format("each arm was" if findings.searched else "arms were"), ""
    if findings.seeds == 1:
        return Markup("; there is one seed, so there is no interval and nothing is compared"), ""
    arms, grades = findings.ranked_arms[1:], ranked["grade"].values[1:].tolist()
    if not any(grades):
        none = "; no other arm has scores of two seeds where it has them, so nothing is compared"
        return Markup(none), ""
    stands = {arm: own for arm, own in zip(arms, grades, strict=True) if arm not in first}
    tested = {arm: grade for arm, grade in stands.items() if grade}
    text = _standing(tested, every=len(tested) == len(stands))
    if untested := [arm for arm in stands if arm not in tested]:
        text += Markup("; {} could not be compared").format(prose.names(untested))
    return text, prose.least_sure(grades)


def _standing(grades: dict[str, str], every: bool = True) -> Markup:
    """`: clearly ahead of a and b, open against c`."""
    parts = []
    for grade, relation in prose.RELATIONS.items():
        arms = [arm for arm, own in grades.items() if own == grade]
        if not arms:
            continue
        whole = every and len(arms) == len(grades) > 1
        names = Markup("every other") if whole else prose.names(arms)
        parts.append(Markup("{} {}").format(relation, names))
    return Markup(": {}").format(Markup(", ").join(parts)) if parts else Markup("")


def _left_out(findings: Findings) -> Markup:
    """What the order is not over, at the end of the verdict; empty where all trials count."""
    ranked, text = findings.ranked, Markup("")
    if ranked.attrs["basis"] == "wins":
        verb = "is" if findings.unbounded.sum() == 1 else "are"
        text = Markup(
            "; counted {0} against {0}, since {1} {2} worse than any number and in no mean"
        ).format(findings.rival, accounted.worse(findings), verb)
    gone = {
        arm: count
        for arm, count in zip(findings.arms, findings.unscored.tolist(), strict=True)
        if count
    }
    if not gone:
        return text
    scores = trial_scores(findings.ds)
    known = scores["score"].notnull() | scores["unbounded"]
    compared = known & in_comparison(findings.ds, findings.settings_used)
    if bool((compared.all(findings.arm) | ~compared.any(findings.arm)).all()):
        lost = ~known & in_comparison(findings.ds, findings.settings_used)
        failed = bool((findings.ds["status"] == "failed").where(lost, True).all())
        why = "failed" if failed else "without a score"
        return text + Markup("; {} {}").format(prose.plural(sum(gone.values()), "trial"), why)
    # An arm without any score changes no mean of the others.
    scored = zip(findings.ranked_arms, np.isfinite(ranked["mean"].values).tolist(), strict=True)
    fitted = bool(findings.fitted) and any(arm in gone for arm, known in scored if known)
    return text + Markup("; {}{} {} no score").format(
        "means are those of least squares, as " if fitted else "",
        prose.listing(
            f"{prose.plural(count, 'trial')} of {prose.quoted(arm)}" for arm, count in gone.items()
        ),
        "has" if sum(gone.values()) == 1 else "have",
    )


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
