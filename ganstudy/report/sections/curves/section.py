"""All that is recorded over training: the headline metric, bounds, labels, and the rest."""

from __future__ import annotations

from matplotlib.axes import Axes

from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.sections._base import Chart, Section
from ganstudy.report.sections.curves import bounds, labels, training


def _no_others(findings: Findings) -> str:
    known = training.other_curves(findings)
    return "" if known else "nothing but the headline metric is recorded over training"


def _recorded(findings: Findings, names: tuple[str, ...]) -> None:
    """Errors  `KeyError` for a name that is not recorded."""
    ds = findings.ds
    recorded = [str(name) for name in ds.data_vars if "step" in ds[name].dims]
    for name in names:
        if name not in recorded:
            raise KeyError(f"no curve {name!r}; the dataset has {', '.join(recorded)}")


def _others(findings: Findings, *names: str) -> Drawing:
    _recorded(findings, names)
    return training.draw_others(findings, names or training.other_curves(findings))


def _other_on(axes: Axes, findings: Findings, *names: str) -> None:
    _recorded(findings, names)
    if len(names) != 1:
        raise ValueError("nothing to draw: one axes takes one curve; name it")
    training.draw_other_on(axes, findings, names[0])


class Curves(Section):
    """Curves over training, a line for each arm."""

    place = 90
    label = "Curves"
    heading = "Over training"
    charts = (
        Chart(
            "curves",
            """A metric over training: a line for each arm, a band from lowest to highest seed.

            A panel for each setting; on `ax`, or with many settings, arms are averaged over
            settings.
            """,
            training.draw_score,
            training.draw_score_on,
            missing=training.no_curve,
            metric=True,
            legend="lines",
        ),
        Chart(
            "bounds",
            """What critics claim of their divergence against its exact value, a panel an arm.""",
            bounds.draw,
            bounds.draw_on,
            missing=bounds.missing,
        ),
        Chart(
            "labels",
            """Conditional generators label by label: the share of samples true to their label.""",
            labels.draw,
            labels.draw_on,
            missing=labels.missing,
            single=True,
        ),
        Chart(
            "diagnostics",
            """Losses, gradients and all else recorded: each arm's median trial and quartiles.

            names  variables with a dimension `step`, by default all but the headline metric; on
                   `ax` one

            Errors  `KeyError` for a name that is not recorded.
            """,
            _others,
            _other_on,
            missing=_no_others,
            curves=True,
            legend="lines",
        ),
    )
