"""What an adversarial trial records, as variables of the dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ganstudy.constraints import Together
from ganstudy.film import FILM, IMAGE_FILM, PLACES
from ganstudy.metrics import known_variable
from ganstudy.variable import LABELS, SAMPLES, Variable

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.settings import AdversarialSettings

__all__ = ["variables"]

MANY = 1000
"""Features beyond which samples are bulky: compressed, and gathered one trial at a time."""


def variables(settings: AdversarialSettings) -> tuple[Variable, ...]:
    """Metrics with their readings, what the steps say of themselves, samples, and the film."""
    curves = _curves(settings)
    return (
        *_metrics(settings),
        *(Variable(name, long_name, role="curve") for name, long_name in curves.items()),
        *(_of_the_game(settings) if settings.record.equilibrium is not None else ()),
        # Of large images they are nearly all that a record holds.
        replace(SAMPLES, bulky=settings.target.dimension > MANY),
        *((LABELS,) if settings.labels else ()),
        *((*FILM, *PLACES) if settings.filmed else ()),
        *(IMAGE_FILM if settings.filmed_images else ()),
    )


def _metrics(settings: AdversarialSettings) -> Iterator[Variable]:
    for metric in settings.record.metrics:
        own = known_variable(metric, settings.target) or metric.variable(settings.target)
        yield own
        if settings.generator.average is not None:
            long_name = f"{own.long_name}, averaged generator"
            yield replace(own, name=f"average_{own.name}", long_name=long_name)


def _curves(settings: AdversarialSettings) -> dict[str, str]:
    """Losses, mean logits, gradient norms, and what is known of the critic."""
    curves = {
        "critic_loss": "critic loss",
        "generator_loss": "generator loss",
        "real_logit": "mean logit on p",
        "fake_logit": "mean logit on q",
        "critic_gradient_norm": "gradient norm of the critic",
        "generator_gradient_norm": "gradient norm of the generator",
    }
    if settings.critic.estimator is not None:
        del curves["critic_gradient_norm"]
    if settings.constraint.penalties:
        penalties = Together.of(part for part in settings.constraint.parts if part.penalises)
        curves["penalty"] = f"{penalties} of the critic"
    if not isinstance(settings.critic.steps, int):
        curves["critic_steps_taken"] = "D-steps in the round"
    if settings.holds_out:
        curves["held_out_logit"] = "mean logit on unseen samples of p"
    # Of packed or blurred samples it would bound another divergence than that of p and q, and a
    # critic that knows the rest of a batch by its moments, none.
    plain = settings.judges_points and not settings.constraint.perturbs
    if plain and settings.divergence.uninformed_loss() is not None:
        # On the rows that a critic was fitted to it is no bound, not even in expectation.
        if not settings.sees_again:
            curves["bound"] = "lower bound on the divergence"
        if settings.affine_in_density:
            curves["critic_error"] = "distance from the best logit"
            curves["exact"] = "exact divergence"
    return curves


def _of_the_game(settings: AdversarialSettings) -> Iterator[Variable]:
    """What is measured of the game at the end; curves with a value at the last step alone."""
    assert settings.record.equilibrium is not None
    limit = settings.record.equilibrium.parameters
    missing = f"NaN where the players have more than {limit} parameters together"
    if settings.constraint.fixes:
        fixing = Together.of(part for part in settings.constraint.parts if part.fixes)
        missing += f", and with {fixing}"
    yield Variable("duality_gap", "duality gap, from below", role="curve")
    for name, long_name in (
        ("jacobian_real", "largest real part of the game's eigenvalues"),
        ("jacobian_imaginary", "largest imaginary part of the game's eigenvalues"),
        ("jacobian_rotation", "share of rotation in the game's eigenvalues"),
    ):
        yield Variable(name, long_name, role="curve", about={"missing": missing})
