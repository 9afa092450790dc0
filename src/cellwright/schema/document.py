"""A pipeline document: ordered, named elements."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeAlias

import yaml
from pydantic import Field, field_validator, model_validator

from cellwright.errors import CellwrightError, ConfigurationError, Problem, did_you_mean
from cellwright.schema import contract
from cellwright.schema.datasource import DataSource
from cellwright.schema.expressions import Expression
from cellwright.schema.families import (
    Calculation,
    Cost,
    Entry,
    Estimator,
    Objective,
    Regularizer,
    Sampler,
    Transform,
)
from cellwright.schema.free_parameter import Parameter
from cellwright.schema.search import Dimension
from cellwright.schema.values import normalise, to_wire
from cellwright.schema.variant import InvalidDocumentError, Leaf, Member, Schema, discover

FreeParameter: TypeAlias = Parameter | Transform | Expression

LEGACY_KINDS = {
    "direct entry": "entry",
    "calculation": "calculation",
    "data fit": "data_fit",
    "datafit": "data_fit",
    "array data fit": "array_data_fit",
    "arraydatafit": "array_data_fit",
    "validation": "validation",
    "linear confidence interval": "linear_confidence_interval",
    "sobol sensitivity": "sobol_sensitivity",
}


class DataFitOptions(Schema):
    """Seed and limits of a fit."""

    only_set = True

    seed: int | None = Field(default=None, ge=0, le=4294967295)
    low_memory: bool | None = None
    max_iterations: int | None = Field(default=None, gt=0)
    maxtime: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    validate_: bool = Field(default=True, alias="validate")
    skip_objective_callbacks: bool = False


class Element(Member):
    """An element that works on objectives: it fits, validates or analyses."""

    tag: ClassVar[str] = "element_type"
    aliases = LEGACY_KINDS
    runs: ClassVar[bool] = True
    """Whether the engine runs this kind of element."""

    @classmethod
    def implemented(cls) -> bool:
        """Return whether the engine runs this kind of element."""
        return cls.runs


class DataFit(Element):
    """Fits unknown parameters to measurements.

    Minimises the cost over the objectives by the optimizer, from the initial values of the parameters or from
    `multistarts` starts that the sampler draws; the best point's values flow on. Without a cost the sum of squared
    errors is taken, without an optimizer `ScipyLeastSquares` where the cost has residuals, else `ScipyMinimize`. A
    parameter without initial value starts where the elements before left it. Without a seed 0 is taken.

    Source: Seber & Wild, Nonlinear Regression (1989), ch. 2.
    """

    positional = (
        "objectives", "source", "parameters", "cost", "initial_guesses", "optimizer", "cost_logger", "multistarts",
        "objective_parallelism", "initial_guess_sampler", "priors", "options",
    )  # fmt: skip
    unwritten = frozenset({"source"})
    later = frozenset({"priors"})

    element_type: Literal["data_fit"] = "data_fit"
    objectives: dict[str, Objective]
    source: str = ""
    parameters: dict[str, Any] | None = None
    cost: Cost | None = None
    initial_guesses: dict[str, int | float] | list[dict[str, int | float]] | None = None
    optimizer: Estimator | None = None
    cost_logger: Any = None
    multistarts: int | None = Field(default=None, ge=1)
    objective_parallelism: Literal["auto", "on", "off"] = "auto"
    initial_guess_sampler: Sampler | None = None
    priors: dict[str, Regularizer] | None = None
    options: DataFitOptions | None = None

    @field_validator("priors", mode="before")
    @classmethod
    def _priors(cls, given: Any) -> Any:
        return None if given is None else priors_by_name(given)

    @field_validator("objectives", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if isinstance(given, Objective):
            return {type(given).__name__: given}
        if isinstance(given, Mapping):
            tag = given.get("type", given.get("objective"))
            return {tag: given} if isinstance(tag, str) else given
        return given

    @field_validator("parameters", mode="before")
    @classmethod
    def _free(cls, given: Any) -> Any:
        if given is None:
            return None
        if not isinstance(given, Mapping):
            raise ConfigurationError("the parameters of a fit are a dict of names and parameters")
        result = {}
        for name, value in given.items():
            try:
                result[str(name)] = free_parameter(str(name), value)
            except CellwrightError as error:
                raise error.within(str(name)) from None
        return result

    @field_validator("options", mode="before")
    @classmethod
    def _options(cls, given: Any) -> Any:
        return DataFitOptions(**given) if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _something_free(self) -> "DataFit":
        if not self.parameters and not self.priors:
            raise ConfigurationError("a fit needs parameters", at=("parameters",))
        if not self.objectives:
            raise ConfigurationError("a fit needs at least one objective", at=("objectives",))
        return self

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The free parameters as dimensions of a search, those of the initial guess in place of their starts."""
        free = {n: v for n, v in (self.parameters or {}).items() if not isinstance(v, Expression)}
        return tuple(dimension(name, value) for name, value in free.items())

    @property
    def tied(self) -> dict[str, Expression]:
        """The parameters that are expressions of the free ones."""
        return {name: value for name, value in (self.parameters or {}).items() if isinstance(value, Expression)}


