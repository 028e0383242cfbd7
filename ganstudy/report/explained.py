"""What explains the scores, in sentences: shares of variance, and what no axis explains."""

from __future__ import annotations

import numpy as np
import xarray as xr
from markupsafe import Markup

from ganstudy.analysis.design import factor_dims
from ganstudy.report import prose
from ganstudy.report.findings import Findings

__all__ = [
    *("SHARED", "adds_up", "below_zero", "drawable", "of_one_seed", "of_variance", "rest"),
    *("sentence", "untold", "with_interval"),
]

LEAST_UNTESTED = 0.02
"""Share of variance of an interaction that is named without a test."""

SHARED = Markup(
    "Since scores are missing, axes have variance in common: shares do not add up to 100%."
)

MOST_OVERLAP = 0.02
"""By how much shares may miss 100% and be told as parts of it."""

MOST_PAIRS = 3
"""Interactions that a sentence names; of others it says how many there are, and how small."""


def drawable(findings: Findings) -> bool:
    """Whether there are settings, scores that differ, and axes that can be told apart."""
    if not findings.several:
        return False
    found = findings.effects
    single = np.isin(found["effect"].values, factor_dims(findings.ds))
    return bool(np.isfinite(found["share"].values[single]).any())


def sentence(findings: Findings) -> Markup | None:
    """What explains the score, in one sentence; None for a study without settings or variance."""
    effects = findings.effects
    if not drawable(findings):
        return None
    ranked = effects.sortby(-effects["share"])
    ranked = ranked.isel(effect=np.isfinite(ranked["share"].values))
    single = [name for name in ranked["effect"].values if name in factor_dims(findings.ds)]
    parts = [f"{name} {with_interval(findings, ranked.sel(effect=name))}" for name in single]
    parts[0] = parts[0].replace(single[0], f"{single[0]} explains", 1)
    text = Markup("Of the variance of the scores, {}.").format(prose.listing(parts))
    return text + Markup(" ") + rest(findings)


def rest(findings: Findings) -> Markup:
    """Interactions that are more than chance, what no axis explains, and what cannot be told."""
    effects = findings.effects
    known = effects.isel(effect=np.isfinite(effects["share"].values))
    return _rest(findings, known) + untold(findings)


def _rest(findings: Findings, effects: xr.Dataset) -> Markup:
    pairs = effects.isel(effect=[" × " in name for name in effects["effect"].values])
    tested = bool((pairs["grade"] != "").any())
    # One without a test is no less for that.
    named = np.isin(pairs["grade"].values, ["clear", "leaning"])
    named |= (pairs["grade"].values == "") & (pairs["share"].values >= LEAST_UNTESTED)
    pairs = pairs.isel(effect=named).sortby("share", ascending=False)
    left = _left(findings)
    if findings.drawn and of_one_seed(effects):
        # As many trials as there are pairs of values: what is left is nothing, by arithmetic.
        return Markup(
            "The rest is of pairs of axes or of chance, which one {} does not tell apart."
        ).format(findings.unit)
    if not (findings.graded and tested):
        known = effects["effect"].values
        others = ~np.isin(known, factor_dims(findings.ds))
        if not others.any():
            return Markup(prose.capital(left))
        more = of_variance(float(effects["share"].values[others].sum()))
        paired, seeded = any(" × " in name for name in known), "seed" in known
        what = f"Pairs of axes{f' and the {findings.unit}' if seeded else ''}"
        what = what if paired else f"The {findings.unit}"
        return Markup("{} explain{} {} more; ").format(what, "" if paired else "s", more) + left
    left = _of_the_seed(findings) + left
    if not pairs.sizes["effect"]:
        return Markup("No interaction of two axes is told from chance; ") + left
    return Markup("Beyond what two axes do alone, {}; {}").format(_named(findings, pairs), left)


def _left(findings: Findings) -> Markup:
    """What no axis explains, in words that follow on others."""
    effects = findings.effects
    below = ""
    if adds_up(effects) and below_zero(effects, MOST_OVERLAP):
        below = " (more than 100% in all, as what is estimated below zero is told as 0%)"
    left = Markup("{} is left to {} of the same kind and higher interactions{}.").format(
        of_variance(float(effects["residual"])), prose.several(findings.rival), below
    )
    return left if adds_up(effects) else left + Markup(" ") + SHARED


def untold(findings: Findings) -> Markup:
    """Of which axes and pairs no share is known; those that were too large to be fitted apart."""
    effects = findings.effects
    lacking = effects["effect"].values[~np.isfinite(effects["share"].values)].tolist()
    names = [findings.named(own) for own in lacking if own not in effects.attrs["left_out"]]
    if not names:
        return Markup("")
    return Markup(" The {} that have a score do not tell what {} explain{}.").format(
        prose.several(findings.rival), prose.listing(names), "" if len(names) > 1 else "s"
    )


def _named(findings: Findings, pairs: xr.Dataset) -> Markup:
    """The largest interactions with their shares and grades, and how small the others are."""
    parts = []
    names = pairs["effect"].values.tolist()
    # To name one more is shorter than to count it.
    named = names if len(names) == MOST_PAIRS + 1 else names[:MOST_PAIRS]
    for name in named:
        share = with_interval(findings, pairs.sel(effect=name))
        grade = pairs["grade"].sel(effect=name).item() or "not tested"
        # Of a study of which most is missing there is a grade, and no interval.
        within = f"{share[:-1]}; {grade})" if share.endswith(")") else f"{share} ({grade})"
        parts.append(f"{name} {within}")
    if others := names[len(named) :]:
        most = of_variance(float(pairs["share"].sel(effect=others[0])))
        parts.append(f"{len(others)} other pairs {most} or less each")
    return prose.listing(parts)


def _of_the_seed(findings: Findings) -> Markup:
    """What trials of a seed have in common, which is no axis and may be most of the variance."""
    effects = findings.effects
    known = effects["effect"].values == "seed"
    share = of_variance(float(effects["share"].values[known].sum()))
    return Markup("" if share == of_variance(0.0) else "the {} explains {}, and ").format(
        findings.unit, share
    )


def with_interval(findings: Findings, effect: xr.Dataset) -> str:
    """`37% (28% to 46%)`: a share with its interval, where chance draws one."""
    if not findings.drawn:
        return of_variance(float(effect["share"]))
    return prose.with_limits(
        prose.each(of_variance), *(float(effect[name]) for name in ("share", "low", "high"))
    )


def of_variance(share: float) -> str:
    """A share of variance as told: of none, an estimate is as often below zero as above.

    What is left by those below zero is more than all.
    """
    return prose.percent(min(max(share, 0.0), 1.0))


def of_one_seed(effects: xr.Dataset) -> bool:
    """Whether one seed alone has scores, however many were planned: then it explains nothing."""
    return "seed" not in effects["effect"].values


def adds_up(effects: xr.Dataset) -> bool:
    """Whether effects have no variance in common, as they may have where scores are missing."""
    return bool(abs(effects["overlap"]) < MOST_OVERLAP)


def below_zero(effects: xr.Dataset, least: float = 0.005) -> bool:
    """Whether shares do not add up as they are told, because some are estimated below zero."""
    return bool(effects["share"].clip(max=0.0).sum() < -least)
