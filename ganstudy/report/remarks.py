"""What a careful reader wants to know beside the verdict, a sentence each."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ganstudy.analysis import best_setting_scores, metric_names, share_over_seeds
from ganstudy.analysis.reference import differs_by_target
from ganstudy.report import accounted, explained, prose, reference
from ganstudy.report.differences import MOST_LISTED, behind
from ganstudy.report.findings import COVERAGE, QUALITY, Findings, held_out
from ganstudy.report.prose import Sentence
from ganstudy.report.verdicts import quality


def _behind_call(findings: Findings, used: str) -> str:
    """By wins the sentence has how often the best arm is better, the ranking how often another."""
    call = f"analysis.rank_arms(ds{used})"
    wins = findings.ranked.attrs["basis"] == "wins"
    return f"{call}.assign(ahead=1 - {call}['won'])" if wins else call


def remarks(findings: Findings) -> dict[str, Sentence]:
    """All that there is to say, by name."""
    used = "" if findings.settings_used == "shared" else ", settings='own'"
    perfect = f"analysis.perfect_sampler(ds).sel(metric='{findings.metric.name}')"
    theory, shares = findings.theory, findings.answer == "effects"
    said: dict[str, tuple[Markup | None, str]] = {
        "behind": (behind(findings), _behind_call(findings, used)),
        "best_settings": (_best_settings(findings), _best_call(findings)),
        "effects": (
            None if shares else explained.sentence(findings),
            "analysis.factor_effects(ds)",
        ),
        "interactions": (
            explained.rest(findings) if shares and explained.drawable(findings) else None,
            "analysis.factor_effects(ds)",
        ),
        "scale": (_scale(findings), f"{perfect}.assign_attrs(ds.sizes)"),
        "collapsed": (
            None if theory else _collapsed(findings),
            "analysis.share_over_seeds(analysis.stability(ds)['trial_collapsed'])",
        ),
        "drops": (None if theory else _drops(findings), "analysis.stability(ds)[['drops']]"),
        "diverged": (
            accounted.diverged(findings) if findings.with_status("diverged") else None,
            "analysis.stability(ds)[['diverged', 'trials']]",
        ),
        "all_ran": (
            None if findings.with_status("diverged") else accounted.diverged(findings),
            "analysis.stability(ds)[['diverged', 'trials']]",
        ),
        "left_out": (
            accounted.left_out(findings),
            "analysis.status_counts(ds).drop_sel(status='excluded')",
        ),
        "causes": (accounted.causes(findings), "ds['failure'].to_series().value_counts()"),
        "excluded": (accounted.excluded(findings), "analysis.planned(ds)"),
    }
    return {name: Sentence(text, call) for name, (text, call) in said.items() if text}


def _best_settings(findings: Findings) -> Markup | None:
    """Each arm at its own best setting, chosen on other seeds than those that score it."""
    if not findings.choice or findings.all_diverged:
        return None
    best = findings.best
    if not np.isfinite(best["mean"]).any():
        return None
    scored = _best_scored(findings)
    values, held_out = best[scored].values, scored == "held_out"
    limited = held_out and findings.drawn
    # Arms that are told by their survivors come last, however good these are.
    lost = best["held_out_unbounded" if held_out else "unbounded"].values
    order = np.lexsort((-findings.metric.sign * values, lost > 0))
    known = [index for index in order if math.isfinite(values[index])]
    kept = known[:MOST_LISTED]
    at_best = _quality_at_best(findings, scored)
    parts = []
    for index in kept:
        limits = (best[end].values[index] if limited else math.nan for end in ("low", "high"))
        value = prose.with_limits(findings.together, values[index], *limits)
        text = f"{prose.quoted(findings.arms[index])} {value}"
        if lost[index]:
            text += f" without {prose.plural(lost[index], findings.unit)} worse than any number"
        share = None if at_best is None else float(at_best[index])
        parts.append(text + quality(findings, [share]))
    who = _whose(len(known), len(findings.arms), held_out)
    sentence = Markup("{} {}: {}").format(who, findings.at_best, "; ".join(parts))
    if not held_out:
        return (
            sentence
            + "; optimistic, since the setting is chosen on the seeds that it is scored with."
        )
    if findings.theory:
        return sentence + Markup(".")
    each = "; each interval is for its arm alone, and" if len(kept) > 1 else "; the interval"
    allows = f"{each} allows for the choice" if limited else ""
    return sentence + Markup(
        ". Each seed is scored at the setting that the other seeds choose{}."
    ).format(allows)


def _whose(known: int, arms: int, held_out: bool) -> str:
    """Whose best settings are told; the best arm may be one for which no other seed can choose."""
    if known == 1:
        return "At its"
    those = "" if known == arms else f"those with a {'held-out ' if held_out else ''}score"
    if known > MOST_LISTED:
        those = f"the best {MOST_LISTED}" + (f" of {those}" if those else "")
    return f"{prose.capital(those)}, each at its own" if those else "Each at its own"


def _best_call(findings: Findings) -> str:
    call = "analysis.best_setting_scores(ds)"
    if findings.metric.name != COVERAGE or QUALITY not in findings.ds:
        return call
    found = f"best_setting_scores(ds, scored_by='{QUALITY}')['{_best_scored(findings)}']"
    return f"{call}.assign(quality=analysis.{found})"


def _quality_at_best(findings: Findings, scored: str) -> NDArray[np.float64] | None:
    """Share of good samples of each arm at the settings that score it; None beside other metrics.

    NaN where the study does not record it.
    """
    if findings.metric.name != COVERAGE:
        return None
    if QUALITY not in metric_names(findings.ds):
        return np.full(len(findings.arms), math.nan)
    found = best_setting_scores(findings.ds, scored_by=QUALITY)
    return np.asarray(found[scored].values, np.float64)


def _best_scored(findings: Findings) -> str:
    """What scores arms at their best: `held_out`, or of one seed the optimistic `mean`."""
    return "held_out" if held_out(findings) else "mean"


def _collapsed(findings: Findings) -> Markup | None:
    """How many trials collapsed, where means of few settings would not say so."""
    found = share_over_seeds(findings.stability["trial_collapsed"])
    means = found["mean"].values
    if not (means > 0).any():
        return None
    known = np.flatnonzero(np.isfinite(means))
    if len(known) > MOST_LISTED:
        known = known[np.argsort(-means[known], kind="stable")]
    shares = np.transpose([found[name].values for name in ("mean", "low", "high")])
    said = [
        prose.with_limits(prose.each(prose.percent), *(own if findings.drawn else own[[0, 0, 0]]))
        for own in shares
    ]
    alike = len({said[arm] for arm in known}) == 1 < len(known)
    parts = [f"{prose.quoted(findings.arms[arm])} {said[arm]}" for arm in known[:MOST_LISTED]]
    if alike:
        every = "both arms" if len(known) == 2 else f"all {len(known)} arms"
        ran = "" if len(known) == len(findings.arms) else " that ran"
        parts = [f"{every}{ran} {said[known[0]]}"]
    diverged = "diverged, or " if findings.with_status("diverged") else ""
    text = Markup("Trials that collapsed, {}nearer to the worst value than to that of p: {}")
    text = text.format(diverged, prose.listing(parts))
    return text + Markup(
        "." if alike or len(known) <= MOST_LISTED else "; the table below has the others."
    )


def _scale(findings: Findings) -> Markup | None:
    """What a perfect generator scores at this sample size, and the worst value."""
    of_p = findings.scale.sel(metric=findings.metric.name)
    low, high = (float(of_p[name]) for name in ("low", "high"))
    if not math.isfinite(low):
        return None
    # What is nearly perfect can differ in digits that scores do not need.
    same = findings.show(low) == findings.show(high)
    step = prose.decimals_for(high - low) - 2 if same else 0
    ends = prose.numbers([low, high], max(findings.decimals, step))
    each = differs_by_target(findings.ds, findings.metric.name)
    span = (
        Markup("{} in every one of").format(ends[0])
        if low == high
        else Markup("{} to {}{} in").format(*ends, " by target," if each else "")
    )
    samples = findings.ds.sizes.get("sample", 0)
    worst = reference.worst(findings)
    end = Markup("; the worst value is {}").format(worst) if worst else Markup("")
    # A dataset may have scores of samples that it does not hold.
    seen = f" with {prose.plural(samples, 'sample')}" if samples else ""
    draws = f"{findings.ds.sizes.get('draw', 0)} draws{' of each' if each else ''}"
    return Markup("A perfect generator, measured like these{}, scores {} {}{}.").format(
        seen, span, draws, end
    )


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
    end = "; trials are followed until they diverge" if findings.with_status("diverged") else ""
    if not rows[-1][0]:
        return Markup("{} never {} by more than {} between two records{}.").format(
            findings.metric.long_name, fell, threshold, end
        )
    told = [prose.number(often, 1) for often, _ in rows]
    often = Markup("{} {} by more than {} between two records {} times per trial").format(
        findings.metric.long_name, fell, threshold, told[-1]
    )
    if len(findings.arms) == 1:
        return Markup("{}{}.").format(often, end)
    if len(rows) == 1:
        return Markup("{} with {}{}.").format(often, prose.quoted(rows[0][1]), end)
    if told[-1] == told[0]:
        ran = "" if len(rows) == len(findings.arms) else " that ran"
        return Markup("{} with every arm{}{}.").format(often, ran, end)
    # Arms whose numbers look alike share the place.
    most, least = (
        prose.names(arm for own, (_, arm) in zip(told, rows, strict=True) if own == place)
        for place in (told[-1], told[0])
    )
    return Markup("{} with {}, the most, and {} times with {}, the least{}.").format(
        often, most, told[0], least, end
    )
