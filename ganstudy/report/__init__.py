"""From a study's dataset to figures and one self-contained page.

`build` imports matplotlib when it is called, and not before.
"""

from ganstudy.report.page import PageError, build

__all__ = ["PageError", "build"]
