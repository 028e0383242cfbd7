"""Every trial of the study in a table that can be sorted and filtered; a row opens."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ganstudy.report.data_tables import DataTable, trial_table
from ganstudy.report.sections._base import Section
from ganstudy.report.sections.trials import details


class Trials(Section):
    """Each trial, what became of it, and its scores."""

    place = 160
    label = "Trials"

    @cached_property
    def table(self) -> DataTable:
        """A row for each trial."""
        return trial_table(self.findings)

    def files(self) -> dict[str, str]:
        """The same rows."""
        return {"trials.csv": self.table.csv()}

    def facts(self) -> dict[str, Any]:
        """The rows, and what each opens."""
        return {
            "table": self.table,
            "details": details.embedded(self.findings),
            "note": details.note(self.findings),
        }
