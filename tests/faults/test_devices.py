"""Slots of devices, on machines that are made up."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny import Listed, trial

from ganstudy.engine.packing import PackSize
from ganstudy.schedule import devices
from ganstudy.schedule.devices import Slot, named, pack_size, slots
from ganstudy.schedule.executor import ExecutorError
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.loop import train_packs
from ganstudy.system import WINDOWS

TWO = {"cuda:0": "GPU-aaaa", "cuda:1": "GPU-bbbb"}


def test_names() -> None:
    """`auto` is every GPU, or the CPU where there is none."""
    assert named("auto", lambda: TWO, lambda _: "H200") == ("cuda:0", "cuda:1")
    assert named("auto", dict) == ("cpu",)
    assert named("cpu", lambda: TWO) == ("cpu",)
    assert named("cuda:1,cuda:0", lambda: TWO) == ("cuda:1", "cuda:0")


def test_gpus_of_another_model_are_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    """Which of them trained a trial, and by what arithmetic, was a race."""
    models = {"cuda:0": "NVIDIA H200", "cuda:1": "NVIDIA T400", "cuda:2": "NVIDIA H200"}
    there = {**TWO, "cuda:2": "GPU-cccc"}
    assert named("auto", lambda: there, models.__getitem__) == ("cuda:0", "cuda:2")
    assert caplog.messages == ["cuda:1: not used, being no NVIDIA H200"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("cuda:7", "no device 'cuda:7'.*cpu, cuda:0, cuda:1"),
        ("cuda:0,cuda:0", "named twice"),
        ("cuda:1,cpu", "a GPU and the CPU in one run"),
    ],
)
def test_names_that_are_wrong(asked: str, message: str) -> None:
    """What there is, is said."""
    with pytest.raises(ValueError, match=message):
        named(asked, lambda: TWO)


def test_workers_are_dealt_out_over_devices(tmp_path: Path) -> None:
    """Each worker has a slot of its own; that of a GPU is locked under the GPU's own name."""
    found = slots(("cuda:0", "cuda:1"), 3, lambda: TWO, tmp_path)
    assert [slot.device for slot in found] == ["cuda:0", "cuda:1", "cuda:0"]
    assert [slot.lock and slot.lock.name for slot in found] == [
        *("GPU-aaaa.0.lock", "GPU-bbbb.0.lock", "GPU-aaaa.1.lock")
    ]
    assert slots(("cpu",), 2, lambda: TWO, tmp_path) == [Slot("cpu"), Slot("cpu")]


def test_one_gpu_under_two_names_is_one_gpu(tmp_path: Path) -> None:
    """As where `CUDA_VISIBLE_DEVICES=1` makes the second GPU `cuda:0` of one run."""
    (whole,) = slots(("cuda:1",), 1, lambda: TWO, tmp_path)
    (hidden,) = slots(("cuda:0",), 1, lambda: {"cuda:0": "GPU-bbbb"}, tmp_path)
    assert whole.lock == hidden.lock


def test_the_inherited_choice_of_devices_is_torchs() -> None:
    """Nothing is set or read by us, so that what torch does not see does not exist."""
    code = "from ganstudy.schedule.devices import visible; print(visible())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "{}\n"


