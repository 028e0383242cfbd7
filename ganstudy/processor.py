"""The processor: what it is called, and what it can do."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from pathlib import Path

__all__ = ["features", "processor", "vendor_and_family"]


def processor() -> str:
    """Vendor, family and model; what the platform says where Linux does not."""
    vendor, family = vendor_and_family()
    if not (vendor and family and (model := _cpuinfo().get("model"))):
        return platform.processor() or platform.machine()
    return f"{vendor} {family}.{model}"


def vendor_and_family() -> tuple[str, str]:
    """Each empty where Linux does not say it."""
    return _cpuinfo().get("vendor_id", ""), _cpuinfo().get("cpu family", "")


def features() -> set[str]:
    """Instruction sets that it has, by Linux's names; none where Linux does not say."""
    return set(_cpuinfo().get("flags", "").split())


@functools.cache
def _cpuinfo() -> Mapping[str, str]:
    """What Linux says of the first processor."""
    try:
        text = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
