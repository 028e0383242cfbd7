"""Which codecs a gathered dataset may ask for: some that exist elsewhere run what they decode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ganstudy.store.place import RunError

__all__ = ["check_codecs", "describes_codecs"]

ALLOWED = frozenset(
    (
        *("blosc", "zlib", "gzip", "bz2", "lzma", "lz4", "zstd"),
        *("shuffle", "delta", "fixedscaleoffset", "quantize", "packbits", "astype"),
        *("crc32", "crc32c", "adler32", "fletcher32", "vlen-utf8", "bytes", "transpose"),
    )
)
"""What compresses numbers and text; none of them executes anything."""

_DESCRIPTIONS = (".zarray", ".zmetadata", "zarr.json")


def describes_codecs(key: str) -> bool:
    """Whether a file of a store says how others are to be decoded."""
    return key.rpartition("/")[2] in _DESCRIPTIONS


def check_codecs(key: str, content: bytes) -> None:
    """Refuse a description that names a codec which is not known to be harmless.

    Errors  `RunError`.
    """
    try:
        asked = sorted(set(_codecs(json.loads(content))) - ALLOWED)
    except (ValueError, RecursionError):
        raise RunError(f"{key}: is no description of a dataset") from None
    if asked:
        message = f"asks for the codec {asked[0]!r}, which may run code; it is not opened"
        raise RunError(f"{key}: {message}")


def _codecs(value: Any) -> Iterator[str]:
    """Every codec that is named, at whatever depth."""
    if isinstance(value, list):
        for item in value:
            yield from _codecs(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("compressor", "filters", "codecs", "index_codecs"):
                for codec in item if isinstance(item, list) else [item]:
                    named = isinstance(codec, dict)
                    yield str(codec.get("id", codec.get("name")) if named else codec or "bytes")
            # User attributes may be called anything; what they say is not decoded.
            if key not in ("attributes", ".zattrs"):
                yield from _codecs(item)
