"""A Slurm of one node on this machine: its daemons, with keys, ports and folders of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from processes import kill
from waiting import wait_until

_COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "setpriv")

_CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=900
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0,bf_interval=1
EnforcePartLimits=ALL
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=1
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000 State=UNKNOWN
PartitionName=compute Nodes=ALL Default=YES MaxTime=60 State=UP
PartitionName=endless Nodes=ALL MaxTime=UNLIMITED State=DOWN
"""
"""Without cgroups and without systemd; more cores than there are, which nobody here counts."""


def why_not() -> str:
    """Why there can be no Slurm here; empty if there can."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    if missing := [name for name in _COMMANDS if shutil.which(name, path=path) is None]:
        return f"no {', '.join(missing)} here (Debian's packages slurm-wlm and munge)"
    return "" if os.geteuid() == 0 else "Slurm's daemons want to be started as root"


@dataclass(frozen=True)
class Slurm:
    """A controller and a node, which wait for jobs."""

    folder: Path

    def asked(self, *command: str) -> str:
        """What a command of Slurm prints."""
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60.0
        ).stdout

    def jobs(self, states: str = "PENDING,CONFIGURING,RUNNING") -> list[str]:
        """Numbers of the jobs there are."""
        return self.asked("squeue", "--noheader", "--format=%i", f"--states={states}").split()

    def about(self, job: str) -> str:
        """What the controller knows of a job."""
        return self.asked("scontrol", "show", "job", job)


@contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    """A Slurm that the commands of this process and its children find; no process of it is left.

    Errors  `AssertionError` with what its daemons say if it does not come up.
    """
    with ExitStack() as stack:
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "munge.key").write_bytes(os.urandom(64))
        (folder / "munge.key").chmod(0o600)
        first, second = _free_ports(2)
        host = socket.gethostname().partition(".")[0]
        text = _CONFIGURATION.format(
            host=host, folder=folder, controller_port=first, node_port=second
        )
        (folder / "slurm.conf").write_text(text)
        before = dict(os.environ)
        stack.callback(lambda: (os.environ.clear(), os.environ.update(before)))
        os.environ["PATH"] += os.pathsep + os.pathsep.join(["/usr/sbin", "/sbin"])
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
        daemons: list[subprocess.Popen[bytes]] = []
        stack.callback(_end_all, folder, daemons)
        munge = {name: str(folder / f"munge.{name}") for name in ("socket", "pid", "log", "seed")}
        files = [
            *(f"--key-file={folder / 'munge.key'}", f"--socket={munge['socket']}"),
            *(f"--pid-file={munge['pid']}", f"--log-file={munge['log']}"),
            f"--seed-file={munge['seed']}",
        ]
        daemons.append(_start(folder, "munged", "--foreground", "--force", *files))
        wait_until((folder / "munge.socket").exists, 30.0)
        daemons.append(_start(folder, "slurmctld", "-D", "-c"))
        daemons.append(_start(folder, "slurmd", "-D", "-c"))
        up = Slurm(folder)
        end = time.monotonic() + 60.0
        while "idle" not in _nodes():
            said = "\n".join(path.read_text() for path in sorted(folder.glob("*.said")))
            assert time.monotonic() < end, said
            time.sleep(0.1)
        yield up


def _nodes() -> str:
    asked = ["sinfo", "--noheader", "--format=%t"]
    with suppress(subprocess.TimeoutExpired):
        return subprocess.run(
            asked, capture_output=True, text=True, check=False, timeout=30.0
        ).stdout
    return ""


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _start(folder: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A daemon in the foreground, which the kernel ends with this process, however that ends."""
    with (folder / f"{name}.said").open("w") as said:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", name, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _end_all(folder: Path, daemons: list[subprocess.Popen[bytes]]) -> None:
    """End every process that was started with this Slurm's configuration, jobs included."""
    for _ in range(3):  # one may have started another meanwhile
        found = [process for process in psutil.process_iter() if _is_of(process, folder)]
        for process in found:
            kill(process)
        psutil.wait_procs(found, timeout=10.0)
    for daemon in daemons:
        daemon.wait(timeout=10.0)


def _is_of(process: psutil.Process, folder: Path) -> bool:
    try:
        own = process.environ().get("SLURM_CONF", "").startswith(str(folder))
    except psutil.Error:
        return False
    return own and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
