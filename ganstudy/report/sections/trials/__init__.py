"""`trials`: every trial, to be sorted, filtered and opened."""

from ganstudy.report.sections.trials.section import Trials

__all__ = ["Trials"]
