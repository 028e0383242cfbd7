"""`csv`: two tables as text."""

from __future__ import annotations

from pathlib import Path

from ganstudy.export import _tables
from ganstudy.export._base import ExportedRun, Exporter
from ganstudy.export._files import replaced
from ganstudy.report.data_tables import inert


class CsvExporter(Exporter):
    """`trials.csv` and `curves.csv`: every setting, tag and scalar of a trial, and every curve.

    Numbers are written in full, so that they are the same when they are read; text that a
    spreadsheet would take for a formula has an apostrophe before it.
    """

    opens = "any spreadsheet: {path}/trials.csv"

    def write(self, run: ExportedRun, place: Path) -> int:
        """Both files anew; how many trials they tell otherwise than before."""
        tables = {"trials.csv": _tables.trials(run), "curves.csv": _tables.curves(run)}
        content = {
            name: table.map(inert).to_csv(index=False, lineterminator="\n").encode()
            for name, table in tables.items()
        }
        return replaced(run, place, self.name, content)
