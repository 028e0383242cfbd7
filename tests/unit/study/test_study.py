"""Study files: what wins over what, and how a file becomes configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny import write_study

from ganstudy.search.grid import Grid
from ganstudy.study import Study, json_schema, load

STUDIES = Path(__file__).parents[3] / "studies"


def study(folder: Path, body: str = "", *overrides: str) -> Study:
    """A study from the keys below `question:`."""
    return load(write_study(folder, f"question: Why?\n{body}"), overrides)


def at(asked: Study, *index: int) -> dict[str, Any]:
    """Settings at a point."""
    return asked.resolve(index).model_dump()


def points(asked: Study) -> list[dict[str, Any]]:
    """Settings of every planned point, for the first seed."""
    trials = Grid(asked).trials
    return [trial.configuration.model_dump() for index, trial in trials.items() if not index[-1]]


def test_defaults_are_those_of_the_documentation(tmp_path: Path) -> None:
    """A study of one line: the settings that DESIGN.md documents."""
    settings = at(study(tmp_path))
    assert settings["target"] == {"name": "ring", "modes": 8, "radius": 1.0, "std": 0.02}
    assert settings["divergence"] == {"name": "non_saturating"}
    assert settings["constraint"] == {"name": "none"}
    assert settings["critic"]["steps"] == 1
    assert settings["generator"]["optimizer"]["name"] == "adam"
    assert (settings["steps"], settings["batch"]) == (4000, 256)
    assert settings["record"]["every"] == 100


def test_wasserstein_alone_means_the_published_algorithm(tmp_path: Path) -> None:
    """Algorithm 1 of Arjovsky et al.: RMSProp 5e-5, c = 0.01, five critic steps."""
    settings = at(study(tmp_path, "trial: {divergence: wasserstein}"))
    assert settings["constraint"] == {"name": "clip", "bound": 0.01}
    assert settings["critic"]["steps"] == 5
    for player in ("generator", "critic"):
        assert settings[player]["optimizer"]["name"] == "rmsprop"
        assert settings[player]["lr"] == 5e-5


def test_order_of_merging(tmp_path: Path) -> None:
    """Default < implied by the divergence < trial < axis, key by key."""
    trial = "trial: {divergence: wasserstein, critic: {lr: 1e-4, steps: 3}}\n"
    asked = study(tmp_path, f"{trial}search: {{grid: {{critic.steps: [1, 2]}}}}\n")
    critic = at(asked, 1)["critic"]
    assert critic["width"] == 128
    assert critic["optimizer"]["name"] == "rmsprop"
    assert critic["lr"] == 1e-4
    assert critic["steps"] == 2
    assert at(study(tmp_path, trial))["critic"]["steps"] == 3


def test_an_axis_over_divergences_implies_for_each_its_own(tmp_path: Path) -> None:
    """The published settings come with the divergence, wherever it is set, and go with it."""
    asked = study(tmp_path, "search: {grid: {divergence: [minimax, wasserstein]}}")
    minimax, wasserstein = (at(asked, i) for i in (0, 1))
    assert minimax["critic"]["steps"] == 1
    assert minimax["constraint"] == {"name": "none"}
    assert wasserstein["critic"]["steps"] == 5
    assert wasserstein["constraint"]["name"] == "clip"


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("none", {"name": "none"}),
        ("clip", {"name": "clip", "bound": 0.01}),
        ("{bound: 0.1}", {"name": "clip", "bound": 0.1}),
        ("{name: clip, bound: 0.5}", {"name": "clip", "bound": 0.5}),
    ],
)
def test_implied_settings_can_be_set_apart(
    tmp_path: Path, constraint: str, expected: dict[str, Any]
) -> None:
    """Divergence and constraint are independent axes."""
    asked = study(tmp_path, f"trial: {{divergence: wasserstein, constraint: {constraint}}}")
    assert at(asked)["constraint"] == expected
    assert at(asked)["critic"]["steps"] == 5


def test_a_string_stands_for_a_member_with_its_defaults(tmp_path: Path) -> None:
    """`target: grid` is `target: {name: grid}`, in lists of metrics as well."""
    short = "trial: {target: grid, record: {metrics: [mode_kl]}}"
    long = "trial: {target: {name: grid}, record: {metrics: [{name: mode_kl}]}}"
    assert at(study(tmp_path, short)) == at(study(tmp_path, long))


def test_an_axis_keeps_parameters_of_the_same_member_only(tmp_path: Path) -> None:
    """Parameters of one member never leak into another."""
    body = """
trial: {critic: {optimizer: {name: adam, beta1: 0.5}}}
search:
  grid:
    critic.optimizer: [adam, {name: adam, beta2: 0.9}, rmsprop]
