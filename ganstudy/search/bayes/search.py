"""Bayesian search: each arm has its own sampler, which proposes points by their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganstudy.search.bayes.keys import BayesKeys
from ganstudy.search.bayes.repeated import Repeated
from ganstudy.search.bayes.single import Single

if TYPE_CHECKING:
    from ganstudy.search._base import Search
    from ganstudy.study import Study

__all__ = ["Bayes"]


class Bayes(Single):
    """Each arm has its own sampler, which proposes points by their results: once, or repeatedly.

    Asked for points as workers fall free, told of their scores as records land.
    """

    @classmethod
    def of(cls, study: Study) -> Search:
        """One search of each arm, or several with fresh seeds for what they choose."""
        assert isinstance(study.keys, BayesKeys)
        return Repeated(study) if study.keys.repeated else cls(study)
