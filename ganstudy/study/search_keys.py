"""What a study may ask of its search: the keys below `search.NAME`, and how the study is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ganstudy.settings import Settings
from ganstudy.study.corner import Corner
from ganstudy.study.document import Document, KeyPath, Problem
from ganstudy.study.space import AnyParameter

__all__ = ["SearchKeys"]


class SearchKeys(Settings):
    """The keys of one search; its fields are those that stand below `search.NAME`.

    The class without fields is that of a search whose axes say everything.
    """

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that the search is after, the one that ranks the arms first; by default none."""
        return ()

    @property
    def sets(self) -> Mapping[str, str]:
        """What sets a key of trials, by the key, beside axes and parameters; by default nothing."""
        return {}

    @property
    def points(self) -> int:
        """Points that the search asks for at each arm; one where the axes say everything."""
        return 1

    @property
    def fixed(self) -> Mapping[str, Any]:
        """What a run keeps of it, by keys in a study, as plain values; by default nothing."""
        return {}

    def draws(self, seeds: Sequence[int]) -> tuple[int, str] | None:
        """How many draws of each arm are compared, and what one is; None if that is still open.

        Seeds, where the axes say everything.
        """
        return None if type(self).model_fields else (len(seeds), "seed")

    @property
    def stops_early(self) -> KeyPath | None:
        """The key by which some trials are stopped before their last step; by default none."""
        return None

    @property
    def remark(self) -> str:
        """What is to be known of such a search before it is made, in words; by default nothing."""
        return ""

    def parameters(
        self, document: Document, axes: Mapping[str, tuple[Any, ...]], problems: list[Problem]
    ) -> tuple[AnyParameter, ...]:
        """What the search sets itself, beside the axes; by default nothing.

        `axes` are the labels of each axis; mistakes are added to `problems`.
        """
        return ()

    def problems(
        self,
        document: Document,
        seeds: Sequence[int],
        space: Sequence[AnyParameter],
        corners: Sequence[Corner],
        drawn: Sequence[Corner],
    ) -> Iterator[Problem]:
        """Mistakes that show once it is known what trials are; by default none.

        space    what `parameters` gave
        corners  points that show every value and bound of the space at each point of the grid
        drawn    others, drawn at random
        """
        yield from ()
