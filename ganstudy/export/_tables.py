"""A run as two tables: a row for each trial, and a row for each value of a curve."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ganstudy.export._base import ExportedRun

__all__ = ["curves", "trials"]


def trials(run: ExportedRun) -> pd.DataFrame:
    """Tags, scalars and parameters of each trial; columns that only some trials have have gaps.

    A parameter that is named as a tag or a scalar stands below `trial.`, as in a study file.
    """
    rows: list[dict[str, Any]] = []
    for trial in run.trials:
        parameters = {f"trial.{name}": value for name, value in trial.parameters.items()}
        rows.append({**trial.tags, **trial.scalars, **parameters})
    return pd.DataFrame(rows)


def curves(run: ExportedRun) -> pd.DataFrame:
    """Long form: `trial`, `variable`, `step`, `value`."""
    parts = [
        pd.DataFrame({"trial": trial.id, "variable": name, "step": steps, "value": values})
        for trial in run.trials
        for name, (steps, values) in trial.curves.items()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_CURVES)


_CURVES = ["trial", "variable", "step", "value"]
