"""`python -m ganstudy` is `ganstudy`."""

from ganstudy.cli import main

if __name__ == "__main__":
    main(prog_name="ganstudy")
