"""The files of records of a run, and which of them holds the record of a trial."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ganstudy.store import records
from ganstudy.whole_file import Damaged

if TYPE_CHECKING:
    from ganstudy.store.records import Entry
    from ganstudy.trial import Record

__all__ = ["RecordFiles"]

_log = logging.getLogger("ganstudy")


class RecordFiles:
    """Files of records in a folder; each is checked once, and told once where it is damaged.

    One that has gone since it was found is none: a retry beside who reads them replaces one by one.
    Files are then looked for again, until none has gone that was not gone before.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._indices: dict[str, dict[str, Entry]] = {}
        self._told = set[Path]()

    def __iter__(self) -> Iterator[Path]:
        """Whole or damaged, in the order of their names."""
        # A pattern finds nothing in a folder that cannot be read, and all would count as missing.
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return iter(sorted(own for own in found if own.suffix == ".nc"))

    def index(self, path: Path) -> dict[str, Entry]:
        """The entries of a file, which is read and checked once; its name is its content's.

        Errors  `Damaged`; `OtherSchema`.
        """
        if path.name not in self._indices:
            self._indices[path.name] = records.index(path)
        return self._indices[path.name]

    def counting(self) -> dict[str, tuple[Path, Entry]]:
        """The file and the entry of each trial's record. Where a crash has left one beside that
        which was to replace it, that counts which says more.
        """
        gone = set[Path]()
        while True:
            found: dict[str, tuple[Path, Entry]] = {}
            before = len(gone)
            for path in self:
                try:
                    for trial, entry in self.index(path).items():
                        if trial not in found or entry.says >= found[trial][1].says:
                            found[trial] = path, entry
                except Damaged as error:
                    self._tell(path, error, gone)
            if len(gone) == before:
                return found

    def read(self, part: records.Part, trials: Collection[str] | None) -> Iterator[Record]:
        """The record of each trial, or of some, with all variables or some."""
        gone = set[Path]()
        while True:
            counting, before = self.counting(), len(gone)
            of = {own: counting[own][0] for own in counting if trials is None or own in trials}
            for path in sorted(set(of.values())):
                try:
                    yield from (r for r in records.read(path, part) if of.get(r.id) == path)
                except Damaged as error:
                    self._tell(path, error, gone)
            if len(gone) == before:
                return
            trials = {trial for trial, path in of.items() if path in gone}

    def forget(self, trials: Collection[str], but: Path | None) -> None:
        """Drop all records of these trials, those of one file excepted."""
        for path in self:
            try:
                if path == but or not self.index(path).keys() & set(trials):
                    continue
                kept = [record for record in records.read(path) if record.id not in trials]
            except Damaged as error:
                self._tell(path, error, set())
                continue
            if kept:
                records.write(kept, self.folder)
            path.unlink()

    def _tell(self, path: Path, error: Damaged, gone: set[Path]) -> None:
        """Once, however often it is asked what is in a file; of one that has gone, take note."""
        if not os.path.lexists(path):
            gone.add(path)
        elif path not in self._told:
            self._told.add(path)
            _log.warning("%s: %s; its trials count as missing", path, error)
