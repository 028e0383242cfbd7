r"""The tables of a paper, with booktabs and graphicx."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import partial
from itertools import compress
from textwrap import wrap

import numpy as np
from markupsafe import Markup

from ganstudy.analysis import RecordedMetric, arm_scores, metric_names
from ganstudy.analysis.design import seeds_added
from ganstudy.cause import harmless
from ganstudy.report import accounted, prose
from ganstudy.report.data_tables import DataTable
from ganstudy.report.findings import Findings
from ganstudy.report.prose import decimals_of
from ganstudy.report.tables import ArmTable, ranking_table

_GREEK = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"
_LETTERS = """alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho
sigma tau upsilon varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{INFINITY}": r"$\infty$",
    "\N{DOUBLE VERTICAL LINE}": r"$\Vert$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{RIGHTWARDS ARROW}": r"$\rightarrow$",
    "\N{NABLA}": r"$\nabla$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{x: rf"$\{name}$" for x, name in zip(_GREEK, _LETTERS.split(), strict=True)},
    **{chr(0x2080 + digit): rf"\textsubscript{{{digit}}}" for digit in range(10)},
}

HEADING = 14
"""Characters after which a heading continues on the next line."""


def escaped(text: str) -> str:
    """Text as LaTeX prints it, whatever characters it has."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def ranking(findings: Findings) -> str:
    """The arms as the page ranks them; the averages that no other is better than are bold."""
    ranked, metric = findings.ranked, findings.metric
    settings = findings.averaged_settings
    over = f", averaged over {prose.plural(settings, 'setting')}" if settings > 1 else ""
    caption = (
        f"{prose.capital(metric.long_name)} ({metric.direction} is better) over "
        f"{prose.plural(findings.seeds, findings.unit)}{over}. Differences from the best are "
        f"paired within {findings.units}"
    )
    graded = (
        "; their intervals hold for all pairs at once, and p is adjusted by Holm. Clear: p below "
        f"0.01, with all {findings.units} and without any one of them, of fewer than four settings "
        f"with ten {findings.units} or more; leaning: below 0.2."
    )
    caption += graded if findings.graded else f".{_fixed(findings)}"
    if findings.unbounded.any():
        caption += f" In no average, as worse than any number: {_plain(accounted.worse(findings))}."
    equal = ranked["equals_best"] & ranked["mean"].notnull()
    best = list(compress(findings.ranked_arms, equal.values))
    return by_arm(findings, ranking_table(findings), caption, "ranking", best)


def metrics(findings: Findings) -> str:
    """Every metric of every arm with its interval, the best ones in bold."""
    ds, scale = findings.ds, findings.scale
    names, known = metric_names(ds), bool(scale["mean"].notnull().any())
    columns = [_column(findings, name) for name in names]
    rows = [[escaped(arm), *cells] for arm, *cells in zip(findings.arms, *columns, strict=True)]
    facts = [RecordedMetric.of(ds, name) for name in names]
    of_p = [
        escaped(prose.number(float(scale["mean"].sel(metric=fact.name)), decimals_of(ds, fact)))
        for fact in facts
    ]
    arrow = {True: r" $\uparrow$", False: r" $\downarrow$"}
    headings = [
        _heading(findings.arm, "l"),
        *(_heading(fact.long_name, end=arrow[fact.higher_is_better]) for fact in facts),
    ]
    caption = f"Means over {prose.plural(findings.seeds, findings.unit)}"
    if findings.drawn and findings.seeds > 1:
        caption += f"; in brackets, the 95% interval over {findings.units}"
    if known:
        caption += ". Below the line, as many samples of the target itself"
        rows += [["\\midrule\nperfect sampler", *of_p]]
    caption += f".{_fixed(findings)}"
    if worse := [f"by {name} {_plain(own)}" for name, own in accounted.worse_by_metric(findings)]:
        caption += f" In no mean, as worse than any number: {'; '.join(worse)}."
    return _table(headings, rows, caption, "metrics", findings)


def _plain(text: Markup) -> str:
    return text.unescape()


def _fixed(findings: Findings) -> str:
    """What the limits of an arm are where seeds were added as results came in."""
    if not (seeds_added(findings.ds) and findings.drawn and findings.seeds > 1):
        return ""
    return f" Intervals are those of a fixed number of {findings.units}."


def distribution(findings: Findings, table: DataTable, note: str) -> str:
    """Arms by the whole distribution of their trials, as the page has it, with what it notes."""
    caption = f"{prose.capital(findings.metric.long_name)} beyond the mean. {note}"
    return plain(findings, table, caption, "distribution")


def plain(findings: Findings, table: DataTable, caption: str, label: str) -> str:
    """Any table, its cells as the page shows them."""
    rows = [list(map(escaped, row)) for row in table.texts()]
    headings = [_heading(table.headings[0], "l"), *map(_heading, table.headings[1:])]
    return _table(headings, rows, caption, label, findings)


def by_arm(
    findings: Findings, table: ArmTable, caption: str, label: str, best: Collection[str] = ()
) -> str:
    """A table of the page with an arm a row; of the best ones the first cell is bold."""
    rows = [list(map(escaped, (row.arm, *row.cells))) for row in table.rows]
    for row in (cells for cells, own in zip(rows, table.rows, strict=True) if own.arm in best):
        row[1] = rf"\textbf{{{row[1]}}}"
    headings = [_heading(findings.arm, "l"), *map(_heading, table.headings)]
    return _table(headings, rows, caption, label, findings)


def _column(findings: Findings, name: str) -> list[str]:
    """A metric of all arms; bold are all that show the best value, and none of which some trials
    are worse than any number: the mean of the others flatters it."""
    ds, fact = findings.ds, RecordedMetric.of(findings.ds, name)
    scores = arm_scores(ds, name, settings=findings.settings_used)
    places = decimals_of(ds, fact)
    means, whole = scores["mean"].values, (scores["unbounded"] == 0).values
    shown = [prose.number(mean, places) for mean in means.tolist()]
    best = fact.sign * np.fmax.reduce(fact.sign * means[whole], initial=-math.inf)
    cells = []
    ends = scores["low"].values, scores["high"].values
    for text, mean, low, high, own in zip(shown, means, *ends, whole, strict=True):
        cell = text
        if findings.drawn:
            cell = prose.with_limits(partial(prose.numbers, decimals=places), mean, low, high)
        value, opening, limits = escaped(cell).partition(" (")
        if own and math.isfinite(best) and text == prose.number(float(best), places):
            value = rf"\textbf{{{value}}}"
        cells.append(value + opening + limits)
    return cells


def _table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    caption: str,
    label: str,
    findings: Findings,
) -> str:
    question = harmless(" ".join(str(findings.ds.attrs["question"]).split()))
    lines = [
        r"% \usepackage{booktabs,graphicx}",
        f"% {question}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(caption)}}}",
        rf"\label{{tab:{label}}}",
        r"\medskip",
        # Scaled down where it is wider than the text, and never up.
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * (len(headings) - 1)}}}",
        r"\toprule",
        " & ".join(headings) + r" \\",
        r"\midrule",
        *(_row(row) for row in rows),
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    r"""A row; `[` or `*` at its beginning would be an argument of the `\\` before it."""
    text = " & ".join(cells)
    return ("{}" if text.startswith(("[", "*")) else "") + text + r" \\"


def _heading(text: str, align: str = "r", end: str = "") -> str:
    """A heading over as many lines as it takes not to widen its column."""
    lines = [
        escaped(line)
        for line in wrap(text, HEADING, break_long_words=False, break_on_hyphens=False)
    ]
    whole = r"\\".join(lines) + end
    return rf"\shortstack[{align}]{{{whole}}}" if len(lines) > 1 else whole
