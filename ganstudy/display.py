"""How far a run is, while it trains: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ganstudy.plural import plural
from ganstudy.statuses import INCOMPLETE
from ganstudy.terminal import Outliving, duration, say

if TYPE_CHECKING:
    from rich.console import Group

    from ganstudy.progress import PackProgress, Progress

__all__ = ["bars", "display"]

PLAIN_SECONDS = 30.0
"""Between two lines on how far a run is, where there is no terminal and no pack has ended."""

_LEAST_WIDTH, _WIDTH = 4, 24
"""Of a bar; with less room there is none."""


@contextmanager
def display(quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A bar that moves and a line for each worker on a terminal, plain lines elsewhere.

    A dumb terminal has plain lines too. Always on standard error. A plain line comes when a pack
    has ended, and every half a minute.
    """
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from rich.console import Console, RenderableType
        from rich.live import Live

        console = Console(file=_Lasting(sys.stderr))  # type: ignore[arg-type]  # all that is used

        latest: RenderableType = "starting"
        drawn, known = -math.inf, (-1, -1)

        def draw(progress: Progress) -> None:
            # Here, and not in the thread that refreshes: a run changes while it is looked at.
            nonlocal latest, drawn, known
            now = progress.trained, len(progress.packs)
            if now != known or time.monotonic() - drawn >= 0.5:
                latest, drawn, known = bars(progress, console.width), time.monotonic(), now

        with Live(console=console, get_renderable=lambda: latest, refresh_per_second=4):
            yield draw
    else:
        yield _PlainLines()


class _PlainLines:
    """Says how far a run is when there is something new to say."""

    def __init__(self) -> None:
        self._said, self._trained = -math.inf, -1

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.trained != self._trained or now - self._said >= PLAIN_SECONDS:
            self._said, self._trained = now, progress.trained
            say(_progress_line(progress))


def _progress_line(progress: Progress) -> str:
    """How far a run is, in one line."""
    done = progress.ended
    parts = [f"{done}/{plural(progress.planned, 'trial')}"]
    if progress.share * progress.planned > done:
        parts[0] += f" ({progress.share:.0%} of their steps)"
    if not progress.trained:
        parts.append(f"{progress.program} steps ({progress.program_reason})")
    # What it is of all of a run says nothing of those that are trained once more.
    told = () if progress.once_more else INCOMPLETE
    parts += [f"{progress.done[status]} {status}" for status in told if progress.done[status]]
    if rate := progress.rate:
        parts.append(f"{rate:,.0f} trial-steps/s")
    left = progress.seconds_left
    if left is not None and done < progress.planned:
        parts.append(f"{'at most ' * progress.open_ended}{duration(left)} of training left")
    return ", ".join(parts)


def bars(progress: Progress, width: int) -> Group:
    """How far a run is, and below it how far each worker is with its pack.

    Where a terminal is narrow, bars give way to words.
    """
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    rows = [("study", progress.share, f"{progress.share:.0%}")]
    rows += [(f"worker {pack.worker}", pack.share, _said(pack)) for pack in progress.packs]
    labels = max(len(label) for label, _, _ in rows)
    bar = min(width - labels - max(len(said) for _, _, said in rows) - 2, _WIDTH)
    workers = Table.grid(padding=(0, 1))
    workers.add_column(no_wrap=True)
    if bar >= _LEAST_WIDTH:
        workers.add_column(width=bar)
    workers.add_column(no_wrap=True, overflow="ellipsis", max_width=max(width - labels - 1, 1))
    for label, share, said in rows:
        moving = [ProgressBar(total=1.0, completed=share, width=bar)] * (bar >= _LEAST_WIDTH)
        workers.add_row(label, *moving, said)
    return Group(Text(_progress_line(progress)), workers)


def _said(pack: PackProgress) -> str:
    """What a worker is at, in words."""
    said = plural(pack.trials, "trial")
    if pack.preparing:
        return f"{said}, preparing for {duration(pack.seconds)}"
    if pack.share:
        said += f", step {round(pack.share * pack.steps):,} of {pack.steps:,}"
    if pack.seconds_left is None:
        return f"{said}, for {duration(pack.seconds)}"
    return f"{said}, {duration(pack.seconds_left)} left"


class _Lasting(Outliving):
    """A terminal that may be closed while something is written to it."""

    gone = OSError

    def let_go(self) -> None:
        """It may take the next text: a disk that was full has room again."""
