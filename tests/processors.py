"""What tests ask of this machine's processor, and what can emulate another one."""

from __future__ import annotations

import shutil

import pytest

from ganstudy.portable import lacking
from ganstudy.processor import vendor_and_family

NOT_PORTABLE = bool(lacking())
EMULATOR = None if NOT_PORTABLE else shutil.which("qemu-x86_64")
OTHER_MAKERS = "EPYC" if vendor_and_family()[0] == "GenuineIntel" else "Haswell"
"""A processor of the instructions of AVX2 under another maker's name than this one's."""

needs_portable = pytest.mark.skipif(
    NOT_PORTABLE, reason="the portable program needs x86-64 with AVX2 and FMA, told by Linux"
)
needs_emulator = pytest.mark.skipif(
    EMULATOR is None, reason="no qemu-x86_64 (Debian's qemu-user) to emulate x86-64 with on itself"
)
