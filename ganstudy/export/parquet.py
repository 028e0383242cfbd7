"""`parquet`: two tables with types, for pandas, DuckDB, Spark and others."""

from __future__ import annotations

import io
from pathlib import Path

from ganstudy.export import _tables
from ganstudy.export._base import ExportedRun, Exporter
from ganstudy.export._files import replaced


class ParquetExporter(Exporter):
    """`trials.parquet` and `curves.parquet`: what `csv` has, with the types of the columns."""

    extra = "parquet"
    opens = "pandas.read_parquet('{path}/trials.parquet')"

    def write(self, run: ExportedRun, place: Path) -> int:
        """Both files anew; how many trials they tell otherwise than before."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        content = {}
        tables = {"trials.parquet": _tables.trials(run), "curves.parquet": _tables.curves(run)}
        for name, table in tables.items():
            file = io.BytesIO()
            pq.write_table(pa.Table.from_pandas(table, preserve_index=False), file)
            content[name] = file.getvalue()
        return replaced(run, place, self.name, content)
