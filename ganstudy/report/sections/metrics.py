"""Every metric of every arm, beside what samples of the target itself score."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ganstudy.report import latex
from ganstudy.report.data_tables import DataTable, metric_table
from ganstudy.report.sections._base import Section
from ganstudy.report.tables import audits, estimates


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
        """The table, what is estimated or was audited, and from how many clouds of p."""
        return {
            "table": self.table,
            "estimates": estimates(self.findings),
            "audits": audits(self.findings),
            "draws": self.findings.gathered.sizes.get("draw", 0),
        }
