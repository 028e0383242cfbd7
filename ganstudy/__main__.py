"""The command `ganstudy`, and `python -m ganstudy` where no script has been installed."""

import os
import sys
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """The command line; Ctrl-C while it is imported, and while it ends, is what it is meanwhile."""
    _open_streams()
    _keep_strangers_out()
    try:
        from ganstudy.schedule.interruption import Interruption

        with Interruption(last=True):
            from ganstudy.cli import main as verbs

            verbs(prog_name="ganstudy")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _open_streams() -> None:
    """Give a process that was started without one of its streams, as by `>&-`, one to nowhere.

    The next file that is opened would take its number, and be written to by who prints.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, mode))


def _keep_strangers_out() -> None:
    """Have no process that this one starts take a module from the folder that the user stands in.

    `python -m` and `python -c` would, and a `numpy.py` beside somebody's study would run. Where
    this package itself is found in that folder, it still is.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    own = str(Path(__file__).resolve().parents[1])
    if sys.path[0] == own:
        known = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([own, known] if known else [own])


if __name__ == "__main__":
    main()
