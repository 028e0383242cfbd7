"""Searches: which trials a study needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.family import Family
from ganstudy.search._base import Search

if TYPE_CHECKING:
    from ganstudy.study import Study

__all__ = ["Search", "family", "search_of"]

# A base is abstract; members are what is made.
family: Family[Search] = Family(__name__, Search)


def search_of(study: Study) -> Search:
    """The search that a study asks for, before it has been told anything."""
    return family[study.search](study)
