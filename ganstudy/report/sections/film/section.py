"""How the generator of one trial of each arm moved: played on a screen, three frames on paper."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.scenes import scenes
from ganstudy.report.sections._base import Chart, Section
from ganstudy.report.sections.film import player, stills


def _missing(findings: Findings) -> str:
    return "" if scenes(findings) else "no trial has a film: see `record.frames`"


def _draw(findings: Findings) -> Drawing:
    return stills.draw(findings, scenes(findings))


def _draw_on(axes: Axes, findings: Findings) -> None:
    stills.draw_on(axes, findings, scenes(findings)[0])


class Film(Section):
    """Frame by frame, over the gradients that move the samples."""

    place = 110
    label = "Movement"
    charts = (
        Chart(
            "film",
            """First, middle and last frame of how one generator of each arm moved, over gradients.

            On `ax` the last frame.
            """,
            _draw,
            _draw_on,
            missing=_missing,
        ),
    )

    def facts(self) -> dict[str, Any]:
        """What the player of the page shows."""
        return {"film": player.player(self.findings, scenes(self.findings))}
