"""A trial's numbers do not depend on how it was scheduled: every stored number, with ==."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Sequence
from typing import Any

import drawn
import numpy as np
import pytest
import torch
from tiny import DEVICE, Listed, differences, train, trial

from ganstudy import kinds, processor, tiles
from ganstudy.activations.tanh import Tanh
from ganstudy.engine.packing import why_no_compiler
from ganstudy.kinds import Pack
from ganstudy.kinds.adversarial import Adversarial, updates
from ganstudy.kinds.adversarial.batches import batches, block_length
from ganstudy.kinds.adversarial.program import program
from ganstudy.kinds.adversarial.training import initial
from ganstudy.metrics.sliced_wasserstein import SlicedWasserstein
from ganstudy.schedule.executors.local import LocalExecutor
from ganstudy.schedule.loop import train_packs
from ganstudy.trial import Record, Trial

Trials = list[Trial[Adversarial]]

SHAPES = [(16, 2, 7), (16, 2, 33), (5, 1, 33), (1, 0, 7)]
FULL = [(16, 2, 64), (64, 2, 128)]
"""Of batches that fill vectors."""
every_shape = pytest.mark.parametrize(
    ("width", "depth", "batch"),
    [*SHAPES, *(pytest.param(*shape, marks=pytest.mark.slow) for shape in FULL)],
)


def _mixed(width: int, depth: int, batch: int, **shared: object) -> Trials:
    """Six trials of one shape that differ in all else."""
    clip = {"name": "clip", "bound": 0.05}
    different: list[dict[str, object]] = [
        {"divergence": "minimax", "optimizer": "sgd", "lr": 0.05, "target": "ring"},
        {"divergence": "non_saturating", "optimizer": "adam", "lr": 1e-3, "target": "grid"},
        {"divergence": "reverse_kl", "optimizer": "rmsprop", "lr": 1e-4, "target": "ring"},
        {"divergence": "wasserstein", "optimizer": "rmsprop", "lr": 1e-3, "constraint": clip},
        {"divergence": "non_saturating", "optimizer": {"name": "adam", "beta1": 0.5}, "lr": 5e-3},
        {"divergence": "wasserstein", "optimizer": "adam", "lr": 2e-3, "target": "grid"},
    ]
    result: Trials = []
    for seed, own in enumerate(different):
        player = {"width": width, "depth": depth, "optimizer": own.pop("optimizer")}
        player["lr"] = own.pop("lr")
        settings: dict[str, object] = {"steps": 12, "batch": batch, **own, **shared}
        result.append(trial(seed // 2, generator=player, critic={**player, "steps": 2}, **settings))
    assert len({t.configuration.pack_key() for t in result}) == 1
    return result


def _by_id(records: Sequence[Record]) -> dict[str, Record]:
    return {record.id: record for record in records}


def _assert_same(records: Sequence[Record], expected: dict[str, Record]) -> None:
    for record in records:
        assert differences(record, expected[record.id]) == []


@every_shape
def test_alone_and_in_any_pack(width: int, depth: int, batch: int) -> None:
    """Alone, in pairs, in odd packs, in any order."""
    trials = _mixed(width, depth, batch)
    alone = _by_id([train([t])[0] for t in trials])
    assert {r.status for r in alone.values()} == {"complete"}
    packs = [
        trials,
        trials[::-1],
        trials[:2],
        [trials[3], trials[0]],
        trials[1:4],
        [trials[5], trials[2], trials[4], trials[1], trials[3]],
        [trials[2], trials[2]],
    ]
    for pack in packs:
        records = train(pack)
        assert [r.id for r in records] == [t.id for t in pack]
        _assert_same(records, alone)


FEATURES: dict[str, dict[str, Any]] = {
    "gradient penalty": {"constraint": "gradient_penalty"},
    "r1": {"constraint": "r1", "critic": {"activation": "tanh"}},
    "spectral norm": {"constraint": "spectral_norm"},
    "instance noise": {"constraint": "instance_noise"},
    "simultaneous": {"updates": "simultaneous"},
    "extragradient": {"updates": "extragradient", "generator": {"average": 0.9}},
    "unrolled": {"updates": {"name": "unrolled", "steps": 2}},
    "consensus": {"updates": "consensus"},
    "consensus with a penalty": {"updates": "consensus", "constraint": "r1"},
    "symplectic": {"updates": "symplectic_gradient_adjustment", "constraint": "r1"},
    "competitive": {
        # Two are the fewest of which one leads on, and a compiler writes each out.
        "updates": {"name": "competitive_gradient_descent", "iterations": 2},
        "generator": {"optimizer": "sgd"},
        "critic": {"optimizer": "sgd"},
    },
    "lead": {
        "updates": "lead",
        "generator": {"optimizer": "momentum"},
        "critic": {"optimizer": "sgd"},
    },
    "lookahead": {
        "updates": {"name": "lookahead", "rounds": 2},
        "critic": {"steps": 2},
        "generator": {"average": 0.9},
    },
    "batch norm": {"generator": {"norm": "batch"}, "critic": {"norm": "batch"}},
    "layer norm": {"generator": {"norm": "layer"}, "critic": {"norm": "layer"}},
    "pac": {"critic": {"pac": 3}},
    "until": {"critic": {"steps": {"until": 0.001, "patience": 2, "max": 9}}},
    "maxout": {"critic": {"activation": {"name": "maxout", "pieces": 3}}},
    "elu": {"critic": {"activation": "elu"}, "generator": {"activation": "leaky_relu"}},
    "conditional": {"condition": True},
    "average": {"generator": {"average": 0.9}},
    "training set": {"training_set": 11},
    "epochs": {
        "training_set": {"size": 40, "balanced": True, "sampling": "epochs"},
        "updates": {"name": "simultaneous", "shared": True},
    },
    "running moments": {"generator": {"norm": "batch", "norm_average": 0.3}},
    "scaled inputs": {"critic": {"scale": 0.25}},
    "kernels": {"divergences": ["mmd", "energy_distance", {"name": "mmd", "bandwidth": 2.0}]},
    "sinkhorn": {
        "divergences": [
            {"name": "sinkhorn_divergence", "iterations": 5},
            "energy_distance",
            {"name": "sinkhorn_divergence", "iterations": 5, "epsilon": 0.1},
        ]
    },
    "alpha losses": {
        "divergences": [
            "alpha_gan",
            {"name": "alpha_gan", "critic_alpha": 2.0, "generator": "non_saturating"},
            {"name": "alpha_gan", "critic_alpha": 0.7, "generator_alpha": 3.0},
        ]
    },
    "kliep": {"critic": {"estimator": {"name": "kliep", "centres": 13, "iterations": 4}}},
    "lsif": {"critic": {"estimator": {"name": "lsif", "centres": 11, "iterations": 4}}},
    "default lsif": {"critic": {"estimator": "lsif"}, "updates": "extragradient"},
    "equilibrium": {"record": {"equilibrium": {"responses": 3}}},
    "relativistic": {
        "divergences": [
            "relativistic_average",
            {"name": "relativistic_average", "generator": "bound"},
            {"name": "relativistic_pairing", "pairing": "all"},
        ]
    },
    "relativistic pairs": {
        "divergences": [
            "relativistic_pairing",
            {"name": "relativistic_pairing", "pairing": "all"},
            "relativistic_average",
        ],
        "constraint": [{"name": "r1", "weight": 0.5}, {"name": "r2", "weight": 0.5}],
    },
    "several constraints": {
        "constraint": ["spectral_norm", "instance_noise", {"name": "gradient_penalty"}]
    },
}
CLASSIFIERS = ["non_saturating", "minimax", "reverse_kl"]
CRITIC_OPTIMIZERS = ["adam", "momentum", "optimistic_adam", "adamw"]


def _settings(features: Sequence[str]) -> dict[str, Any]:
    """The settings of several features at once, with the divergences of all of them."""
    together: dict[str, Any] = {"generator": {}, "critic": {}}
    for feature in features:
        for key, value in copy.deepcopy(FEATURES[feature]).items():
            if key in ("generator", "critic"):
                together[key] |= value
            elif key == "divergences":
                known = together.setdefault(key, [])
                known += [own for own in value if own not in known]
            else:
                together[key] = value
    return together


def _featured(
    *features: str,
    batch: int,
    width: int = 10,
    count: int = 3,
    optimizers: Sequence[str] = CRITIC_OPTIMIZERS,
    network: object = "mlp",
    **more: Any,
) -> Trials:
    """Trials with some features in common, apart in seed, objective, critic's optimizer, rates."""
    settings = _settings(features)
    shared = {p: settings.pop(p) | more.pop(p, {}) for p in ("generator", "critic")}
    settings |= more
    objectives = settings.pop("divergences", CLASSIFIERS)
    if updates.family.from_config(settings.get("updates", "alternating")).weighs_gradients:
        optimizers = optimizers[:1]  # others are in other packs
    result: Trials = []
    for seed in range(count):
        own: dict[str, Any] = {
            player: {
                "network": network,
                "width": width,
                "depth": 2,
                "lr": 10**-seed / 50 if player == "critic" else 2e-3 + seed / 1000,
                "optimizer": optimizers[seed % len(optimizers)] if player == "critic" else "adam",
                **shared[player],
            }
            for player in ("generator", "critic")
        }
        own |= {"divergence": objectives[seed % len(objectives)], "batch": batch, **settings}
        result.append(trial(seed, steps=4, **own))
    assert len({t.configuration.pack_key() for t in result}) == 1
    return result