"""
    asked = study(tmp_path, body)
    adam, other, rmsprop = (at(asked, i)["critic"]["optimizer"] for i in range(3))
    assert (adam["beta1"], adam["beta2"]) == (0.5, 0.999)
    assert (other["beta1"], other["beta2"]) == (0.5, 0.9)
    assert "beta1" not in rmsprop
    assert asked.axes[0].labels == ("adam", "adam(beta2=0.9)", "rmsprop")


def test_bundles_set_several_keys(tmp_path: Path) -> None:
    """An axis of labels, in the order in which they are written."""
    body = """
search:
  grid:
    capacity:
      wide: {generator.width: 64, critic: {width: 32, depth: 1}}
      narrow: {generator.width: 8}
"""
    asked = study(tmp_path, body)
    assert asked.axes[0].labels == ("wide", "narrow")
    wide, narrow = (at(asked, i) for i in (0, 1))
    assert (wide["generator"]["width"], wide["critic"]["width"]) == (64, 32)
    assert wide["critic"]["depth"] == 1
    assert (narrow["generator"]["width"], narrow["critic"]["width"]) == (8, 128)


def test_exclude_leaves_out_what_matches_every_pair(tmp_path: Path) -> None:
    """An entry with two pairs leaves out their intersection, an entry with one a whole slice."""
    body = """
search:
  grid: {divergence: [minimax, wasserstein], critic.steps: [1, 5], size: {s: {batch: 8}, l: {}}}
  exclude:
    - {divergence: wasserstein, critic.steps: 1}
    - {divergence: minimax, critic.steps: 5, size: l}
seeds: 3
"""
    asked = study(tmp_path, body)
    planned = {index[:-1] for index in Grid(asked).trials}
    everything = {(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)}
    assert everything - planned == {(1, 0, 0), (1, 0, 1), (0, 1, 1)}
    assert len(Grid(asked).trials) == 3 * len(planned)
    assert Grid(asked).shape == (2, 2, 2, 3)


def test_exclude_finds_values_of_a_mixed_axis(tmp_path: Path) -> None:
    """A number among strings is a value of its axis as it is written."""
    body = """
search:
  grid: {critic.optimizer: [adam, {name: adam, beta1: 0.5}], variant: {a: {batch: 8}, b: {}}}
  exclude: [{critic.optimizer: {name: adam, beta1: 0.5}, variant: b}]
"""
    assert len(points(study(tmp_path, body))) == 3


def test_labels_of_two_axes_may_set_nothing(tmp_path: Path) -> None:
    grid = "size: {s: {batch: 8}, l: {}}, rate: {low: {generator.lr: 1e-4}, usual: {}}"
    body = f"search: {{grid: {{{grid}}}}}"
    assert len(points(study(tmp_path, body))) == 4


def test_a_value_that_needs_another_axis_is_valid(tmp_path: Path) -> None:
    """A bound is meaningless without clipping, which every point of this grid has."""
    body = "search: {grid: {constraint: [clip], constraint.bound: [0.01, 0.1]}}"
    assert [p["constraint"]["bound"] for p in points(study(tmp_path, body))] == [0.01, 0.1]


def test_a_shared_setting_that_needs_an_axis_is_valid(tmp_path: Path) -> None:
    """Settings of clipping, shared by arms that all clip."""
    body = """
