"""What every trial shares: all that the study held fixed, and what it did not mention."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ganstudy.report import prose
from ganstudy.report.data_tables import DataTable
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Section


class SharedSettings(Section):
    """Every setting that all trials share, with those that the study leaves at their defaults."""

    place = 155
    label = "Shared"
    heading = "What every trial shares"

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """Where the dataset says so; one of several runs does not."""
        return "shared" in findings.gathered.attrs

    def tables(self) -> Mapping[str, tuple[DataTable, str]]:
        """A row for each setting, those of the study first."""
        shared = json.loads(self.findings.gathered.attrs["shared"])
        rows = [
            [key, prose.written(value), "the study" if stated else "default", meaning]
            for key, value, stated, meaning in sorted(shared, key=lambda own: not own[2])
        ]
        said = sum(stated for _, _, stated, _ in shared)
        caption = (
            f"{prose.plural(len(shared), 'setting')} that all trials share, {said} of them as the "
            "study says and the others by default. Axes and what a search chooses are not among "
            "them."
        )
        table = DataTable(["setting", "value", "by", "meaning"], [None] * 4, rows)
        return {"shared": (table, caption)}
