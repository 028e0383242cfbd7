"""Counted nouns, for whatever speaks."""

from __future__ import annotations

__all__ = ["plural", "several"]


def plural(count: int, noun: str) -> str:
    """`1 seed`, `5 seeds`, `1,000 seeds`."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {several(noun)}"


def several(noun: str) -> str:
    """`seeds`, `searches`, `studies`."""
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return noun + ("es" if noun.endswith("ch") else "s")
