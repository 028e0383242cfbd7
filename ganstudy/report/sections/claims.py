"""The claims of the source texts: whether each held, in sentences and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from markupsafe import Markup
from numpy.typing import NDArray

from ganstudy.report import prose
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Section

COUNTED = (
    "analysis.claim_verdicts(ds).to_dataframe().query('trials > 0')"
    ".eval('right = held == trials').groupby(['printed', 'right']).size()"
)
"""Claims by whether they are as printed in a source, and whether they held in every trial."""

WITH_GAPS = (
    "analysis.claim_verdicts(ds).assign(ran=lambda own: own.trials + own.unchecked, "
    "counted=lambda own: (own.trials > 0) & (own.printed == 0)).assign("
    "right=lambda own: own.counted & (own.held == own.trials), "
    "wrong=lambda own: (own.printed > 0) & (own.held < own.trials))"
)
"""The same claim by claim, with all trials that have a tolerance."""


@dataclass(frozen=True)
class ClaimRow:
    """One claim as the table shows it."""

    statement: Markup
    source: str
    verdict: str
    trials: str
    error: str
    tolerance: str
    reason: str
    held: bool


def call(verdicts: xr.Dataset) -> str:
    """What has the numbers of `lead`."""
    return WITH_GAPS if verdicts["unchecked"].any() else COUNTED


def lead(verdicts: xr.Dataset) -> Markup:
    """How many claims held, and which did not."""
    checked = verdicts.isel(claim=verdicts["trials"].values > 0)
    held = (checked["held"] == checked["trials"]).values
    printed = checked["printed"].values.astype(bool)
    parts = (
        _own(checked, held, ~printed),
        _slips(checked, printed & ~held),
        _gaps(verdicts.isel(claim=verdicts["unchecked"].values > 0)),
    )
    return Markup(" ").join(part for part in parts if part)


def _own(checked: xr.Dataset, held: NDArray[np.bool_], own: NDArray[np.bool_]) -> Markup:
    """Of the claims that are held to be right; `own` says which these are."""
    right, total = int((held & own).sum()), int(own.sum())
    if not total:
        return Markup("<strong>Only statements with a known slip were checked.</strong>")
    all_held = f"All {total} claims held" if total > 1 else "The one claim held"
    count = all_held if right == total else f"{right} of {prose.plural(total, 'claim')} held"
    sentence = Markup("<strong>{}</strong> in every trial that checked {}").format(
        count, "it" if total == 1 else "them"
    )
    if right < total:
        sentence += Markup("; {} did not: {}").format(
            "this one" if total - right == 1 else "these",
            prose.listing(_names(checked, own & ~held)),
        )
    return sentence + Markup(".")


def _slips(checked: xr.Dataset, wrong: NDArray[np.bool_]) -> Markup:
    """Of the statements as printed that do not hold."""
    count = int(wrong.sum())
    if not count:
        return Markup("")
    return Markup("{} as printed in the source {} not hold: {}.").format(
        prose.plural(count, "statement"),
        "does" if count == 1 else "do",
        prose.listing(_names(checked, wrong)),
    )


def _gaps(unchecked: xr.Dataset) -> Markup:
    """Of the claims of which some trial has an error that is no number."""
    columns = (unchecked[name].values for name in ("long_name", "unchecked", "trials"))
    parts = [
        Markup("{} in {:.0f} of {}").format(
            prose.formula(str(name)), gone, prose.plural(int(gone + known), "trial")
        )
        for name, gone, known in zip(*columns, strict=True)
    ]
    if not parts:
        return Markup("")
    return Markup("Not checked, since the error is no number: {}.").format(prose.listing(parts))


def rows(verdicts: xr.Dataset) -> list[ClaimRow]:
    """The table of claims, in the order of the kind."""
    return [_row(verdicts.isel(claim=index)) for index in range(verdicts.sizes["claim"])]


def _names(verdicts: xr.Dataset, chosen: NDArray[np.bool_]) -> list[Markup]:
    return [prose.formula(str(name)) for name in verdicts["long_name"].values[chosen]]


def _row(row: xr.Dataset) -> ClaimRow:
    trials, held, unchecked = (int(row[name]) for name in ("trials", "held", "unchecked"))
    if not trials:
        verdict = "not checked"
    elif held == trials:
        verdict = "held"
    elif held:
        verdict = f"held in {held} of {trials}"
    else:
        verdict = "does not hold"
    return ClaimRow(
        statement=prose.formula(str(row["statement"].item())),
        source=str(row["source"].item()),
        verdict=verdict,
        trials=f"{trials} of {trials + unchecked}" if unchecked else str(trials),
        error=prose.scientific(float(row["error"])),
        tolerance=prose.scientific(float(row["tolerance"])),
        reason=str(row["reason"].item()),
        held=held == trials > 0,
    )


class Claims(Section):
    """Whether each claim of the source texts held."""

    place = 20
    label = "Claims"

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """In studies whose trials check claims."""
        return findings.theory

    def facts(self) -> dict[str, Any]:
        """A row for each claim."""
        return {"rows": rows(self.findings.claims)}
