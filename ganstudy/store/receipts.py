"""verification.json: the receipt of the last verification of a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganstudy.whole_file import Damaged, read_now, sealed, unsealed, write_whole

if TYPE_CHECKING:
    from ganstudy.store.records import Entry

__all__ = ["read", "write"]

_log = logging.getLogger("ganstudy")


def write(path: Path, receipt: Mapping[str, Any]) -> None:
    """Keep what came of training some trials again.

    Errors  `OSError`.
    """
    write_whole(path, sealed(receipt, indent=2))


def read(path: Path, entries: Callable[[], Mapping[str, Entry]]) -> dict[str, Any]:
    """When trials were trained again, which, with what arithmetic, what was not compared, and the
    verdict; and of how many the record is not there any more. Nothing if there is no receipt.

    entries  finds those of the records that are there now, by trial
    """
    try:
        receipt = unsealed(read_now(path))
    except FileNotFoundError:
        return {}
    except Damaged as error:
        _log.warning("%s: %s; the receipt is left out", path, error)
        return {}
    trials = receipt["trials"]
    # Those of earlier versions do not say which records they are of.
    of = {own["trial"]: own.get("record") for own in trials}
    now = entries()
    stay = [trial in now and of[trial] in (None, now[trial].digest) for trial in of]
    left_out = dict.fromkeys(name for own in trials for name in own.get("left_out", ()))
    return {
        "when": receipt["when"],
        "verdict": receipt["verdict"],
        "trials": [*of],
        "arithmetic": list(dict.fromkeys(own["now"] for own in trials)),
        **({"not_compared": [*left_out]} if left_out else {}),
        **({} if all(stay) else {"records_gone_since": f"{stay.count(False)} of {len(of)}"}),
    }
