"""A pipeline document: ordered, named elements."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, field_validator

from cellwright.errors import CellwrightError, ConfigurationError, Problem, did_you_mean
from cellwright.schema.datasource import DataSource
from cellwright.schema.elements import LEGACY_KINDS, AnyElement, ArrayDataFit, DataFit, Element, Validation
from cellwright.schema.families import Calculation, Entry
from cellwright.schema.values import to_wire
from cellwright.schema.variant import InvalidDocumentError, Leaf, Schema, discover, refuse_class


def parse_element(given: Any) -> AnyElement:
    """Return the element that a wire form describes; an element is returned as it is.

    Raises: `InvalidDocumentError` with the nearest kinds or members.
    """
    if isinstance(given, Entry | Calculation | Element):
        return given
    refuse_class(given, "an element")
    if type(given).__name__ == "ParameterValues" and type(given).__module__.startswith("pybamm."):
        raise InvalidDocumentError(
            "PyBaMM's parameter values are no element", hint="make an entry of them: cellwright.from_pybamm(values)"
        )
    if not isinstance(given, Mapping):
        if hasattr(given, "to_config"):
            return parse_element(given.to_config())
        raise InvalidDocumentError(f"an element is an object with an 'element_type', not {given!r}")
    discover()
    config = dict(given)
    kind = str(config.pop("element_type", ""))
    kind = LEGACY_KINDS.get(kind.lower(), kind)
    if kind == "entry":
        return _entry(config)
    if kind == "calculation":
        config.setdefault("type", config.pop("calculation", None))
        return Calculation.parse(config)
    if kind in Element.registry:
        return Element.parse({**config, "element_type": kind})
    kinds = ["entry", "calculation", *Element.registry]
    raise InvalidDocumentError(
        f"there is no kind of element {kind!r}" if kind else "an element needs an 'element_type'",
        at=("element_type",),
        hint=did_you_mean(kind, kinds) or f"there are {', '.join(kinds)}",
    )


def _entry(config: dict[str, Any]) -> Entry:
    if config.get("path") is not None:
        return Entry.parse({**config, "name": "from_json"})
    if "name" in config:
        return Entry.parse(config)
    if "values" in config:
        config["parameters"] = config.pop("values")
    if not {"parameters", "pipeline_id", "cell_spec_id"} & config.keys():
        raise InvalidDocumentError("an entry needs 'values', 'pipeline_id' or 'cell_spec_id'")
    return Entry.parse({**config, "name": "direct_entry"})


class Pipeline(Schema):
    """Named elements in the order in which they run; each sees the parameters of all before it."""

    positional = ("elements", "output_file", "name", "description")
    silent = frozenset({"elements"})

    elements: dict[str, Any] = Field(default_factory=dict)
    output_file: str | None = None
    name: str | None = None
    description: str | None = None

    @field_validator("elements", mode="before")
    @classmethod
    def _elements(cls, given: Any) -> Any:
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            raise ConfigurationError(f"the elements are a dict of names and elements, not a {type(given).__name__}")
        elements: dict[str, AnyElement] = {}
        problems: list[Problem] = []
        for name, element in given.items():
            try:
                elements[str(name)] = parse_element(element)
            except InvalidDocumentError as error:
                found = error.problems
            except CellwrightError as error:
                found = [Problem.of(error)]
            else:
                continue
            problems.extend(replace(problem, at=(str(name), *problem.at)) for problem in found)
        if problems:
            raise InvalidDocumentError.of(problems)
        return elements

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the pipeline that a wire form describes."""
        return cls(**dict(config))

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Return the pipeline of a YAML or JSON file; `file:` and `folder:` in it are relative to its folder.

        Raises: `ConfigurationError` where the file is not there or cannot be read.
        """
        place = Path(path)
        try:
            text = place.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ConfigurationError(f"the file {place.name!r} is not in UTF-8", hint="save it in UTF-8") from None
        except OSError as cause:
            near = [other.name for other in place.parent.glob("*.y*ml")] if place.parent.is_dir() else []
            raise ConfigurationError(
                f"the file {str(path)!r} cannot be read: {cause.strerror}",
                hint=did_you_mean(place.name, near),
            ) from None
        try:
            config = json.loads(text) if place.suffix == ".json" else yaml.load(text, Loader=Loader)  # noqa: S506
        except (yaml.YAMLError, json.JSONDecodeError) as cause:
            unquoted = "flow mapping" in str(cause) and "got '['" in str(cause)
            raise ConfigurationError(
                f"{place.name} is not well formed: {cause}",
                hint="in braces a name with a unit stands in quotes: {'Thickness [m]': 1e-6}" if unquoted else None,
            ) from None
        if not isinstance(config, Mapping):
            raise ConfigurationError(f"{place.name} holds no pipeline", hint="begin with 'elements:'")
        folder = place.parent.resolve()
        pipeline = cls.from_config(config).with_data(lambda source, _: _anchored(source, folder))
        elements = {
            name: element.anchored(folder) if isinstance(element, Entry) else element
            for name, element in pipeline.elements.items()
        }
        return pipeline.model_copy(update={"elements": elements})

    def to_config(self) -> dict[str, Any]:
        """Return the wire form."""
        return self._dump(to_wire)

    def _dump(self, leaf: Leaf) -> dict[str, Any]:
        config = {
            "elements": {name: element_config(element, leaf) for name, element in self.elements.items()},
            "output_file": self.output_file,
            "name": self.name,
            "description": self.description,
        }
        return {name: value for name, value in config.items() if value is not None}

    def with_data(self, change: Callable[[DataSource, tuple[str, ...]], DataSource]) -> Self:
        """Return the pipeline with every data source replaced by `change(source, place in the document)`."""
        elements = {name: map_data(element, change, (name,)) for name, element in self.elements.items()}
        return self.model_copy(update={"elements": elements})


class SimplePipeline(Pipeline):
    """Older kind of pipeline, with one fit, array of fits or validation at most."""

    @field_validator("elements")
    @classmethod
    def _one_at_most(cls, elements: dict[str, AnyElement]) -> dict[str, AnyElement]:
        heavy = [name for name, element in elements.items() if isinstance(element, DataFit | ArrayDataFit | Validation)]
        if len(heavy) > 1:
            raise ConfigurationError(
                f"a SimplePipeline has one fit or validation at most; this one has {', '.join(map(repr, heavy))}",
                hint="use Pipeline, which takes any number",
            )
        return elements


class Loader(yaml.SafeLoader):
    """YAML as people write numbers, 1e-14 too, in which a name that stands twice is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node. Raises: `ConfigurationError` for a name that stands twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and key.value in seen:
                raise ConfigurationError(f"{key.value!r} stands twice, again in line {key.start_mark.line + 1}")
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*)(\.\d*)?[eE][-+]?\d+$"),
    list("-+0123456789"),
)


