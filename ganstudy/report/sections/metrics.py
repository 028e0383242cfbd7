"""Every metric of every arm, beside what samples of the target itself score."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ganstudy.analysis import metric_names
from ganstudy.analysis.reference import differs_by_target
from ganstudy.report import latex
from ganstudy.report.accounted import worse_by_metric
from ganstudy.report.data_tables import DataTable, decimals_of_all, metric_table
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Section
from ganstudy.report.tables import audits, estimates

MOST_ARMS = 8
"""Arms that are columns; more are rows, or the table would be wider than any screen."""


class Metrics(Section):
    """All metrics in one table."""

    place = 140
    label = "Metrics"

    @cached_property
    def table(self) -> DataTable:
        """A row for each metric."""
        return metric_table(self.findings)

    def files(self) -> dict[str, str]:
        """The table; for a paper with arms as rows."""
        return {"metrics.csv": self.table.csv(), "metrics.tex": latex.metrics(self.findings)}

    def facts(self) -> dict[str, Any]:
        """The table, what is in none of its means, what is estimated or was audited, and from how
        many clouds of p, of each target where it makes a difference.
        """
        ds, many = self.findings.ds, len(self.findings.arms) > MOST_ARMS
        return {
            "table": _turned(self.table, self.findings) if many else self.table,
            "known": "perfect sampler" in self.table.headings,
            "worse": worse_by_metric(self.findings),
            "estimates": estimates(self.findings),
            "audits": audits(self.findings),
            "draws": self.findings.gathered.sizes.get("draw", 0),
            "by_target": any(differs_by_target(ds, name) for name in metric_names(ds)),
        }


def _turned(table: DataTable, findings: Findings) -> DataTable:
    """The table with a metric a column, below how it is to be read a row for each arm."""
    metrics, *columns = zip(*table.rows, strict=True)
    names = table.headings[1:]
    rows = [[name, *column] for name, column in zip(names, columns, strict=True)]
    return DataTable([findings.arm, *metrics], [None, *decimals_of_all(findings)], rows)
