"""Devices and their slots: who may use which GPU, in a way that a crash cannot leave behind."""

from __future__ import annotations

import ctypes
import logging
import re
import runpy
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ganstudy.engine.packing import PackSize
from ganstudy.schedule.executor import ExecutorError
from ganstudy.system import WINDOWS
from ganstudy.tiles import TILE

if TYPE_CHECKING:
    from ganstudy.trial import ProgramName

__all__ = [
    *("CPU", "MEMORY_ELSEWHERE", "Slot", "has_gpu", "may_be_there", "memory_of", "model_of"),
    *("named", "named_elsewhere", "one", "pack_size", "slots", "unpromised", "unused", "visible"),
]

CPU = "cpu"

_log = logging.getLogger("ganstudy")

_HELD = 8
"""Bytes that a GPU holds for each of the working set of its pack.

Measured on an H200: three, and at width 32 five more for two blocks of random numbers.
"""
_MOST_ON_A_GPU = 1024
"""Trials of width 32, whose graph takes seven eighths of the trial-steps a second that one of four
times as many takes; the host draws for them at a quarter of that rate.
"""

MEMORY_ELSEWHERE = 16 * 2**30
"""Bytes that a GPU is taken to have which nobody here can ask; few in clusters have less, and a
pack for which there is no memory is halved."""

_PAUSE = 0.05
"""Seconds between two looks at slots that others hold."""

Inventory = Callable[[], Mapping[str, str]]
"""The GPUs that this process may use: torch's name, and an identity that holds machine-wide."""


def visible() -> dict[str, str]:
    """CUDA devices by torch's name, each with its UUID.

    torch counts within an inherited `CUDA_VISIBLE_DEVICES`: what is hidden by it is not found
    here, and `cuda:0` is the first device that is left.
    """
    if not may_be_there():
        return {}
    import torch

    return {
        f"cuda:{index}": str(torch.cuda.get_device_properties(index).uuid)
        for index in range(torch.cuda.device_count())
    }


def may_be_there() -> bool:
    """Whether torch has to be asked for GPUs, which it takes more than a second to import: it is
    built for some, and of NVIDIA's there is the driver, without which it would find none.
    """
    found = find_spec("torch")
    assert found is not None
    assert found.origin is not None
    built = runpy.run_path(str(Path(found.origin).with_name("version.py")))
    if built.get("cuda") is None or built.get("hip") is not None:
        return built.get("hip") is not None
    try:
        ctypes.CDLL("nvcuda.dll" if WINDOWS else "libcuda.so.1")
    except OSError:
        return False
    return True


def memory_of(device: str) -> int:
    """Bytes of a GPU, whoever uses them now: a run that waits for one cuts no smaller packs."""
    import torch

    return int(torch.cuda.get_device_properties(device).total_memory)


def model_of(device: str) -> str:
    """The name of a GPU's model."""
    import torch

    return str(torch.cuda.get_device_name(device))


def has_gpu(devices: Sequence[str]) -> bool:
    """Whether any of the devices is one."""
    return bool(set(devices) - {CPU})


def unpromised(program: ProgramName, devices: Sequence[str]) -> str:
    """What is added to words about a program where compiled steps run on a GPU."""
    warned = program == "compiled" and has_gpu(devices)
    return "; on a GPU its bits may depend on the pack" if warned else ""


