"""The run directory: what was asked, what it meant, where it ran, and every record."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from ruamel.yaml import YAML

from ganstudy.store import records

if TYPE_CHECKING:
    from ganstudy.search.grid import Grid
    from ganstudy.study import Study
    from ganstudy.trial import ProgramName, Record, Trial

__all__ = ["RunDirectory", "RunError"]

_PACKAGES = ("ganstudy", "torch", "numpy", "scipy", "xarray", "pydantic", "joblib")


class RunError(Exception):
    """A run directory that cannot be used as asked."""


class RunDirectory:
    """Files of one run. The truth is the set of records; all else can be made anew from them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = path / "records"
        self.study = path / "study.yaml"
        self.environment = path / "environment.json"
        self.results = path / "results.zarr"
        self.report = path / "report"

    @classmethod
    def existing(cls, path: Path) -> RunDirectory:
        """The run at a path; `RunError` if there is none."""
        run = cls(path)
        if not run.study.is_file():
            raise RunError(f"{path}: not a run directory (it has no study.yaml)")
        return run

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run alone; the kernel frees it when this process dies."""
        try:
            self.records.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{self.path}: cannot hold a run: {error}") from None
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(f"{self.path}: another ganstudy is running here") from None
        try:
            yield
        finally:
            lock.release()

    def write_study(self, study: Study, plan: Grid) -> None:
        """Write study.yaml, as asked, and resolved.yaml, every setting of every point."""
        document = study.document
        text = document.path.read_text(encoding="utf-8")
        if document.overridden:
            text = _yaml_with_comment(document.values, document.overridden.values())
        self.study.write_text(text, encoding="utf-8")
        for name in study.file.plugins:
            source = document.path.parent / name
            if source.is_file() and source.parent != self.path:
                shutil.copy(source, self.path)
        (self.path / "resolved.yaml").write_text(_resolved(study, plan), encoding="utf-8")

    def recorded(self) -> dict[str, str]:
        """Trial id to status for every record.

        Errors  `RunError` naming a file that cannot be read.
        """
        found: dict[str, str] = {}
        for path in self._files():
            try:
                found |= records.index(path)
            except (OSError, KeyError) as error:
                message = f"{path}: damaged record ({error}); remove it and run again"
                raise RunError(message) from None
        return found

    def program(self) -> ProgramName | None:
        """The program that trained the run's records; None before the first."""
        return next((records.program(path) for path in self._files()), None)

    def read(self) -> Iterator[Record]:
        """Every record, one file at a time."""
        for path in self._files():
            yield from records.read(path)

    def write(self, pack: Sequence[Record]) -> None:
        """Keep the records of a pack."""
        records.write(pack, self.records)

    def forget(self, statuses: Iterable[str]) -> None:
        """Drop all records of these statuses, so that their trials are missing again."""
        unwanted = set(statuses)
        for path in self._files():
            if unwanted.isdisjoint(records.index(path).values()):
                continue
            kept = [record for record in records.read(path) if record.status not in unwanted]
            if kept:
                self.write(kept)
            path.unlink()

    def write_session(self, session: Mapping[str, Any], name: str) -> None:
        """Append one invocation to environment.json."""
        known = self.read_environment()
        sessions = [*known.get("sessions", []), {**session, **_machine()}]
        temporary = self.environment.with_suffix(".partial")
        temporary.write_text(json.dumps({"study": name, "sessions": sessions}, indent=2))
        temporary.replace(self.environment)

    def read_environment(self) -> dict[str, Any]:
        """What environment.json holds; empty before the first session."""
        if not self.environment.is_file():
            return {}
        loaded: dict[str, Any] = json.loads(self.environment.read_text())
        return loaded

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


def _resolved(study: Study, plan: Grid) -> str:
    """What the study meant: settings common to all points, then those of each point.

    Each line below `points:` is JSON, which is YAML, so that large studies are written quickly.
    """
    names = [axis.name for axis in study.axes]
    points: dict[tuple[int, ...], Trial[Any]] = {i[:-1]: t for i, t in plan.trials.items()}
    flat = {index: _flat(t.configuration.model_dump()) for index, t in points.items()}
    first = next(iter(flat.values()))
    common = {k: v for k, v in first.items() if all(f.get(k) == v for f in flat.values())}
    lines = [
        f"question: {json.dumps(study.file.question)}",
        f"seeds: {json.dumps(study.seeds)}",
        "common:",
        *(f"  {key}: {json.dumps(value)}" for key, value in common.items()),
        "points:",
    ]
    for index, settings in flat.items():
        labels = {n: a.labels[i] for n, a, i in zip(names, study.axes, index, strict=True)}
        own = {key: value for key, value in settings.items() if key not in common}
        lines.append(f"  - {json.dumps({'at': labels, 'settings': own})}")
    return "\n".join(lines) + "\n"


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
