"""The tables beside the page, as CSV and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ganstudy.report import latex
from ganstudy.report.findings import Findings
from ganstudy.report.sections import distribution
from ganstudy.report.sections.search import Searched
from ganstudy.report.sections.search_tables import best_table, front_table, point_table
from ganstudy.report.sections.trials import (
    Table,
    arm_table,
    metric_table,
    setting_table,
    trial_table,
)
from ganstudy.report.tables import ArmTable, equilibrium_table, stability_table

MEANS = "Means, in brackets 95% intervals over seeds, and medians where it says so."


@dataclass(frozen=True)
class Tables:
    """The tables that both the page and the files show; None for what a study does not have."""

    metrics: Table
    trials: Table
    distribution: Table | None
    stability: ArmTable
    game: ArmTable | None
    best: ArmTable | None
    front: ArmTable | None

    @classmethod
    def of(cls, findings: Findings, searched: Searched | None, colours: Sequence[str]) -> Tables:
        """Make them from what was found."""
        return cls(
            metrics=metric_table(findings),
            trials=trial_table(findings),
            distribution=distribution.table(findings) if len(findings.arms) > 1 else None,
            stability=stability_table(findings, colours),
            game=equilibrium_table(findings, colours),
            best=best_table(searched) if searched else None,
            front=front_table(searched) if searched else None,
        )


def files(
    findings: Findings, searched: Searched | None, tables: Tables, *, stability: bool
) -> dict[str, str]:
    """Text by file name; those on stability only where the page has that section."""
    written = {
        "metrics": tables.metrics,
        "trials": tables.trials,
        "settings": setting_table(findings),
    }
    texts = {"metrics": latex.metrics(findings)}
    if tables.distribution:
        written |= {
            "distribution": tables.distribution,
            "ranking": arm_table(findings, findings.ranked),
        }
        texts["distribution"] = latex.distribution(findings, tables.distribution)
        texts["ranking"] = latex.ranking(findings)
    if stability:
        written["stability"] = arm_table(findings, findings.stability)
        texts["stability"] = latex.by_arm(
            findings, tables.stability, f"Stability. {MEANS}", "stability"
        )
        if tables.game:
            written["game"] = arm_table(findings, findings.equilibrium)
            texts["game"] = latex.by_arm(findings, tables.game, f"The game. {MEANS}", "game")
    if searched and tables.best:
        written["points"] = point_table(searched, findings.arm)
        caption = f"The best of {searched.points} points of each search, chosen on its own seeds."
        texts["best_points"] = latex.by_arm(findings, tables.best, caption, "best_points")
    if tables.front:
        caption = "Points that no other one of their arm betters in every objective."
        texts["pareto"] = latex.by_arm(findings, tables.front, caption, "pareto")
    return {
        **{f"{name}.csv": table.csv() for name, table in written.items()},
        **{f"{name}.tex": text for name, text in texts.items()},
    }
