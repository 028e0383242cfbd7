"""Searches: which trials a study needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.search._base import Search

if TYPE_CHECKING:
    from ganstudy.study import Study

__all__ = ["Search", "search_of"]


def search_of(study: Study) -> Search:
    """The search that a study asks for, before it has been told anything."""
    from ganstudy.search.bayes import Bayes
    from ganstudy.search.grid import Grid

    return Grid(study) if study.file.search.bayes is None else Bayes(study)
