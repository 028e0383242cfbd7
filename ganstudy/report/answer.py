"""The answer to the study's question, in sentences computed from the data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from markupsafe import Markup

from ganstudy.analysis.ranking import POWER
from ganstudy.report import prose, theory
from ganstudy.report.findings import Findings
from ganstudy.report.prose import Sentence
from ganstudy.report.sections import claims, effects

MOST_LISTED = 6
"""Arms that a sentence lists; the tables have the rest."""

MOST_SEEDS = 1000
"""Seeds beyond which no study is run, and an estimate from a few of them says nothing."""

STRONG = Markup("<strong>{}</strong>")


@dataclass(frozen=True)
class Answer:
    """The verdict, and what a careful reader wants to know next."""

    lead: Markup
    call: str
    sentences: list[Sentence]


def answer(findings: Findings) -> Answer:
    """State what the data say, what they cannot decide, and what was left out."""
    used = "" if findings.settings_used == "shared" else ", settings='own'"
    ranking = f"analysis.rank_arms(ds{used})"
    lead, first = _lead(findings), []
    if findings.theory:
        said = [(text, theory.call(findings)) for text in theory.sentences(findings)]
        first = [*said, (lead, ranking)]
        lead, ranking = claims.lead(findings.claims), claims.COUNTED
    perfect = f"analysis.perfect_sampler(ds).sel(metric='{findings.metric.name}')"
    points: list[tuple[Markup | None, str]] = [
        *first,
        (_behind(findings), f"analysis.compare_arms(ds{used})"),
        (_seeds_needed(findings), f"analysis.rank_arms(ds{used})['seeds_needed']"),
        (_best_settings(findings), "analysis.best_setting_scores(ds)"),
        (effects.sentence(findings), "analysis.factor_effects(ds)[['share', 'residual']]"),
        (_scale(findings), f"{perfect}.assign_attrs(ds.sizes)"),
        (None if findings.theory else _drops(findings), "analysis.stability(ds)[['drops']]"),
        (_diverged(findings), "analysis.stability(ds)[['diverged', 'trials']]"),
        (_left_out(findings), "analysis.status_counts(ds).drop_sel(status='excluded')"),
        (_excluded(findings), "analysis.planned(ds)"),
    ]
    kept = [Sentence(Markup(prose.capital(point)), call) for point, call in points if point]
    return Answer(lead, ranking, kept)


def _scale(findings: Findings) -> Markup | None:
    """What a perfect generator scores at this sample size, and the worst value."""
    of_p = findings.scale.sel(metric=findings.metric.name)
    low, high = (float(of_p[name]) for name in ("low", "high"))
    if not math.isfinite(low):
        return None
    span = (
        Markup("{} in every one of").format(findings.show(low))
        if low == high
        else Markup("{} to {} in").format(findings.show(low), findings.show(high))
    )
    samples = findings.ds.sizes.get("sample", 0)
    worst = findings.metric.worst
    end = (
        Markup("; the worst value is {}").format(prose.short(worst))
        if math.isfinite(worst)
        else Markup("")
    )
    return Markup("A perfect generator, measured like these with {}, scores {} {} draws{}.").format(
        prose.plural(samples, "sample"), span, findings.ds.sizes.get("draw", 0), end
    )


def _lead(findings: Findings) -> Markup:
    ranked = findings.ranked
    scored = int(np.isfinite(ranked["mean"]).sum())
    if not scored:
        return Markup("No trial has a score, so the question stays open.")
    if _all_diverged(findings):
        return Markup("Every trial that ran diverged, so no arm can be named best.")
    name = findings.metric.long_name
    first = ranked.isel({findings.arm: 0})
    best = STRONG.format(findings.ranked_arms[0])
    value = _with_interval(findings, first)
    settings = findings.compared_settings
    average = f" on average over {settings} settings" if settings > 1 else ""
    if len(findings.arms) == 1:
        return Markup("{} reaches {} in {}{}.").format(best, value, name, average)
    if _all_equal(findings):
        return Markup("All {} arms do equally well in {}, with {}{}: no arm wins.").format(
            len(findings.arms), name, value, average
        )
    better = "" if findings.metric.higher_is_better else " (lower is better)"
    return Markup("{} ranks first in {}{}, with {}{}. {}").format(
        best, name, better, value, average, _verdict(findings)
    )


def _all_diverged(findings: Findings) -> bool:
    diverged, ran = (int(findings.stability[name].sum()) for name in ("diverged", "trials"))
    return diverged == ran > 0


def _all_equal(findings: Findings) -> bool:
    means = findings.ranked["mean"].values
    return bool(np.isfinite(means).all() and np.ptp(means) == 0)


def _verdict(findings: Findings) -> Markup:
    """Which arms can be told apart from the best."""
    ranked, arms = findings.ranked, findings.ranked_arms
    p, apart = ranked["p"].values, ranked["apart"].values
    tested = [arm for arm, value in zip(arms, p, strict=True) if math.isfinite(value)]
    level = Markup("at the 5% level")
    if not tested:
        if findings.seeds == 1:
            return Markup(
                "There is one seed, so there is no interval and no arm can be told apart "
                "from another."
            )
        return Markup("No other arm shares two scored seeds with it, so none can be told apart.")
    tied = [
        arm
        for arm, value, differs in zip(arms, p, apart, strict=True)
        if math.isfinite(value) and not differs
    ]
    untested = [arm for arm in arms[1:] if arm not in tested]
    if not tied:
        named = untested or len(tested) == 1
        every = prose.listing(tested) if named else Markup("every other arm")
        verdict = Markup("It can be told apart from {} {}.").format(every, level)
    elif len(tied) == len(arms) - 1:
        any_other = Markup.escape(tied[0]) if len(tied) == 1 else Markup("any of the others")
        verdict = Markup("No arm wins: it cannot be told apart from {} {}.").format(
            any_other, level
        )
    else:
        verdict = Markup("It cannot be told apart from {} {}.").format(
            prose.listing((STRONG.format(arm) for arm in tied), last="or"), level
        )
    if untested:
        verdict += Markup(" {} could not be compared.").format(prose.listing(untested))
    return verdict


def _behind(findings: Findings) -> Markup | None:
    """Paired differences from the best."""
    if _all_equal(findings):
        return None
    parts = []
    for place, arm in enumerate(findings.ranked_arms[1:], start=1):
        row = findings.ranked.isel({findings.arm: place})
        difference = abs(float(row["difference"]))
        if not math.isfinite(difference):
            continue
        limits = sorted(
            -findings.metric.sign * float(row[name])
            for name in ("difference_low", "difference_high")
        )
        interval = (
            f" ({findings.show(limits[0])} to {findings.show(limits[1])})"
            if all(map(math.isfinite, limits))
            else ""
        )
        tied = ", not told apart" if math.isfinite(row["p"]) and not bool(row["apart"]) else ""
        behind = -findings.metric.sign * float(row["difference"])
        parts.append(f"{arm} by {findings.show(behind)}{interval}{tied}")
    if not parts:
        return None
    more = len(parts) - MOST_LISTED
    parts = [*parts[:MOST_LISTED], *([f"{more} more in the table below"] if more > 0 else [])]
    return Markup("Paired within seeds, behind {}: {}.").format(
        findings.ranked_arms[0], "; ".join(parts)
    )


def _seeds_needed(findings: Findings) -> Markup | None:
    """How many seeds would tell the tied arms apart from the best."""
    if _all_equal(findings):
        return None
    columns = (findings.ranked[name].values for name in ("p", "apart", "seeds_needed"))
    rows = zip(findings.ranked_arms, *columns, strict=True)
    needed = [(arm, seeds) for arm, p, apart, seeds in rows if math.isfinite(p) and not apart]
    if not needed:
        return None
    listed = [
        f"{arm} {seeds:,.0f}" if seeds <= MOST_SEEDS else f"{arm} more than {MOST_SEEDS:,}"
        for arm, seeds in needed[:MOST_LISTED]
    ]
    return Markup(
        "To tell {} from {} with a chance of {:.0f}%, about this many seeds would be needed if "
        "differences and their spread are as seen here: {}."
    ).format(
        "it" if len(needed) == 1 else "these arms",
        findings.ranked_arms[0],
        100 * POWER,
        prose.listing(listed),
    )


def _best_settings(findings: Findings) -> Markup | None:
    """Each arm at its own best setting."""
    best = findings.best
    if (
        len(findings.settings) == 1
        or _all_diverged(findings)
        or not np.isfinite(best["mean"]).any()
    ):
        return None
    order = np.argsort(-findings.metric.sign * best["mean"].values, kind="stable")
    kept = [index for index in order if math.isfinite(best["mean"].values[index])][:MOST_LISTED]
    means = prose.listing(
        f"{findings.arms[index]} {findings.show(best['mean'].values[index])}" for index in kept
    )
    who = "Each" if len(kept) == len(findings.arms) else f"The best {len(kept)}, each"
    sentence = Markup("{} at its own best setting: {}").format(who, means)
    held_out = best["held_out"].values[kept]
    if not np.isfinite(held_out).all():
        return (
            sentence
            + "; optimistic, since the setting is chosen on the seeds that it is scored with."
        )
    honest = prose.listing(findings.show(value) for value in held_out)
    return Markup(
        "{}. These settings are chosen on the seeds that they are scored with, which is "
        "optimistic; with each seed's setting chosen on the other seeds: {}."
    ).format(sentence, honest)


def _drops(findings: Findings) -> Markup | None:
    """Falls of the score between records."""
    drops = findings.stability["drops"]
    if not np.isfinite(drops).any():
        return None
    fell = "fell" if findings.metric.higher_is_better else "rose"
    threshold = prose.short(findings.stability.attrs["threshold"])
    rows = sorted(
        (float(value), arm)
        for arm, value in zip(findings.arms, drops.values, strict=True)
        if math.isfinite(value)
    )
    most, least = rows[-1], rows[0]
    often = Markup("{} {} by more than {} between two records {} times per trial").format(
        findings.metric.long_name, fell, threshold, prose.number(most[0], 1)
    )
    if len(rows) == 1:
        return Markup("{}.").format(often)
    return Markup("{} with {}, the most, and {} times with {}, the least.").format(
        often, most[1], prose.number(least[0], 1), least[1]
    )


def _diverged(findings: Findings) -> Markup:
    """Divergences, and how they count."""
    ran = int(findings.stability["trials"].sum())
    if not ran:
        return Markup("No trial has run.")
    by_arm = findings.with_status("diverged")
    total = sum(by_arm.values())
    if not total:
        return Markup("None of the {}{} that ran diverged.").format(
            prose.plural(ran, "trial"), findings.where
        )
    trials = dict(zip(findings.arms, findings.stability["trials"].values.tolist(), strict=True))
    where = prose.listing(f"{arm} {count} of {trials[arm]}" for arm, count in by_arm.items())
    worst = findings.metric.worst
    counted = (
        f"each counts with the worst value, {prose.short(worst)}"
        if math.isfinite(worst)
        else "the metric has no worst value, so that they are left out of every average, which "
        "flatters the arms that diverge"
    )
    return Markup("{} of {} diverged ({}); {}.").format(
        total, prose.plural(ran, "trial") + findings.where, where, counted
    )


def _left_out(findings: Findings) -> Markup:
    """Failed, missing and unscored trials."""
    planned = int(findings.counts.drop_sel(status="excluded").sum())
    parts = []
    for status in ("failed", "pruned", "missing"):
        by_arm = findings.with_status(status)
        if by_arm:
            where = (
                prose.listing(f"{count} in {arm}" for arm, count in by_arm.items())
                if len(by_arm) > 1
                else Markup("in {}").format(next(iter(by_arm)))
            )
            parts.append(Markup("{} {} ({})").format(sum(by_arm.values()), status, where))
    complete = sum(findings.with_status("complete").values())
    diverged = sum(findings.with_status("diverged").values())
    scored = int(findings.cells["seeds"].sum())
    unscored = complete + diverged - scored
    if math.isnan(findings.metric.worst):
        unscored -= diverged
    if unscored:
        parts.append(Markup("{} without a finite score").format(unscored))
    if not parts:
        return Markup("All {}{} are recorded.").format(
            prose.plural(planned, "planned trial"), findings.where
        )
    return Markup("Of {}{}, {}; they are left out of every average.").format(
        prose.plural(planned, "planned trial"), findings.where, prose.listing(parts)
    )


def _excluded(findings: Findings) -> Markup | None:
    """Grid points that the study excludes, and what that does to the comparison."""
    excluded = findings.excluded_points
    if not excluded.any():
        return None
    where = prose.listing(
        f"{arm} {prose.plural(int(count), 'setting')}"
        for arm, count in zip(findings.arms, excluded.sum(axis=1), strict=True)
        if count
    )
    if findings.settings_used == "own":
        effect = Markup(
            "no setting is left that all arms have, so that the averages are over different "
            "settings and are not like for like"
        )
    else:
        effect = Markup("averages compare the arms on the {} that all of them have").format(
            prose.plural(findings.compared_settings, "setting")
        )
    several = "runs" in findings.ds.attrs
    what = "Some runs lack settings of others" if several else "The study excludes some points"
    of = "" if several else " of the grid"
    return Markup("{}{} ({}); {}.").format(what, of, where, effect)


def _with_interval(findings: Findings, row: xr.Dataset) -> Markup:
    """`7.39 of 8 (95 % interval over 5 seeds 7.21 to 7.57)`."""
    metric = findings.metric
    value = STRONG.format(findings.show(float(row["mean"])))
    top = metric.bounds[1]
    if metric.higher_is_better and metric.perfect == top and top != 1:
        value = Markup("{} of {}").format(value, prose.short(top))
    elif math.isfinite(metric.perfect):
        value = Markup("{}, where q&nbsp;=&nbsp;p has {}").format(
            value, prose.short(metric.perfect)
        )
    if not math.isfinite(float(row["low"])):
        return value
    return Markup("{} (95% interval over {}, {} to {})").format(
        value,
        prose.plural(int(row["seeds"]), "seed"),
        findings.show(float(row["low"])),
        findings.show(float(row["high"])),
    )
