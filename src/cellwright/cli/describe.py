"""What the registered members say of themselves: fields, types, defaults, formula, source, example."""

import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cellwright.errors import NotFoundError, did_you_mean
from cellwright.report.notation import value_text
from cellwright.schema.expressions import Expression
from cellwright.schema.free_parameter import Parameter
from cellwright.schema.values import Function, to_wire
from cellwright.schema.variant import Example, Member, Schema, members


@dataclass(frozen=True)
class FieldNote:
    """One field of a member; `written` is its key in a file where that is another than its name in Python."""

    name: str
    type: str
    required: bool
    default: Any
    text: str | None
    written: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the note as a JSON object without empty keys."""
        facts = {key: value for key, value in vars(self).items() if value is not None and key != "default"}
        return facts if self.required else {**facts, "default": to_wire(self.default)}


@dataclass(frozen=True)
class MemberNote:
    """One member of a family: what its class says. `line` names it in a file."""

    family: str
    name: str
    line: str | None
    summary: str
    text: str
    source: str | None
    fields: tuple[FieldNote, ...]
    example: Mapping[str, Any] | None
    works: bool
    """Whether it does its work; else it is read and written, and refused by name when a pipeline is to run."""
    later: tuple[str, ...]
    """The fields, as files write them, that do nothing yet and are refused by name."""

    def to_dict(self) -> dict[str, Any]:
        """Return the note as a JSON object."""
        return {**vars(self), "fields": [field.to_dict() for field in self.fields]}


def notes() -> list[MemberNote]:
    """Return a note of every registered member, by family and name, and of the free parameters of fits."""
    registered: dict[str, Mapping[str, type[Schema]]] = {**members(), "Free parameter": {"": Parameter}}
    return [
        note_of(family, tag, kind)
        for family, by_tag in sorted(registered.items())
        for tag, kind in sorted(by_tag.items())
    ]


def find(name: str) -> list[MemberNote]:
    """Return the notes of a name, or of a whole family; upper and lower case are alike.

    Raises: `NotFoundError` with the nearest names.
    """
    everything = notes()
    wanted = name.lower()
    by_name = [note for note in everything if wanted in {note.name.lower(), (note.line or "").lower().split(": ")[-1]}]
    found = by_name or [note for note in everything if note.family.lower() == wanted]
    if not found:
        known = {note.name for note in everything} | {note.family for note in everything}
        hint = did_you_mean(name, known) or "'cellwright describe' lists them all"
        raise NotFoundError(f"nothing is called {name!r}", hint=hint)
    return found


def note_of(family: str, tag: str, kind: type[Schema]) -> MemberNote:
    """Return what a class says of itself."""
    summary, text, source = split_docstring(inspect.getdoc(kind) or "")
    example: Example | None = getattr(kind, "example", None)
    return MemberNote(
        family=family,
        name=kind.__name__,
        line=f"{kind.tag}: {tag}" if issubclass(kind, Member) else None,
        summary=summary,
        text=text,
        source=source,
        fields=tuple(fields_of(kind)),
        example=None
        if example is None
        else {key: shown(value) for key in ("fields", "given", "gives") if (value := getattr(example, key))},
        works=not issubclass(kind, Member) or kind.implemented(),
        later=tuple(later_of(kind)),
    )


def shown(value: Any) -> Any:
    """Return a value of an example as JSON in which functions, expressions and tables are readable text."""
    if isinstance(value, Mapping):
        return {str(key): shown(item) for key, item in value.items()}
    if isinstance(value, Function | Expression):
        return value_text(value)
    if isinstance(value, Schema):
        return shown(value.to_config())
    return [shown(item) for item in value] if isinstance(value, list | tuple) else to_wire(value)


def later_of(kind: type[Schema]) -> Iterator[str]:
    """Yield the fields of a class and of the classes in its fields that do nothing yet, as files write them."""
    for name, field in kind.model_fields.items():
        written = field.serialization_alias or field.alias or name
        if name in kind.later:
            yield written
        for part in _parts(field.annotation):
            yield from (f"{written}.{inner}" for inner in later_of(part))


def split_docstring(doc: str) -> tuple[str, str, str | None]:
    """Return the first line, the text and the source of a docstring."""
    summary, _, rest = doc.partition("\n\n")
    paragraphs = rest.strip().split("\n\n") if rest.strip() else []
    sources = [paragraph for paragraph in paragraphs if paragraph.startswith("Source: ")]
    text = "\n\n".join(unwrapped(paragraph) for paragraph in paragraphs if paragraph not in sources)
    source = " ".join("; ".join(sources).removeprefix("Source: ").split())
    return " ".join(summary.split()), text, source or None


def unwrapped(paragraph: str) -> str:
    """Return a paragraph as one line; one with a list or indented lines stays as it is."""
    lines = paragraph.splitlines()
    return paragraph if any(line[:1] in {" ", "-"} for line in lines) else " ".join(lines)


def fields_of(kind: type[Schema], within: str = "") -> Iterator[FieldNote]:
    """Yield the fields that a user may set, the required ones first, each followed by the fields inside it."""
    tag = getattr(kind, "tag", None)
    open_to_user = [(name, field) for name, field in kind.model_fields.items() if name != tag]
    for name, field in sorted(open_to_user, key=lambda pair: not pair[1].is_required()):
        required = field.is_required()
        written = field.serialization_alias or field.alias
        yield FieldNote(
            name=within + name,
            type=type_text(field.annotation),
            required=required,
            default=None if required else field.get_default(call_default_factory=True, validated_data={}),
            text=field.description,
            written=None if written in {None, name} else f"{within}{written}",
        )
        for part in _parts(field.annotation):
            yield from fields_of(part, within=f"{within}{name}.")


def _parts(annotation: Any) -> Iterator[type[Schema]]:
    """Yield the classes in a type that are part of the document and no family."""
    if isinstance(annotation, type) and issubclass(annotation, Schema) and not issubclass(annotation, Member):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def type_text(annotation: Any) -> str:
    """Return a type as a user would write it: `"negative" | "positive"`, `list[str] | None`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is None or annotation is types.NoneType:
        return "None"
    if annotation is Any:
        return "any"
    if origin is Annotated:
        return type_text(arguments[0])
    if origin is Literal:
        return " | ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in arguments)
    if origin in {Union, types.UnionType}:
        return " | ".join(type_text(argument) for argument in arguments)
    if origin is not None and arguments:
        inner = ", ".join("…" if argument is Ellipsis else type_text(argument) for argument in arguments)
        return f"{getattr(origin, '__name__', origin)}[{inner}]"
    return getattr(annotation, "__name__", str(annotation))
