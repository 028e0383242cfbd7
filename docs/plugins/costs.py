"""A report section of the user's own."""

from markupsafe import Markup
from matplotlib.figure import Figure

from ganstudy.report.data_tables import DataTable
from ganstudy.report.drawing import Drawing
from ganstudy.report.prose import Sentence
from ganstudy.report.sections import Chart, Section


def draw_on(axes, findings):
    axes.bar(findings.arms, findings.ds["seconds"].sum(["seed", *findings.axes]))


def draw(findings):
    figure = Figure(figsize=(4, 2), layout="constrained")
    draw_on(figure.subplots(), findings)
    return Drawing("time_by_arm", figure, "Seconds by arm.", Markup("Seconds of all trials."))


class Costs(Section):
    """What the trials of each arm cost."""

    place = 145
    label = "Costs"
    heading = "What it cost"
    charts = (Chart("time_by_arm", "Seconds by arm.", draw, draw_on, single=True),)

    @classmethod
    def applies(cls, findings):
        return "seconds" in findings.ds

    def sentences(self):
        total = float(self.findings.ds["seconds"].sum())
        return [Sentence(Markup("Costs: {:.0f} s & more.").format(total), "ds['seconds'].sum()")]

    def tables(self):
        rows = [[arm, 1.5] for arm in self.findings.arms]
        return {"costs": (DataTable(["arm", "euros"], [None, 2], rows), "What each arm cost.")}
