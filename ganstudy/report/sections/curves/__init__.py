"""`curves`: what was recorded over training."""

from ganstudy.report.sections.curves.section import Curves

__all__ = ["Curves"]
