"""`python -m benchmarks [part ...]`: run the benchmarks; write results.json and results.md."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PARTS = ("throughput", "programs", "whole_studies", "convolutions", "overhead", "growth")
HERE = Path(__file__).parent


def main() -> None:
    parts = sys.argv[1:] or list(PARTS)
    path = HERE / "results.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    for part in parts:
        print(f"measuring {part}", file=sys.stderr, flush=True)
        measured = importlib.import_module(f"benchmarks.{part}").measure()
        results[part] = {"machine": machine(), **measured}
        path.write_text(json.dumps(results, indent=2) + "\n")
    text = markdown(results)
    (HERE / "results.md").write_text(text)
    print(text)


def machine() -> dict[str, Any]:
    import torch

    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": model,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "torch": torch.__version__,
    }


def markdown(results: dict[str, Any]) -> str:
    lines = ["# Benchmarks", "", "Written by `make bench`; docs/performance.md explains them.", ""]
    if part := results.get("programs"):
        lines += [
            f"## Programs, trial-steps per second on {part['machine']['cores']} cores",
            "",
            f"On {part['machine']['processor']}, medians of {part['rounds']} paired rounds.",
            "",
            "| width | pack | eager | portable | compiled | portable over eager | over compiled |",
            "|---|---|---|---|---|---|---|",
            *(
                f"| {row['width']} | {row['pack']} | {row['eager']:,.0f} | {row['portable']:,.0f} |"
                f" {row['compiled']:,.0f} | {row['over_eager']:.2f} | {row['over_compiled']:.2f} |"
                for row in part["rows"]
            ),
            "",
        ]
    if part := results.get("throughput"):
        lines += [
            f"## Trial throughput, trial-steps per second on {part['machine']['cores']} cores",
            "",
            "| width | pack | ganstudy | PyTorch | JAX | over PyTorch | aim | over JAX | share |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {r['width']} | {r['pack']} | {r['ganstudy']:,.0f} | {r['plain']:,.0f} "
            f"| {r['jax']:,.0f} | {r['over_plain']:.1f} | {r['aim']} "
            f"| {r['over_jax']:.2f} | {r['share_of_matrix_rate']:.0%} |"
            for r in part["rows"]
        ]
        lines += [
            "",
            "| training, width | pack | ganstudy | PyTorch | JAX | over PyTorch | over JAX |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {r['training']}, {r['width']} | {r['pack']} | {r['ganstudy']:,.0f} "
            f"| {r['plain']:,.0f} | {r['jax']:,.0f} | {r['over_plain']:.1f} "
            f"| {r['over_jax']:.2f} |"
            for r in part.get("trainings", ())
        ]
        lines.append("")
    if part := results.get("convolutions"):
        lines += [
            f"## Convolutions, trial-steps per second on {part['machine']['cores']} cores",
            "",
            f"Of `dcgan`, batches of {part['batch']}; medians of {part['rounds']} paired rounds.",
            "",
            "| images | pack | ganstudy | PyTorch | over PyTorch |",
            "|---|---|---|---|---|",
            *(
                f"| {row['images']} | {row['pack']} | {row['ganstudy']:.1f} | {row['plain']:.1f} |"
                f" {row['over_plain']:.2f} |"
                for row in part["rows"]
            ),
            "",
        ]
    if part := results.get("whole_studies"):
        machine_of = f"{part['machine']['processor']}, {part['machine']['cores']} cores"
        lines += [
            "## Whole studies, seconds from the command to the page",
            "",
            f"On {machine_of}.",
            "",
        ]
        names = list(
            dict.fromkeys(name for one in part["studies"].values() for name in one["seconds"])
        )
        first = next(iter(part["studies"].values()))
        over = [f"best peer over {own}" for own in first["best_peer_over_ganstudy"]]
        lines += [f"| study | {' | '.join([*names, *over])} |"]
        lines += ["|---" * (len(names) + len(over) + 1) + "|"]
        for study, one in part["studies"].items():
            seconds = [f"{one['seconds'][k]:.1f}" if k in one["seconds"] else "" for k in names]
            ratios = [f"{ratio:.2f}" for ratio in one["best_peer_over_ganstudy"].values()]
            lines.append(f"| {study} | {' | '.join([*seconds, *ratios])} |")
        lines.append("")
    if part := results.get("overhead"):
        lines += ["## Overhead", "", "| what | value |", "|---|---|"]
        lines += [f"| {k} | {v:.3g} |" for k, v in part.items() if k != "machine"]
        lines.append("")
    if part := results.get("growth"):
        lines += ["## Growth", "", "| varied | value | seconds |", "|---|---|---|"]
        lines += [
            f"| {name} | {value} | {seconds:.1f} |"
            for name, rows in part["series"].items()
            for value, seconds in rows
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
