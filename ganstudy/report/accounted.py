"""What became of the trials: those that diverged, failed, are missing or have no place."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from ganstudy.analysis import RecordedMetric, in_comparison, metric_names, trial_scores
from ganstudy.analysis.comparison import Compared
from ganstudy.report import prose, reference
from ganstudy.report.findings import Findings
from ganstudy.report.untrained import failures
from ganstudy.statuses import INCOMPLETE

__all__ = [
    *("alone", "beside", "causes", "diverged", "excluded", "left_out", "worse", "worse_by_metric")
]

MOST_CAUSES = 3
"""Causes of failures that a sentence lists."""


def diverged(findings: Findings) -> Markup:
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
    worst = reference.worst(findings)
    apart = f"{'it is' if total == 1 else 'they are'} in no average, and last in the order"
    counted = f"the metric has no worst value, so that {apart}"
    if worst:
        counted = f"{'it' if total == 1 else 'each'} counts with the worst value, {worst}"
        counted += f"; on others {apart}" if reference.some_lack_worst(findings) else ""
    return Markup("{} of {} diverged ({}); {}.").format(
        total, prose.plural(ran, "trial") + findings.where, where, counted
    )


def worse(findings: Findings, metric: str | None = None) -> Markup:
    """`3 of a (leaving 1 of 2 settings) and 1 of b`: what is worse than any number, by arm.

    metric  other than the headline metric
    """
    compared = findings.compared
    if metric is not None:
        compared = Compared.of(findings.ds, metric, findings.settings_used)
    if not compared.lost.any():
        return Markup("")
    cells = compared.lost, compared.spanned, compared.emptied
    parts = []
    for arm, lost, left, emptied in zip(findings.arms, *map(findings.by_arm, cells), strict=True):
        rest = f" (leaving {left} of {left + emptied} settings)" if left and emptied else ""
        parts += [f"{lost} of {prose.quoted(arm)}{rest}"] if lost else []
    return prose.listing(parts)


def worse_by_metric(findings: Findings) -> list[tuple[str, Markup]]:
    """The same of each metric by which any is, after the name of the metric."""
    found = [(name, worse(findings, name)) for name in metric_names(findings.ds)]
    return [(RecordedMetric.of(findings.ds, name).long_name, text) for name, text in found if text]


def alone(findings: Findings) -> Markup:
    """What the mean of the only arm is without, as a verdict ends; empty where all trials count."""
    return Markup("; {}").format(_in_no_mean(findings)) if findings.unbounded.any() else Markup("")


def _in_no_mean(findings: Findings) -> Markup:
    verb = "is" if findings.unbounded.sum() == 1 else "are"
    said = Markup("{} {} worse than any number and in no mean")
    return said.format(worse(findings), verb)


def beside(findings: Findings) -> Markup:
    """What the order is not over, as a verdict ends; empty where all trials count."""
    ranked, text = findings.ranked, Markup("")
    if ranked.attrs["basis"] == "wins":
        text = Markup("; counted {0} against {0}, since {1}").format(
            findings.rival, _in_no_mean(findings)
        )
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


def left_out(findings: Findings) -> Markup:
    """Failed, missing and unscored trials."""
    planned = int(findings.counts.drop_sel(status="excluded").sum())
    parts, gone = [], 0
    for status in [own for own in INCOMPLETE if own != "diverged"]:
        by_arm = findings.with_status(status)
        if by_arm:
            where = (
                prose.listing(f"{count} in {prose.quoted(arm)}" for arm, count in by_arm.items())
                if len(by_arm) > 1
                else Markup("in {}").format(prose.quoted(next(iter(by_arm))))
            )
            count = sum(by_arm.values())
            gone += count
            parts.append(Markup("{} {} ({})").format(count, _told(status, count), where))
    # What is worse than any number is in no mean, and decides the order.
    scores = trial_scores(findings.ds)
    ended = findings.ds["status"].isin(["complete", "diverged"])
    unscored = int((ended & scores["score"].isnull() & ~scores["unbounded"]).sum())
    if unscored:
        parts.append(
            Markup("{} {} no finite score").format(unscored, "has" if unscored == 1 else "have")
        )
    if not parts and planned == 1:
        return Markup("The one planned trial{} is recorded.").format(findings.where)
    if not parts:
        return Markup("All {}{} are recorded.").format(
            prose.plural(planned, "planned trial"), findings.where
        )
    return Markup("Of {}{}, {}; {} left out.").format(
        prose.plural(planned, "planned trial"),
        findings.where,
        prose.listing(parts),
        "it is" if gone + unscored == 1 else "they are",
    )


def _told(status: str, count: int) -> str:
    """What is said of so many trials of a status."""
    own = {"pruned": ("was", "were"), "missing": ("is", "are")}.get(status)
    return f"{own[count != 1]} {status}" if own else status


def causes(findings: Findings) -> Markup | None:
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


def excluded(findings: Findings) -> Markup | None:
    """Grid points that the study excludes, and what that does to the comparison."""
    excluded = findings.excluded_points
    if not excluded.any():
        return None
    where = prose.listing(
        f"{prose.quoted(arm)} {prose.plural(int(count), 'setting')}"
        for arm, count in zip(findings.arms, excluded.sum(axis=1), strict=True)
        if count
    )
    if findings.settings_used == "own" and findings.like_for_like:
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
