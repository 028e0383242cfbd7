"""Families: sets of interchangeable parts, one part a file, found by file name.

A *family* is a sub-package (`divergences`, `targets`, ...); a *member* is the one public class
of one of its files, or the one that a folder's `__init__.py` shows. The stem of the file, or the
folder's name, is the member's name in study files, on the command line and in the dataset; the
class's fields are its parameters in YAML. Adding a member is adding a file.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args, get_origin

from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_serializer,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, core_schema

from ganstudy.nearest import nearest
from ganstudy.settings import Settings

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    *("Family", "FamilyField", "Member", "MemberT", "Part", "PartT"),
    *("canonical_json", "label"),
]


def _place(member: type[Part]) -> str:
    """The file or the folder, within its family's package, that a member is defined in.

    The package is that of the `_base` which the member derives from; a plug-in lies elsewhere.
    """
    module = member.__module__
    for base in member.__mro__[1:]:
        package, _, stem = base.__module__.rpartition(".")
        if stem == "_base" and module.startswith(f"{package}."):
            return module.removeprefix(f"{package}.").partition(".")[0]
    return module.rpartition(".")[2]


class Part:
    """A member of a family, named after its file."""

    name: ClassVar[str] = ""
    plugin: ClassVar[str] = ""
    """Digest of a plug-in's file."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.name = _place(cls)

    @classmethod
    def parameters_of(cls) -> Mapping[str, FieldInfo]:
        """What can be set of it in a study file."""
        return {}


class Member(Settings, Part):
    """A frozen object whose fields are its YAML parameters; its settings tell the plug-in's digest.

    Law of the fields: a step computes with a stacked form of the members, whose methods find a
    tensor `(*pack, 1)` in place of each `float`; an `int`, `str` or `bool` changes shapes or
    control flow and separates packs.
    """

    @classmethod
    def parameters_of(cls) -> Mapping[str, FieldInfo]:
        """Its fields."""
        return cls.model_fields

    def __repr_name__(self) -> str:
        """A plug-in's class may be called anything."""
        return self.name if self.plugin else type(self).__name__

    @cached_property
    def settings(self) -> str:
        """Canonical JSON: sorted keys, no spaces, shortest floats."""
        return canonical_json(self.model_dump())

    def structure(self) -> dict[str, Any]:
        """Name and parameters that change shapes or control flow: all but the floats."""
        fields = {name: value for name, value in self if not isinstance(value, float)}
        return {"name": self.name, **fields}

    @model_serializer(mode="wrap")
    def _with_name(self, fields: Any) -> dict[str, Any]:
        plugin = {"plugin": self.plugin} if self.plugin else {}
        return {"name": self.name, **plugin, **fields(self)}


PartT = TypeVar("PartT", bound=Part)
MemberT = TypeVar("MemberT", bound=Member)


