"""One thread for every numerical library, and our arithmetic, before any of them is imported."""

from __future__ import annotations

import os
from importlib import import_module

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"

import_module("ganstudy.engine")
import_module("torch").set_num_threads(1)
