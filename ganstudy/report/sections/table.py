"""All arms at all settings."""

from __future__ import annotations

from typing import Any

from ganstudy.report.data_tables import setting_table
from ganstudy.report.sections._base import Section
from ganstudy.report.tables import score_table


class AllArms(Section):
    """Every arm at every setting, by every metric."""

    place = 150
    label = "Table"

    def files(self) -> dict[str, str]:
        """All rows, including those that the page leaves out."""
        return {"settings.csv": setting_table(self.findings).csv()}

    def facts(self) -> dict[str, Any]:
        """The rows of the page."""
        return {"table": score_table(self.findings)}
