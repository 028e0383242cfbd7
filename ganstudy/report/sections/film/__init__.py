"""`film`: how generators moved."""

from ganstudy.report.sections.film.section import Film

__all__ = ["Film"]
