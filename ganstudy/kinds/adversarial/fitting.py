"""Which settings of an adversarial trial fit together; each mistake is told where it stands.

Each check is of one field, given those before it; `info.data` lacks what is wrong itself.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, TypeVar

from ganstudy.kinds._base import check_records
from ganstudy.kinds.adversarial import ends
from ganstudy.kinds.adversarial.players import Critic, Generator, UntilSettled
from ganstudy.kinds.adversarial.training_set import TrainingSet
from ganstudy.metrics import are_measured, is_new, known_variable
from ganstudy.settings import tolerated

PlayerT = TypeVar("PlayerT", Generator, Critic)

_log = logging.getLogger("ganstudy")

if TYPE_CHECKING:
    from pydantic import ValidationInfo

    from ganstudy import constraints
    from ganstudy.kinds.adversarial.kept import Recording
    from ganstudy.kinds.adversarial.updates import Updates
    from ganstudy.metrics import Metric
    from ganstudy.networks import Ends
    from ganstudy.targets import Target


def labels_exist(condition: bool, info: ValidationInfo) -> bool:
    """`condition` needs a target with labels."""
    if condition:
        _check_labels(info, "to condition on")
    return condition


def balance_exists(
    training_set: int | TrainingSet | None, info: ValidationInfo
) -> int | TrainingSet | None:
    """A balanced training set needs labels to balance, none of which is too rare to be found."""
    if not isinstance(training_set, TrainingSet) or not training_set.balanced:
        return training_set
    _check_labels(info, "to balance")
    if (target := info.data.get("target")) is not None:
        size = training_set.size
        shares = target.label_shares[:size]  # those behind have no place in the set
        label, given = int(shares.argmin()), math.ceil(size / target.labels) / size
        why = (
            f"label {label} is too rare: its share of p is {shares[label]:.1e}, less than a "
            "thousandth of what `balanced` gives it"
        )
        if 1000 * shares[label] < given and not tolerated("training_set", why):
            raise ValueError(why)
    return training_set


def _check_labels(info: ValidationInfo, purpose: str) -> None:
    target = info.data.get("target")
    if target is not None and not target.labels:
        raise ValueError(f"target {target.name} has no labels {purpose}")
    if target is not None and target.untrained:
        raise ValueError(target.untrained)


def rows_are_seen(critic: Critic, info: ValidationInfo) -> Critic:
    """D-steps that a round leaves out take their rows along, of which orders skip none."""
    rows = info.data.get("training_set")
    if not isinstance(rows, TrainingSet) or not isinstance(critic.steps, UntilSettled):
        return critic
    why = (
        f"D-steps that `until` leaves out would skip their rows, which `training_set.sampling: "
        f"{rows.sampling}` shows in order; write a number of `steps`, or another `sampling`"
    )
    if rows.sampling in ("epochs", "one_order") and not tolerated("critic.steps", why):
        raise ValueError(why)
    return critic


def estimable(critic: Critic, info: ValidationInfo) -> Critic:
    """An estimator of log p/q serves divergences whose best critic it is, anew in each D-step."""
    divergence, estimator = info.data.get("divergence"), critic.estimator
    if estimator is None:
        return critic
    if divergence is not None and not divergence.log_ratio:
        raise ValueError(
            f"{estimator.name} estimates log p/q, which is not the best critic of {divergence.name}"
        )
    if critic.scale != 1:
        raise ValueError(f"{estimator.name} takes samples as they are; it needs `critic.scale: 1`")
    if critic.steps != 1:
        raise ValueError(f"{estimator.name} starts anew in each D-step; it needs `critic.steps: 1`")
    return critic


def constraint_applies(
    constraint: constraints.Together, info: ValidationInfo
) -> constraints.Together:
    """Constraints make sense together, and have a critic to bind, with a gradient of its own in
    each input.
    """
    for problem in constraint.problems():
        raise ValueError(problem)
    divergence, critic = info.data.get("divergence"), info.data.get("critic")
    estimator = None if critic is None else critic.estimator
    for part in constraint.parts:
        if divergence is not None and divergence.closed_form and part.name != "none":
            raise ValueError(f"{divergence.name} trains no critic that {part.name} could bind")
        if estimator is not None and part.name != "none" and not part.perturbs:
            raise ValueError(f"{estimator.name} trains no network that {part.name} could bind")
        if critic is not None and part.divides and not _matrices(critic, info):
            raise ValueError(
                f"network {critic.network.name} does not state the matrices that {part.name} "
                "divides"
            )
        if critic is not None and part.divides and critic.network.begins_at_zero:
            raise ValueError(
                f"matrices of network {critic.network.name} begin at zero, and {part.name} would "
                "divide them by their norm"
            )
        if critic is not None and critic.norm == "batch" and part.penalises:
            raise ValueError(
                f"{part.name} needs the gradient of each logit in its own input, "
                "which `critic.norm: batch` mixes with others"
            )
    return constraint


def network_fits(player: PlayerT, info: ValidationInfo) -> PlayerT:
    """A player's network can be made for the target's samples."""
    own = _ends(player, info)
    if own is None or (isinstance(player, Critic) and player.estimator is not None):
        return player
    if problem := player.network.unfit(player, own):
        raise ValueError(problem)
    return player


def _ends(player: Generator | Critic, info: ValidationInfo) -> Ends | None:
    """Those of a player's network; None where the target is a mistake of its own."""
    target = info.data.get("target")
    if target is None:
        return None
    labels = target.labels if info.data.get("condition") else 0
    if isinstance(player, Critic):
        return ends.of_critic(player, target, labels)
    return ends.of_generator(player, target, labels)


