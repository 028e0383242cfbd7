"""Several constraints of one critic, and how a study writes them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

from ganstudy.constraints._base import Constraint
from ganstudy.family import FamilyField

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

    from ganstudy.family import Family


@dataclass(frozen=True)
class Together:
    """All that restricts one critic: one constraint or several, in the order of their names.

    Perturbed samples are judged by constrained parameters, penalties add up, and a projection comes
    after the step: what acts before what follows from the hooks, not from how the list is written.
    """

    parts: tuple[Constraint, ...]

    def __str__(self) -> str:
        return " + ".join(part.name for part in self.parts)

    @property
    def acting(self) -> tuple[Constraint, ...]:
        """Those that act inside the losses."""
        return tuple(part for part in self.parts if not part.projects)

    @property
    def projections(self) -> tuple[Constraint, ...]:
        """Those that act after a D-step alone; one at most, if `problems` has none."""
        return tuple(part for part in self.parts if part.projects)

    @property
    def penalties(self) -> int:
        """How many of them add to the critic's loss."""
        return sum(part.penalises for part in self.parts)

    @property
    def perturbs(self) -> bool:
        """Whether the critic sees other samples than those of p and q."""
        return any(part.perturbs for part in self.parts)

    @property
    def fixes(self) -> bool:
        """Whether a gradient holds something fixed that moves with the parameters."""
        return any(part.fixes for part in self.parts)

    def problems(self) -> Iterator[str]:
        """What makes no sense of them together."""
        for one, other in itertools.permutations(self.parts, 2):
            if why := one.clash(other):
                yield why
        names = [part.name for part in self.parts]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{name} stands here {names.count(name)} times; one has all its settings"
        if len({part.name for part in self.projections}) > 1:
            both = " and ".join(part.name for part in self.projections)
            yield f"{both} both project; one after the other admits what neither does"

    @classmethod
    def of(cls, parts: Constraint | Iterable[Constraint]) -> Together:
        """One constraint, or several in any order."""
        several = [parts] if isinstance(parts, Constraint) else parts
        return cls(tuple(sorted(several, key=lambda part: part.name)))


class TogetherField(FamilyField):
    """Pydantic's view of them: a member as in every family, or a list of members.

    One constraint is written and hashed as a member, not as a list of one.
    """

    def __init__(self, family: Family[Any]) -> None:
        super().__init__(family, default="none", key="name")

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        one = core_schema.no_info_plain_validator_function(self._member)
        either = core_schema.tagged_union_schema(
            {"one": one, "several": core_schema.list_schema(one, min_length=1)},
            discriminator=lambda value: "several" if isinstance(value, list) else "one",
        )
        return core_schema.no_info_before_validator_function(
            _written,
            core_schema.no_info_after_validator_function(Together.of, either),
            serialization=core_schema.plain_serializer_function_ser_schema(self._dump_all),
        )

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        member = super().__get_pydantic_json_schema__(core, handler)
        choices = member.pop("anyOf")
        several = {"type": "array", "minItems": 1, "items": {"anyOf": choices}}
        return {"anyOf": [*choices, several], **member}

    def _dump_all(self, together: Together) -> dict[str, Any] | list[dict[str, Any]]:
        dumped = [self._dump(part) for part in together.parts]
        return dumped[0] if len(dumped) == 1 else dumped


def _written(value: Any) -> Any:
    """As in a study file, where it comes from Python."""
    if isinstance(value, Together):
        return list(value.parts)
    return list(value) if isinstance(value, tuple) else value
