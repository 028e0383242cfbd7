"""The run directory: what was asked, what it meant, where it ran, and every record."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from ganstudy.store import environment, heartbeat, lock, receipts, records
from ganstudy.store.generators import Generators
from ganstudy.store.kept_study import KeptStudy
from ganstudy.store.place import (
    FOLDERS,
    RunError,
    aside,
    check_kinds,
    check_room,
    is_run,
    why_none,
)
from ganstudy.store.record_files import RecordFiles
from ganstudy.system import WINDOWS
from ganstudy.trial import SCHEMA
from ganstudy.whole_file import Damaged, name_digest, remove_partial

if TYPE_CHECKING:
    from ganstudy.search import Search
    from ganstudy.store.records import Entry
    from ganstudy.study import Study
    from ganstudy.trial import ProgramName, Record

__all__ = ["RunDirectory"]

_log = logging.getLogger("ganstudy")


class RunDirectory:
    """Files of one run. The truth is the set of records; all else can be made anew from them, but
    for what is known of data that are gone (`known_data`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records = path / "records"
        self.generators = Generators(path / "generators")
        self.checkpoints = path / "checkpoints"
        self.damaged = path / "damaged"
        self.asked = KeptStudy(path)
        self.study = self.asked.study
        self.resolved = self.asked.resolved
        self.environment = path / "environment.json"
        self.verification = path / "verification.json"
        self.results = path / "results.zarr"
        self.report = path / "report"
        self._heartbeat = path / "heartbeat.json"
        self._files = RecordFiles(self.records)

    @classmethod
    def existing(cls, path: Path) -> RunDirectory:
        """The run at a path.

        Errors  `RunError` if there is none, or none that this version understands.
        """
        run = cls(path)
        if not path.is_dir() or not is_run(path):
            raise RunError(f"{path}: not a run directory ({why_none(path)})")
        check_kinds(path)
        if not run.study.is_file():
            again = f"`ganstudy run STUDY --out {quote(str(path))}` writes it again"
            raise RunError(f"{path}: its study.yaml is gone; {again}")
        run.check_schema()
        return run

    def check_schema(self) -> None:
        """Refuse records whose ids mean something else than those of today.

        Errors  `RunError`.
        """
        for path in self._files:
            try:
                self._files.index(path)
            except Damaged:  # somebody else's concern: nothing that is in it is believed
                continue
            except records.OtherSchema as found:
                message = (
                    f"{self.path}: its records have schema {found}, and this ganstudy has {SCHEMA}:"
                    " the same settings have other ids, or mean something else. Use the ganstudy"
                    " that made it, or set it aside with --fresh"
                )
                raise RunError(message) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run alone; the kernel frees it when this process dies.

        Errors  `RunError` if the folder is somebody else's, if another process holds it, if
                something cannot be read or written there, and if the disk is full meanwhile.
        """
        check_room(self.path)
        with lock.held(self.path, self._heartbeat):
            self.records.mkdir(exist_ok=True)
            folders = (self.path, *map(self.path.joinpath, FOLDERS))
            remove_partial(*folders)
            yield
            remove_partial(*folders)  # of workers that were killed meanwhile

    def set_aside(self) -> Path:
        """Rename the run; its new path. A link to it stays, and leads to a new, empty folder.

        Errors  `RunError` if it is none, if another process holds it, or if this process is in it.
        """
        check_room(self.path)
        path = self.path.absolute()
        if linked := path.is_symlink():
            path = path.resolve()
        _check_elsewhere(self.path)
        moved = aside(path)
        with self.locked():
            if not WINDOWS:
                path.rename(moved)
        if WINDOWS:  # where no folder moves while its lock is open
            path.rename(moved)
        if linked:
            path.mkdir()
        return moved if linked else self.path.with_name(moved.name)

    def write_study(self, search: Search) -> None:
        """Write study.yaml, as asked, and resolved.yaml, every setting of every point."""
        self.asked.write(search, self.recorded())

    def read_study(
        self, overrides: Sequence[str] = (), *, run_plugins: bool = False, to_train: bool = False
    ) -> Study:
        """The study that the run was asked; see `KeptStudy.read`.

        The run may be somebody else's: its plug-ins are run only where the caller says so.
        """
        name = str(self.read_environment().get("study", ""))
        return self.asked.read(overrides, name, run_plugins=run_plugins, to_train=to_train)

    def recorded(self) -> dict[str, str]:
        """Trial id to status for every record that is not damaged."""
        return {trial: entry.status for trial, entry in self.entries().items()}

    def entries(self) -> dict[str, Entry]:
        """Trial id to entry for every record that is not damaged; damaged files are named."""
        return {trial: entry for trial, (_, entry) in self._files.counting().items()}

    def set_damaged_aside(self) -> list[Path]:
        """Move damaged files out of the way: the trials of records are trained again."""
        moved: list[Path] = []
        for path in [*self._files, self.environment]:
            try:
                environment.read(path) if path == self.environment else self._files.index(path)
            except Damaged as error:
                self.damaged.mkdir(exist_ok=True)
                name = path.name
                if path == self.environment:  # whose name says nothing of what is in it
                    name = f"{path.stem}-{name_digest(path.read_bytes())}{path.suffix}"
                moved.append(path.rename(self.damaged / name))
                _log.warning("%s: %s; set aside in %s", path, error, self.damaged)
        return moved

    def program(self) -> ProgramName | None:
        """The program that trained the run's records; None before the first that has not failed."""
        trained = (e.program for e in self.entries().values() if e.status != "failed")
        return next(trained, None)

    def read(
        self, part: records.Part = "all", trials: Collection[str] | None = None
    ) -> Iterator[Record]:
        """Every record that is not damaged, or those of some trials, with all variables or some."""
        return self._files.read(part, trials)

    def write(self, pack: Sequence[Record], again: Collection[str] = ()) -> None:
        """Keep the records of a pack, and the generators that they bring.

        again  those of its trials that have records: these go when the new ones are there, so that
               a crash leaves one or the other
        """
        self.generators.write(pack)
        path = records.write(pack, self.records)
        if again:
            self.forget(again, but=path)

    def forget(self, trials: Collection[str], but: Path | None = None) -> None:
        """Drop the records of these trials, and their generators: they are missing again.

        but  a file of records that stays, with the generators of which it tells
        """
        self._files.forget(trials, but)
        told = {} if but is None else self._files.index(but)
        self.generators.forget(trials, {own: told[own].generator_digest for own in told})

    def write_session(
        self, session: Mapping[str, Any], name: str, before: Mapping[str, Any] | None = None
    ) -> None:
        """Append one invocation to environment.json.

        before  what it held as the session began, where it may have an entry by now
        """
        known = self.read_environment() if before is None else before
        environment.append(self.environment, known, session, name)

    def read_environment(self) -> dict[str, Any]:
        """What environment.json holds; empty before the first session, and if it is damaged."""
        try:
            return environment.read(self.environment)
        except Damaged as error:
            _log.warning("%s: %s; it is not known where the trials ran", self.environment, error)
            return {}

    def provenance(self) -> dict[str, Any]:
        """What environment.json holds, and the receipt of the last verification if there is one."""
        receipt = receipts.read(self.verification, self.entries)
        return self.read_environment() | ({"verification": receipt} if receipt else {})

    def write_heartbeat(self, content: Mapping[str, Any]) -> None:
        """Say how far this process is, for others that ask."""
        heartbeat.write(self._heartbeat, content)

    def remove_heartbeat(self) -> None:
        """Say that nobody is running here any more."""
        self._heartbeat.unlink(missing_ok=True)

    def read_heartbeat(self) -> dict[str, Any] | None:
        """What the process that runs here has last said; None if there is no such process."""
        return heartbeat.read(self._heartbeat)


def _check_elsewhere(path: Path) -> None:
    if Path.cwd().is_relative_to(path.resolve()):
        message = "is, or holds, the current folder; set it aside from elsewhere"
        raise RunError(f"{path}: {message}")
