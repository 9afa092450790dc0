"""Strict classes and open families of them.

`Schema` is a pydantic model that takes its fields by position or name, refuses unknown ones with the nearest name, and
writes the wire form. A family is a direct subclass of `Member`; a class joins it by being defined, under the tag that
its tag field has as default. Packages add members through the entry point group `cellwright.members`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from cellwright.errors import ConfigurationError, NotImplementedYetError, Path, Problem, did_you_mean
from cellwright.schema import values

Leaf = Callable[[Any], Any]


class InvalidDocumentError(ConfigurationError):
    """A document, or a part of it, that does not follow its schema; `problems` holds every finding."""

    @classmethod
    def of(cls, problems: list[Problem]) -> "InvalidDocumentError":
        """Return the error that tells of these problems; one alone keeps its place and hint."""
        if len(problems) == 1:
            (only,) = problems
            return cls(only.message, at=only.at, hint=only.hint)
        lines = "\n".join(f"  {problem}" for problem in problems)
        return cls(f"{len(problems)} problems:\n{lines}", detail={"problems": [p.to_dict() for p in problems]})

    @property
    def problems(self) -> list[Problem]:
        """Every finding, with its place in the document."""
        if "problems" not in self.detail:
            return [Problem.of(self)]
        return [
            Problem(row["severity"], row["message"], (*self.at, *row["at"]), row["hint"], row["error_code"])
            for row in self.detail["problems"]
        ]


class Schema(BaseModel):
    """Base of every class of a pipeline document."""

    model_config = ConfigDict(
        extra="forbid",
        validate_assignment=True,
        arbitrary_types_allowed=True,
        populate_by_name=True,
        protected_namespaces=(),
        ser_json_inf_nan="constants",
    )

    positional: ClassVar[tuple[str, ...] | None] = None
    """The order of positional arguments; None: the fields as they stand, without tag and source."""
    only_set: ClassVar[bool] = False
    """Whether the wire form holds the fields alone that the user has set."""
    silent: ClassVar[frozenset[str]] = frozenset()
    """The fields that the place of a problem does not mention."""
    unwritten: ClassVar[frozenset[str]] = frozenset()
    """The fields that the wire form leaves out."""
    later: ClassVar[frozenset[str]] = frozenset()
    """The fields that are read and written, and do nothing yet; setting one keeps a pipeline from running."""
    live: ClassVar[frozenset[str]] = frozenset()
    """The fields that hold functions of Python, one or a list: no document holds them, no result depends on them."""

    def __init__(self, *args: Any, **data: Any) -> None:
        kind = type(self)
        order = kind._order()
        if len(args) > len(order):
            known = [name for name in kind.model_fields if name not in {getattr(kind, "tag", None), "type"}]
            raise InvalidDocumentError(
                f"{kind.__name__} takes {len(order)} positional arguments, got {len(args)}",
                hint=f"give its fields by name: {', '.join(known)}",
            )
        for name, value in zip(order, args, strict=False):
            if name in data:
                raise InvalidDocumentError(f"{kind.__name__} got two values for {name!r}")
            data[name] = value
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise InvalidDocumentError.of(problems_of(error, kind)) from None

    @classmethod
    def _order(cls) -> tuple[str, ...]:
        if cls.positional is not None:
            return cls.positional
        return tuple(name for name in cls.model_fields if name not in {getattr(cls, "tag", None), "type", "source"})

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the object that a wire form describes."""
        return cls(**dict(config))

    def to_config(self) -> dict[str, Any]:
        """Return the wire form: JSON objects, lists and numbers; fields that are None are left out."""
        return self._dump(values.to_wire)

    def unimplemented(self) -> Iterator[Problem]:
        """Yield, with its place, everything that the object asks for and that is not implemented yet."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name in self.later and value and value != field.default:
                written = field.serialization_alias or name
                said = f"{written!r} of {type(self).__name__} is not implemented yet"
                yield Problem("error", said, (written,), "leave it out", NotImplementedYetError.code)
            if name in self.live and value is not None and not all(map(callable, _listed(value))):
                said = f"{name!r} of {type(self).__name__} is a function of Python, which no document holds"
                yield Problem("error", said, (name,), "leave it out here, and give a function in Python")
            for at, part in _parts(value, () if name in self.silent else (name,)):
                yield from (replace(problem, at=(*at, *problem.at)) for problem in part.unimplemented())

    def digest(self) -> str:
        """Return the SHA-256 of what the object says; data count by their content."""
        return values.digest(self._dump(lambda value: value.digest() if hasattr(value, "digest") else value))

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        config = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            hidden = self.only_set and name not in self.model_fields_set
            hidden = hidden or (name in self.live and leaf is not values.to_wire)
            if value is not None and not hidden and name not in self.unwritten:
                config[field.serialization_alias or name] = dump(value, leaf)
        for name, value in (self.model_extra or {}).items():
            if value is not None:
                config[name] = dump(value, leaf)
        return config


def dump(value: Any, leaf: Leaf) -> Any:
    """Return the wire form of anything that a field may hold; `leaf` writes what is no container of ours."""
    if isinstance(value, Schema):
        return value._dump(leaf)
    if hasattr(value, "to_config") and leaf is values.to_wire:
        return value.to_config()
    if isinstance(value, Mapping):
        return {str(key): dump(item, leaf) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [dump(item, leaf) for item in value]
    return leaf(value)


def _parts(value: Any, at: Path) -> Iterator[tuple[Path, Schema]]:
    """Yield the objects of ours in a field's value, each with its place."""
    if isinstance(value, Schema):
        yield at, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _parts(item, (*at, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _parts(item, (*at, str(index)))


def without_live(value: Any) -> Any:
    """Return an object of ours, or a container of such, without functions of Python: what a document can hold of it."""
    if isinstance(value, Schema):
        new = {}
        for name in type(value).model_fields:
            old = getattr(value, name)
            kept = None if name in value.live else without_live(old)
            if kept is not old:
                new[name] = kept
        return value.model_copy(update=new) if new else value
    if isinstance(value, dict):
        mapped = {key: without_live(item) for key, item in value.items()}
        return mapped if any(mapped[key] is not value[key] for key in value) else value
    return value


def refuse_class(given: Any, wanted: str) -> None:
    """Raise `InvalidDocumentError` for a class in the place of an object of it."""
    if isinstance(given, type):
        said = f"{wanted} is needed, and {given.__name__} is the class of such"
        raise InvalidDocumentError(said, hint=f"call it: {given.__name__}(…)")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _a(word: str) -> str:
    return "an" if word[0].lower() in "aeiou" else "a"


def _is_family(kind: type) -> bool:
    """Return whether a class is a family's root; by name, since pydantic asks while `Member` is being made."""
    return any(base.__name__ == "Member" for base in kind.__bases__)


class Member(Schema):
    """Base of the families. Its direct subclasses are the families, their concrete subclasses the members."""

    tag: ClassVar[str] = "type"
    """The field that says which member a wire form is."""
    aliases: ClassVar[Mapping[str, str]] = {}
    """Older tags and what they are called now."""
    example: ClassVar["Example | None"] = None
    verb: ClassVar[str] = ""
    """The method by which the members of a family do their work."""
    registry: ClassVar[dict[str, type["Member"]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if _is_family(cls):
            cls.registry = {}
            _FAMILIES[cls.__name__] = cls
            return
        field: FieldInfo | None = cls.model_fields.get(cls.tag)
        if field is not None and isinstance(field.default, str):
            cls.registry[field.default] = cls

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        if _is_family(cls):
            return core_schema.no_info_plain_validator_function(cls.parse)
        return handler(source)  # type: ignore[no-any-return]

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
        if _is_family(cls):
            tags = {"enum": sorted(cls.registry)}
            return {"type": "object", "title": cls.__name__, "properties": {cls.tag: tags}, "required": [cls.tag]}
        return handler(core)

    @classmethod
    def implemented(cls) -> bool:
        """Return whether the member does its family's work; else it is read, written and refused by name at a run."""
        family = next((kind for kind in cls.__mro__ if _is_family(kind)), cls)
        return not cls.verb or getattr(cls, cls.verb) is not getattr(family, cls.verb)

    def unimplemented(self) -> Iterator[Problem]:
        """Yield, with its place, everything that the member asks for and that is not implemented yet."""
        if not type(self).implemented():
            yield Problem.of(self.not_yet())
        yield from super().unimplemented()

    def not_yet(self) -> NotImplementedYetError:
        """Return the error that names this member as not implemented yet."""
        family: type[Member] = next(kind for kind in type(self).__mro__ if _is_family(kind))
        known = ", ".join(sorted(tag for tag, kind in family.registry.items() if kind.implemented()))
        return NotImplementedYetError(
            f"the {family.__name__.lower()} {type(self).__name__!r} is not implemented yet",
            hint=f"there are {known}" if known else "leave it out",
        )

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return the member that a wire form describes; a member is returned as it is.

        Raises: `InvalidDocumentError` for an unknown tag, with the nearest ones.
        """
        if isinstance(value, cls):
            return value
        refuse_class(value, cls._article())
        if not isinstance(value, Mapping) and hasattr(value, "to_config"):
            value = value.to_config()
        if not isinstance(value, Mapping):
            raise InvalidDocumentError(
                f"{cls._article()} is an object with {_a(cls.tag)} {cls.tag!r}, not {value!r}",
                hint=f"for example {{{cls.tag!r}: {next(iter(cls.registry), '…')!r}}}",
            )
        discover()
        fields = dict(value)
        tag = fields.get(cls.tag)
        member = cls.registry.get(cls.aliases.get(str(tag), str(tag)))
        if member is None:
            raise cls._unknown(tag)
        fields[cls.tag] = member.model_fields[cls.tag].default
        return member(**fields)  # type: ignore[return-value]

    @classmethod
    def _unknown(cls, tag: Any) -> InvalidDocumentError:
        family = cls.__name__.lower()
        known = f"there are {', '.join(sorted(cls.registry))}"
        if not tag:
            return InvalidDocumentError(f"{cls._article()} needs {_a(cls.tag)} {cls.tag!r}", hint=known)
        return InvalidDocumentError(f"there is no {family} {tag!r}", hint=did_you_mean(str(tag), cls.registry) or known)

    @classmethod
    def _article(cls) -> str:
        return f"{_a(cls.__name__)} {cls.__name__.lower()}"


class Example(BaseModel):
    """A worked example of a member: its fields, what it is given, what it gives."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    fields: dict[str, Any] = {}
    given: dict[str, Any] = {}
    gives: dict[str, Any] = {}


_FAMILIES: dict[str, type[Member]] = {}


@lru_cache(maxsize=1)
def discover() -> None:
    """Import the modules that the entry point group `cellwright.members` names, ours among them, once."""
    for point in entry_points(group="cellwright.members"):
        point.load()


def members() -> dict[str, dict[str, type[Member]]]:
    """Return every family's members by tag."""
    discover()
    return {name: dict(family.registry) for name, family in _FAMILIES.items() if family.registry}


def problems_of(error: ValidationError, kind: type[BaseModel]) -> list[Problem]:
    """Return pydantic's findings in our words, each with its place."""
    problems: list[Problem] = []
    numbers: set[Any] = set()
    for finding in error.errors(include_url=False):
        *place, last = finding["loc"] or ("",)
        if place and last in {"int", "float"}:
            if tuple(place) in numbers:
                continue
            numbers.add(tuple(place))
            finding = finding | {"loc": tuple(place), "msg": "a number is needed"}
        silent = getattr(kind, "silent", ())
        at: Path = tuple(
            str(part) for part in finding["loc"] if part not in silent and not str(part).startswith("literal[")
        )
        cause = finding.get("ctx", {}).get("error")
        if isinstance(cause, InvalidDocumentError):
            problems.extend(Problem(p.severity, p.message, (*at, *p.at), p.hint, p.code) for p in cause.problems)
        elif isinstance(cause, ConfigurationError):
            problems.append(Problem("error", cause.message, (*at, *cause.at), cause.hint))
        else:
            problems.append(_finding(finding, at, kind))
    return problems


def _finding(finding: Mapping[str, Any], at: Path, kind: type[BaseModel]) -> Problem:
    match finding["type"]:
        case "extra_forbidden":
            known = [name for name in kind.model_fields if name != "type"]
            hint = did_you_mean(at[-1], known) or f"its fields are {', '.join(known)}"
            return Problem("error", f"{kind.__name__} has no field {at[-1]!r}", at, hint)
        case "missing":
            return Problem("error", f"{kind.__name__} needs the field {at[-1]!r}", at)
        case "literal_error":
            given = finding["input"]
            expected = str(finding["ctx"]["expected"])
            return Problem(
                "error",
                f"{given!r} is not one of {expected}",
                at,
                did_you_mean(str(given), [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]),
            )
        case "value_error" | "assertion_error":
            return Problem("error", str(finding["ctx"]["error"]), at)
        case _:
            given = finding["input"]
            shown = "an array" if isinstance(given, np.ndarray) else repr(given)
            return Problem("error", f"{finding['msg'][:1].lower()}{finding['msg'][1:]}, got {shown[:80]}", at)
