"""How the numbers of the page are made, and how to cite the software."""

from __future__ import annotations

from ganstudy.report.sections._base import Section


class Methods(Section):
    """Scores, intervals, comparisons and searches, in words."""

    place = 170
    label = "Methods"
