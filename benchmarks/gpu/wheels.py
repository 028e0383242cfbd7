"""`make wheels`: a folder of wheels, for a machine with a GPU and without a network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

NAMES = (
    *("alembic", "annotated-types", "click", "cmaes", "colorlog", "donfig", "filelock"),
    *("google-crc32c", "greenlet", "h5netcdf", "jinja2", "joblib", "mako", "markdown-it-py"),
    *("matplotlib", "mdurl", "numcodecs", "omegaconf", "optuna", "pillow", "psutil", "pydantic"),
    *("pydantic_core", "pygments", "rich", "ruamel.yaml", "safetensors", "sqlalchemy"),
    *("threadpoolctl", "typing-inspection", "xarray", "zarr"),
)
"""What images with PyTorch and the usual scientific packages seldom have, or only in old forms."""

IN_IMAGES = ("h5py", "numpy", "pandas", "scikit-learn", "scipy", "torch")
"""The usual ones, which are larger than all others together."""

OTHERS = ("pot==0.9.5",)
"""In other versions than those of the constraints: a later wheel is thirty times as large."""

PLATFORMS = [
    argument
    for glibc in ("2_28", "2_27", "2_24", "2_17", "2_5")
    for argument in ("--platform", f"manylinux_{glibc}_x86_64")
]


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip"]
    fixed = ["--quiet", "--no-deps", "--constraint", str(ROOT / "constraints.txt")]
    target = ["--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp"]
    where = ["--dest", str(folder)]
    _run([*pip, "download", *fixed, *target, *PLATFORMS, *where, *NAMES])
    _run([*pip, "download", "--quiet", "--no-deps", *target, *PLATFORMS, *where, *OTHERS])
    _run([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
    size = sum(path.stat().st_size for path in folder.glob("*.whl"))
    print(f"{folder}: {size / 1e6:.0f} MB")


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