def element_config(element: AnyElement, leaf: Leaf = to_wire) -> dict[str, Any]:
    """Return the wire form of an element with its kind."""
    kind = kind_of(element)
    return {**element._dump(leaf), "element_type": kind}


def kind_of(element: AnyElement) -> str:
    """Return the wire's name of an element's kind."""
    if isinstance(element, Entry):
        return "entry"
    return "calculation" if isinstance(element, Calculation) else str(getattr(element, Element.tag))


def map_data(value: Any, change: Callable[[DataSource, tuple[str, ...]], DataSource], at: tuple[str, ...]) -> Any:
    """Return a value with the data sources in it replaced; what holds none is returned as it is."""
    if isinstance(value, DataSource):
        return change(value, at)
    if isinstance(value, Schema):
        new = {}
        for name, field in type(value).model_fields.items():
            old = getattr(value, name)
            changed = map_data(old, change, (*at, field.serialization_alias or name))
            if changed is not old:
                new[name] = changed
        return value.model_copy(update=new) if new else value
    if isinstance(value, dict):
        mapped = {key: map_data(item, change, (*at, str(key))) for key, item in value.items()}
        return mapped if any(mapped[key] is not value[key] for key in value) else value
    return value


def _anchored(source: DataSource, folder: Path) -> DataSource:
    for prefix in ("file:", "folder:"):
        if source.reference is not None and source.reference.startswith(prefix):
            return replace(source, reference=prefix + str(folder / source.reference.removeprefix(prefix)))
    return source
