"""What `import ganstudy` gives: the names that the docs use, found by Tab, and at no cost."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
import ganstudy
offered = dir(ganstudy)
assert not {"xarray", "torch", "matplotlib"} & sys.modules.keys()
assert "__version__" in offered and "annotations" not in offered and "Any" not in offered
assert {"open_run", "open_runs", "open_atlas", "sample", "plot", "plugins"} <= {*offered}
assert callable(ganstudy.generators.write_onnx)
assert callable(ganstudy.analysis.rank_arms)
assert all(hasattr(ganstudy, name) for name in offered)
assert not hasattr(ganstudy, "no_such_name")
print(ganstudy.__version__)
"""


def test_its_names_are_there_before_any_is_used() -> None:
    """In a process of its own: once `sample` has been used, `generators` is there by chance."""
    command = [sys.executable, "-c", PROGRAM]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert said.returncode == 0, said.stderr
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert said.stdout.strip() == project["version"]
