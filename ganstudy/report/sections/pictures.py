"""The classical pictures of a kind whose truth is known, such as orbits and phase portraits."""

from __future__ import annotations

from ganstudy.report import theory
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Section


class Pictures(Section):
    """The pictures of the study's kind."""

    place = 30
    label = "Pictures"

    @classmethod
    def applies(cls, findings: Findings) -> bool:
        """For the kinds that have some."""
        return theory.known(findings)

    def drawings(self) -> list[Drawing]:
        """All of them."""
        return theory.drawings(self.findings)

    def call(self, figure: str) -> str:
        """One of them by name."""
        return f'{super().call("pictures")}["{figure}"]'
