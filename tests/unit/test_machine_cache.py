"""The folder in which a machine keeps what took long to find out."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest
from torch._inductor.runtime import cache_dir_utils

from ganstudy import machine_cache


@pytest.mark.parametrize("user", ["ada", r"group\ada", None])
def test_it_is_where_torch_has_its_own(user: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a user without a name, as in a container that is run by number: runs ended there."""

    def named() -> str:
        if user is None:
            raise KeyError("uid not found")
        return user

    monkeypatch.setattr(getpass, "getuser", named)
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    assert machine_cache.folder() == Path(cache_dir_utils.default_cache_dir())