_DEAR = ("competitive", "equilibrium")
"""Those that take longest."""


@pytest.mark.parametrize(
    ("feature", "batch"),
    [
        *((feature, 33) for feature in FEATURES if feature not in {"default lsif", *_DEAR}),
        *(pytest.param(feature, 33, marks=pytest.mark.slow) for feature in _DEAR),
        *(("batch norm", 96), ("consensus", 96), ("kliep", 96), ("default lsif", 96)),
    ],
)
def test_each_feature_alone_and_in_any_pack(feature: str, batch: int) -> None:
    """Alone, in packs and in other places of them, with batches that fill vectors and others."""
    trials = _featured(feature, batch=batch)
    alone = _by_id([train([t])[0] for t in trials])
    assert {r.status for r in alone.values()} == {"complete"}
    for pack in (trials, trials[::-1], [trials[2], trials[0]]):
        _assert_same(train(pack), alone)


@pytest.mark.parametrize(
    ("feature", "batch"), [("pac", 33), pytest.param("equilibrium", 7, marks=pytest.mark.slow)]
)
def test_numbers_that_once_depended_on_the_pack(feature: str, batch: int) -> None:
    """Fewer logits than samples at the end of a loop; a mean over the columns of a table."""
    trials = [Trial(t.configuration, t.seed + 15) for t in _featured(feature, batch=batch)]
    alone = _by_id([train([t])[0] for t in trials])
    for pack in (trials[::-1], trials[:2]):
        _assert_same(train(pack), alone)