def pack_size(
    devices: Sequence[str],
    workers: int,
    asked: int | None = None,
    memory: Callable[[str], int] = memory_of,
) -> PackSize:
    """How many trials a pack may have, whichever device takes it.

    On a GPU that is what half of its memory holds, shared by its workers.
    """
    if CPU in devices or not devices:
        return PackSize(asked=asked)
    sharing = -(-workers // len(devices))
    share = min(memory(device) for device in devices) // (2 * sharing)
    return PackSize(share // _HELD, _MOST_ON_A_GPU, 1, TILE, asked, on_gpu=True)


def named(
    asked: str, inventory: Inventory = visible, model: Callable[[str], str] = model_of
) -> tuple[str, ...]:
    """Device names of `auto`, which is every GPU of the first one's model (others are told), or the
    CPU where there is none, or of a list.

    Errors  `ValueError` that names what there is, or for the CPU beside a GPU.
    """
    if asked == CPU:
        return (CPU,)
    known = tuple(inventory())
    if asked == "auto":
        if len(known) < 2:
            return known or (CPU,)
        alike = tuple(one for one in known if model(one) == model(known[0]))
        if others := set(known) - set(alike):
            left = ", ".join(sorted(others))
            _log.warning("%s: not used, being no %s", left, model(known[0]))
        return alike
    names = tuple(asked.split(","))
    for name in names:
        if name not in (CPU, *known):
            there = ", ".join((CPU, *known))
            raise ValueError(f"no device {name!r} here; there is {there}")
    return _each_once(names)


def named_elsewhere(asked: str, inventory: Inventory = visible) -> tuple[str, ...]:
    """Device names for workers of other machines, which refuse a device that they do not have.

    Of `auto` those of this machine: how trials are trained is decided before any worker is there.
    That they train on CPUs is told.

    Errors  `ValueError` for what no machine has.
    """
    if asked == "auto":
        found = named(asked, inventory)
        if not has_gpu(found):
            _log.warning(
                "trials train on CPUs, since no GPU is here: --devices cuda:0 is for workers that "
                "have one, and --devices cpu says that it is meant"
            )
        return found
    names = tuple(asked.split(","))
    for name in names:
        if not re.fullmatch(r"cpu|cuda:\d+", name, re.ASCII):
            raise ValueError(f"no device {name!r} anywhere; there are cpu, cuda:0, cuda:1, ...")
    return _each_once(names)


def unused(devices: Sequence[str]) -> tuple[str, ...]:
    """The CPU in place of devices that no trial uses; that GPUs are not is told."""
    if has_gpu(devices):
        told = ",".join(devices)
        _log.warning("--devices %s is not used: a processor computes all of these trials", told)
    return (CPU,)


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a device is named twice; --workers sets how many packs share one")
    if CPU in names and len(names) > 1:
        why = "a trial's bits would depend on which is free first"
        raise ValueError(f"a GPU and the CPU in one run: {why}; name one of the two kinds")
    return names


def one(asked: str, inventory: Inventory = visible) -> str:
    """The device of a name; of `auto` the first GPU, or the CPU where there is none.

    Errors  `ValueError` that names what there is.
    """
    if asked == "auto":
        return next(iter(inventory()), CPU)
    found = named(asked, inventory)
    if len(found) > 1:
        raise ValueError(f"one device, and not {asked}")
    return found[0]


@dataclass(frozen=True)
class Slot:
    """A share of a device, for one worker; a slot without a lock is everybody's."""

    device: str
    lock: Path | None = None

    @contextmanager
    def leased(
        self, *others: Slot, meanwhile: Callable[[], object] = lambda: None
    ) -> Iterator[str]:
        """Hold the slot alone, or the first of others that is free, and wait while there is none;
        its device.

        The kernel frees it when the process that holds it dies. Everybody on the machine can.

        meanwhile   is done now and then while all of them are held by others, and may raise

        Errors  `ExecutorError` where one cannot be held.
        """
        slots = (self, *others)
        with ExitStack() as held:
            own = next((slot for slot in slots if _is_leased(slot, held)), None)
            if own is None:
                devices = ", ".join(dict.fromkeys(slot.device for slot in slots))
                _log.warning("%s is in use by another process; waiting for it", devices)
            while own is None:
                meanwhile()
                time.sleep(_PAUSE)
                own = next((slot for slot in slots if _is_leased(slot, held)), None)
            yield own.device


def _is_leased(slot: Slot, held: ExitStack) -> bool:
    """Hold a slot until the end of `held`, if nobody else holds it now."""
    if slot.lock is None:
        return True
    # A lock that is a mere file, and stays when its process dies, would hold it for ever.
    lock = FileLock(slot.lock, mode=0o666, fallback_to_soft=False)
    try:
        _make_for_all(slot.lock.parent)
        held.enter_context(lock.acquire(timeout=0))
    except Timeout:
        return False
    except OSError as error:
        why = error.strerror or error
        raise ExecutorError(f"{slot.lock}: cannot hold {slot.device}: {why}") from None
    return True


def _make_for_all(folder: Path) -> None:
    """A folder in which everybody can make files, and nobody remove those of others."""
    try:
        folder.mkdir()
    except FileExistsError:  # perhaps somebody else's, or a link to where nobody else may write
        return
    folder.chmod(0o1777)  # of which `mkdir` leaves what the umask lets through


def slots(
    devices: Sequence[str],
    workers: int,
    inventory: Inventory = visible,
    folder: Path | None = None,
) -> list[Slot]:
    """A slot for each worker, dealt out over the devices.

    The lock of a GPU's slot is named after the GPU itself, so that runs which see it by different
    names do not share it unawares.
    """
    folder = folder or Path(tempfile.gettempdir()) / "ganstudy-devices"
    identities = inventory() if has_gpu(devices) else {}
    result: list[Slot] = []
    for number in range(workers):
        share, place = divmod(number, len(devices))
        device = devices[place]
        lock = None if device == CPU else folder / f"{identities[device]}.{share}.lock"
        result.append(Slot(device, lock))
    return result