class Validation(Element):
    """Compares the parameters with measurements that no fit has seen.

    Simulates every objective with the parameters of the elements before it; nothing is fitted. `summary_stats` are
    costs without normalization, in the unit of the variable, volts told in mV; default RMSE, MAE and Max.

    Source: Hyndman & Koehler, Int. J. Forecasting 22 (2006) 679, doi:10.1016/j.ijforecast.2006.03.001.
    """

    positional = ("objectives", "summary_stats")

    element_type: Literal["validation"] = "validation"
    objectives: dict[str, Objective]
    summary_stats: list[Cost] | None = None

    @field_validator("summary_stats", mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return [{"type": cost} if isinstance(cost, str) else cost for cost in given] if given else given


AnyElement: TypeAlias = Entry | Calculation | Element


def parse_element(given: Any) -> AnyElement:
    """Return the element that a wire form describes; an element is returned as it is.

    Raises: `InvalidDocumentError` with the nearest kinds or members.
    """
    if isinstance(given, Entry | Calculation | Element):
        return given
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
    if kind in Element.registry or kind in contract.MEMBERS["Element"]:
        return Element.parse({**config, "element_type": kind})
    kinds = ["entry", "calculation", *Element.registry]
    raise InvalidDocumentError(
        f"there is no kind of element {kind!r}" if kind else "an element needs an 'element_type'",
        at=("element_type",),
        hint=did_you_mean(kind, kinds) or f"there are {', '.join(kinds)}",
    )


def _entry(config: dict[str, Any]) -> Entry:
    if config.get("path") is not None:
        return Entry.parse({"name": "from_json"})
    if "name" in config:
        return Entry.parse(config)
    if "values" in config:
        config["parameters"] = config.pop("values")
    if not {"parameters", "pipeline_id", "cell_spec_id"} & config.keys():
        raise InvalidDocumentError("an entry needs 'values', 'pipeline_id' or 'cell_spec_id'")
    return Entry.parse({**config, "name": "direct_entry"})


def free_parameter(name: str, given: Any) -> FreeParameter:
    """Return a free parameter, its transform, or the expression that ties it to others."""
    if isinstance(given, Parameter):
        return given if given.name == name else given.model_copy(update={"name": name})
    if isinstance(given, Transform):
        return given.model_copy(update={"parameter": free_parameter(name, given.parameter)})
    if isinstance(given, Mapping) and not {"$type", "expression"} & given.keys():
        fields = {key: value for key, value in given.items() if key not in {"transform", "name"}}
        inner = Parameter(name=name, **fields)
        return (
            inner
            if "transform" not in given
            else Transform.parse({"transform": given["transform"], "parameter": inner})
        )
    if not isinstance(given, Expression) and hasattr(given, "to_config"):
        return free_parameter(name, given.to_config())
    value = normalise(given)
    if isinstance(value, Expression):
        return value
    raise ConfigurationError(
        f"a fit parameter cannot be {given!r}",
        hint="give a Parameter, a transform of one, or an expression of others",
    )


def priors_by_name(given: Any) -> dict[str, Regularizer]:
    """Return the priors of a fit by the names of their parameters.

    Raises: `ConfigurationError` for forms that lose the names in a document: a list, a prior of several parameters.
    """
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            "the priors of a fit are a dict of parameter names and priors: a list loses the names in a document",
            hint="write {name: Prior(name, distribution)}",
        )
    priors = {}
    for name, value in given.items():
        try:
            prior = Regularizer.prior(value, str(name))
            if prior.distribution.dimensions > 1:  # type: ignore[attr-defined]
                raise ConfigurationError(
                    "a prior of several parameters at once loses their names in a document",
                    hint="give each parameter its own prior",
                )
        except CellwrightError as error:
            raise error.within(str(name)) from None
        priors[str(name)] = prior
    return priors


def dimension(name: str, given: FreeParameter) -> Dimension:
    """Return the dimension of a search that a free parameter makes."""
    assert not isinstance(given, Expression)
    transform = given if isinstance(given, Transform) else None
    plain: Parameter = transform.plain if transform else given  # type: ignore[assignment]
    forward = transform.variable if transform else float
    inverse = transform.value if transform else float
    low, high = given.limits
    start = plain.initial_value
    if start is None:
        ends = [forward(low), forward(high)]
        start = inverse(sum(ends) / 2) if all(abs(end) < float("inf") for end in ends) else 1.0
    return Dimension(name, float(start), low, high, forward, inverse, plain.normalize is not False)


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
            raise ConfigurationError(f"{place.name} is not well formed: {cause}") from None
        if not isinstance(config, Mapping):
            raise ConfigurationError(f"{place.name} holds no pipeline", hint="begin with 'elements:'")
        folder = place.parent.resolve()
        return cls.from_config(config).with_data(lambda source, _: _anchored(source, folder))

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
