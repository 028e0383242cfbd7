"""Images that generators make."""

from ganstudy.report.sections.images.section import Images

__all__ = ["Images"]
