"""Studies that would fill a machine if they were believed: refused before anything is expanded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tiny import write_study

from ganstudy import kinds, plugins
from ganstudy.cli import main
from ganstudy.family import Member
from ganstudy.settings import LARGEST, Settings
from ganstudy.study import load


def _check(path: Path, *overrides: str) -> Result:
    return CliRunner().invoke(main, ["check", str(path), *overrides])


def _assert_refused(result: Result, *expected: str) -> None:
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    for text in expected:
        assert text in result.stderr
    assert len(result.stderr) < 4000


LAUGHS = "x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"x-{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(7)
)
DOUBLED = "x-0: aaaaaaaaaa\n" + "".join(f"x-{n + 1}: '${{x-{n}}}${{x-{n}}}'\n" for n in range(30))
CHAIN = "x-0: &a0 [1]\n" + "".join(f"x-{n + 1}: &a{n + 1} [*a{n}]\n" for n in range(3000))
AXIS = ", ".join(str(n) for n in range(1, 201))
CONDITIONS = ", ".join(f"p{n}: {{values: {{a: {{batch: 8}}, b: {{batch: 9}}}}}}" for n in range(3))

CASES: dict[str, tuple[str, list[str]]] = {
    "a date for seeds": ("seeds: 20261125\n", [":2: seeds", "20,261,125", "seeds: [20261125]"]),
    "a list of seeds": (f"seeds: {list(range(10_001))}\n", [":2: seeds", "10,001 seeds"]),
    "a million points": (
        f"search: {{grid: {{generator.lr: [{AXIS}], critic.lr: [{AXIS}], batch: [{AXIS}]}}}}\n",
        [":2: search.grid", "200 x 200 x 200 = 8,000,000 points", "10,000"],
    ),
    "a million trials": (
        f"search: {{grid: {{generator.lr: [{AXIS}], critic.steps: [1, 2, 3]}}}}\nseeds: 1000\n",
        [":3: seeds", "600,000 trials"],
    ),
    "a budget beyond reach": (
        "search:\n  bayes:\n    space: {critic.lr: {low: 0.1, high: 1.0}}\n    trials: 2000000\n",
        [":5: search.bayes.trials", "10000"],
    ),
    "a text doubled thirty times": (DOUBLED, [":", "x-", "longer than 100,000 characters"]),
    "anchors of anchors": (LAUGHS, [":", "more than 20,000 values"]),
    "a chain of anchors": (CHAIN, ["40 deep"]),
    "references of references": (
        "".join(f"x-{n}: '${{x-{n + 1}}}'\n" for n in range(200)) + "x-200: 1\n",
        ["20 references in a row"],
    ),
    "references in a circle": (
        "x-0: '" + "${x-1}" * 100 + "'\nx-1: '" + "${x-0}" * 100 + "'\n",
        ["in a circle"],
    ),
    "many modes": ("trial: {target: {name: ring, modes: 2000000000}}\n", [":2", "target.modes"]),
    "many places": (
        "trial: {target: {name: random_mixture, modes: 5000, features: 100}}\n",
        [":2: trial.target", "modes^2 * features"],
    ),
    "a large subspace": (
        "trial: {target: {name: embedded_mixture, features: 5000, latent: 5000}}\n",
        [":2: trial.target", "features * latent^2"],
    ),
    "many steps": (f"trial: {{steps: {10**26}}}\n", [":2: trial.steps", "about 1e26"]),
    "a large batch": (f"trial: {{batch: {10**18}}}\n", [":2: trial.batch", "about 1e18"]),
    "a wide network": ("trial: {critic: {width: 10000000}}\n", [":2: trial.critic.width"]),
    "many records": (
        "trial: {steps: 1000000000, record: {every: 1}}\n",
        [":2: trial.record", "100,000 records"],
    ),
    "many records of a game": (
        "trial: {kind: game, steps: 1000000000}\n",
        [":2: trial", "100,000 records"],
    ),
    "a number of 5,000 digits": (f"trial: {{steps: {'9' * 5000}}}\n", [":2", "5,000 digits"]),
    "a fraction of 5,000 digits": (f"trial: {{steps: 0.{'9' * 5000}}}\n", [":2", "5,002 digits"]),
    "a number in base 16": (f"trial: {{steps: 0x{'f' * 5000}}}\n", [":2", "digits"]),
    "600 brackets": (f"trial: {{steps: {'[' * 600}{']' * 600}}}\n", [":2", "40 deep"]),
    "600 braces": ("trial: " + "{a: " * 600 + "1" + "}" * 600 + "\n", [":2", "40 deep"]),
    "600 open brackets": (f"trial: {'[' * 600}\n", [":2", "40 deep"]),
    "600 indents": (
        "trial:\n" + "".join(" " * n + "a:\n" for n in range(1, 200)),
        ["40 deep"],
    ),
    "a file of megabytes": ("x-a: [" + "1, " * 100_000 + "1]\n", ["200,000 characters"]),
    "a long axis": (
        f"search: {{grid: {{batch: [{', '.join(map(str, range(1, 12_000)))}]}}}}\n",
        [":2: search.grid", "11,999 points"],
    ),
    "a long name": (f"trial: {{target: {'r' * 100_000}}}\n", [":2: trial.target", "unknown name"]),
    "a long key": (f"trial: {{{'r' * 1000}: 1}}\n", [":2: trial.rrr", "no such key"]),
    "a long plug-in": (f"plugins: [{'r' * 10_000}.py]\n", [":2: plugins.0"]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_too_large_is_refused(tmp_path: Path, case: str) -> None:
    """Exit 2 with the line, within seconds and megabytes: none of it is laid out first."""
    body, expected = CASES[case]
    _assert_refused(_check(write_study(tmp_path, f"question: Why?\n{body}")), *expected)


@pytest.mark.parametrize(
    "override",
    ["seeds=20261125", "trial.steps=1e26", f"trial.batch={'9' * 5000}", f"trial={'[' * 600}"],
)
def test_overrides_are_bounded_too(tmp_path: Path, override: str) -> None:
    _assert_refused(_check(write_study(tmp_path), override), "command line")


@pytest.mark.slow
def test_conditions_do_not_multiply(tmp_path: Path) -> None:
    """A space of twenty lists has 10^20 points, which nobody counts one by one."""
    space = ", ".join(
        f"p{n}: {{{', '.join(f'v{m}: {{critic.lr: {m + 1}.0}}' for m in range(10))}}}"
        for n in range(1)
    )
    lists = [f"list_{n}: [{', '.join(str(m + 1) for m in range(10))}]" for n in range(20)]
    body = (
        "question: Why?\nsearch:\n  bayes:\n    trials: 10\n"
        f"    objective: {{maximize: modes_covered}}\n    space: {{{space}, {', '.join(lists)}}}\n"
    )
    _assert_refused(_check(write_study(tmp_path, body)), "list_0")


@pytest.mark.parametrize("family", plugins.FAMILIES)
def test_every_size_is_bounded(family: str) -> None:
    """No whole number of any member is taken as it comes; a plug-in's are not either."""
    for member in plugins.family(family):
        if not isinstance(member, type) or not issubclass(member, Settings):
            continue
        for name, field in member.model_fields.items():
            if field.annotation is int:
                with pytest.raises(ValueError, match=name):
                    member.model_validate({name: 2**63})