class Family(Generic[PartT]):
    """The members of one sub-package, looked up by name.

    `Family("ganstudy.divergences", Divergence)["reverse_kl"]` is the class `ReverseKL`.
    """

    def __init__(self, package: str, base: type[PartT]) -> None:
        self.package = package
        self.base = base
        self._own: dict[str, type[PartT]] = {}
        self._plugins: dict[str, type[PartT]] = {}

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Stems of the family's own files, sorted; reads the folder and imports nothing of it."""
        path = importlib.import_module(self.package).__path__
        return tuple(sorted(m.name for m in pkgutil.iter_modules(path) if m.name[0] != "_"))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all members, sorted; those of plug-ins among them."""
        return tuple(sorted((*self.files, *self._plugins)))

    def __getitem__(self, name: str) -> type[PartT]:
        """The class of a member; `KeyError`, with the nearest name, if there is no such file."""
        if name in self._plugins:
            return self._plugins[name]
        if name not in self.files:
            raise KeyError(f"no {name!r} in {self.package}{nearest(name, self.names)}")
        if name not in self._own:
            (self._own[name],) = self.defined_in(importlib.import_module(f"{self.package}.{name}"))
        return self._own[name]

    def defined_in(self, module: ModuleType) -> Iterator[type[PartT]]:
        """The public members of this family that a module, or a package, defines itself."""
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, self.base):
                own = f"{value.__module__}.".startswith(f"{module.__name__}.")
                if own and not value.__name__.startswith("_") and not inspect.isabstract(value):
                    yield value

    def add(self, member: type[PartT], digest: str) -> None:
        """Take in the member of a plug-in; `digest` is that of its file.

        Errors  `ValueError` if the family has one of this name, or none can have its parameters.
        """
        if why := _unfit_parameter(member):
            raise ValueError(why)
        known = self._plugins.get(member.name)
        if member.name in self.files or (known is not None and known is not member):
            family = self.package.rpartition(".")[2]
            raise ValueError(f"{family} has a member {member.name!r} already")
        member.plugin = digest
        self._plugins[member.name] = member

    def forget(self) -> None:
        """Leave out the members of plug-ins again."""
        self._plugins.clear()

    def __iter__(self) -> Iterator[type[PartT]]:
        return (self[name] for name in self.names)

    def from_config(self: Family[MemberT], config: str | Mapping[str, Any]) -> MemberT:
        """A member from its YAML form, `"ring"` or `{"name": "ring", "modes": 8}`."""
        settings = {"name": config} if isinstance(config, str) else dict(config)
        settings.pop("plugin", None)
        return self[settings.pop("name")].model_validate(settings)

    def field(self, default: str, key: str = "name") -> FamilyField:
        """Annotation of a pydantic field that holds a member; `key` is the YAML key of its name.

        A plain string stands for a member with its defaults, and a mapping without a name for the
        default member with these parameters.
        """
        return FamilyField(self, default, key)


class FamilyField:
    """Pydantic's view of a family: a union tagged by the member's name, open to plug-ins.

    Of a field whose type is `Member | None`, null is a value as well.
    """

    def __init__(self, family: Family[Any], default: str, key: str) -> None:
        self.family, self.default, self.key = family, default, key

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        schema: core_schema.CoreSchema = core_schema.no_info_plain_validator_function(
            self._member,
            serialization=core_schema.plain_serializer_function_ser_schema(self._dump),
        )
        optional = type(None) in get_args(source)
        return core_schema.nullable_schema(schema) if optional else schema

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        references = []
        for member in self.family:
            reference = handler(member.__pydantic_core_schema__)
            definition = handler.resolve_ref_schema(reference)
            name = {self.key: {"const": member.name}}
            definition["properties"] = {**name, **definition.get("properties", {})}
            if member.name != self.default:
                definition["required"] = [self.key]
            references.append(reference)
        names = {"enum": list(self.family.names)}
        if core["type"] == "nullable":
            return {"anyOf": [names, *references, {"type": "null"}], "default": None}
        return {"anyOf": [names, *references], "default": self.default}

    def _member(self, value: Any) -> Member:
        if isinstance(value, self.family.base):
            own: Member = value
            return own
        settings = {self.key: value} if isinstance(value, str) else value
        if not isinstance(settings, Mapping):
            raise PydanticCustomError("family_member", "a name, or a mapping with a name")
        if form := self._meant(settings):
            message = "a name, or a mapping with a name: {form}"
            raise PydanticCustomError("family_form", message, {"form": form})
        name = settings.get(self.key, self.default)
        if name not in self.family.names:
            message = "unknown name {name}"
            raise PydanticCustomError(
                "family_name", message, {"name": name, "names": self.family.names}
            )
        member: Member = self.family[name].model_validate(
            {key: item for key, item in settings.items() if key != self.key}
        )
        return member

    def _meant(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """A member of which the name is written as a key, as it should be; empty for all others."""
        others = settings.keys() - {self.key, *self.family[self.default].parameters_of()}
        name = next((key for key in settings if key in others and key in self.family.names), None)
        if name is None or self.key in settings:
            return {}
        inner = settings[name]
        own = inner if isinstance(inner, Mapping) else {}
        return {self.key: name, **own, **{k: x for k, x in settings.items() if k != name}}

    def _dump(self, member: Member) -> dict[str, Any]:
        settings = member.model_dump()
        return {self.key: settings.pop("name"), **settings}


def _unfit_parameter(member: type[Part]) -> str:
    """Why a parameter cannot be one: it hides what is there, or has no hash; empty if all can."""
    above = member.__mro__[1:]
    known = {name for base in above for name in getattr(base, "model_fields", ())}
    for name, field in member.parameters_of().items():
        if name not in known and any(name in vars(base) for base in above):
            return (
                f"parameter {name!r} would hide what {member.__name__} has of this name; rename it"
            )
        if without := next(filter(_is_unhashable, _parts(field.annotation)), None):
            kind = without.__name__
            return f"parameter {name!r} is a {kind}, which can be changed; a tuple cannot"
    return ""


def _parts(annotation: Any) -> Iterator[Any]:
    yield get_origin(annotation) or annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _is_unhashable(kind: Any) -> bool:
    return inspect.isclass(kind) and kind.__hash__ is None


def label(value: Any) -> Any:
    """The short form in which a setting stands on an axis of the dataset and in a figure.

    Numbers and strings stand for themselves; a member shows the parameters that it sets:
    `{"name": "clip", "bound": 0.1}` is `clip(bound=0.1)`.
    """
    if isinstance(value, Mapping):
        settings = {key: item for key, item in value.items() if key != "name"}
        inner = ", ".join(f"{key}={label(item)}" for key, item in settings.items())
        name = str(value.get("name", ""))
        return f"{name}({inner})" if inner else name
    if isinstance(value, list | tuple):
        return "[" + ", ".join(str(label(item)) for item in value) + "]"
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return value


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and without spaces; equal values have equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
