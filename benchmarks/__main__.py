"""`python -m benchmarks [part ...]`: run the benchmarks; write results.json and results.md.

Figures of a part on another processor stay beside those of this one.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable
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
        here = machine()
        results.setdefault(part, {})[here["processor"]] = {"machine": here, **measured}
        path.write_text(json.dumps(results, indent=2) + "\n")
    text = markdown(results)
    (HERE / "results.md").write_text(text)
    print(text)


def machine() -> dict[str, Any]:
    """What it is; virtual machines give all generations one name, so that its family is beside."""
    import torch

    from ganstudy.engine.arithmetic import processor

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
        "processor": f"{model} ({processor()})",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "torch": torch.__version__,
    }


def markdown(results: dict[str, Any]) -> str:
    lines = ["# Benchmarks", "", "Written by `make bench`; docs/performance.md explains them.", ""]
    for part, tables in TABLES.items():
        for processor, measured in results.get(part, {}).items():
            here = measured["machine"]
            lines += [
                f"## {part.replace('_', ' ').capitalize()}, {processor}",
                "",
                f"{here['cores']} cores, PyTorch {here['torch']}, {here['date']}.",
                "",
                *tables(measured),
            ]
    return "\n".join(lines)


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    columns = list(columns)
    return [
        f"| {' | '.join(columns)} |",
        "|---" * len(columns) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def programs(part: dict[str, Any]) -> list[str]:
    columns = ("width", "pack", "eager", "portable", "compiled")
    rows = (
        [
            *(f"{row[name]:,.0f}" for name in columns),
            f"{row['over_eager']:.2f}",
            f"{row['over_compiled']:.2f}",
        ]
        for row in part["rows"]
    )
    return [
        f"Trial-steps per second, medians of {part['rounds']} paired rounds.",
        "",
        *table([*columns, "portable over eager", "over compiled"], rows),
    ]


def throughput(part: dict[str, Any]) -> list[str]:
    def rates(row: dict[str, Any]) -> list[str]:
        return [f"{row[name]:,.0f}" for name in ("pack", "ganstudy", "plain", "jax")]

    def ratios(row: dict[str, Any]) -> list[str]:
        return [f"{row['over_plain']:.1f}", f"{row['over_jax']:.2f}"]

    contestants = ("pack", "ganstudy", "PyTorch", "JAX", "over PyTorch", "over JAX")
    widths = (
        [
            f"{row['width']}",
            *rates(row),
            *ratios(row),
            f"{row['aim']}",
            f"{row['share_of_matrix_rate']:.0%}",
        ]
        for row in part["rows"]
    )
    trainings = (
        [f"{row['training']}, {row['width']}", *rates(row), *ratios(row)]
        for row in part["trainings"]
    )
    return [
        f"Trial-steps per second, medians of {part['rounds']} paired rounds.",
        "",
        *table(["width", *contestants, "aim over PyTorch", "share of matrix rate"], widths),
        *table(["training, width", *contestants], trainings),
    ]


def convolutions(part: dict[str, Any]) -> list[str]:
    rows = (
        [
            f"{row['images']}",
            f"{row['pack']}",
            f"{row['ganstudy']:.1f}",
            f"{row['plain']:.1f}",
            f"{row['over_plain']:.2f}",
        ]
        for row in part["rows"]
    )
    return [
        f"Trial-steps per second of `dcgan`, batches of {part['batch']}, {part['rounds']} rounds.",
        "",
        *table(["images", "pack", "ganstudy", "PyTorch", "over PyTorch"], rows),
    ]


def whole_studies(part: dict[str, Any]) -> list[str]:
    studies = part["studies"]
    names = list(dict.fromkeys(name for one in studies.values() for name in one["seconds"]))
    first = next(iter(studies.values()))
    over = [f"best peer over {own}" for own in first["best_peer_over_ganstudy"]]
    rows = (
        [
            study,
            *(f"{one['seconds'][k]:.1f}" if k in one["seconds"] else "" for k in names),
            *(f"{ratio:.2f}" for ratio in one["best_peer_over_ganstudy"].values()),
        ]
        for study, one in studies.items()
    )
    return ["Seconds from the command to the page.", "", *table(["study", *names, *over], rows)]


def overhead(part: dict[str, Any]) -> list[str]:
    return table(["what", "value"], ([k, f"{v:.3g}"] for k, v in part.items() if k != "machine"))


def growth(part: dict[str, Any]) -> list[str]:
    rows = (
        [name, f"{value}", f"{seconds:.1f}"]
        for name, series in part["series"].items()
        for value, seconds in series
    )
    return table(["varied", "value", "seconds"], rows)


TABLES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    own.__name__: own
    for own in (programs, throughput, convolutions, whole_studies, overhead, growth)
}


if __name__ == "__main__":
    main()
