"""`make gpu-check`: prove the step on a GPU, time it, and write results.json and results.md.

It needs no network: Python 3.12 with a CUDA build of PyTorch 2.11 or later. Parts can be named to
run them alone. Whatever is found is written at once; what fails is told in failures.txt beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.gpu import convolutions, leases, packages, syncs, throughput, training
from benchmarks.gpu.suites import SUITES
from benchmarks.gpu.visit import Visit

PARTS: Mapping[str, Any] = {
    "syncs": syncs,
    **{name: own for name, own in SUITES.items() if own.promised},
    "leases": leases,
    "convolutions": convolutions,
    "training": training,
    "throughput": throughput,
    **{name: own for name, own in SUITES.items() if not own.promised},
}
"""In the order in which they run: what is promised, figures, what is not promised and takes long.
Each has `measure`, which gives what it has found whenever that is more, and `lines`."""
TABLES = ("convolutions", "training", "throughput")
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("parts", nargs="*", default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the result files")
    parser.add_argument("--minutes", type=float, default=9.0, help="after which none is begun")
    asked = parser.parse_args()
    if unknown := [name for name in asked.parts if name not in PARTS]:
        parser.error(f"no part {unknown[0]!r}; there is {', '.join(PARTS)}")
    absent, older = packages.missing()
    if absent:
        sys.exit(packages.what_to_do(absent))
    from ganstudy.schedule import gpu
    from ganstudy.schedule.devices import visible

    if older:
        print(f"older than is asked for: {', '.join(older.values())}", file=sys.stderr)
    if asked.device not in (there := visible()):
        sys.exit(f"no GPU {asked.device!r} here; there is {', '.join(there) or 'none'}")
    if trouble := gpu.trouble(asked.device):
        sys.exit(f"{asked.device} cannot be used: {trouble}")
    visit = Visit(asked.device, asked.out, time.monotonic() + 60 * asked.minutes)
    results = kept(asked.out, machine(asked.device))
    failed, late = visited(asked.parts, visit, results)
    print(markdown(results))
    if late:
        print(f"time was up: {', '.join(late)}", file=sys.stderr)
    sys.exit(failed)


def visited(parts: Any, visit: Visit, results: dict[str, Any]) -> tuple[bool, list[str]]:
    """Measure parts, and write whatever is found at once; whether a promise has failed or a part
    or figure has raised, and those for which there was no time, or not enough.
    """
    failed, late = False, []
    for name in parts:
        if visit.left <= 0:
            late.append(name)
            continue
        part, started = PARTS[name], time.perf_counter()
        print(f"{name} ...", file=sys.stderr, flush=True)
        now = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "version": packages.PROJECT["version"]}
        found: dict[str, Any] = {}
        with visit.going_on(name):
            for found in part.measure(visit):
                seconds = round(time.perf_counter() - started, 1)
                results[name] = {**now, **found, "seconds": seconds}
                write(visit.out, results)
                if visit.left <= 0:
                    break
        if name in visit.raised and name in results:
            results[name] = {**results[name], "raised": f"{now['date']}, version {now['version']}"}
            write(visit.out, results)
        if visit.left <= 0:
            late.append(name)
        if getattr(part, "promised", True):
            failed |= bool(found.get("failed"))
    return failed or bool(visit.raised), late


def write(out: Path, results: dict[str, Any]) -> None:
    """Both files, each whole: a check may be killed at any time, and the next one reads them."""
    from ganstudy.whole_file import write_whole

    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "results.json", (json.dumps(results, indent=2) + "\n").encode())
    write_whole(out / "results.md", markdown(results).encode())


def kept(out: Path, here: dict[str, Any]) -> dict[str, Any]:
    """What was found before on this kind of machine: there, or as this checkout has it."""
    path = next((own for own in (out, HERE) if (own / "results.json").is_file()), None)
    earlier = json.loads((path / "results.json").read_text(encoding="utf-8")) if path else {}
    there = earlier.get("machine", {})
    same = all(there.get(key) == here[key] for key in ("gpu", "torch"))
    return {**(earlier if same else {}), "machine": here}


def machine(device: str) -> dict[str, Any]:
    import torch

    from ganstudy.engine.session import Session
    from ganstudy.processor import processor

    free, total = torch.cuda.mem_get_info(device)
    return {
        "gpu": torch.cuda.get_device_name(device),
        "memory_GiB": round(total / 2**30, 1),
        "free_GiB": round(free / 2**30, 1),
        "torch": torch.__version__,
        "processor": processor(),
        "arithmetic": Session(device).arithmetic,
    }


def markdown(results: dict[str, Any]) -> str:
    """The page that docs/performance.md includes: each part with when it was found, and by what."""
    about = results["machine"]
    machine = f"{about['gpu']}, {about['memory_GiB']} GiB, PyTorch {about['torch']}"
    page = [f"Written by `make gpu-check` on an {machine}.", ""]
    for name in sorted(PARTS, key=lambda name: name in TABLES):
        if (found := results.get(name)) is not None:
            lines = PARTS[name].lines(found)
            # The first line with words is a promise or what a table is of.
            place = next(number for number, line in enumerate(lines) if line)
            words, end = lines[place][:-1], lines[place][-1]
            when = f"{found['date']}, version {found['version']}"
            if "raised" in found:
                when += f"; has raised since, or before its end: {found['raised']}"
            lines[place] = f"{words} ({when}){end}"
            page += lines
    return "\n".join(page) + "\n"


if __name__ == "__main__":
    main()
