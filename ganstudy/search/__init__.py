"""Searches: which trials a study needs.

A file here is a search. It says what a study file may write below `search.NAME` (`keys`), which
trials are due (`ask`, `tell`), and what it adds to the dataset (`adds`, `dimensions`, `variables`).
A study that names none is a `grid`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.family import Family
from ganstudy.search._base import Search

if TYPE_CHECKING:
    from ganstudy.study import Study

__all__ = ["Search", "family", "search_of"]

family: Family[Search] = Family(__name__, Search)


def search_of(study: Study) -> Search:
    """The search that a study asks for; it has not been told of any record."""
    return family[study.search].of(study)
