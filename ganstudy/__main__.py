"""`python -m ganstudy`: the command line, where no script has been installed."""

from ganstudy.cli import main

if __name__ == "__main__":
    main(prog_name="ganstudy")
