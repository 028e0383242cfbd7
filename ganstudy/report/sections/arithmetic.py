"""Trials that rest on more than one kind of arithmetic, where a report compares such trials."""

from __future__ import annotations

from ganstudy.report.data_tables import DataTable
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Section


class Arithmetic(Section):
    """How many trials were computed with what, if not all with the same."""

    place = 155
    label = "Arithmetic"

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """Where the trials of a report were not all computed on one arithmetic."""
        return len(_counts(findings)) > 1

    def tables(self) -> dict[str, tuple[DataTable, str]]:
        """The kinds of arithmetic, the most frequent first."""
        counts = _counts(self.findings)
        table = DataTable(["arithmetic", "trials"], [None, 0], [[*row] for row in counts.items()])
        caption = (
            f"The trials compared here were computed on {len(counts)} kinds of arithmetic, which "
            "round differently: two trials of one configuration and seed may differ for no other "
            "reason, in the last bits at first and visibly after many steps."
        )
        return {"arithmetic": (table, caption)}


def _counts(findings: Findings) -> dict[str, int]:
    if "arithmetic" not in findings.ds:
        return {}
    known = findings.ds["arithmetic"].to_series().replace("", None).value_counts()
    return {str(text): int(count) for text, count in known.items()}
