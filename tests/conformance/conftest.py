"""Members of plug-ins stand beside those of the package, in every suite."""

from __future__ import annotations

import os
from pathlib import Path

from ganstudy import plugins

for _path in filter(None, os.environ.get(plugins.CHECKED, "").split(os.pathsep)):
    plugins.load(Path(_path))
