"""What the command line prints: plans, progress, ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

if TYPE_CHECKING:
    from ganstudy.pipeline import Progress
    from ganstudy.study import Study

__all__ = [
    "describe",
    "display",
    "duration",
    "print_checked",
    "print_ended",
    "print_plan",
    "say",
    "status_line",
]


def print_ended(directory: Path, progress: Progress, as_json: bool) -> NoReturn:
    """Say how a run has ended, and exit as it deserves."""
    page = directory / "report" / "index.html"
    done = dict(progress.done)
    if as_json:
        summary = {
            "run": str(directory),
            "report": str(page),
            "status": done,
            "trained": progress.trained,
            "seconds": round(progress.seconds, 1),
        }
        click.echo(json.dumps(summary))
    else:
        click.echo(f"{status_line(done)}; {progress.trained} trained now")
        click.echo(f"report: {page}")
    sys.exit(1 if done.get("failed") else 0)


def print_checked(path: Path, study: Study) -> None:
    """Say that a study has no mistakes, how many trials it has, and what was read of the data."""
    from ganstudy.search import search_of

    click.echo(f"{path}: {search_of(study).counts().total()} trials, no mistakes found")
    targets = [getattr(point, "target", None) for point in study.points.values()]
    for target in dict.fromkeys(target for target in targets if target is not None):
        for line in target.account():
            click.echo(line)


def print_plan(study: Study, directory: Path, workers: int, as_json: bool) -> None:
    """Say what a run would train, and about how long."""
    from ganstudy import pipeline
    from ganstudy.engine.packing import estimate
    from ganstudy.search import search_of
    from ganstudy.store import RunDirectory

    run = RunDirectory(directory)
    search = search_of(study)
    search.tell(run.read(samples=False, films=False))
    counts, parts = search.counts(), search.outlook(workers)
    program, reason = pipeline.program(run, search, parts, workers)
    summary: dict[str, Any] = {
        "study": study.name,
        "axes": {axis.name: list(axis.labels) for axis in study.axes},
        "seeds": list(study.seeds),
        "trials": counts.total(),
        "recorded": counts.total() - counts["missing"],
        "packs": [len(pack) for pack in parts],
        "trial_steps": sum(trial.configuration.steps for pack in parts for trial in pack),
        "program": program,
        "seconds": round(estimate(parts, workers, program)),
    }
    if study.space:
        summary["space"] = {parameter.name: parameter.attributes for parameter in study.space}
    if as_json:
        click.echo(json.dumps(summary))
        return
    click.echo(study.file.question)
    for name, labels in summary["axes"].items():
        click.echo(f"  {name}: {', '.join(map(str, labels))}")
    for parameter in study.space:
        click.echo(f"  {parameter.name}: {parameter}")
    click.echo(f"  seeds: {', '.join(map(str, study.seeds))}")
    click.echo(
        f"{counts.total()} trials, {summary['recorded']} recorded, {counts['missing']} to train"
    )
    if parts:
        sizes = summary["packs"]
        click.echo(
            f"{len(parts)} packs of {min(sizes)} to {max(sizes)} trials; about "
            f"{duration(summary['seconds'])} with {workers} workers; "
            f"{program}: {reason}"
        )


@contextmanager
def display(quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A live line on a terminal, plain lines elsewhere; always on standard error."""
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        latest: list[Progress] = []
        console = Console(file=_Lasting(sys.stderr))  # type: ignore[arg-type]  # all that is used

        def line() -> Text:
            return Text(_progress_line(latest[-1]) if latest else "starting")

        with Live(console=console, get_renderable=line, refresh_per_second=2):
            yield latest.append
    else:
        yield lambda progress: say(_progress_line(progress))


def say(text: str) -> None:
    """A line on standard error; that nobody is there to read it ends no run."""
    with suppress(OSError):
        click.echo(text, err=True)


class _Lasting:
    """A terminal that may be closed while something is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As much as there is somebody to read it."""
        with suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """The same."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _progress_line(progress: Progress) -> str:
    done = sum(progress.done.values())
    parts = [f"{done}/{progress.planned} trials"]
    if progress.program and not progress.trained:
        parts.append(f"{progress.program} steps ({progress.program_reason})")
    parts += [
        f"{progress.done[s]} {s}" for s in ("diverged", "pruned", "failed") if progress.done[s]
    ]
    if progress.trained:
        parts.append(f"{progress.trial_steps / progress.seconds:,.0f} trial-steps/s")
    left = progress.seconds_left
    if left is not None and done < progress.planned:
        parts.append(f"{duration(left)} left")
    return ", ".join(parts)


def status_line(done: dict[str, int]) -> str:
    """Numbers of trials by status, in a fixed order."""
    order = ("complete", "diverged", "pruned", "failed", "missing")
    return ", ".join(f"{done[name]} {name}" for name in order if done.get(name)) or "no trials"


def duration(seconds: float) -> str:
    """Hours and minutes, minutes and seconds, or seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def describe(member: Any) -> dict[str, Any]:
    """A member of a family as plain values: summary, source, parameters."""
    lines = (member.__doc__ or "").strip().splitlines()
    source = [i for i, text in enumerate(lines) if text.strip().startswith("Source")]
    parameters = {
        name: {
            "default": "required"
            if info.is_required()
            else info.get_default(call_default_factory=True),
            "description": info.description,
        }
        for name, info in member.parameters_of().items()
    }
    return {
        "name": member.name,
        "summary": lines[0] if lines else "",
        "source": " ".join(" ".join(lines[source[0] :]).split()).removeprefix("Source ")
        if source
        else "",
        "parameters": {
            k: {"default": str(v["default"]), "description": v["description"]}
            for k, v in parameters.items()
        },
    }
