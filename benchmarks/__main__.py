"""`python -m benchmarks [part ...]`: run the benchmarks; write results.json and results.md.

Figures of a part on another processor stay beside those of this one.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
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

    from ganstudy.processor import processor

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


def table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """By the format of the cells of each column, in the names of a row's values."""
    return [
        f"| {' | '.join(columns)} |",
        "|---" * len(columns) + "|",
        *(f"| {' | '.join(own.format(**row) for own in columns.values())} |" for row in rows),
        "",
    ]


def programs(part: dict[str, Any]) -> list[str]:
    columns = {
        "width": "{width}",
        "pack": "{pack}",
        **{name: f"{{{name}:,.0f}}" for name in ("eager", "portable", "compiled")},
        "portable over eager": "{over_eager:.2f}",
        "over compiled": "{over_compiled:.2f}",
    }
    return [
        f"Trial-steps per second, medians of {part['rounds']} paired rounds.",
        "",
        *table(columns, part["rows"]),
    ]


def throughput(part: dict[str, Any]) -> list[str]:
    contestants = {
        "pack": "{pack}",
        "ganstudy": "{ganstudy:,.0f}",
        "PyTorch": "{plain:,.0f}",
        "JAX": "{jax:,.0f}",
        "over PyTorch": "{over_plain:.1f}",
        "over JAX": "{over_jax:.2f}",
    }
    aims = {"aim over PyTorch": "{aim}", "share of matrix rate": "{share_of_matrix_rate:.0%}"}
    return [
        f"Trial-steps per second, medians of {part['rounds']} paired rounds.",
        "",
        *table({"width": "{width}", **contestants, **aims}, part["rows"]),
        *table({"training, width": "{training}, {width}", **contestants}, part["trainings"]),
    ]


def convolutions(part: dict[str, Any]) -> list[str]:
    columns = {
        "images": "{images}",
        "pack": "{pack}",
        "ganstudy": "{ganstudy:.1f}",
        "PyTorch": "{plain:.1f}",
        "over PyTorch": "{over_plain:.2f}",
    }
    return [
        f"Trial-steps per second of `dcgan`, batches of {part['batch']}, {part['rounds']} rounds.",
        "",
        *table(columns, part["rows"]),
    ]


def whole_studies(part: dict[str, Any]) -> list[str]:
    rows = [
        {
            "study": study,
            **{name: f"{seconds:.1f}" for name, seconds in one["seconds"].items()},
            **{
                f"best peer over {own}": f"{ratio:.2f}"
                for own, ratio in one["best_peer_over_ganstudy"].items()
            },
        }
        for study, one in part["studies"].items()
    ]
    columns = {name: f"{{{name}}}" for name in rows[0]}
    return ["Seconds from the command to the page.", "", *table(columns, rows)]


def overhead(part: dict[str, Any]) -> list[str]:
    rows = ({"what": k.replace("_", " "), "value": v} for k, v in part.items() if k != "machine")
    return table({"what": "{what}", "value": "{value:.3g}"}, rows)


def growth(part: dict[str, Any]) -> list[str]:
    rows = (
        {"varied": name, "value": value, "seconds": seconds}
        for name, series in part["series"].items()
        for value, seconds in series
    )
    return table({"varied": "{varied}", "value": "{value}", "seconds": "{seconds:.1f}"}, rows)


TABLES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    own.__name__: own
    for own in (programs, throughput, convolutions, whole_studies, overhead, growth)
}


if __name__ == "__main__":
    main()
