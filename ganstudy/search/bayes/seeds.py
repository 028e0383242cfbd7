"""Seeds of repeated searches: a block for each, and within it those that no search has seen."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["FIRST_FRESH", "fresh_seeds", "is_fresh", "of_repeat", "repeat_of"]

BLOCK = 1_000_000
"""The seeds of a search are those of the one before plus this."""
FIRST_FRESH = 500_000
"""From here on in each block seeds are fresh; those of a study with repeats lie below."""


def of_repeat(seeds: Sequence[int], repeat: int) -> tuple[int, ...]:
    """The seeds of a study in its search of this number."""
    return tuple(seed + repeat * BLOCK for seed in seeds)


def fresh_seeds(count: int, repeat: int) -> tuple[int, ...]:
    """Seeds that no search has seen, for what this search chose."""
    return tuple(repeat * BLOCK + FIRST_FRESH + number for number in range(count))


def repeat_of(seed: int, seeds: Sequence[int]) -> int:
    """The number of the search that trains a seed, fresh or not."""
    return 0 if seed in seeds else seed // BLOCK


def is_fresh(seed: int, seeds: Sequence[int]) -> bool:
    """Whether no search trains a seed."""
    return seed not in seeds and seed % BLOCK >= FIRST_FRESH
