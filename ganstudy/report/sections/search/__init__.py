"""`search`: what a search by results tried and found."""

from ganstudy.report.sections.search.section import SearchSection

__all__ = ["SearchSection"]
