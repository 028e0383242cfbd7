"""What every trial shares: all that the study held fixed, and what it did not mention."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ganstudy.report import prose
from ganstudy.report.data_tables import DataTable
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Section
from ganstudy.store.point_settings import SEARCHED

SHOWN = 3
"""Values that are named, of a setting that takes several."""


class SharedSettings(Section):
    """Every setting that all trials share, with those that the study leaves at their defaults."""

    place = 155
    label = "Shared"
    heading = "What every trial shares"

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """Where the dataset says so; one of several runs does not."""
        return "shared" in findings.gathered.attrs

    @property
    def common(self) -> int:
        """Settings that all trials share; the table has those that differ by default, too."""
        return len(json.loads(self.findings.gathered.attrs["shared"]))

    def tables(self) -> Mapping[str, tuple[DataTable, str]]:
        """A row for each setting: what axes imply, then those of the study first."""
        attrs = self.findings.gathered.attrs
        shared, implied = json.loads(attrs["shared"]), json.loads(attrs.get("implied", "[]"))
        rows = [
            [key, _values(own), axis or "several axes", meaning]
            for key, axis, own, meaning in implied
        ]
        rows += [
            [key, prose.written(value), "the study" if stated else "default", meaning]
            for key, value, stated, meaning in sorted(shared, key=lambda own: not own[2])
        ]
        said = sum(stated for _, _, stated, _ in shared)
        caption = (
            f"{prose.plural(len(shared), 'setting')} that all trials share, {said} of them as the "
            "study says and the others by default. Axes and what a search chooses are not among "
            "them."
        )
        searched = [key for key, _, own, _ in implied if any(value == SEARCHED for value, _ in own)]
        if by_default := [key for key, *_ in implied if key not in searched]:
            keys = prose.listing(_members(by_default))
            caption += f" By default, and not by what the study says, trials differ in {keys}."
        if searched:
            keys = prose.listing(_members(searched))
            caption += f" A search sets {keys} in some arms only; the table has what others have."
        table = DataTable(["setting", "value", "by", "meaning"], [None] * 4, rows)
        return {"shared": (table, caption)}


def _members(keys: Iterable[str]) -> Iterable[str]:
    """Keys, those of a member of a family as one: `constraint` for its name and its bound."""
    known = list(keys)
    parts = {key: key.rpartition(".")[0] for key in known}
    return dict.fromkeys(own if f"{own}.name" in known else key for key, own in parts.items())


def _values(own: Sequence[tuple[Any, Sequence[Any]]]) -> str:
    """`5 with wasserstein; 1 with minimax`: which values a setting takes, and where."""
    *few, (most, labels) = sorted(own, key=lambda one: len(one[1]))
    if not labels:
        values = [prose.written(value) for value, _ in own]
        return ", ".join(values) if len(values) <= SHOWN else f"{len(values)} values"
    others = f"the {len(labels)} others" if few and len(labels) > SHOWN else _listed(labels)
    told = [f"{prose.written(value)} with {_listed(where)}" for value, where in few]
    return "; ".join([*told, f"{prose.written(most)} with {others}"])


def _listed(labels: Iterable[Any]) -> str:
    return ", ".join(prose.quoted(prose.written(label)) for label in labels)