# Of metrics of few samples, and of trials that diverge.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "seed", [24, 44, *(pytest.param(s, marks=pytest.mark.slow) for s in range(100, 106))]
)
def test_drawn_settings_where_the_ends_of_loops_are_certain_to_show(seed: int) -> None:
    """The first shows two mends undone, of logits with gaps and of fewer than samples; the second
    that of means over batches. `drawn.py` itself goes on with any seed, for any time.
    """
    with drawn.Ends():
        assert drawn.faults(seed) == []


def test_ends_are_those_of_loops_of_the_cpu() -> None:
    """Elsewhere they were a mixture of two devices."""
    with drawn.Ends():
        found = {place: torch.ones(2, 33, device=place).sigmoid() for place in ("cpu", "meta")}
    assert len(found["cpu"].unique()) == 2
    assert found["meta"].is_meta


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seed", range(200, 205))
def test_drawn_settings_in_the_arithmetic_of_this_machine(seed: int) -> None:
    assert drawn.faults(seed) == []


def test_drawn_settings_that_raise_are_a_fault_and_other_seeds_follow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They ended the program, without the seed that had drawn them."""

    def raising(pack: Trials, **session: Any) -> list[Record]:
        raise FloatingPointError("no number")

    monkeypatch.setattr(drawn, "train", raising)
    monkeypatch.setattr("sys.argv", ["drawn.py", "--cases", "2", "--seed", "6", "--ends"])
    with pytest.raises(SystemExit, match="True"):
        drawn.main()
    said = capsys.readouterr().out
    for seed in (6, 7):
        place = f"--program eager --cases 1 --seed {seed} --ends: FloatingPointError: no number\n"
        assert place in said
    first = drawn.drawn_pack(6)[0]
    assert f"  seed {first.seed}: {first.configuration.model_dump_json()}\n" in said
    assert "2 packs from seed 6, 2 faults" in said


def test_measured_samples_of_an_activation_whose_loop_has_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a plug-in's may have, unlike all that come with the package: of few samples, too."""
    monkeypatch.setattr(Tanh, "apply", lambda self, sums: sums.sigmoid())
    tanh = {"width": 7, "activation": "tanh"}
    kept = {"every": 1, "samples": 10, "metrics": ["sliced_wasserstein"]}
    shared = {"generator": tanh, "critic": tanh, "constraint": "spectral_norm", "record": kept}
    trials = [trial(n, batch=64, steps=2, training_set=70, **shared) for n in range(2)]
    with drawn.Ends():
        alone = _by_id([train([t])[0] for t in trials])
        _assert_same(train(trials), alone)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("tabular", {"algorithm": "descent", "points": 5, "steps": 6}),
        ("tabular", {"algorithm": "practical", "points": 5, "steps": 6}),
        ("game", {"game": "dirac_gan", "regularizer": "instance_noise", "steps": 6}),
    ],
)
def test_exact_kinds_in_any_pack(kind: str, settings: dict[str, Any]) -> None:
    """Losses of a pack's logits are computed in whole vectors: their ends showed."""
    own = kinds.family[kind].model_validate(settings)
    trials = [Trial(own, seed) for seed in range(7)]
    with drawn.Ends():
        alone = _by_id([own.train([t])[0] for t in trials])
        _assert_same(own.train(trials), alone)


