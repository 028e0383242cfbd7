"""Generators on disk: a safetensors file for each trial that keeps one, its checksum in its name.

The name is `<trial>-<content>.safetensors`. The trial's record says which content is its own, so
that a file of an earlier training is never taken for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganstudy.whole_file import Damaged, read_named, write_whole

if TYPE_CHECKING:
    from ganstudy.trial import Record

__all__ = ["Generators"]


class Generators:
    """The generators of a run, by trial and by the digest that its record tells."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, trial: str, digest: str) -> Path:
        """Where a generator is, if it is kept."""
        return self.folder / f"{trial}-{digest}.safetensors"

    def write(self, pack: Sequence[Record]) -> None:
        """Keep those of a pack, before its records tell of them; whole or not at all.

        Errors  `OSError`, such as for a full disk.
        """
        for record in pack:
            if record.generator:
                self.folder.mkdir(exist_ok=True)
                write_whole(self.path(record.id, record.generator_digest), record.generator)

    def read(self, trial: str, digest: str) -> bytes:
        """The content of a generator's file.

        Errors  `Damaged`, also where the file is gone.
        """
        return read_named(self.path(trial, digest))

    def lacks(self, trial: str, digest: str, *, whole: bool) -> bool:
        """Whether a trial has no generator here; asked for a `whole` one, whether it has none that
        is as it was written, for which all of it is read.
        """
        if not digest or not self.path(trial, digest).is_file():
            return True
        try:
            if whole:
                self.read(trial, digest)
        except Damaged:
            return True
        return False

    def forget(self, trials: Collection[str], but: Mapping[str, str]) -> None:
        """Drop every generator of these trials, but those of the digests that are told by trial."""
        stay = {self.path(trial, digest) for trial, digest in but.items()}
        for path in self.folder.glob("*.safetensors"):
            if path.name.partition("-")[0] in trials and path not in stay:
                path.unlink()
