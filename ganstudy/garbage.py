"""When Python looks for garbage: seldom where much is made that stays."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collect_seldom", "uncollected"]


def collect_seldom() -> None:
    """Have Python look for garbage seldom from now on, and not at the end of this process.

    It looks through what imports make again and again, an eighth of their time, and through all
    there is once more at the end, half a second.
    """
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)


@contextmanager
def uncollected(littering: bool = False) -> Iterator[None]:
    """Let Python look for no garbage meanwhile, nor later among what there is at the end.

    For what makes much that stays: looking through it again and again takes a seventh of the time
    of imports, and a tenth of that of a compiler.

    littering  whether some of it is garbage, which goes when the next one begins that litters; a
               compiler's is forty megabytes, and takes half a second to be found
    """
    global _littered
    if littering and _littered:
        gc.unfreeze()
        gc.collect()
    _littered |= littering
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if looking:
            gc.enable()


_littered = False
"""Whether this process holds garbage that is not looked for."""
