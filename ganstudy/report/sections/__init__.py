"""Sections of the report: a file here is a section, with its template beside it if it needs one."""

from ganstudy.family import Family
from ganstudy.report.sections._base import Chart, Section

__all__ = ["Chart", "Section", "family"]

family = Family(__name__, Section)
