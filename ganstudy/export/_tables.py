"""A run as two tables: a row for each trial, and a row for each value of a curve."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from ganstudy.export._base import ExportedRun

__all__ = ["curves", "trials"]


_NULL = json.dumps(None)


def trials(run: ExportedRun) -> pd.DataFrame:
    """Tags, scalars and parameters of each trial; columns that only some trials have have gaps.

    Values on axes, seeds and what a search adds have their types of the dataset. A parameter stands
    below `trial.`, as in a study file, and is a gap where it is null.
    """
    rows: list[dict[str, Any]] = []
    for trial in run.trials:
        parameters = {f"trial.{k}": own for k, own in trial.parameters.items() if own != _NULL}
        rows.append({**trial.tags, **trial.place, **trial.scalars, **parameters})
    return pd.DataFrame(rows, dtype=object).apply(_typed)


def _typed(column: pd.Series[Any]) -> pd.Series[Any]:
    """Of the one type of its values, if they have one: gaps make no text and no fraction of it."""
    types = {type(value) for value in column.dropna()}
    if types == {bool}:
        return column.astype("boolean" if column.hasnans else "bool")
    if types == {int}:
        return column.astype("Int64" if column.hasnans else "int64")
    return column.astype("float64") if types <= {int, float} else column.astype("string")


def curves(run: ExportedRun) -> pd.DataFrame:
    """Long form: `trial_id`, `variable`, `step`, `value`."""
    parts = [
        pd.DataFrame({"trial_id": trial.id, "variable": name, "step": steps, "value": values})
        for trial in run.trials
        for name, (steps, values) in trial.curves.items()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_CURVES)


_CURVES = ["trial_id", "variable", "step", "value"]
