"""Why a trial failed, as text: its first line says so, and what follows says where; other people's
text as a terminal can be shown it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection, Iterator

__all__ = [
    *("LONGEST", "and_behind", "cause_of", "cleaned", "gap", "gaps", "harmless", "of_compiler"),
    *("of_plugin", "one_line", "telling", "unmeasured"),
]

LONGEST = 20_000
"""Characters that are kept of a cause."""

_LINE = 300
"""Characters that are shown of the line that tells most."""

_TRACE = "Traceback (most recent call last):"

# Colours, cursor movements, titles: what a terminal would obey.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])"
)

# Other control characters, signs that turn the direction of what follows, and halves of characters.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def cause_of(error: BaseException) -> str:
    """The line that tells most, and the traceback below it."""
    lines = [line for line in _message(error).splitlines() if line.strip()]
    first = lines[0].strip() if lines else type(error).__name__
    if first.endswith(":") and len(lines) > 1:  # "... raised:"
        first = f"{first} {lines[1].strip()}"
    if first == type(error).__name__ and (frames := traceback.extract_tb(error.__traceback__)):
        first = f"{first}, in {frames[-1].name} ({frames[-1].filename}:{frames[-1].lineno})"
    return cleaned(f"{first}\n\n{''.join(traceback.format_exception(error))}")


def _message(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(type(error), error))


def cleaned(text: str) -> str:
    """The text without what a terminal would obey or a file cannot hold, and not longer than
    `LONGEST`: its beginning and its end."""
    if len(text) > 2 * LONGEST:
        text = _shortened(text, 2 * LONGEST)
    return _shortened(harmless(_ESCAPES.sub("", text.replace("\r\n", "\n"))), LONGEST)


def harmless(text: str) -> str:
    """The text, in which what a terminal would obey or a file cannot hold is told by its code."""
    return _CONTROLS.sub(lambda one: ascii(one[0])[1:-1], text)


def one_line(name: str) -> str:
    """A name as anything can show it in one line: what cannot be printed is told by its code."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def telling(cause: str) -> str:
    """The line of a cause that tells most."""
    lines = [line.strip() for line in cause.splitlines() if line.strip()] or [""]
    # Causes of earlier versions begin with their traceback, or with the number of tries.
    line = lines[-1] if lines[0].endswith(_TRACE) else lines[0]
    return line if len(line) <= _LINE else f"{line[: _LINE - 4]} ..."


def gap(metric: str, error: BaseException) -> str:
    """Why a metric could not be measured, as the cause of a trial that ran tells it."""
    return f"metric {metric}: {type(error).__name__}: {error}"


def gaps(cause: str, metrics: Collection[str]) -> dict[str, str]:
    """What the cause of a trial that ran tells of each of its metrics, by their names."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in cause.splitlines():
        told = re.match(r"metric (\w+): ", line)
        name = told[1] if told and told[1] in metrics else name
        found.setdefault(name, []).append(line)
    found.pop("", None)
    return {name: "\n".join(lines) for name, lines in found.items()}


def unmeasured(cause: str, metrics: Collection[str]) -> Collection[str]:
    """Which metrics may be wanting: all of them where a cause was cut, and with it their names."""
    return gaps(cause, metrics) if len(cause) < LONGEST else metrics


def _shortened(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    note = f"\n... {len(text)} characters in all ...\n"
    start = length // 4
    return f"{text[:start]}{note}{text[len(text) - (length - start - len(note)) :]}"


_COMPILER = ("torch._dynamo", "torch._inductor", "torch._functorch", "ganstudy.engine.traced")


def of_compiler(error: BaseException | None) -> bool:
    """Whether torch's compiler, or our use of it, raised it or something that led to it."""
    for own in and_behind(error):
        if type(own).__module__.startswith(_COMPILER):
            return True
        # Such as of a cache that cannot be made, which ends the import of the compiler.
        if isinstance(own, OSError) and any(
            str(frame.f_globals.get("__name__")).startswith(_COMPILER)
            for frame, _ in traceback.walk_tb(own.__traceback__)
        ):
            return True
    return False


_PLUGINS, _OURS = "ganstudy.plugins.", "ganstudy.plugins.conformance"


def of_plugin(error: BaseException) -> tuple[str, str]:
    """The file of a plug-in in which an error was raised, or called what raised it; and in words
    the line there and what it was. Empty for all others, and for errors that are the package's own.
    """
    if type(error).__module__.startswith("ganstudy.") and not _is_plugin(type(error).__module__):
        return "", ""
    for own in and_behind(error):
        frames = [*traceback.walk_tb(own.__traceback__)]
        for frame, line in reversed(frames):
            if _is_plugin(str(frame.f_globals.get("__name__"))):
                file = frame.f_code.co_filename
                return file, f"{file}:{line}: {' '.join(_message(own).split())}"
    return "", ""


def _is_plugin(module: str) -> bool:
    return module.startswith(_PLUGINS) and module != _OURS


def and_behind(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what led to it, each once."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
