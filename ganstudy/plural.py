"""Counted nouns, for whatever speaks."""

from __future__ import annotations

__all__ = ["plural", "several"]


def plural(count: int, noun: str) -> str:
    """`1 seed`, `5 seeds`, `1,000 seeds`."""
    return f"{count} {noun}" if count == 1 else f"{count:,} {several(noun)}"


def several(noun: str) -> str:
    """`seeds`, `searches`, `studies`, `decays`; `critic.steps` are several already."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    if noun.endswith("s") and not noun.endswith("ss"):
        return noun
    return noun + ("es" if noun.endswith(("ch", "sh", "ss", "x")) else "s")
