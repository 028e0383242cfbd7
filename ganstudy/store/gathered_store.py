"""results.zarr as it is written, and read: no chunk is believed that is not as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zarr.storage import LocalStore, MemoryStore

from ganstudy.store.codecs import check_codecs, describes_codecs
from ganstudy.store.digests import read
from ganstudy.store.place import RunError
from ganstudy.whole_file import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

    from ganstudy.store.digests import Digests

__all__ = ["GatheredStore", "write"]

IN_MEMORY = 2**26
"""Bytes of a dataset that is put together in memory, and each of its files written once."""


def write(dataset: xr.Dataset, folder: Path, encoding: Mapping[str, Any]) -> None:
    """Write a dataset into a folder that is not there yet.

    zarr writes what describes an array several times, and in a thread each time.

    Errors  `OSError`.
    """
    # Strings have no stable form in version 3 of the zarr format yet.
    if dataset.nbytes > IN_MEMORY:
        dataset.to_zarr(folder, mode="w", zarr_format=2, encoding=encoding)
        return
    files: dict[str, Buffer] = {}
    dataset.to_zarr(MemoryStore(files), mode="w", zarr_format=2, encoding=encoding)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.to_bytes())


class GatheredStore(LocalStore):
    """results.zarr, each part of which is checked against its digest when it is read.

    A dataset that was opened before it was gathered anew reads the same values, or nothing.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        read_only: bool = True,
        digests: Digests | None = None,
    ) -> None:
        super().__init__(root, read_only=True)
        self.digests = read(self.root) if digests is None else digests

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Called by zarr.

        Errors  `RunError` for a part that is not what was opened, and for codecs that run code.
        """
        whole = await super().get(key, prototype)
        self._check(key, whole)
        return whole if byte_range is None else await super().get(key, prototype, byte_range)

    def get_sync(
        self,
        key: str,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Called by zarr.

        Errors  `RunError` for a part that is not what was opened, and for codecs that run code.
        """
        whole = super().get_sync(key, prototype=prototype)
        self._check(key, whole)
        if byte_range is None:
            return whole
        return super().get_sync(key, prototype=prototype, byte_range=byte_range)

    def _check(self, key: str, found: Buffer | None) -> None:
        _, expected = self.digests.get(key, (0, ""))
        if (digest(found.to_bytes()) if found is not None else "") != expected:
            message = "is not what was opened: gathered anew meanwhile, or damaged; open it again"
            raise RunError(f"{self.root / key}: {message}")
        if found is not None and describes_codecs(key):
            check_codecs(str(self.root / key), found.to_bytes())