@pytest.mark.parametrize(
    ("built", "driver", "expected"),
    [
        ("cuda = None", "libc.so.6", False),
        ("cuda = '13.0'\nhip = None", "libc.so.6", True),
        ("cuda = '13.0'", "libnothing.so.1", False),
        ("cuda = None\nhip = '7.0'", "libnothing.so.1", True),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems name their libraries otherwise")
def test_torch_is_asked_where_there_may_be_a_gpu(
    built: str, driver: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build for none is not imported, nor one for NVIDIA's where no driver is installed."""
    for name, text in [("__init__.py", ""), ("version.py", built)]:
        (tmp_path / name).write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("torch", tmp_path / "__init__.py")
    monkeypatch.setattr(devices, "find_spec", lambda name: spec)
    load = ctypes.CDLL
    monkeypatch.setattr(ctypes, "CDLL", lambda name: load(driver))
    assert devices.may_be_there() == expected


@pytest.mark.slow
def test_a_run_on_a_cpu_imports_no_torch_to_look_for_devices() -> None:
    """What is installed here is built for none, or has no driver; else torch says the same."""
    code = (
        "import sys\nfrom ganstudy.schedule.devices import may_be_there, visible\n"
        "found, asked = visible(), 'torch' in sys.modules\n"
        "import torch\nassert len(found) == torch.cuda.device_count()\n"
        "assert asked == may_be_there()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


HOLDER = """
import sys
from pathlib import Path
from ganstudy.engine.packing import PackSize
from ganstudy.schedule.devices import Slot
with Slot("cuda:0", Path(sys.argv[1])).leased():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_a_lease_ends_with_its_holder(tmp_path: Path) -> None:
    """Another waits for as long as the holder lives, and gets the slot when it is killed."""
    lock = tmp_path / "GPU-aaaa.0.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        got = threading.Event()

        def wait() -> None:
            with Slot("cuda:0", lock).leased():
                got.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.5)
        holder.send_signal(signal.SIGKILL)
        assert got.wait(120.0)
        waiting.join()


@pytest.mark.skipif(WINDOWS, reason="where files have no modes")
def test_everybody_on_a_machine_can_lease(tmp_path: Path) -> None:
    """Whatever the umask of the first one; a link leads to no folder whose mode is changed."""
    lock, own, link = tmp_path / "all" / "GPU-aaaa.0.lock", tmp_path / "own", tmp_path / "link"
    own.mkdir(0o700)
    link.symlink_to(own)
    before = os.umask(0o077)
    try:
        for path in (lock, link / "GPU-aaaa.0.lock"):
            with Slot("cuda:0", path).leased():
                pass
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (lock.parent, lock, own)]
    assert modes == [0o1777, 0o666, 0o700]


@pytest.mark.slow
def test_a_device_that_cannot_be_held_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as for a folder that another user has made; workers ended without a word."""
    folder = tmp_path / "ganstudy-devices"
    folder.write_text("not a folder", encoding="utf-8")
    slot = Slot("cuda:0", folder / "GPU-aaaa.0.lock")
    monkeypatch.setattr("ganstudy.schedule.executors.local.slots", lambda *_: [slot])
    said = f"{re.escape(str(slot.lock))}: cannot hold cuda:0: "
    with LocalExecutor(1) as executor, pytest.raises(ExecutorError, match=said):
        list(train_packs(Listed([(trial(0),)]), executor))


def test_packs_on_a_gpu_fill_half_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the smallest, shared by a device's workers, whoever uses it now: a run that waited for
    another one's end trained in small packs; a CPU among them decides.
    """
    memory = {"cuda:0": 80 * 2**30, "cuda:1": 8 * 2**30}
    one = pack_size(("cuda:0",), 1, memory=memory.__getitem__)
    assert one.most(300_000) == 1024
    assert one.most(100_000_000) == 80 * 2**30 // 2 // 8 // 100_000_000 == 53
    shared = pack_size(("cuda:0",), 2, memory=memory.__getitem__)
    assert shared.most(100_000_000) == 53 // 2
    both = pack_size(("cuda:0", "cuda:1"), 2, memory=memory.__getitem__)
    assert both.most(100_000_000) == 5
    assert both.most(10**12) == 2  # one, and the copy beside it
    assert pack_size(("cuda:0",), 1, asked=7, memory=memory.__getitem__).most(100) == 7
    assert pack_size(("cpu", "cuda:0"), 2, memory=memory.__getitem__) == PackSize()
    properties = {name: SimpleNamespace(total_memory=own) for name, own in memory.items()}
    monkeypatch.setattr("torch.cuda.get_device_properties", properties.__getitem__)
    assert pack_size(("cuda:0", "cuda:1"), 2) == both
