"""`make gpu-check`: prove the step on a GPU, time it, and write results.json and results.md.

It needs no network: Python 3.12 with a CUDA build of PyTorch 2.11 or later. Parts can be named to
run them alone; `--wheels` names what to install beforehand where packages are missing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PARTS = ("syncs", "leases", "steps", "throughput", "convolutions", "compiled")
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the two result files")
    asked = parser.parse_args()
    from benchmarks.gpu import packages

    if missing := packages.missing():
        sys.exit(packages.what_to_do(missing))
    results = kept(asked.out / "results.json", machine(asked.device))
    failed = False
    for part in asked.parts:
        started = time.perf_counter()
        print(f"{part} ...", file=sys.stderr, flush=True)
        found = importlib.import_module(f"benchmarks.gpu.{part}").measure(asked.device)
        results[part] = {**found, "seconds": round(time.perf_counter() - started, 1)}
        failed |= bool(found.get("failed"))
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
        (asked.out / "results.md").write_text(markdown(results))
    print(markdown(results))
    sys.exit(failed)


def kept(path: Path, here: dict[str, Any]) -> dict[str, Any]:
    """What other parts have found on this kind of machine."""
    earlier: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    there = earlier.get("machine", {})
    same = all(there.get(key) == here[key] for key in ("gpu", "torch"))
    return {**(earlier if same else {}), "machine": here}


def machine(device: str) -> dict[str, Any]:
    import torch

    from ganstudy.engine.session import Session
    from ganstudy.processor import processor

    free, total = torch.cuda.mem_get_info(device)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "gpu": torch.cuda.get_device_name(device),
        "memory_GiB": round(total / 2**30, 1),
        "free_GiB": round(free / 2**30, 1),
        "torch": torch.__version__,
        "processor": processor(),
        "arithmetic": Session(device).arithmetic,
    }


def markdown(results: dict[str, Any]) -> str:
    """The page that docs/performance.md includes."""
    about = results["machine"]
    machine = f"{about['gpu']}, {about['memory_GiB']} GiB, PyTorch {about['torch']}"
    lines = [f"Written by `make gpu-check` on an {machine}, {about['date']}.", ""]
    for part in PARTS:
        if part in results:
            lines += importlib.import_module(f"benchmarks.gpu.{part}").lines(results[part])
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
