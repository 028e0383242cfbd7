"""What is read of gathered datasets: keys of the store, with their bytes."""

from __future__ import annotations

from typing import Any

import pytest

from ganstudy.store.gathered_store import GatheredStore


def counted(patch: pytest.MonkeyPatch) -> dict[str, int]:
    """Bytes of each part that is read from now on, by its key."""
    read: dict[str, int] = {}
    at_once, later = GatheredStore.get_sync, GatheredStore.get

    def get_sync(store: GatheredStore, key: str, **more: Any) -> Any:
        found = at_once(store, key, **more)
        read[key] = 0 if found is None else len(found)
        return found

    async def get(store: GatheredStore, key: str, *more: Any, **others: Any) -> Any:
        found = await later(store, key, *more, **others)
        read[key] = 0 if found is None else len(found)
        return found

    patch.setattr(GatheredStore, "get_sync", get_sync)
    patch.setattr(GatheredStore, "get", get)
    return read


def chunks_of(name: str, read: dict[str, int]) -> dict[str, int]:
    """Those of the values of a variable; `1.0.0` for example."""
    own = {key.removeprefix(f"{name}/"): size for key, size in read.items() if size}
    return {key: size for key, size in own.items() if key.replace(".", "").isdigit()}