def test_what_a_metric_raises_for_one_trial_costs_no_neighbour_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a plug-in's may, which is given all trials of a target at once."""
    compute = SlicedWasserstein.compute

    def fastidious(self: Any, samples: Any, target: Any) -> Any:
        if (samples[..., 0, 0] < samples[..., 1, 0]).any():
            raise ValueError("too far left")
        return compute(self, samples, target)

    monkeypatch.setattr(SlicedWasserstein, "compute", fastidious)
    record = {"every": 4, "samples": 40, "metrics": ["sliced_wasserstein"]}
    trials = [trial(seed, steps=4, record=record) for seed in range(4)]
    records = train(trials)
    assert {bool(own.cause) for own in records} == {True, False}
    for own, alone in zip(records, [train([t])[0] for t in trials], strict=True):
        assert differences(own, alone) == []
        assert own.cause == alone.cause


def test_images_share_packs_with_other_rows_where_nothing_is_filmed() -> None:
    """They did where both are: all had the film of the first, or none, or the pack failed."""
    rows = {"name": "embedded_mixture", "features": 64, "latent": 8}
    shared: dict[str, Any] = {"steps": 2, "batch": 8}
    for frames in (0, 2):
        record = {"samples": 20, "frames": frames, "metrics": ["sliced_wasserstein"]}
        pack = [trial(target=own, record=record, **shared) for own in ("digits", rows)]
        keys = {own.configuration.pack_key() for own in pack}
        assert len(keys) == (2 if frames else 1)
        if not frames:
            _assert_same(train(pack), _by_id([train([own])[0] for own in pack]))


CONVOLUTIONS = {"dcgan": "dcgan", "resnet": {"name": "resnet", "blocks": 1, "group": 4}}
"""Networks that compute trial after trial on a CPU."""
OF_RESNET = ("conditional", "pac", "consensus with a penalty", "relativistic pairs", "average")
"""Those that reach into a network; the others are the same for both."""
FAST = [("dcgan", "gradient penalty"), ("dcgan", "running moments"), ("resnet", "conditional")]


@pytest.mark.parametrize(
    ("network", "feature"),
    [
        pytest.param(network, feature, marks=() if (network, feature) in FAST else pytest.mark.slow)
        for network in CONVOLUTIONS
        for feature in (OF_RESNET if network == "resnet" else FEATURES)
    ],
)
def test_each_feature_of_convolutions_alone_and_in_a_pack(network: str, feature: str) -> None:
    """Everything that a perceptron can be trained with, or that is refused in words."""
    made = CONVOLUTIONS[network]
    batch = 96 if feature == "default lsif" else 33
    trials = _featured(feature, batch=batch, width=4, network=made, target="digits")
    alone = _by_id([train([t])[0] for t in trials[:2]])
    assert {r.status for r in alone.values()} == {"complete"}
    packed = _by_id(train(trials[::-1]))
    _assert_same([packed[trial_id] for trial_id in alone], alone)


