"""A comparison of runs: which they are, what differs between them, and where each was made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from ganstudy.report import prose
from ganstudy.report.findings import Findings
from ganstudy.report.prose import Sentence
from ganstudy.report.sections._base import Section

MOST_NAMED = 6
"""Settings that the sentence names; the table has the rest."""


@dataclass(frozen=True)
class ComparedRuns:
    """What the page says of the runs; `rows` and `differences` are tables of text.

    recorded  whether any run tells what made it
    """

    names: list[str]
    rows: list[list[str]]
    differences: list[list[str]]
    versions: list[list[str]]
    recorded: bool
    command: str

    @classmethod
    def of(cls, findings: Findings, provenance: Mapping[str, Any]) -> ComparedRuns:
        """The runs of a joined dataset."""
        ds = findings.ds
        names = list(dict.fromkeys(ds["run"].values.tolist()))
        differing = [
            [key, *(value or prose.MISSING for value in values)]
            for key, values in json.loads(ds.attrs["differences"]).items()
        ]
        made = [_made(run) for run in provenance.get("runs", [])]
        facts = dict.fromkeys(fact for own in made for fact in own if fact != "started")
        versions = [[fact, *(own.get(fact, prose.MISSING) for own in made)] for fact in facts]
        rows = []
        for number, (name, path) in enumerate(zip(names, ds.attrs["runs"], strict=True)):
            own = ds["status"].isel({findings.arm: ds["run"].values == name})
            trained = int(own.isin(["complete", "diverged"]).sum())
            started = made[number].get("started", prose.MISSING) if made else prose.MISSING
            rows.append([name, path, str(own.sizes[findings.arm]), str(trained), started])
        return cls(
            names,
            rows,
            differing,
            [row for row in versions if len(set(row[1:])) > 1],
            bool(versions),
            str(provenance.get("command", "")),
        )

    @property
    def sentence(self) -> Markup:
        """That runs differ in more than their arms, which no statistic can set right."""
        keys = [key for key, *_ in self.differences if key.partition(".")[0] not in _KEPT]
        members = [key.removesuffix(".name") for key in keys if key.endswith(".name")]
        # Where a member differs its parameters go without saying.
        inner = tuple(f"{member}." for member in members)
        settings = members + [key for key in keys if not key.startswith(inner)]
        named = prose.first_of(settings, MOST_NAMED, "")
        text = Markup("Compared are {}.").format(
            prose.listing(
                f"{row[0]} ({prose.plural(int(row[3]), 'trial')} run)" for row in self.rows
            )
        )
        if settings:
            text += Markup(
                " They differ in {}: what sets the arms of two runs apart may be any of these."
            ).format(prose.listing(named))
        if self.versions:
            text += Markup(" What made them differs in {}.").format(
                prose.listing(fact for fact, *_ in self.versions)
            )
        return text


_KEPT = ("record", "seeds")
"""Settings of what is kept and repeated, which change no trial."""


def _made(run: Mapping[str, Any]) -> dict[str, str]:
    """When a run was made and with what, all of its sessions together."""
    found: dict[str, dict[str, None]] = {}
    sessions: Sequence[Mapping[str, Any]] = run.get("sessions", [])
    for session in sessions:
        facts = {key: session[key] for key in ("python", "program", "platform") if key in session}
        facts |= session.get("packages", {})
        for key, value in facts.items():
            found.setdefault(key, {})[str(value)] = None
    made = {key: ", ".join(values) for key, values in found.items()}
    started = [str(session["started"])[:10] for session in sessions if "started" in session]
    return made | ({"started": started[0]} if started else {})


class Runs(Section):
    """The runs of a comparison, and what they differ in beside their arms."""

    place = 10
    label = "Runs"

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """In a comparison of runs, side by side."""
        return "run" in findings.ds.coords and "runs" in findings.ds.attrs

    @cached_property
    def compared(self) -> ComparedRuns:
        """What is said of them."""
        return ComparedRuns.of(self.findings, self.findings.provenance)

    def sentences(self) -> list[Sentence]:
        """Which runs are compared, and what may set their arms apart."""
        counted = "analysis.status_counts(ds).groupby('run').sum().assign_attrs(ds.attrs)"
        return [Sentence(self.compared.sentence, counted)]

    def facts(self) -> dict[str, Any]:
        """The tables of runs, settings and versions."""
        return {"compared": self.compared}
