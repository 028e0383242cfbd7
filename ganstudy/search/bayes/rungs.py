"""Rungs of a search that prunes: the M-steps at which its points are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganstudy.study.configuration import Assignment

__all__ = ["rungs_up_to", "trained_to"]


def rungs_up_to(first: int, factor: int, steps: int) -> tuple[int, ...]:
    """M-steps at which points are compared; the last is `steps`."""
    found, rung = list[int](), first
    while rung < steps:
        found.append(rung)
        rung *= factor
    return (*found, steps)


def trained_to(rung: int) -> Assignment:
    """What is set of a point where it is trained up to a rung, and no further."""
    return ("steps",), rung, ("search", "bayes", "pruner", "first")