trial: {constraint: {bound: 0.1}}
search: {grid: {divergence: [wasserstein]}}
"""
    assert [p["constraint"]["bound"] for p in points(study(tmp_path, body))] == [0.1]


@pytest.mark.parametrize(
    "axes",
    [
        "{critic.optimizer: [adam, rmsprop], critic.optimizer.eps: [1e-3, 1e-2]}",
        "{critic.optimizer.eps: [1e-3, 1e-2], critic.optimizer: [adam, rmsprop]}",
    ],
)
def test_axes_of_a_member_and_of_its_parameter_multiply(tmp_path: Path, axes: str) -> None:
    """Neither axis undoes the other, whichever is written first."""
    found = points(study(tmp_path, f"search: {{grid: {axes}}}"))
    pairs = {(p["critic"]["optimizer"]["name"], p["critic"]["optimizer"]["eps"]) for p in found}
    assert pairs == {(name, eps) for name in ("adam", "rmsprop") for eps in (1e-3, 1e-2)}


def test_references_are_resolved(tmp_path: Path) -> None:
    """`${...}` takes a value from elsewhere in the file, after overrides."""
    body = "trial: {batch: 32, steps: '${trial.batch}', critic: {width: '${trial.steps}'}}"
    assert at(study(tmp_path, body))["critic"]["width"] == 32
    assert at(study(tmp_path, body, "trial.batch=64"))["critic"]["width"] == 64


OVERRIDES = [
    ("trial.steps=7", lambda s: at(s, 0, 0)["steps"] == 7),
    ("trial.generator.lr=1e-5", lambda s: at(s, 0, 0)["generator"]["lr"] == 1e-5),
    ("trial.target=grid", lambda s: at(s, 0, 0)["target"]["name"] == "grid"),
    ("trial.target.std=0.5", lambda s: at(s, 0, 0)["target"]["std"] == 0.5),
    ("trial.divergence.name=minimax", lambda s: at(s, 0, 0)["divergence"]["name"] == "minimax"),
    ("trial.critic={width: 3}", lambda s: at(s, 0, 0)["critic"]["width"] == 3),
    ("seeds=[3,1]", lambda s: s.seeds == (3, 1)),
    ("seeds=2", lambda s: s.seeds == (0, 1)),
    ("search.grid.critic.steps=[1,2,3]", lambda s: s.axes[0].labels == (1, 2, 3)),
    ("search.grid.batch=[8,16]", lambda s: [a.name for a in s.axes][-1] == "batch"),
    ("search.grid.critic.depth=[1]", lambda s: s.axes[-1].name == "critic.depth"),
    (
        "search.grid.capacity.small.generator.width=3",
        lambda s: s.axes[1].settings[0] == {"generator.width": 3},
    ),
    ("search.grid.capacity.tiny={batch: 4}", lambda s: s.axes[1].labels == ("small", "tiny")),
    ("compare=capacity", lambda s: s.compare == "capacity"),
    ("score=mode_kl", lambda s: s.score == "mode_kl"),
    ("question=on", lambda s: s.file.question == "on"),
]
OVERRIDDEN = """
trial: {target: ring, divergence: reverse_kl}
search:
  grid:
    critic.steps: [1, 5]
    capacity:
      small: {generator.width: 16}
"""


@pytest.mark.parametrize(("override", "holds"), OVERRIDES, ids=[o[0] for o in OVERRIDES])
def test_overrides(tmp_path: Path, override: str, holds: Any) -> None:
    """`key.path=value` on the command line, axes with dots in their names included."""
    assert not holds(study(tmp_path, OVERRIDDEN))
    assert holds(study(tmp_path, OVERRIDDEN, override))


@pytest.mark.parametrize("body", ["", "search: {exclude: []}", "search: {grid: {}}"])
def test_an_axis_can_be_added_to_any_study(tmp_path: Path, body: str) -> None:
    """An axis with a dot in its name, where the file has no search or an empty one."""
    asked = study(tmp_path, body, "search.grid.critic.steps=[1,2]")
    assert [(a.name, a.labels) for a in asked.axes] == [("critic.steps", (1, 2))]


def test_numbers_are_numbers_and_words_are_words(tmp_path: Path) -> None:
    """YAML 1.2: 1e-3 is a number; on, off, yes and no are strings; 010 is ten."""
    body = """
trial: {generator: {lr: 1e-3}, critic: {lr: 5E-4}, batch: 010}
search: {grid: {variant: {on: {steps: 1}, off: {steps: 2}, yes: {steps: 3}, no: {steps: 4}}}}
"""
    asked = study(tmp_path, body)
    settings = at(asked, 0)
    assert (settings["generator"]["lr"], settings["critic"]["lr"]) == (1e-3, 5e-4)
    assert settings["batch"] == 10
    assert asked.axes[0].labels == ("on", "off", "yes", "no")


def test_labels_of_axes_keep_their_type(tmp_path: Path) -> None:
    """Numbers stay numbers, for the dataset's coordinates."""
    body = "search: {grid: {generator.lr: [1e-3, 1], critic.steps: [1, 5]}}\nseeds: [4, 2]"
    asked = study(tmp_path, body)
    assert [axis.labels for axis in asked.axes] == [(1e-3, 1), (1, 5)]
    assert [axis.dimension for axis in asked.axes] == ["generator_lr", "critic_steps"]
    assert asked.compare == "generator_lr"
    assert asked.score == "modes_covered"
    assert asked.seeds == (4, 2)


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_studies_are_valid_and_begin_with_their_question(path: Path) -> None:
    """Every study of the repository loads, and its first key is the question."""
    asked = load(path)
    assert len(Grid(asked).trials) > 1
    assert next(iter(asked.document.values)) == "question"


# --- the schema for editors ----------------------------------------------------------------------