@pytest.mark.parametrize("network", ["dcgan", pytest.param("resnet", marks=pytest.mark.slow)])
def test_convolutions_at_once_alone_and_in_a_pack(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a GPU computes them, and by any number of neighbours; not far from trial after trial."""
    monkeypatch.setattr(tiles, "TILE", 3)
    made = CONVOLUTIONS[network]
    trials = _featured("gradient penalty", batch=32, width=4, network=made, target="digits")
    computed = {}
    for way in (True, False):
        monkeypatch.setattr(tiles, "on_gpu", lambda x, way=way: way)
        computed[way] = _by_id(train(trials))
    monkeypatch.setattr(tiles, "on_gpu", lambda x: True)
    _assert_same([train([t])[0] for t in trials[:2]], computed[True])
    for trial_id, record in computed[True].items():
        apart = computed[False][trial_id]
        np.testing.assert_allclose(
            record.values["samples"], apart.values["samples"], rtol=1e-3, atol=1e-4
        )
        assert differences(record, apart)


_RESNET = CONVOLUTIONS["resnet"]
_SGD = {"optimizer": "sgd"}
TOGETHER: dict[str, dict[str, Any]] = {
    "residual generator, labels projected, pairs": {
        "features": ("conditional", "gradient penalty", "extragradient"),
        "generator": {"network": _RESNET},
        "critic": {"network": {"name": "dcgan", "labels": "projection"}, "pac": 3},
    },
    "planes of labels, pairs": {
        "features": ("conditional", "relativistic pairs", "lookahead"),
        "generator": {"network": "dcgan", "norm": "batch", "norm_average": 0.3},
        "critic": {"network": {**_RESNET, "labels": "concatenation"}, "pac": 3, "steps": 2},
    },
    "perceptron as critic": {
        "features": ("several constraints", "simultaneous", "average"),
        "generator": {"network": "dcgan", "norm": "layer"},
        "critic": {"network": "mlp", "norm": "layer"},
    },
    "perceptron as generator": {
        "features": ("conditional", "competitive", "equilibrium"),
        "generator": {"network": "mlp", **_SGD},
        "critic": {"network": _RESNET, **_SGD},
        "optimizers": ["sgd"],
    },
    "estimator as critic": {
        "features": ("kliep", "epochs"),
        "generator": {"network": _RESNET},
        "batch": 39,
    },
}
"""Several at once, and players of different networks."""


@pytest.mark.slow
@pytest.mark.parametrize("case", TOGETHER)
def test_features_of_convolutions_together(case: str) -> None:
    """Networks of every kind against each other, alone and in a pack."""
    asked = {"batch": 33, **TOGETHER[case]}
    features = asked.pop("features")
    trials = _featured(*features, width=4, count=2, target="digits", **asked)
    alone = _by_id([train([t])[0] for t in trials])
    assert {r.status for r in alone.values()} == {"complete"}
    _assert_same(train(trials[::-1]), alone)


FINITE = ("kernels", "relativistic", "relativistic pairs")
"""Packs that hold no divergence that overflows."""
OVERFLOWING = ("gradient penalty", "consensus", "kliep")
MORE_OVERFLOWING = (
    *("r1", "spectral norm", "consensus with a penalty", "simultaneous", "extragradient"),
    *("batch norm", "until", "lsif", "several constraints"),
    *("symplectic", "competitive", "lead", "lookahead"),
)


@pytest.mark.parametrize(
    ("feature", "culprit"),
    [
        *((feature, "lr") for feature in (*FINITE, *OVERFLOWING, *MORE_OVERFLOWING)),
        *((feature, "overflow") for feature in OVERFLOWING),
        *(
            pytest.param(feature, "overflow", marks=pytest.mark.slow)
            for feature in MORE_OVERFLOWING
        ),
    ],
)
def test_no_feature_carries_a_divergence_to_a_neighbour(feature: str, culprit: str) -> None:
    """NaN and infinity stay in their arm, also where gradients are taken of gradients."""
    trials = _featured(feature, batch=33, count=2)
    worst = trials[0].configuration.model_dump()
    worst.pop("name")
    for player in ("generator", "critic"):
        # Beyond float32: even a gradient of zero becomes NaN.
        worst[player] |= {"optimizer": "sgd", "lr": 1e39 if culprit == "lr" else 1e30}
    if culprit == "overflow":
        worst["divergence"] = "forward_kl" if worst["critic"].get("estimator") else "f_kl"
    spoilt = Trial(Adversarial.model_validate(worst), 7)
    packed = train([trials[0], spoilt, trials[1]])
    alone = _by_id([train([t])[0] for t in trials])
    assert packed[1].status == "diverged"
    _assert_same([packed[0], packed[2]], alone)
    assert differences(packed[1], train([spoilt])[0]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("updates", "norm", "batch"),
    [
        ("consensus", "batch", 48),
        ("symplectic_gradient_adjustment", "none", 48),
        ("symplectic_gradient_adjustment", "batch", 33),
        ("unrolled", "none", 33),
    ],
)
def test_what_neighbours_add_to_a_gradient_lays_it_out_no_otherwise(
    updates: str, norm: str, batch: int
) -> None:
    """`otm` has no second derivative and `uotm` has: on samples, a sum of both came first or last,
    with or without gaps, and was summed over its batch in another order.
    """
    for depth in (1, 2):
        # Adam divides the size of a gradient out, and with it much of what an unrolled one adds.
        player = {"width": 9, "depth": depth, "optimizer": "sgd", "lr": 0.1}
        own, neighbour = (
            trial(
                seed,
                divergence=divergence,
                updates=updates,
                batch=batch,
                generator={**player, "latent": 2},
                critic={**player, "norm": norm},
            )
            for seed, divergence in ((1, "otm"), (2, "uotm"))
        )
        assert differences(train([own])[0], train([neighbour, own])[1]) == []


@pytest.mark.parametrize("updates", ["alternating", "simultaneous", "extragradient", "consensus"])
@pytest.mark.parametrize("player", ["generator", "critic"])
def test_diverged_at_under_every_scheme(updates: str, player: str) -> None:
    """Whoever breaks, the step is counted as the one whose numbers are not finite."""
    for lr in (1e18, 1e39):
        settings = {player: {"optimizer": "sgd", "lr": lr}}
        own = trial(0, updates=updates, steps=20, record={"every": 1}, **settings)
        record = train([own])[0]
        end = record.diverged_at if record.status == "diverged" else np.inf
        assert np.isfinite(end) or lr < 1e39
        for values in record.along("step").values():
            np.testing.assert_array_equal(np.isfinite(values), record.values["step"] < end)


def test_records_of_different_trials_differ() -> None:
    """The test of the test: the comparison sees another seed and another learning rate."""
    first = train([trial(0)])[0]
    assert {"generator_loss", "samples"} <= set(differences(first, train([trial(1)])[0]))
    faster = train([trial(0, generator={"lr": 1.001e-3})])[0]
    assert "samples" in differences(first, faster)


@pytest.mark.slow
def test_one_worker_and_two() -> None:
    """The same numbers in this process, in one worker, and split over two."""
    trials = _mixed(16, 2, 33)
    here = _by_id(train(trials))
    splits: list[tuple[list[Pack], int]] = [
        ([tuple(trials)], 1),
        ([tuple(trials[4:]), tuple(trials[:1])], 2),
    ]
    for packs, workers in splits:
        with LocalExecutor(workers, devices=(DEVICE,)) as executor:
            gathered = [r for part in train_packs(Listed(packs), executor) for r in part]
        assert len(gathered) == sum(map(len, packs))
        _assert_same(gathered, here)


ABSURD = {"optimizer": "sgd", "lr": 1e20, "width": 16, "depth": 2}


@pytest.mark.parametrize("place", [0, 3, 6])
@pytest.mark.parametrize("batch", [33, 64])
def test_a_diverged_trial_does_not_touch_its_neighbours(place: int, batch: int) -> None:
    """One absurd learning rate freezes its own trial and no other."""
    trials = _mixed(16, 2, batch)
    absurd = trial(0, generator=ABSURD, critic={**ABSURD, "steps": 2}, batch=batch)
    records = train([*trials[:place], absurd, *trials[place:]])
    spoilt = records.pop(place)
    _assert_same(records, _by_id(train(trials)))
    assert spoilt.status == "diverged"
    assert np.isfinite(spoilt.diverged_at)
    for values in spoilt.along("step").values():
        np.testing.assert_array_equal(np.isnan(values), spoilt.values["step"] >= spoilt.diverged_at)
    assert "samples" in spoilt.values
    assert bool(np.isfinite(spoilt.values["samples"]).all())


@pytest.mark.parametrize("place", [0, 2])
@pytest.mark.parametrize(
    "followers", [{}, {"average": 0.9}, {"norm": "batch", "norm_average": 0.3, "average": 0.9}]
)
def test_a_diverged_trial_is_the_same_alone_and_in_a_pack(
    place: int, followers: dict[str, Any]
) -> None:
    """Divergence is a result like any other: its record does not depend on its pack, nor does what
    follows its parameters.
    """
    # The generator moves before the critic dies of it.
    generator, critic = {**ABSURD, **followers}, {**ABSURD, "lr": 0.01}
    absurd = trial(0, generator=generator, critic=critic, batch=33)
    neighbours = [
        trial(seed, generator={**generator, "lr": 0.01}, critic=critic, batch=33) for seed in (1, 2)
    ]
    packed = train([*neighbours[:place], absurd, *neighbours[place:]])[place]
    assert differences(train([absurd])[0], packed) == []


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("lr", [1e6, 1e20, 1e38, 1e39, 1e300])
def test_diverged_at_is_the_first_step_that_is_not_finite(lr: float, depth: int) -> None:
    """Curves at every step are finite before it, and NaN from then on."""
    player = {**ABSURD, "lr": lr, "depth": depth}
    record = train([trial(0, generator=player, critic=player, steps=40, record={"every": 1})])[0]
    diverged = record.status == "diverged"
    assert diverged or lr < 1e20
    end = record.diverged_at if diverged else np.inf
    assert end >= 1
    for name, values in record.along("step").items():
        if name in ("exact", "critic_error"):  # unknown too where the law of q is degenerate
            continue
        np.testing.assert_array_equal(np.isfinite(values), record.values["step"] < end)


@pytest.mark.parametrize("depth", [0, 2])
@pytest.mark.parametrize("lr", [1e20, 1e39])
@pytest.mark.parametrize("player", ["generator", "critic"])
def test_frozen_parameters_are_finite(player: str, lr: float, depth: int) -> None:
    """An update that overflows is not taken: what is left is the last finite state."""
    absurd = {**ABSURD, "lr": lr, "depth": depth}
    calm = {**ABSURD, "lr": 1e-3, "depth": depth}
    both = {"generator": calm, "critic": calm, player: absurd}
    pack = [trial(0, **both), trial(0, generator=calm, critic=calm)]
    game, state = initial(pack, torch.device(DEVICE))
    for batch in itertools.islice(batches(pack, torch.device(DEVICE)), 20):
        state, _ = game.updates.play(program("eager", "cpu"), game, state, batch)
        for parameters in (state.generator.parameters, state.critic.parameters):
            assert bool(torch.isfinite(parameters).all())
    assert state.alive[1]


def test_overflow_in_the_last_step_is_a_divergence() -> None:
    """A trial is not complete when its generator's parameters are not finite."""
    player = {**ABSURD, "lr": 1e39}
    record = train([trial(0, generator=player, steps=1, record={"every": 1})])[0]
    assert "samples" in record.values
    assert record.status == "diverged"


def test_blocks_of_random_numbers_do_not_show() -> None:
    """A run twice as long begins with the shorter run, beyond the first block of batches."""
    short, long = (trial(3, steps=n, record={"every": 10}) for n in (80, 160))
    assert block_length(short.configuration) < 80
    first, second = train([short])[0], train([long])[0]
    for name, values in first.along("step").items():
        np.testing.assert_array_equal(values, second.values[name][: len(values)])


COMPILED: list[tuple[str, ...]] = [
    ("several constraints", "conditional", "pac", "average", "until", "maxout"),
    ("unrolled", "running moments", "scaled inputs"),
    ("relativistic", "relativistic pairs", "layer norm"),
    ("kernels", "batch norm"),
    ("kliep", "simultaneous"),
    ("consensus with a penalty",),
    ("symplectic",),
    ("competitive",),
    ("lead",),
]
"""Features that share the one pair of graphs that each case compiles; a pair takes long.

Every set of optimizers that meets in a pack is a graph of its own, and every size to which packs
are filled up: here there is one of each.
"""
HIDDEN_LAYERS = {
    **dict.fromkeys(("unrolled", "consensus with a penalty"), 1),
    **dict.fromkeys(("symplectic", "competitive", "lead"), 0),
}
"""Of steps that go through both players and back: their graphs are as long for one hidden layer as
others are for two. That of consensus has what the last three have, but for their own arithmetic;
affine players, of `competitive`, showed that a compiler took one trial's numbers for another's.
"""


def _of_few_graphs(features: tuple[str, ...], *, batch: int, **more: Any) -> Trials:
    """One trial of each objective and optimizer, with as few layers as show a feature.

    batch  samples of each law for one logit
    """
    depth = {"depth": min(HIDDEN_LAYERS.get(feature, 2) for feature in features)}
    if "pac" in features:
        batch *= FEATURES["pac"]["critic"]["pac"]
    more = {"optimizers": ["adam"], "generator": depth, "critic": depth, **more}
    objectives = _settings(features).get("divergences", CLASSIFIERS)
    count = max(len(objectives), len(more["optimizers"]))
    return _featured(*features, count=count, batch=batch, **more)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(why_no_compiler() != "", reason="no C++ compiler, no compiled program")
@pytest.mark.parametrize("features", COMPILED, ids=", ".join)
def test_features_compiled_alone_and_in_any_pack(features: tuple[str, ...]) -> None:
    """A width and a batch that fill no vector."""
    trials = _of_few_graphs(features, batch=33, width=7)
    beside = tuple(dict.fromkeys(t.configuration.divergence for t in trials))
    alone = _by_id([train([t], program="compiled", beside=beside)[0] for t in trials])
    assert {r.status for r in alone.values()} == {"complete"}
    # With a copy, three fill up the size of one.
    for pack in (trials[:3], trials[:-4:-1], [trials[2], trials[0]]):
        _assert_same(train(pack, program="compiled", beside=beside), alone)
    for record in train(trials):
        other = alone[record.id].values["critic_loss"]
        np.testing.assert_allclose(record.values["critic_loss"], other, rtol=1e-3, atol=1e-5)


OF_EACH_OPTIMIZER = ("epochs", "spectral norm")
AS_A_GPU: list[tuple[str, ...]] = [
    ("consensus with a penalty",),
    ("alpha losses", "gradient penalty", "elu", "extragradient", "training set", "equilibrium"),
    ("sinkhorn",),
    ("lookahead", "r1"),
    OF_EACH_OPTIMIZER,
    ("lsif", "pac"),
    ("default lsif",),
]
"""What no case above compiles, and one that does: a GPU's compiler is given the same graphs."""


def test_each_feature_is_compiled() -> None:
    # Both are traced as parts: of several constraints, and of consensus with a penalty.
    parts = {"instance noise", "consensus"}
    assert parts.union(*COMPILED, *AS_A_GPU) == FEATURES.keys()


@pytest.mark.slow
@pytest.mark.parametrize("features", AS_A_GPU, ids=", ".join)
def test_each_feature_as_a_gpu_compiles_it(
    features: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch's compiler takes every step whole, and is left to run what it has seen of it: gradients
    within a step once ended it with an error.
    """
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    more = {"optimizers": CRITIC_OPTIMIZERS} if features == OF_EACH_OPTIMIZER else {}
    trials = _of_few_graphs(features, batch=96 if "default lsif" in features else 33, **more)
    place = torch.device("cpu")
    game, state = initial(trials, place)
    batch = next(batches(trials, place, 0))
    program.cache_clear()
    try:
        played = [
            game.updates.play(program(name, "cuda"), game, state, batch)
            for name in ("eager", "compiled")
        ]
    finally:
        program.cache_clear()
    (_, written), (_, compiled) = played
    torch.testing.assert_close(compiled["critic_loss"], written["critic_loss"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(why_no_compiler() != "", reason="no C++ compiler, no compiled program")
@pytest.mark.skipif("avx512f" not in processor.features(), reason="vectors of eight show none")
def test_drawn_settings_compiled() -> None:
    """Of batches of five, alone and with seven others: losses of fewer than eight logits differed
    in their last bit, where packs filled one vector of sixteen trials and not the next. They need
    four graphs; `drawn.py` itself goes on with any seed.
    """
    assert drawn.faults(7330, "compiled") == []


# Raised inside torch, by its own compiler, on its own functions.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(why_no_compiler() != "", reason="no C++ compiler, no compiled program")
def test_compiled_alone_and_in_any_pack() -> None:
    """The promise holds for the compiled step, given the divergences of the whole study.

    Adam alone, RMSprop with clipping alone, and both side by side: three pairs of graphs, since
    all packs are filled up to one size.
    """
    trials = [_mixed(17, 1, 50)[place] for place in (1, 3, 5)]
    beside = tuple(dict.fromkeys(t.configuration.divergence for t in trials))

    def compiled(pack: list[Trial[Adversarial]]) -> list[Record]:
        return train(pack, program="compiled", beside=beside)

    alone = _by_id([compiled([t])[0] for t in trials])
    assert {r.program for r in alone.values()} == {"compiled"}
    for pack in (trials, trials[::-1], [trials[2], trials[0]], trials[:2]):
        _assert_same(compiled(pack), alone)
    # The same law, in other bits: as near to the eager program as a dozen steps of float32 are.
    for record in train(trials):
        other = alone[record.id].values["critic_loss"]
        np.testing.assert_allclose(record.values["critic_loss"], other, rtol=1e-4, atol=1e-6)
