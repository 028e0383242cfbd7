"""Where, when and with what the trials were trained."""

from __future__ import annotations

from typing import Any

from ganstudy.report.sections._base import Section
from ganstudy.report.tables import provenance_rows


class Provenance(Section):
    """Sessions, machines and versions."""

    place = 180
    label = "Provenance"
    several = True

    def facts(self) -> dict[str, Any]:
        """Keys and values."""
        return {"rows": provenance_rows(self.findings.provenance)}
