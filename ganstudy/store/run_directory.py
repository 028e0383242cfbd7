"""The run directory: what was asked, what it meant, where it ran, and every record."""

from __future__ import annotations

import errno
import json
import logging
import os
import platform
import shutil
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from filelock import FileLock, Timeout
from ruamel.yaml import YAML

from ganstudy.store import records, resolved
from ganstudy.trial import SCHEMA
from ganstudy.whole_file import remove_partial, write_whole

if TYPE_CHECKING:
    from ganstudy.search import Search
    from ganstudy.store.records import Entry
    from ganstudy.trial import ProgramName, Record

__all__ = ["RunDirectory", "RunError"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_log = logging.getLogger("ganstudy")

_PACKAGES = ("ganstudy", "torch", "numpy", "scipy", "xarray", "pydantic", "joblib")


class RunError(Exception):
    """A run directory that cannot be used as asked."""


class RunDirectory:
    """Files of one run. The truth is the set of records; all else can be made anew from them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = path / "records"
        self.checkpoints = path / "checkpoints"
        self.damaged = path / "damaged"
        self.study = path / "study.yaml"
        self.resolved = path / "resolved.yaml"
        self.environment = path / "environment.json"
        self.results = path / "results.zarr"
        self.report = path / "report"
        self._heartbeat = path / "heartbeat.json"
        self._indices: dict[str, dict[str, Entry]] = {}

    @classmethod
    def existing(cls, path: Path) -> RunDirectory:
        """The run at a path; `RunError` if there is none, or none that this version understands."""
        run = cls(path)
        if not run.study.is_file():
            raise RunError(f"{path}: not a run directory (it has no study.yaml)")
        run.check_schema()
        return run

    def check_schema(self) -> None:
        """Refuse records whose ids mean something else than those of today.

        Errors  `RunError`.
        """
        for path in self._files():
            try:
                found = records.schema(path)
            except (OSError, KeyError):  # damaged, which is somebody else's concern
                continue
            if found != SCHEMA:
                message = (
                    f"{self.path}: its records have schema {found}, and this ganstudy has {SCHEMA}:"
                    " the same settings have other ids, or mean something else. Use the ganstudy"
                    " that made it, or set it aside with --fresh"
                )
                raise RunError(message)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run alone; the kernel frees it when this process dies.

        Errors  `RunError` if another process holds it, if nothing can be written there, and if the
                disk is full meanwhile.
        """
        lock = FileLock(self.path / ".lock")
        try:
            self.records.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(f"{self.path}: another ganstudy is running here") from None
        except OSError as error:
            raise RunError(f"{self.path}: cannot hold a run: {error}") from None
        try:
            remove_partial(self.path)
            remove_partial(self.records)
            remove_partial(self.checkpoints)
            yield
        except OSError as error:
            if error.errno not in _FULL:
                raise
            message = (
                f"{self.path}: the disk is full ({error}); all records that were written are whole."
                " Free some space and run the same command to continue"
            )
            raise RunError(message) from None
        finally:
            lock.release()

    def set_aside(self) -> Path:
        """Rename the directory, whatever it holds; its new path.

        Errors  `RunError` if another process holds it.
        """
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        with self.locked():
            return self.path.rename(aside)

    def write_study(self, search: Search) -> None:
        """Write study.yaml, as asked, and resolved.yaml, every setting of every point.

        A study that is kept already, and all of whose trials are, is not written again.
        """
        document = search.study.document
        text = document.path.read_text(encoding="utf-8")
        if document.overridden:
            text = _yaml_with_comment(document.values, document.overridden.values())
        if self.resolved.is_file() and self.study.is_file():
            known = self.study.read_text(encoding="utf-8") == text
            recorded = self.recorded()
            if known and all(trial.id in recorded for trial in search.trials.values()):
                return
        write_whole(self.study, text.encode())
        for name in search.study.file.plugins:
            source = document.path.parent / name
            if source.is_file() and source.parent != self.path:
                shutil.copy(source, self.path)
        write_whole(self.resolved, resolved.text_of(search.study).encode())

    def check_study(self, search: Search) -> None:
        """Refuse a study that shares no trial with the records that are here.

        One that shares some is an extension, or a part, of the study before.

        Errors  `RunError` that lists the settings in which the two differ.
        """
        recorded = self.recorded()
        planned = {trial.id for trial in search.trials.values()}
        if not recorded or planned & set(recorded) or not self.resolved.is_file():
            return
        here = self.read_resolved().values()
        asked = resolved.read(resolved.text_of(search.study)).values()
        lines = [
            f"  {key}: {', '.join(here.get(key, ['-']))} there,"
            f" {', '.join(asked.get(key, ['-']))} asked"
            for key in sorted(here.keys() | asked.keys())
            if here.get(key) != asked.get(key)
        ]
        message = (
            f"{self.path}: holds another study, with no trial of this one. They differ in",
            *lines,
            "Choose another directory with --out, or set that run aside with --fresh",
        )
        raise RunError("\n".join(message))

    def read_resolved(self) -> resolved.Resolved:
        """What the study meant.

        Errors  `RunError` if nothing says so.
        """
        if not self.resolved.is_file():
            raise RunError(f"{self.path}: there is no resolved.yaml; `ganstudy run` writes it")
        return resolved.read(self.resolved.read_text(encoding="utf-8"))

    def recorded(self) -> dict[str, str]:
        """Trial id to status for every record that is not damaged."""
        return {trial: entry.status for trial, entry in self.entries().items()}

    def entries(self) -> dict[str, Entry]:
        """Trial id to entry for every record that is not damaged; damaged files are named."""
        found: dict[str, Entry] = {}
        for path in self._files():
            try:
                found |= self._index(path)
            except records.Damaged as error:
                _log.warning("%s; its trials count as missing", error)
        return found

    def set_damaged_aside(self) -> list[Path]:
        """Move damaged files out of the records, so that their trials are trained again."""
        moved: list[Path] = []
        for path in self._files():
            try:
                self._index(path)
            except records.Damaged as error:
                self.damaged.mkdir(exist_ok=True)
                moved.append(path.rename(self.damaged / path.name))
                _log.warning("%s; set aside in %s", error, self.damaged)
        return moved

    def program(self) -> ProgramName | None:
        """The program that trained the run's records; None before the first."""
        return next((entry.program for entry in self.entries().values()), None)

    def read(self, samples: bool = True, films: bool = True) -> Iterator[Record]:
        """Every record that is not damaged, one file at a time; samples and films, or without."""
        for path in self._files():
            try:
                yield from records.read(path, samples, films)
            except records.Damaged as error:
                _log.warning("%s; left out", error)

    def write(self, pack: Sequence[Record]) -> None:
        """Keep the records of a pack."""
        records.write(pack, self.records)

    def forget(self, trials: Collection[str]) -> None:
        """Drop the records of these trials, so that they are missing again."""
        for path in self._files():
            if not self._index(path).keys() & set(trials):
                continue
            kept = [record for record in records.read(path) if record.id not in trials]
            if kept:
                self.write(kept)
            path.unlink()

    def write_session(self, session: Mapping[str, Any], name: str) -> None:
        """Append one invocation to environment.json."""
        known = self.read_environment()
        sessions = [*known.get("sessions", []), {**session, **_machine()}]
        content = {"study": name, "schema": SCHEMA, "sessions": sessions}
        write_whole(self.environment, json.dumps(content, indent=2).encode())

    def read_environment(self) -> dict[str, Any]:
        """What environment.json holds; empty before the first session."""
        if not self.environment.is_file():
            return {}
        loaded: dict[str, Any] = json.loads(self.environment.read_text())
        return loaded

    def write_heartbeat(self, content: Mapping[str, Any]) -> None:
        """Say how far this process is, for others that ask."""
        born = psutil.Process().create_time()
        own = {"host": socket.gethostname(), "process": os.getpid(), "born": born, **content}
        write_whole(self._heartbeat, json.dumps(own).encode(), durable=False)

    def remove_heartbeat(self) -> None:
        """Say that nobody is running here any more."""
        self._heartbeat.unlink(missing_ok=True)

    def read_heartbeat(self) -> dict[str, Any] | None:
        """What the process that runs here has last said; None if there is no such process."""
        try:
            content: dict[str, Any] = json.loads(self._heartbeat.read_bytes())
        except FileNotFoundError:
            return None
        if content["host"] != socket.gethostname():
            return content
        try:
            born = psutil.Process(content["process"]).create_time()
            # It is counted from the start of the machine, which moves when the clock is set.
            same = abs(born - content["born"]) < 10.0
        except psutil.NoSuchProcess:
            same = False
        return content if same else None

    def _index(self, path: Path) -> dict[str, Entry]:
        """The entries of a file, which is read and checked once; its name is its content's."""
        if path.name not in self._indices:
            self._indices[path.name] = records.index(path)
        return self._indices[path.name]

    def _files(self) -> list[Path]:
        return sorted(self.records.glob("*.nc"))


def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }


def _yaml_with_comment(values: Mapping[str, Any], overrides: Iterable[str]) -> str:
    from io import StringIO

    stream = StringIO()
    stream.write(f"# overridden on the command line: {' '.join(overrides)}\n")
    YAML(typ="safe", pure=True).dump(dict(values), stream)
    return stream.getvalue()
