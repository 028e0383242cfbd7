"""What is recorded of an adversarial trial, and how each of it is to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganstudy.kinds.adversarial.settings import AdversarialSettings

__all__ = ["variables"]


def variables(settings: AdversarialSettings) -> dict[str, dict[str, Any]]:
    """Losses, mean logits, gradient norms, and the metrics with their readings."""
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
    if settings.constraint.penalises:
        curves["penalty"] = f"{settings.constraint.name} of the critic"
    if not isinstance(settings.critic.steps, int):
        curves["critic_steps"] = "D-steps in the round"
    if settings.holds_out:
        curves["held_out_logit"] = "mean logit on unseen samples of p"
    # Of packed or blurred samples it would bound another divergence than that of p and q.
    plain = settings.critic.pac == 1 and not settings.constraint.perturbs
    if plain and settings.divergence.uninformed_loss() is not None:
        curves["bound"] = "lower bound on the divergence"
        if settings.affine_in_density:
            curves["critic_error"] = "distance from the best logit"
            curves["exact"] = "exact divergence"
    described: dict[str, dict[str, Any]] = {
        name: {"long_name": long_name, "role": "curve"} for name, long_name in curves.items()
    }
    if settings.record.equilibrium is not None:
        described |= settings.record.equilibrium.variables()
        if settings.constraint.fixes:
            for name in ("jacobian_real", "jacobian_imaginary", "jacobian_rotation"):
                described[name]["missing"] += f", and with {settings.constraint.name}"
    for metric in settings.record.metrics:
        attributes = metric.attributes(settings.target)
        described[metric.name] = attributes
        if settings.generator.average is not None:
            long_name = f"{attributes['long_name']}, averaged generator"
            described[f"average_{metric.name}"] = {**attributes, "long_name": long_name}
    return described
