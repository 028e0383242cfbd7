"""`search`: what a search by results tried and found."""

from ganstudy.report.sections.search.section import Search

__all__ = ["Search"]