def test_a_plug_in_inherits_the_bound() -> None:
    class Own(Member):
        size: int = 3

    assert Own(size=LARGEST).size == LARGEST
    with pytest.raises(ValueError, match="at most 1,000,000"):
        Own(size=LARGEST + 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"critic": {"initialisation": {"name": "normal", "std": 1e-300}}},
        {"generator": {"optimizer": {"name": "adam", "eps": 1e-60}}},
        {"divergence": {"name": "least_squares", "a": -1e300}},
        {"constraint": [{"name": "r1", "weight": 1e39}]},
        {"target": {"name": "gaussian", "mean": [0.0, 1e39]}},
        {"target": {"name": "mixture", "means": [[-1.0, 0.0], [1e-39, 0.0]]}},
    ],
)
def test_fractions_are_numbers_in_single_precision(settings: dict[str, Any]) -> None:
    """As which trials would compute with zero or infinity, and diverge at once, or raise."""
    with pytest.raises(ValueError, match=r"between 1.2e-38 and 3.4e\+38 in size.*got -?1e"):
        kinds.family["adversarial"].model_validate(settings)


def test_the_largest_sizes_can_be_checked(tmp_path: Path) -> None:
    """What is taken is checked in seconds as well."""
    grid = f"search: {{grid: {{generator.lr: [{AXIS}], critic.lr: [1e-3, 1e-4]}}}}\nseeds: 200\n"
    assert len(load(write_study(tmp_path, f"question: Why?\n{grid}")).points) == 400
    large = {"target": {"name": "ring", "modes": 10_000}, "record": {"samples": 10_000}}
    assert kinds.family["adversarial"].model_validate(large)