def _matrices(critic: Critic, info: ValidationInfo) -> bool:
    """Whether its network states any; true where that cannot be known."""
    own = _ends(critic, info)
    return own is None or bool(critic.network.matrices(critic, own))


def _untrained(info: ValidationInfo) -> str:
    """Name of what takes the place of a trained critic; empty where one is trained."""
    divergence, critic = info.data.get("divergence"), info.data.get("critic")
    if divergence is not None and divergence.closed_form:
        return str(divergence.name)
    return critic.estimator.name if critic is not None and critic.estimator is not None else ""


def steps_fit(scheme: Updates, info: ValidationInfo) -> Updates:
    """An update scheme needs the players and the numbers of steps that it is defined for."""
    critic, generator = info.data.get("critic"), info.data.get("generator")
    if scheme.weighs_gradients and (instead := _untrained(info)):
        raise ValueError(f"{scheme.name} updates need a critic; {instead} trains none")
    for player in ("generator", "critic"):
        own = info.data.get(player)
        if own is not None and scheme.optimizers and own.optimizer.name not in scheme.optimizers:
            allowed = " or ".join(scheme.optimizers)
            raise ValueError(
                f"{scheme.name} updates need `{player}.optimizer: {allowed}`, not "
                f"{own.optimizer.name}: their directions are in units of the step"
            )
        if own is not None and scheme.optimizers and getattr(own.optimizer, "nesterov", False):
            why = f"{scheme.name} updates need `{player}.optimizer.nesterov: false`: "
            why += "their directions are in units of the step"
            if not tolerated("updates", why):
                raise ValueError(why)
    if scheme.single and critic is not None and generator is not None:
        for player, steps in (("critic", critic.steps), ("generator", generator.steps)):
            if steps != 1:
                raise ValueError(f"{scheme.name} updates need `{player}.steps: 1`")
    return scheme


def whole_rounds(generator: Generator, info: ValidationInfo) -> Generator:
    """The M-steps make up whole rounds; a map goes from points of the space of its samples."""
    divergence, target = info.data.get("divergence"), info.data.get("target")
    charged = divergence if divergence is not None and divergence.charged else None
    if charged and target is not None and generator.latent != target.dimension:
        raise ValueError(
            f"{charged.name} moves latent points to samples; it needs `generator.latent: "
            f"{target.dimension}`, the dimension of target {target.name}, not {generator.latent}"
        )
    steps = info.data.get("steps")
    if steps is not None and steps % generator.steps:
        raise ValueError(
            f"`steps: {steps}` is not a multiple of `generator.steps: {generator.steps}`"
        )
    return generator


def whole_groups(batch: int, info: ValidationInfo) -> int:
    """A batch holds whole groups of `pac` samples, and enough of them for an estimator; the rows
    of a training set suffice for it.
    """
    critic, divergence = info.data.get("critic"), info.data.get("divergence")
    rows = info.data.get("training_set")
    differ = isinstance(rows, TrainingSet) and rows.sampling != "with_replacement"
    if critic is not None and batch % critic.pac:
        raise ValueError(f"not a multiple of `critic.pac: {critic.pac}` (got {batch})")
    if isinstance(rows, TrainingSet) and differ and critic is not None:
        _enough(rows, batch, critic)
    if divergence is not None and divergence.charged and critic is not None and critic.pac > 1:
        raise ValueError(f"{divergence.name} charges each sample its way; it needs `critic.pac: 1`")
    closed_form = divergence is not None and divergence.closed_form
    if closed_form and critic is not None and critic.pac > 1:
        raise ValueError("this divergence trains no critic to judge `critic.pac` samples")
    estimator = None if critic is None else critic.estimator
    if critic is not None and estimator is not None:
        inputs = batch // critic.pac
        if inputs < estimator.centres:
            raise ValueError(
                f"{estimator.name} has {estimator.centres} `centres`, and {inputs} "
                "samples to put them at"
            )
    return batch


def _enough(rows: TrainingSet, batch: int, critic: Critic) -> None:
    if rows.groups is None and batch > rows.size:
        raise ValueError(f"`training_set.size: {rows.size}` has no {batch} different rows")
    groups = batch // critic.pac
    if rows.groups is not None and groups > rows.groups:
        raise ValueError(f"`training_set.groups: {rows.groups}` are not {groups} different ones")


def measurable(record: Recording, info: ValidationInfo) -> Recording:
    """Records fall between rounds, and what they measure is defined."""
    target, generator = info.data.get("target"), info.data.get("generator")
    check_records(info.data.get("steps", 0), record.every)
    if generator is not None and record.every % generator.steps:
        raise ValueError(
            f"`every: {record.every}` is not a multiple of `generator.steps: {generator.steps}`"
        )
    if record.equilibrium is not None and (instead := _untrained(info)):
        raise ValueError(f"`equilibrium` is of two players; {instead} trains one")
    if target is not None:
        _meaningful(record, target)
    for metric in record.metrics:
        if metric.labelled and not info.data.get("condition"):
            raise ValueError(f"metric {metric.name} needs `condition: true`")
    return record


def _meaningful(record: Recording, target: Target) -> None:
    for metric in record.metrics:
        if are_measured() and known_variable(metric, target) is not None:
            continue
        if problem := metric.unfit(target, record.samples):
            if not are_measured() or metric.problem(target) or metric.gone(target):
                raise ValueError(problem)
            if is_new(problem):
                _log.warning("%s: what is recorded of it tells little", problem)
        if metric.plugin:
            _readable(metric, target)


def _readable(metric: Metric, target: Target) -> None:
    """The reading of a plug-in's metric, before hours are spent on what nobody can read."""
    try:
        metric.reading(target)
    except Exception as error:  # whatever a file of the user's raises is told with its name
        raise ValueError(f"metric {metric.name}: {type(error).__name__}: {error}") from None
