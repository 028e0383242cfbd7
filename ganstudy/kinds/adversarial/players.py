"""What a study sets of the two players: networks, updates, and steps in a round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from ganstudy import estimators, networks, optimizers
from ganstudy.settings import Settings

__all__ = ["Critic", "Generator", "PlayerSettings", "UntilSettled"]


class PlayerSettings(networks.Architecture):
    """What generator and critic have in common."""

    # A rate out of range is a way to diverge at once, which is a result.
    unbounded: ClassVar[frozenset[str]] = networks.Architecture.unbounded | {"lr"}

    network: Annotated[networks.Network, networks.family.field("mlp")] = Field(
        default="mlp", validate_default=True, description="architecture"
    )
    optimizer: Annotated[optimizers.Optimizer, optimizers.family.field("adam")] = Field(
        default="adam", validate_default=True, description="update rule"
    )
    lr: float = Field(1e-3, gt=0, description="learning rate")

    @property
    def function(self) -> networks.Function:
        """What the player computes."""
        return self.network

    def structure(self) -> dict[str, Any]:
        """What fixes the shapes and the forward pass; first values and updates do not."""
        return self.model_dump(include={"network", *_SHAPING})

    def architecture(self) -> networks.Architecture:
        """What the forward pass sees: equal for all trials of a pack."""
        return networks.Architecture(**{name: getattr(self, name) for name in _SHAPING})


_SHAPING = ("width", "depth", "activation", "norm", "bias", "scale")


class Generator(PlayerSettings):
    """The network that turns latent noise into samples of q."""

    latent: int = Field(2, ge=1, le=65_536, description="dimension of the latent noise")
    latent_law: Literal["normal", "uniform"] = Field(
        "normal", description="standard normal, or uniform on [-1, 1], in each dimension"
    )
    steps: int = Field(1, ge=1, description="M-steps after the D-steps of a round")
    average: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="decay of a moving average of the parameters, measured beside the raw ones",
    )
    # It came after studies had been run: where it is not set, ids of trials do not know of it.
    norm_average: float | None = Field(
        None,
        gt=0,
        le=1,
        exclude_if=lambda weight: weight is None,
        description="weight of each batch in running moments of `norm: batch`, by which samples "
        "are measured; default: none, samples are measured by their own moments",
    )

    @field_validator("norm_average")
    @classmethod
    def _has_moments(cls, weight: float | None, info: ValidationInfo) -> float | None:
        network = info.data.get("network")
        if weight is not None and info.data.get("norm", "batch") != "batch":
            raise ValueError("only `norm: batch` has moments to average")
        if weight is not None and network is not None and not network.keeps_moments:
            raise ValueError(f"network {network.name} does not tell its moments")
        return weight

    def structure(self) -> dict[str, Any]:
        """Running moments are part of the step."""
        kept = {} if self.norm_average is None else {"norm_average": True}
        return {**super().structure(), **kept}


class UntilSettled(Settings):
    """D-steps until the critic's loss stops falling, trial by trial and round by round."""

    until: float = Field(0.0, ge=0, description="the least fall of the loss that counts as one")
    patience: int = Field(5, ge=1, description="D-steps without such a fall that end the round")
    max: int = Field(100, ge=1, description="most D-steps in a round")


def _form_of_steps(value: object) -> str:
    """So that a mistake in one form is not reported as one in the other, too."""
    return "rule" if isinstance(value, Mapping | UntilSettled) else "number"


class Critic(PlayerSettings):
    """The network that tells p from q; its raw output is the logit."""

    steps: Annotated[
        Annotated[int, Field(ge=1), Tag("number")] | Annotated[UntilSettled, Tag("rule")],
        Discriminator(_form_of_steps),
    ] = Field(
        1, description="D-steps before the M-steps of a round: a number, or until the loss settles"
    )
    pac: int = Field(1, ge=1, description="samples of one law that the critic judges together")
    # It came after studies had been run: where it is not set, ids of trials do not know of it.
    estimator: Annotated[estimators.Estimator | None, estimators.family.field("kliep")] = Field(
        None,
        exclude_if=lambda estimator: estimator is None,
        description="what finds log p/q anew in each D-step, in place of a trained network",
    )

    @property
    def function(self) -> networks.Function:
        """The estimator, if there is one."""
        return self.estimator or self.network

    def structure(self) -> dict[str, Any]:
        """That of the estimator alone, if there is one."""
        if self.estimator is None:
            return super().structure()
        return {"estimator": self.estimator.model_dump()}

    @property
    def most_steps(self) -> int:
        """Largest number of D-steps in a round."""
        return self.steps if isinstance(self.steps, int) else self.steps.max
