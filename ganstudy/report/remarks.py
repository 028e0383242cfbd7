"""What a careful reader wants to know beside the verdict, a sentence each."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup

from ganstudy.analysis import share_over_seeds
from ganstudy.analysis.comparison import Compared
from ganstudy.report import prose
from ganstudy.report.differences import MOST_LISTED, behind
from ganstudy.report.findings import Findings
from ganstudy.report.prose import Sentence
from ganstudy.report.sections import effects
from ganstudy.report.untrained import failures
from ganstudy.report.verdicts import quality

MOST_CAUSES = 3
"""Causes of failures that a sentence lists."""


def remarks(findings: Findings) -> dict[str, Sentence]:
    """All that there is to say, by name."""
    used = "" if findings.settings_used == "shared" else ", settings='own'"
    perfect = f"analysis.perfect_sampler(ds).sel(metric='{findings.metric.name}')"
    theory = findings.theory
    said: dict[str, tuple[Markup | None, str]] = {
        "behind": (behind(findings), f"analysis.rank_arms(ds{used})"),
        "best_settings": (_best_settings(findings), _best_call(findings)),
        "effects": (
            None if findings.answer == "effects" else effects.sentence(findings),
            "analysis.factor_effects(ds)",
        ),
        "interactions": (
            effects.rest(findings) if findings.answer == "effects" else None,
            "analysis.factor_effects(ds)",
        ),
        "scale": (_scale(findings), f"{perfect}.assign_attrs(ds.sizes)"),
        "collapsed": (
            None if theory else _collapsed(findings),
            "analysis.share_over_seeds(analysis.stability(ds)['trial_collapsed'])",
        ),
        "drops": (None if theory else _drops(findings), "analysis.stability(ds)[['drops']]"),
        "diverged": (
            _diverged(findings) if findings.with_status("diverged") else None,
            "analysis.stability(ds)[['diverged', 'trials']]",
        ),
        "all_ran": (
            None if findings.with_status("diverged") else _diverged(findings),
            "analysis.stability(ds)[['diverged', 'trials']]",
        ),
        "left_out": (
            _left_out(findings),
            "analysis.status_counts(ds).drop_sel(status='excluded')",
        ),
        "causes": (_causes(findings), "ds['failure'].to_series().value_counts()"),
        "excluded": (_excluded(findings), "analysis.planned(ds)"),
    }
    return {name: Sentence(text, call) for name, (text, call) in said.items() if text}


def _best_settings(findings: Findings) -> Markup | None:
    """Each arm at its own best setting, chosen on other seeds than those that score it."""
    best = findings.best
    unknown = not np.isfinite(best["mean"]).any()
    if not findings.several or findings.all_diverged or unknown:
        return None
    held = best["held_out"].values
    values = held if np.isfinite(held).any() else best["mean"].values
    order = np.argsort(-findings.metric.sign * values, kind="stable")
    kept = [index for index in order if math.isfinite(values[index])][:MOST_LISTED]
    at_best = findings.quality_at_best
    parts = []
    for index in kept:
        known = np.isfinite(held).any() and findings.drawn
        limits = (best[end].values[index] if known else math.nan for end in ("low", "high"))
        value = prose.with_limits(findings.show, values[index], *limits)
        text = f"{prose.quoted(findings.arms[index])} {value}"
        share = None if at_best is None else float(at_best[index])
        parts.append(text + quality(findings, [share]))
    who = "Each" if len(kept) == len(findings.arms) else f"The best {len(kept)}, each"
    who = "At its" if len(kept) == 1 else f"{who} at its own"
    sentence = Markup("{} best setting: {}").format(who, "; ".join(parts))
    if not np.isfinite(held).any():
        return (
            sentence
            + "; optimistic, since the setting is chosen on the seeds that it is scored with."
        )
    if findings.theory:
        return sentence + Markup(".")
    return sentence + Markup(
        ". Each seed is scored at the setting that the other seeds choose; the intervals are not "
        "adjusted."
    )


def _best_call(findings: Findings) -> str:
    call = "analysis.best_setting_scores(ds)"
    if findings.quality_at_best is None or "high_quality" not in findings.ds:
        return call
    return call + ".assign(quality=analysis.setting_scores(ds, 'high_quality')['mean'])"


def _collapsed(findings: Findings) -> Markup | None:
    """How many trials collapsed, where means of few settings would not say so."""
    found = share_over_seeds(findings.stability["trial_collapsed"])
    means = found["mean"].values
    # Where nothing is nearer to the worst value, those that diverged are all.
    if not (means > 0).any() or not math.isfinite(findings.metric.worst):
        return None
    known = np.flatnonzero(np.isfinite(means))
    if len(known) > MOST_LISTED:
        known = known[np.argsort(-means[known], kind="stable")]
    shares = np.transpose([found[name].values for name in ("mean", "low", "high")])
    said = [
        prose.with_limits(prose.percent, *(own if findings.drawn else own[[0, 0, 0]]))
        for own in shares
    ]
    alike = len({said[arm] for arm in known}) == 1 < len(known)
    parts = [f"{prose.quoted(findings.arms[arm])} {said[arm]}" for arm in known[:MOST_LISTED]]
    if alike:
        parts = [f"{'both arms' if len(known) == 2 else f'all {len(known)} arms'} {said[known[0]]}"]
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
    show = prose.short if same and low != high else findings.show
    span = (
        Markup("{} in every one of").format(show(low))
        if low == high
        else Markup("{} to {} in").format(show(low), show(high))
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
    if not most[0]:
        return Markup("{} never {} by more than {} between two records.").format(
            findings.metric.long_name, fell, threshold
        )
    often = Markup("{} {} by more than {} between two records {} times per trial").format(
        findings.metric.long_name, fell, threshold, prose.number(most[0], 1)
    )
    if len(rows) == 1:
        return Markup("{}.").format(often)
    if prose.number(most[0], 1) == prose.number(least[0], 1):
        return Markup("{} with every arm.").format(often)
    return Markup("{} with {}, the most, and {} times with {}, the least.").format(
        often, prose.quoted(most[1]), prose.number(least[0], 1), prose.quoted(least[1])
    )


def _diverged(findings: Findings) -> Markup:
    """Divergences, and how they count."""
    ran = int(findings.stability["trials"].sum())
    if not ran:
        return Markup("No trial has run.")
    by_arm = findings.with_status("diverged")
    total = sum(by_arm.values())
    if not total:
        if ran == 1:
            return Markup("The one trial{} that ran did not diverge.").format(findings.where)
        return Markup("None of the {}{} that ran diverged.").format(
            prose.plural(ran, "trial"), findings.where
        )
    trials = dict(zip(findings.arms, findings.stability["trials"].values.tolist(), strict=True))
    where = prose.listing(
        f"{prose.quoted(arm)} {count} of {trials[arm]}" for arm, count in by_arm.items()
    )
    worst = findings.metric.worst
    counted = (
        f"each counts with the worst value, {prose.short(worst)}"
        if math.isfinite(worst)
        else "the metric has no worst value, so that they are in no average, and last in the order"
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
                prose.listing(f"{count} in {prose.quoted(arm)}" for arm, count in by_arm.items())
                if len(by_arm) > 1
                else Markup("in {}").format(prose.quoted(next(iter(by_arm))))
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
    return Markup("Of {}{}, {}; they are left out.").format(
        prose.plural(planned, "planned trial"), findings.where, prose.listing(parts)
    )


def _causes(findings: Findings) -> Markup | None:
    """Why trials failed or lack a metric, the commonest cause first; None where none did."""
    found = failures(findings.ds)
    if not found:
        return None
    why = Markup("; ").join(
        Markup("<code>{}</code> ({})").format(own.cause, prose.plural(own.trials, "trial"))
        for own in found[:MOST_CAUSES]
    )
    rest = "; <code>ganstudy status</code> has more" if len(found) > MOST_CAUSES else ""
    return Markup("What went wrong: {}{}.").format(why, Markup(rest))


def _excluded(findings: Findings) -> Markup | None:
    """Grid points that the study excludes, and what that does to the comparison."""
    excluded = findings.excluded_points
    if not excluded.any():
        return None
    where = prose.listing(
        f"{prose.quoted(arm)} {prose.plural(int(count), 'setting')}"
        for arm, count in zip(findings.arms, excluded.sum(axis=1), strict=True)
        if count
    )
    if findings.settings_used == "own" and _alike(findings):
        effect = Markup(
            "no setting is left that all arms have, so that means are those of least squares, by "
            "the settings that pairs of arms have in common"
        )
    elif findings.settings_used == "own":
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


def _alike(findings: Findings) -> bool:
    """Whether means of all arms are over the same trials, once gaps are filled."""
    whole = Compared.of(findings.ds, None, findings.settings_used).balanced.notnull()
    return bool((whole.all(findings.arm) | ~whole.any(findings.arm)).all())