def _references(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"]] if "$ref" in schema else []
        return own + [r for value in schema.values() for r in _references(value)]
    if isinstance(schema, list):
        return [r for value in schema for r in _references(value)]
    return []


def test_references_of_the_schema_lead_somewhere() -> None:
    """An editor resolves `#/$defs/X` from the root of the document."""
    schema = json_schema()
    for reference in _references(schema):
        here: Any = schema
        assert reference.startswith("#/")
        for key in reference.removeprefix("#/").split("/"):
            assert key in here or int(key) < len(here), reference
            here = here[int(key)] if isinstance(here, list) else here[key]


def test_schema_names_keys_and_members() -> None:
    """Every key of a study, and every member of the families below `trial:`."""
    schema = json_schema()
    keys = {
        "extends",
        "plugins",
        "question",
        "compare",
        "score",
        "answer",
        "trial",
        "search",
        "seeds",
        "engine",
    }
    assert set(schema["properties"]) == keys
    assert schema["required"] == ["question"]
    assert schema["additionalProperties"] is False
    text = str(schema)
    for name in ("wasserstein", "ring", "clip", "rmsprop", "modes_covered", "mlp", "beta1"):
        assert name in text


AXES: list[tuple[dict[str, Any], bool]] = [
    ({"grid": {"critic.steps": [1, 5]}}, True),
    ({"grid": {"critic.step": [1, 5]}}, False),
    ({"grid": {"critic.steps": ["often"]}}, False),
    ({"grid": {"critic.steps": [{"until": 0.1}]}}, True),
    ({"grid": {"generator.optimizer.beta1": [0.0, 0.9]}}, True),
    ({"grid": {"generator.optimizer.beta3": [0.0, 0.9]}}, False),
    ({"grid": {"constraint": ["r1", ["r1", "r2"], {"name": "clip", "bound": 0.1}]}}, True),
    ({"grid": {"divergence": ["minmax"]}}, False),
    ({"grid": {"target.modes": [4, 8]}}, True),
    ({"grid": {"algorithm": ["alternating", "practical"]}}, True),
    ({"grid": {"size": {"small": {"critic.width": 8}}}}, True),
    ({"grid": {"size": {"small": {"critic.widht": 8}}}}, False),
    ({"grid": {"size": [8, 16]}}, False),
    ({"exclude": [{"critic.steps": 1, "size": "small"}]}, True),
    ({"exclude": [{"critic.steps": [1, 2]}]}, False),
    ({"exclude": [{"critic.step": 1}]}, False),
    ({"exclude": [{"my.size": "small"}]}, True),
    ({"bayes": {"space": {"critic.lr": {"low": 1e-4, "high": 0.1}}}}, True),
    ({"bayes": {"space": {"critic.lr": {"low": 1e-4, "hihg": 0.1}}}}, False),
    ({"bayes": {"space": {"critic.rate": {"low": 1e-4, "high": 0.1}}}}, False),
    ({"bayes": {"space": {"rule": {"values": {"a": {"critic.lr": 1.0}}, "when": {}}}}}, True),
    ({"bayes": {"space": {"rule": {"values": [1, 2]}}}}, False),
    ({"bayes": {"space": {"constraint": ["clip", "none"]}}}, True),
    ({"bayes": {"space": {"constraint": ["clap", "none"]}}}, False),
]


@pytest.fixture(scope="module")
def validator() -> Any:
    """The published one, where it is installed."""
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema")
    return jsonschema.Draft202012Validator(json_schema())


@pytest.mark.parametrize(("search", "right"), AXES)
def test_schema_checks_axes_as_the_keys_that_they_are(
    validator: Any, search: dict[str, Any], right: bool
) -> None:
    """A list of values has a key path, and its values are those of the key; bundles have any label.

    What is told is told at the axis, or at the search.
    """
    if "bayes" in search:
        search["bayes"] |= {"trials": 3, "objective": {"maximize": "modes_covered"}}
    errors = list(validator.iter_errors({"question": "Which?", "search": search}))
    assert (not errors) == right
    assert all(len(error.absolute_path) >= 2 for error in errors)


def test_editors_complete_key_paths() -> None:
    """Below `grid`, `space` and `exclude` alike, each with its description."""
    schema = json_schema()
    search = schema["$defs"]["SearchFile"]["properties"]
    space = schema["$defs"]["BayesKeys"]["properties"]["space"]
    for keys in (search["grid"], search["exclude"]["items"], space):
        assert {"critic.steps", "divergence", "generator.lr", "target.std"} <= set(
            keys["properties"]
        )
    assert "Setting.critic.width" in schema["$defs"]


def test_schema_accepts_the_shipped_studies_and_rejects_mistakes() -> None:
    """The published validator agrees with ours, where it is installed."""
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    for path in STUDIES.glob("*.yaml"):
        values = load(path).document.values
        assert list(validator.iter_errors(values)) == []
        assert list(validator.iter_errors({**values, "sede": 1}))
        assert list(validator.iter_errors({**values, "trial": {"target": "rnig"}}))
