"""Random damage to the files of a run, to studies and to tables, and what comes of it.

Whatever is done to a file, one of these must come of it: the right values, or values that are said
to be of something else, or words. `Count` counts all that is none of these.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr
from click.testing import CliRunner, Result

from ganstudy import open_run
from ganstudy.cli import main
from ganstudy.store import RunError
from ganstudy.study.document import StudyError

Damage = Callable[[bytes, random.Random], bytes]


@dataclass
class Count:
    """What came of some damage; each fault is a line that says what was done to what."""

    done: int = 0
    wrong: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All of them."""
        return [*self.wrong, *self.raw, *self.lost]

    def __str__(self) -> str:
        return (
            f"{self.done} done: {len(self.wrong)} silently wrong, {len(self.raw)} raw, "
            f"{len(self.lost)} lost"
        )


# --- damage --------------------------------------------------------------------------------------


def flip(content: bytes, rng: random.Random) -> bytes:
    """One bit, somewhere."""
    if not content:
        return b"\0"
    place = rng.randrange(8 * len(content))
    changed = bytearray(content)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def cut(content: bytes, rng: random.Random) -> bytes:
    """The end is missing, and perhaps all of it."""
    return content[: rng.randrange(len(content))] if content else b"\0"


def zeros(content: bytes, rng: random.Random) -> bytes:
    """A block that was never written, as after a power cut."""
    if not content:
        return b"\0"
    start = rng.randrange(len(content))
    end = min(len(content), start + rng.choice([1, 16, 512, 4096]))
    return content[:start] + bytes(end - start) + content[end:]


DAMAGES: tuple[Damage, ...] = (flip, flip, flip, cut, zeros)

HOSTILE = (
    *("", "null", "[]", "{}", "-1", "0", "1e999", "-.inf", ".nan", "true", "''", "'\\0'"),
    *("${trial}", "${x}", "*x", "&x 1", "!!python/none x", "[[[[", "1e-320", "0x10", "9" * 400),
    *("name: x", "{name: x}", "[1, 2]", "[a, a]", "{low: 2, high: 1}", "é", "\ud83d\ude00", "a/b"),
)
"""What stands where something else was meant."""


def rewritten(content: bytes, rng: random.Random) -> bytes:
    """Lines of a text left out, doubled, exchanged, moved in, or with another value."""
    lines = content.decode(errors="replace").splitlines()
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(lines))
        how = rng.randrange(6)
        if how == 0:
            lines[at] = ""
        elif how == 1:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif how == 2:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif how == 3:
            lines[at] = "  " + lines[at] if rng.random() < 0.5 else lines[at].removeprefix("  ")
        else:
            key, colon, _ = lines[at].partition(rng.choice([":", ","]))
            lines[at] = f"{key}{colon} {rng.choice(HOSTILE)}"
    return "\n".join(lines).encode(errors="surrogatepass")


# --- what comes of it ----------------------------------------------------------------------------


@contextmanager
def heard() -> Iterator[list[str]]:
    """What is said in the log meanwhile."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    ear, log = Ear(), logging.getLogger("ganstudy")
    log.addHandler(ear)
    try:
        yield said
    finally:
        log.removeHandler(ear)


def in_words(result: Result) -> bool:
    """Whether a verb has ended as verbs do."""
    exits = result.exception is None or isinstance(result.exception, SystemExit)
    return exits and result.exit_code in (0, 1, 2)


class Run:
    """A run, whose files are damaged one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.whole = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
        self.dataset = open_run(path).load()
        self.status = self._invoke("status", str(path), "--json").stdout

    def damage(self, count: Count, file: Path, damage: Damage, rng: random.Random) -> None:
        """Damage a file, ask every verb that reads, put it back, and see whether all is there."""
        content = damage(self.whole[file], rng)
        if content == self.whole[file]:
            return
        what = f"{damage.__name__} {file.relative_to(self.path)}"
        file.write_bytes(content)
        count.done += 1
        self._ask(count, what)
        # Its own content alone: what the verbs have done to other files is not undone.
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.whole[file])
        again = self._invoke("report", str(self.path))
        if again.exit_code or not open_run(self.path).load().identical(self.dataset):
            count.lost.append(what)
        self._restore()

    def _ask(self, count: Count, what: str) -> None:
        for verb in ("status", "open", "report", "open"):
            with heard() as said:
                if verb == "open":
                    right = self._opens(count, what, said)
                else:
                    more = ("--json",) * (verb == "status")
                    result = self._invoke(verb, str(self.path), *more)
                    if not in_words(result):
                        count.raw.append(f"{what}: {verb}: {result.exception!r}")
                    same = result.stdout == self.status or verb == "report"
                    right = same or result.exit_code == 2 or bool(said)
            if not right:
                count.wrong.append(f"{what}: {verb}")

    def _opens(self, count: Count, what: str, said: list[str]) -> bool:
        try:
            found: xr.Dataset | None = open_run(self.path).load()
        except (RunError, StudyError):
            return True
        except Exception as error:
            count.raw.append(f"{what}: open_run: {error!r}")
            return True
        # What study.yaml says has its own line in `status` and `report`.
        return found.identical(self.dataset) or bool(said) or "study.yaml" in what

    def _restore(self) -> None:
        for path in [p for p in self.path.rglob("*") if p.is_file()]:
            if path not in self.whole:
                path.unlink()
        for path, content in self.whole.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_file() or path.read_bytes() != content:
                path.write_bytes(content)

    def _invoke(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))


def attempt(count: Count, what: str, done: Callable[[], Any]) -> None:
    """Read what was damaged: it is read, or refused in words."""
    count.done += 1
    try:
        done()
    except StudyError:
        pass
    except Exception as error:
        count.raw.append(f"{what}: {error!r}")
