"""Which packages are there, and what to do about those that are not."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

NEEDED = {
    **{"ganstudy": "0.1.0", "annotated-types": "0.6", "click": "8.1", "cmaes": "0.11"},
    **{"filelock": "3.15", "greenlet": "3.1", "h5netcdf": "1.4", "h5py": "3.11"},
    **{"jinja2": "3.1", "joblib": "1.4", "matplotlib": "3.11"},
    **{"numcodecs": "0.16.6", "numpy": "1.26", "omegaconf": "2.4", "optuna": "5.0"},
    **{"pandas": "2.2", "pot": "0.9.5", "psutil": "5.9", "pydantic": "2.12", "pytest": "8.3"},
    **{"pytest-xdist": "3.6", "ruamel.yaml": "0.18", "scikit-learn": "1.5", "scipy": "1.13"},
    **{"threadpoolctl": "3.2", "torch": "2.11", "triton": "3.6"},
    **{"xarray": "2024.10", "zarr": "3.0.8"},
}
"""Each with the least version; what these need comes with them, or is named here."""


def missing() -> dict[str, str]:
    """What is absent or older, with the version that is wanted."""
    absent = {}
    for name, least in NEEDED.items():
        try:
            there = version(name)
        except PackageNotFoundError:
            absent[name] = f"{name}>={least}"
        else:
            if _numbers(there) < _numbers(least):
                absent[name] = f"{name}>={least} (there is {there})"
    return absent


def what_to_do(absent: dict[str, str]) -> str:
    """In words."""
    names = ", ".join(absent.values())
    return (
        f"missing: {names}\n"
        "`make wheels` on a machine with a network puts what is needed into build/wheels (30 MB);\n"
        "bring that folder, and run `make gpu-check WHEELS=build/wheels`"
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("+")[0].split(".")[:3] if part.isdecimal())
