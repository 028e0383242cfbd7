"""Checks of plug-ins by a process that has imported what the suites need: most of a check's time.

Each is a fork of it: the suites meet the plug-in in a process of their own, as they do elsewhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

_IMPORTED = """
import json, os, sys
import matplotlib.pyplot, pytest, scipy.stats, torch._dynamo, torch.distributed.tensor, zarr
from ganstudy import engine, plugins
members = [family[name] for family in plugins.families().values() for name in family.names]
for line in sys.stdin:
    asked, environment, said = json.loads(line)
    if not (child := os.fork()):
        os.environ.clear()
        os.environ.update(environment)
        for stream in (1, 2):
            os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        code = pytest.main(asked)
        sys.stdout.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
os._exit(0)  # what it has imported would be taken apart for seconds
"""


class Run(Protocol):
    """What takes the place of `subprocess.run`."""

    def __call__(
        self, asked: Sequence[str], env: Mapping[str, str], **how: object
    ) -> subprocess.CompletedProcess[str]:
        """Run the suites, whose words are all on standard output."""


@contextmanager
def imported(said: Path) -> Iterator[Run]:
    """What runs the suites in a fork, while the process is there; their words are in a file."""
    command = [sys.executable, "-W", "ignore", "-c", _IMPORTED]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        given, told = process.stdin, process.stdout
        assert given is not None
        assert told is not None

        def run(
            asked: Sequence[str], env: Mapping[str, str], **how: object
        ) -> subprocess.CompletedProcess[str]:
            said.unlink(missing_ok=True)
            _, _, _, *words = asked  # behind `python -m pytest`
            given.write(json.dumps([words, dict(env), str(said)]) + "\n")
            given.flush()
            code = told.readline()
            assert code, "the process that has imported what the suites need has ended"
            return subprocess.CompletedProcess(asked, int(code), said.read_text(), "")

        yield run
        given.close()
