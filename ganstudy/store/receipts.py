"""verification.json: the receipt of the last verification of a run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganstudy.whole_file import Damaged, sealed, unsealed, write_whole

__all__ = ["read", "write"]

_log = logging.getLogger("ganstudy")


def write(path: Path, receipt: Mapping[str, Any]) -> None:
    """Keep what came of training some trials again.

    Errors  `OSError`.
    """
    write_whole(path, sealed(receipt, indent=2))


def read(path: Path) -> dict[str, Any]:
    """When trials were trained again, which, with what arithmetic, and the verdict; or nothing."""
    try:
        receipt = unsealed(path.read_bytes())
    except FileNotFoundError:
        return {}
    except Damaged as error:
        _log.warning("%s: %s; the receipt is left out", path, error)
        return {}
    trials = receipt["trials"]
    return {
        "when": receipt["when"],
        "verdict": receipt["verdict"],
        "trials": [own["trial"] for own in trials],
        "arithmetic": list(dict.fromkeys(own["now"] for own in trials)),
    }
