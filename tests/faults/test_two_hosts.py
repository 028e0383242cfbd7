"""Dask on two hosts: a network namespace is one of them, and the cable between them is cut."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from dask_cluster import dask_cluster
from processes import BESIDE_OTHERS, STUDY, check_same_records, gone, in_flight, start
from tiny import write_study
from waiting import wait_until

from ganstudy import pipeline
from ganstudy.study import load

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(BESIDE_OTHERS), reason=BESIDE_OTHERS),
]


class Hosts(NamedTuple):
    """This host's address, the other's, the command that starts something there, and the name of
    the other with its end of the cable."""

    here: str
    there: str
    within: Sequence[str]
    end: tuple[str, str]

    def cut(self) -> None:
        """The cable is pulled at the other end: no packet comes through, and this host keeps its
        own address."""
        name, end = self.end
        _ip("-n", name, "link", "set", end, "down")


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=30.0)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch, no_page: None) -> Iterator[Hosts]:
    """Two hosts that see each other by one cable; Dask gives up a silent connection after 15 s."""
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP", "15s")
    if shutil.which("ip") is None:
        pytest.skip("no ip here (Debian's package iproute2)")
    number = os.getpid() % 8192
    name, block = f"ganstudy{number}", f"198.18.{number // 64 % 256}.{number % 64 * 4}"
    here, there = (f"{block.rpartition('.')[0]}.{number % 64 * 4 + last}" for last in (1, 2))
    cable, end = f"gan{number}a", f"gan{number}b"
    try:
        _ip("netns", "add", name)
    except OSError as error:
        pytest.skip(f"no second host can be simulated here: {error}")
    try:
        try:
            _ip("link", "add", cable, "type", "veth", "peer", "name", end, "netns", name)
        except OSError as error:
            pytest.skip(f"no cable can be laid here: {error}")
        _ip("addr", "add", f"{here}/30", "dev", cable)
        _ip("link", "set", cable, "up")
        for words in (
            ("addr", "add", f"{there}/30", "dev", end),
            ("link", "set", end, "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", name, *words)
        yield Hosts(here, there, ["ip", "netns", "exec", name], (name, end))
    finally:
        _ip("netns", "delete", name)  # and with it the cable


def test_a_worker_that_is_cut_off_costs_nothing_but_time(tmp_path: Path, hosts: Hosts) -> None:
    """Its packs are trained here, and the records are those of local workers, bit for bit."""
    study = write_study(tmp_path, STUDY.replace("steps: 100", "steps: 400"))
    out = tmp_path / "run"
    with dask_cluster(tmp_path, host=hosts.here, workers=[(), hosts.within]) as cluster:
        run = start(study, out, "--executor", "dask", "--scheduler", cluster.address, every=0.05)
        wait_until(lambda: in_flight(out) == 2)
        hosts.cut()
        said, _ = run.communicate(timeout=900)
    assert run.returncode == 0, said
    calm = pipeline.run(load(study), tmp_path / "calm", workers=2)
    assert calm.done == {"complete": 12}
    check_same_records(out, tmp_path / "calm")


def test_a_scheduler_that_is_cut_off_ends_the_run_in_words(tmp_path: Path, hosts: Hosts) -> None:
    """Exit 2 and no traceback, though nobody has closed the connection."""
    study = write_study(tmp_path, STUDY.replace("steps: 100", "steps: 100000"))
    out = tmp_path / "run"
    place = {"host": hosts.there, "within": hosts.within, "workers": [hosts.within] * 2}
    with dask_cluster(tmp_path, **place) as cluster:
        run = start(study, out, "--executor", "dask", "--scheduler", cluster.address)
        wait_until(lambda: in_flight(out) == 2)
        hosts.cut()
        said, _ = run.communicate(timeout=900)
    assert run.returncode == 2, said
    assert "the Dask scheduler is gone; run the same command to continue" in said
    assert "Traceback" not in said, said
    assert gone(run)
