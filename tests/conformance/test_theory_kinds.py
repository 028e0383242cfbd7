"""Every kind whose truth is known: its claims, its packs, its records, its place in the index."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from tiny import differences

from ganstudy import divergences, kinds
from ganstudy.kinds import TOLERANCE_SUFFIX, TheoryKind
from ganstudy.store import records
from ganstudy.trial import Record, Trial

THEORY = [kind for kind in kinds.family if issubclass(kind, TheoryKind)]
INDEX = Path(__file__).parents[2] / "docs" / "theory.md"

# Settings that together reach every claim of a kind, in trials of well under a second.
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "tabular": [
        {"algorithm": algorithm, "divergence": divergence, "points": 5, "steps": 40, "lr": lr}
        for algorithm, divergence, lr in (
            ("alternating", "non_saturating", 0.5),
            ("alternating", "wasserstein", 0.5),
            ("descent", "non_saturating", 1.5),
            ("descent", "minimax", 0.9),
            ("descent", "f_reverse_kl", 0.3),
            ("descent", "hinge", 0.5),
            ("descent", "wasserstein", 0.5),
            ("practical", "non_saturating", 0.5),
        )
    ],
    "game": [
        *(
            {"game": "bilinear", "method": method, "order": order, "steps": 100}
            for method, order in (
                ("gradient", "simultaneous"),
                ("gradient", "alternating"),
                ("momentum", "simultaneous"),
                ("momentum", "alternating"),
                ("extragradient", "simultaneous"),
                ("optimistic", "simultaneous"),
                ("consensus", "simultaneous"),
                ("consensus", "alternating"),
                ("symplectic_gradient_adjustment", "simultaneous"),
                ("competitive_gradient_descent", "simultaneous"),
                ("lead", "simultaneous"),
                ("lookahead", "simultaneous"),
                ("lookahead", "alternating"),
            )
        ),
        *(
            {
                "game": "bilinear",
                "method": method,
                "order": "alternating",
                "first": first,
                "critic": {"steps": 3},
                "steps": 100,
            }
            for method in ("gradient", "lookahead")
            for first in ("critic", "generator")
        ),
        {"game": "quadratic", "curvature": 0.3, "steps": 100},
        *(
            {"game": "dirac_gan", "divergence": d, "regularizer": r, "radius": 0.3, "steps": 60}
            for d, r in (
                ("minimax", "none"),
                ("non_saturating", "r1"),
                ("non_saturating", "instance_noise"),
                ("hinge", "gradient_penalty"),
                ("relativistic_pairing", "r1"),
                ("relativistic_pairing", ["r1", "r2"]),
                ("relativistic_average", "r2"),
                ("wasserstein", "clip"),
                ("least_squares", "r1"),
            )
        ),
        *(
            {"game": "dirac_gan", "divergence": "minimax", "method": method, "radius": 0.1}
            | {"steps": 60}
            for method in ("competitive_gradient_descent", "lead", "lookahead")
        ),
    ],
    "fit": [
        *({"divergence": d, "steps": 200} for d in ("forward_kl", "f_kl", "reverse_kl", "minimax")),
        {"objective": "wasserstein_1", "steps": 20},
        {"objective": "wasserstein_2", "steps": 100},
        {"divergence": "non_saturating", "modes": 3, "components": 2, "steps": 20},
    ],
    "supports": [
        {"divergence": "minimax", "steps": 100, "samples": 4},
        {"divergence": "non_saturating", "steps": 30, "samples": 4, "ambient": 5, "manifold": 3},
        {"divergence": "wasserstein", "steps": 60, "samples": 4, "distance": 0.5},
    ],
    "audit": [
        {"audited": audited, "check": check, "samples": 60, "repeats": 1, "spread": 2}
        for audited, check in (("density", "scaling"), ("recall", "modes_dropped_in_turn"))
    ]
    + [{"audited": "coverage", "check": "scaling", "samples": 500, "repeats": 2}],
    "basins": [
        {"divergence": "minimax", "steps": 3},
        {"divergence": "f_kl", "steps": 2},
        {"divergence": "wasserstein", "steps": 4},
        {"divergence": "relativistic_pairing", "pairs": "fixed", "points": 3, "steps": 2},
        {"divergence": "relativistic_pairing", "pairs": "random", "points": 3, "steps": 2},
    ],
    "ratio": [
        {"estimator": estimator, "dimension": dimension, "samples": 200}
        for estimator, dimension in (("neural", 20), ("logistic", 3), ("nearest_neighbours", 2))
    ],
}


def _trials(kind: type[TheoryKind], seeds: int = 2) -> list[Trial[Any]]:
    assert kind.name in SETTINGS, "state settings that show each of its claims, in SETTINGS"
    configurations = [kind.model_validate(settings) for settings in SETTINGS[kind.name]]
    return [Trial(c, seed) for c in configurations for seed in range(seeds)]


def _train(trials: list[Trial[Any]]) -> list[Record]:
    """Trained in packs of one shape, in the order given."""
    shapes: dict[str, list[Trial[Any]]] = {}
    for trial in trials:
        shapes.setdefault(trial.configuration.pack_key(), []).append(trial)
    found = {
        record.id: record for own in shapes.values() for record in own[0].configuration.train(own)
    }
    return [found[trial.id] for trial in trials]


@pytest.fixture(scope="module", params=THEORY, ids=lambda kind: kind.name)
def trained(request: pytest.FixtureRequest) -> tuple[type[TheoryKind], list[Record]]:
    return request.param, _train(_trials(request.param))


def test_every_claim_is_checked_and_holds(
    trained: tuple[type[TheoryKind], list[Record]],
) -> None:
    """Each claim within its tolerance in every trial; each statement with a slip outside it."""
    kind, found = trained
    for claim in kind.claims:
        checks = [
            (
                float(r.values[claim.name][-1]),
                float(r.values[claim.name + TOLERANCE_SUFFIX][-1]),
            )
            for r in found
            if claim.name in r.along("step")
        ]
        assert checks, claim.name
        assert all((error <= tolerance) != claim.printed for error, tolerance in checks), (
            claim.name,
            checks,
        )


def test_tolerances_are_small(trained: tuple[type[TheoryKind], list[Record]]) -> None:
    """A tolerance that forgives everything checks nothing."""
    kind, found = trained
    for claim in kind.claims:
        tolerances = [
            float(r.values[claim.name + TOLERANCE_SUFFIX][-1])
            for r in found
            if claim.name in r.along("step")
        ]
        assert np.median(tolerances) < (1 if "standard errors" in claim.tolerance else 0.1)


def test_what_is_recorded_is_described(trained: tuple[type[TheoryKind], list[Record]]) -> None:
    """Every curve has attributes, at every recorded step, and the first metric is the score."""
    kind, found = trained
    for record, trial in zip(found, _trials(kind), strict=True):
        described = trial.configuration.variables()
        assert set(record.along("step")) <= {variable.name for variable in described}
        assert np.array_equal(record.values["step"], trial.configuration.recorded_steps)
        assert described[0].role == "metric"
        for name, values in record.along("step").items():
            assert values.shape == record.values["step"].shape, name
        score = described[0].name
        assert np.isfinite(record.values[score][-1]) or record.status == "diverged"


@pytest.mark.slow
def test_alone_as_in_a_pack(trained: tuple[type[TheoryKind], list[Record]]) -> None:
    """The same numbers, bit for bit, beside other trials, alone, and in another order."""
    kind, found = trained
    trials = _trials(kind)
    own = {record.id: record for record in found}
    alone = [record for trial in trials if not trial.seed for record in _train([trial])]
    turned = _train(trials[::-1])
    assert [record.seed for record in alone] == [0] * (len(trials) // 2)
    assert len(turned) == len(trials)
    for other in (*alone, *turned):
        assert differences(own[other.id], other) == []


def test_records_survive_the_disk(
    trained: tuple[type[TheoryKind], list[Record]], tmp_path: Path
) -> None:
    """Claims and arrays of a pack are read back as they were written."""
    _, (record, *_) = trained
    (back,) = records.read(records.write([record], tmp_path))
    assert differences(record, back) == []


def test_every_claim_is_in_the_index(trained: tuple[type[TheoryKind], list[Record]]) -> None:
    """docs/theory.md has a row for each claim, by the name that it has in the dataset."""
    kind, _ = trained
    text = INDEX.read_text(encoding="utf-8")
    for claim in kind.claims:
        assert f"`{claim.name}`" in text, claim.name


def _takes(kind: type[TheoryKind], settings: dict[str, str]) -> bool:
    try:
        kind.model_validate(settings)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "kind", [k for k in THEORY if "divergence" in k.model_fields], ids=lambda kind: kind.name
)
def test_the_index_says_which_divergences_a_kind_takes(kind: type[TheoryKind]) -> None:
    """In a table of settings, and of the members that they refuse."""
    text = INDEX.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`(?:, `(\w+): (\w+)`)? \| ((?:`[\w*]+`(?:, )?)+) \|$", text, re.M)
    own = [row[1:] for row in rows if row[0] == kind.name]
    assert own, "add its row to the table of settings in docs/theory.md"
    for key, value, excepted in own:
        settings = {key: value} if key else {}
        refused = {
            name
            for name in divergences.family.names
            if not _takes(kind, {**settings, "divergence": name})
        }
        patterns = re.findall(r"[\w*]+", excepted)
        names = divergences.family.names
        assert refused == {n for n in names if any(fnmatch(n, own) for own in patterns)}
