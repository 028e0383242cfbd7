"""What a study sets of a game of two numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from ganstudy import divergences
from ganstudy.kinds._losses import of_law, of_trained_critic
from ganstudy.kinds._theory import TheorySettings
from ganstudy.settings import Settings

__all__ = ["GameSettings"]

Regularizer = Literal["none", "r1", "r2", "gradient_penalty", "instance_noise", "clip"]
IN_TURN = ("gradient", "momentum", "consensus", "lookahead")
"""Methods that are defined for players who move one after the other."""


def _listed(value: Any) -> Any:
    """One regularizer or several, in the order of their names."""
    several = [value] if isinstance(value, str) else value
    return tuple(sorted(several, key=str)) if isinstance(several, list | tuple) else several


def _written(value: tuple[str, ...]) -> str | list[str]:
    return value[0] if len(value) == 1 else list(value)


Regularizers = Annotated[
    tuple[Regularizer, ...],
    Field(min_length=1),
    BeforeValidator(_listed),
    PlainSerializer(_written),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(get_args(Regularizer))},
                {"type": "array", "minItems": 1, "items": {"enum": list(get_args(Regularizer))}},
            ]
        }
    ),
]


def _unless(default: Any) -> Callable[[Any], bool]:
    """Whether a field has its default: these came after studies had been run, and where they are
    not set, ids of trials do not know of them.
    """
    return lambda value: bool(value == default)


def _trained(divergence: divergences.Divergence, info: ValidationInfo) -> divergences.Divergence:
    """The Dirac-GAN alone has a divergence."""
    if info.data.get("game") != "dirac_gan":
        return divergence
    return of_trained_critic(divergence, trainer="dirac_gan")


class GameCritic(Settings):
    """How often the critic moves."""

    steps: int = Field(1, ge=1, le=1000, description="D-steps of a round, one after the other")


class GameSettings(TheorySettings):
    """The losses, how the players move, and where they start."""

    steps: int = Field(500, ge=1, le=10**9, description="rounds of both players")
    game: Literal["bilinear", "quadratic", "dirac_gan"] = Field(
        "bilinear", description="the losses"
    )
    curvature: float = Field(0.1, description="c of the quadratic game")
    divergence: Annotated[
        divergences.Divergence,
        divergences.family.field("non_saturating"),
        AfterValidator(of_law),
        AfterValidator(_trained),
    ] = Field(default="non_saturating", validate_default=True, description="of the Dirac-GAN")
    method: Literal[
        "gradient",
        "momentum",
        "extragradient",
        "optimistic",
        "consensus",
        "symplectic_gradient_adjustment",
        "competitive_gradient_descent",
        "lead",
        "lookahead",
    ] = Field("gradient", description="how a gradient becomes a step")
    order: Literal["simultaneous", "alternating"] = Field(
        "simultaneous", description="both at once, or one after the other"
    )
    first: Literal["critic", "generator"] = Field(
        "critic",
        exclude_if=_unless("critic"),
        description="who begins a round of alternating steps",
    )
    critic: GameCritic = Field(
        GameCritic(), exclude_if=_unless(GameCritic()), description="the critic"
    )
    lr: float = Field(0.1, gt=0, description="step size h of both players")
    momentum: float = Field(
        -0.5, gt=-1, lt=1, description="of the methods momentum and lead; may be negative"
    )
    consensus: float = Field(1.0, gt=0, description="weight of the method consensus")
    symplectic: float = Field(
        1.0, exclude_if=_unless(1.0), gt=0, description="weight of symplectic_gradient_adjustment"
    )
    lead: float = Field(0.5, exclude_if=_unless(0.5), gt=0, description="alpha of the method lead")
    rounds: int = Field(
        5,
        exclude_if=_unless(5),
        ge=1,
        le=1000,
        description="of the fast players in one of lookahead",
    )
    share: float = Field(
        0.5, exclude_if=_unless(0.5), gt=0, le=1, description="of the way that lookahead keeps"
    )
    regularizer: Regularizers = Field(
        ("none",), description="of the Dirac-GAN's critic; several as a list"
    )
    weight: float = Field(
        0.5, gt=0, description="of r1, r2, gradient_penalty; deviation of instance_noise"
    )
    slope: float = Field(
        1.0, exclude_if=_unless(1.0), ge=0, description="the length that gradient_penalty asks for"
    )
    bound: float = Field(
        1.0,
        exclude_if=_unless(1.0),
        gt=0,
        description="c of the regularizer clip, the largest |psi|",
    )
    start: Annotated[tuple[float, float], BeforeValidator(tuple)] | None = Field(
        None,
        exclude_if=_unless(None),
        description="[theta, psi] at the start; default: a point of a circle by the seed",
    )
    radius: float = Field(1.0, gt=0, description="of the circle: distance from the equilibrium")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.order == "alternating" and self.method not in IN_TURN:
            raise ValueError(f"the method {self.method} is defined for simultaneous steps only")
        if self.order == "simultaneous" and self.critic.steps > 1:
            raise ValueError("several D-steps need `order: alternating`")
        if self.regularizer != ("none",) and self.game != "dirac_gan":
            raise ValueError(f"a regularizer needs the game dirac_gan, not {self.game}")
        if len(set(self.regularizer)) < len(self.regularizer):
            raise ValueError("a regularizer stands here twice")
        if "none" in self.regularizer and len(self.regularizer) > 1:
            raise ValueError("none means no regularizer, and another one stands beside it")
        if self.divergence.paired and "instance_noise" in self.regularizer:
            raise ValueError(
                f"instance_noise makes laws of p and q, and {self.divergence.name} compares "
                "them sample by sample; only their points are computed here"
            )
        if self.start == (0.0, 0.0):
            raise ValueError("`start: [0, 0]` is the equilibrium; nothing moves")
        return self

    @property
    def turns(self) -> tuple[int, ...]:
        """Who moves when in a round: 0 the generator, 1 the critic; empty for both at once."""
        if self.order == "simultaneous":
            return ()
        critic = (1,) * self.critic.steps
        return (*critic, 0) if self.first == "critic" else (0, *critic)
