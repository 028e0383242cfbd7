"""The command `ganstudy`, and `python -m ganstudy` where no script has been installed."""

import sys

__all__ = ["main"]


def main() -> None:
    """The command line; Ctrl-C while it is imported is what it is later."""
    try:
        from ganstudy.schedule.interruption import Interruption

        with Interruption():
            from ganstudy.cli import main as verbs
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    verbs(prog_name="ganstudy")


if __name__ == "__main__":
    main()
