"""The families that a pipeline is made of, and what each of their members can do."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator, model_validator

from cellwright.errors import CellwrightError, ConfigurationError, NotImplementedYetError
from cellwright.schema.datasource import DataInput
from cellwright.schema.expressions import Expression
from cellwright.schema.groups import Group
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.search import Evaluate, Found, Space, slope_of
from cellwright.schema.simulation import ModelSpec, Simulate, Solved
from cellwright.schema.values import settled, values_by_name
from cellwright.schema.variant import Member, Schema

Array = NDArray[np.float64]

Comparison = Mapping[str, Mapping[str, tuple[Array, Array]]]
"""objective → variable → (model, data), two arrays of equal length."""
Derivatives = Mapping[str, Mapping[str, Array]]
"""objective → variable → derivatives (rows, d) of the model by the coordinates of a search."""


class Entry(Member):
    """An element that gives known values."""

    verb: ClassVar[str] = "compute"
    tag: ClassVar[str] = "name"
    literature: ClassVar[str | None] = None
    """Where the values of a set come from that is always the same."""

    source: str | None = None

    def compute(self, p: ParameterSet) -> Values:
        """Return the values by parameter name."""
        raise self.not_yet()

    def anchored(self, folder: Path) -> Self:
        """Return the entry of a document that lies in a folder: paths in it are relative to the folder."""
        return self


class Calculation(Member):
    """An element that derives parameters from others.

    `compute` works on numbers, arrays and expressions alike; what it reads of `p` is recorded.
    """

    verb: ClassVar[str] = "compute"
    unwritten = frozenset({"source"})
    table_columns: ClassVar[tuple[str, str | None] | None] = None
    """The columns that the two rows of a table are which a fit has found (None: one named like its parameter), where
    its data may be such a table."""

    source: str | None = None

    def compute(self, p: ParameterSet) -> Values:
        """Return the derived values by parameter name.

        Raises: `MissingParameterError` where a number is needed that nobody provides, `ConfigurationError` and
        `DataError` for values outside the formula's domain.
        """
        raise self.not_yet()


class Prepared(Protocol):
    """An objective with its model built: what was observed, and what the model says at given inputs."""

    @property
    def x_name(self) -> str:
        """The name of the independent variable, `Time [s]`."""
        ...

    @property
    def x(self) -> Array:
        """Where the variables are compared."""
        ...

    @property
    def observed(self) -> Mapping[str, Array]:
        """The measured values on `x`, by variable."""
        ...

    @property
    def used(self) -> frozenset[str]:
        """The free parameters that act on the prediction."""
        ...

    @property
    def reads(self) -> frozenset[str]:
        """All parameters that were read."""
        ...

    def predict(self, inputs: Mapping[str, float]) -> Solved:
        """Return the predicted variables on `x`; a failed solve is a status."""
        ...


class Cost(Member):
    """How far the model is from the data, as a number and, where there is one, as a residual array."""

    verb: ClassVar[str] = "scalar"
    positional = ()
    power: ClassVar[int] = 0
    """The power of a variable's unit in which the cost of that variable is told, where it is not normalised."""
    of_data: ClassVar[bool] = True
    """Whether it compares a model with data; a cost of metrics looks at the model alone."""

    @property
    def is_likelihood(self) -> bool:
        """Whether the cost is the negative logarithm of a likelihood, up to a constant."""
        return False

    @property
    def has_residuals(self) -> bool:
        """Whether there is a residual array."""
        one = np.ones(2)
        return self.residuals({"": {"": (one, one)}}) is not None

    @property
    def reads(self) -> frozenset[str]:
        """The names of the parameters that the cost looks up, such as a noise that is fitted."""
        return frozenset()

    def at(self, values: Mapping[str, float]) -> "Cost":
        """Return the cost with the parameters that it looks up at these values."""
        return self

    def unscaled(self) -> "Cost":
        """Return the cost without normalization, weights and scope."""
        return self

    def scalar(self, comparison: Comparison) -> float:
        """Return the cost."""
        raise self.not_yet()

    def residuals(self, comparison: Comparison) -> Array | None:
        """Return an array whose sum of squares is the cost, or None where the cost has none."""
        raise self.not_yet()

    def jacobian(self, comparison: Comparison, slopes: Derivatives) -> Array | None:
        """Return the derivatives (m, d) of the residual array, or None where they are not known.

        The model has a value in every row.
        """
        return None


class Regularizer(Member):
    """A term that is added to the cost of a fit and knows nothing of the data."""

    verb: ClassVar[str] = "term"

    @property
    def reads(self) -> frozenset[str]:
        """The names of the parameters that the term depends on."""
        return frozenset()

    def term(self, values: Mapping[str, float]) -> float:
        """Return what is added to the cost at these values of the parameters; infinite where they cannot be."""
        raise self.not_yet()

    def residuals(self, values: Mapping[str, float]) -> Array | None:
        """Return an array whose sum of squares is the term up to a constant, or None where it has none.

        The array has the same length at all values; it is NaN where the term is infinite.
        """
        return None

    @classmethod
    def prior(cls, value: Any, name: str) -> Self:
        """Return the prior of a parameter, in any form a document has for it; the name is that of its place.

        The fields of the distribution may stand beside its name, in place of an object of their own. A prior of several
        parameters keeps the list of their names.
        """
        if isinstance(value, Distribution):
            value = {"distribution": value}
        if isinstance(value, Mapping):
            names = value.get("name")
            fields = {"type": "Prior", **value, "name": names if isinstance(names, list | tuple) else name}
            if fields["type"] in cls.registry and fields["type"] != "Prior":
                raise cls._no_prior(fields["type"])
            if isinstance(fields.get("distribution"), str):
                kept = {key: fields.pop(key) for key in ("type", "name", "regularizer_weight") if key in fields}
                fields = {**kept, "distribution": fields}
            value = fields
        prior = cls.parse(value)
        if type(prior).__name__ != "Prior":
            raise cls._no_prior(type(prior).__name__)
        return prior if isinstance(getattr(prior, "name", None), list) else prior.model_copy(update={"name": name})

    @staticmethod
    def _no_prior(kind: str) -> ConfigurationError:
        return ConfigurationError(f"a prior cannot be a {kind}", hint="constraints and penalties are of an objective")


class Objective(Member):
    """What a fit or a validation compares or improves."""

    verb: ClassVar[str] = "prepare"
    live = frozenset({"callbacks"})

    options: Any = None
    callbacks: Any = None
    cost: Cost | None = None
    constraints: Any = None
    penalties: list[Regularizer] | None = None
    parameters: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "custom_parameters" not in given:
            return given
        if given["custom_parameters"] is not None:
            raise ConfigurationError(
                "'custom_parameters' is called 'parameters' now", at=("custom_parameters",), hint="rename it"
            )
        return {name: value for name, value in given.items() if name != "custom_parameters"}

    @field_validator("parameters", mode="before")
    @classmethod
    def _values(cls, given: Any) -> Any:
        return None if given is None else values_by_name(given, "an objective")

    @field_validator("constraints", "penalties")
    @classmethod
    def _of_their_kind(cls, given: Any, info: ValidationInfo) -> Any:
        return of_their_kind(given, str(info.field_name))

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return the objective of a wire form, older ones among them: `objective` for `type`, `model` on its own."""
        return super().parse(_modern(value) if isinstance(value, Mapping) else value)

    @property
    def origin(self) -> str | None:
        """What it is compared with, whatever is done to the data; None where there are none."""
        return None

    def ties(self, free: Collection[str]) -> Mapping[str, Expression]:
        """Return the parameters among the free ones that the objective makes expressions of the others."""
        return {}

    def conditions(self, limits: Mapping[str, tuple[float, float]]) -> Sequence[Regularizer]:
        """Return the terms that the objective adds to the cost, knowing the bounds of the parameters of a fit."""
        return ()

    def groups(self, p: ParameterSet, space: Space) -> Sequence[Group]:
        """Return the groups of free parameters that keep a condition together. Raises: `ConfigurationError`."""
        return ()

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> Prepared:
        """Build what the comparison needs; nothing is integrated.

        Raises: `DataError` for missing columns, `MissingParameterError` for parameters that the model lacks.
        """
        raise self.not_yet()


class FittingObjective(Objective):
    """An objective that compares measured data with what a model says of them."""

    positional: ClassVar[tuple[str, ...] | None] = (
        "data_input", "options", "callbacks", "custom_parameters", "constraints", "penalties", "parameters",
    )  # fmt: skip

    constraints: list[Regularizer] | None = None
    data_input: DataInput

    @property
    def origin(self) -> str | None:
        """What it is compared with, whatever is done to the data."""
        return self.data_input.origin


def of_their_kind(given: Any, field: str) -> Any:
    """Return the constraints or penalties of an objective or a fit. Raises: `ConfigurationError` for one of another."""
    kind = {"constraints": "Constraint", "penalties": "Penalty"}[field]
    for index, one in enumerate(given if isinstance(given, list) else []):
        if type(one).__name__ != kind:
            raise ConfigurationError(f"a {type(one).__name__} is no {kind}", at=(str(index),))
    return given


def _modern(config: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(config)
    if "objective" in fields:
        older = fields.pop("objective")
        if fields.setdefault("type", older) != older:
            raise ConfigurationError(
                f"an objective cannot be both {fields['type']!r} and {older!r}", hint="keep 'type' alone"
            )
    if "model" in fields:
        model, options = fields.pop("model"), fields.get("options") or {}
        options = options.to_config() if isinstance(options, Schema) else options
        fields["options"] = {"model": model, **options}
    return fields


class Distribution(Member):
    """A probability distribution of one parameter, or of several at once."""

    verb: ClassVar[str] = "log_density"
    tag: ClassVar[str] = "distribution"

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return the distribution of a wire form; older ones say `type` for `distribution`."""
        if isinstance(value, Mapping) and "type" in value and cls.tag not in value:
            value = {(cls.tag if key == "type" else key): item for key, item in value.items()}
        return super().parse(value)

    @property
    def dimensions(self) -> int:
        """How many parameters it is a distribution of."""
        return 1

    def log_density(self, x: Array) -> Array:
        """Return the natural logarithm of the density at values, -∞ where there is none.

        Of one parameter: values of any shape. Of d parameters: the last axis of `x` holds the d values of a point.
        """
        raise self.not_yet()

    @property
    def support(self) -> tuple[float, float]:
        """The values between which there is density, of each parameter."""
        return -np.inf, np.inf

    @property
    def has_residuals(self) -> bool:
        """Whether there is a residual array."""
        return type(self).residuals is not Distribution.residuals

    def residuals(self, x: Array) -> Array | None:
        """Return an array whose sum of squares is -ln p(x) up to a constant, or None where there is none.

        `x` is one value, or the d values of a point; NaN where the density is 0.
        """
        return None

    def quantile(self, q: Array) -> Array:
        """Return the values below which the fractions `q` of the probability lie.

        Raises: `ConfigurationError` for a distribution of several parameters, which has none.
        """
        raise ConfigurationError(
            f"{type(self).__name__} is a distribution of several parameters at once and has no quantile",
            hint="use a distribution of one parameter",
        )

    def sample(self, cube: Array) -> Array:
        """Return the values (n, d) of points (n, d) of the unit cube: uniform points become points of this kind."""
        return self.quantile(cube)


class Sampler(Member):
    """Draws points in the unit cube for the starts of a fit."""

    verb: ClassVar[str] = "draw"

    def draw(self, count: int, dimensions: int, rng: np.random.Generator) -> Array:
        """Return `count` points of the unit cube (count, dimensions)."""
        raise self.not_yet()


class Transform(Member):
    """A change of variable in which a parameter is searched.

    It may stand over another: `Log(Inverse(p))` is searched in ln(1/x). A member says one step, `forward` and
    `inverse`; `variable` and `value` go through the whole chain. A document keeps the outermost transform alone.
    """

    verb: ClassVar[str] = "forward"
    tag: ClassVar[str] = "transform"
    positional = ("parameter",)

    parameter: Any

    def forward(self, value: float) -> float:
        """Return the variable of a value: of a number, or of the variable of the transform below."""
        raise self.not_yet()

    def inverse(self, variable: float) -> float:
        """Return the value of a variable."""
        raise self.not_yet()

    def derivative(self, variable: float) -> float:
        """Return the derivative of `inverse`."""
        return slope_of(self.forward, self.inverse, variable)

    @property
    def domain(self) -> tuple[float, float]:
        """The values that have a variable lie between these two."""
        return -np.inf, np.inf

    @property
    def plain(self) -> Any:
        """The parameter that is searched, below all transforms."""
        return getattr(self.parameter, "plain", self.parameter)

    @property
    def limits(self) -> tuple[float, float]:
        """The bounds of the parameter, an infinite one moved into the domains of all transforms."""
        least, most = self.domain
        low, high = self.parameter.limits
        ends = []
        for end in (low, high):
            at = self.below(end)
            inside = min(max(at, least), most)
            ends.append(end if inside == at else self._above(inside))
        return ends[0], ends[1]

    def variable(self, value: float) -> float:
        """Return the search variable of the parameter's value."""
        return self.forward(self.below(value))

    def value(self, variable: float) -> float:
        """Return the parameter's value at a search variable."""
        return self._above(self.inverse(variable))

    def rate(self, variable: float) -> float:
        """Return the derivative of the parameter's value by a search variable."""
        own = self.derivative(variable)
        return own * self.parameter.rate(self.inverse(variable)) if isinstance(self.parameter, Transform) else own

    def below(self, value: float) -> float:
        """Return what the transform is given for the parameter's value: the variable of the one below, if any."""
        return self.parameter.variable(value) if isinstance(self.parameter, Transform) else value

    def _above(self, given: float) -> float:
        return self.parameter.value(given) if isinstance(self.parameter, Transform) else given


class Estimator(Member):
    """Finds the parameters that make a cost small."""

    verb: ClassVar[str] = "search"
    aliases: ClassVar[Mapping[str, str]] = {
        "Dummy": "DummyOptimizer",
        "Pints": "AskTellOptimizer",
        "PointEstimate": "PointEstimateOptimizer",
    }
    needs_residuals: ClassVar[bool] = False
    """Whether the search asks for residual arrays; costs without them are refused."""
    global_search: ClassVar[bool] = False
    """Whether the search covers the bounds and so needs them finite."""
    samples: ClassVar[bool] = False
    """Whether it draws samples of a probability rather than looking for a best point."""
    random: ClassVar[bool] = False
    """Whether chance has a part in its path."""
    ensemble: ClassVar[bool] = False
    """Whether all the points that it asks for are its result, rather than the best one alone."""
    chained: ClassVar[bool] = False
    """Whether one search makes several chains, one from each start of a fit, and draws from exp(-cost)."""

    @field_validator("type", mode="before", check_fields=False)
    @classmethod
    def _by_its_name(cls, tag: Any) -> Any:
        return cls.aliases.get(tag, tag) if isinstance(tag, str) else tag

    def limited(self, iterations: int) -> Self:
        """Return the search with at most so many iterations; one that has no such limit is returned as it is."""
        limitable = "max_iterations" in type(self).model_fields or self.model_config.get("extra") == "allow"
        own = getattr(self, "max_iterations", None)
        if not limitable or (isinstance(own, int) and own <= iterations):
            return self
        fields = {name: getattr(self, name) for name in (*self.model_fields_set, *(self.model_extra or {}))}
        return type(self)(**{**fields, "max_iterations": iterations})

    def roughly(self) -> Self:
        """Return the search that ends where it is seen how good a start is; by default the search itself."""
        return self

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the search from this space: fields that cannot be meant, or that have no use here."""
        yield from ()

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point. All randomness is drawn from `rng`; `evaluate` ends the search by raising."""
        raise self.not_yet()


class SimulationSettings(Schema):
    """Mesh and solver settings of a model, merged key by key over the model's own."""

    only_set = True

    var_pts: dict[str, int] | None = None
    submesh_types: dict[str, Any] | None = None
    spatial_methods: dict[str, Any] | None = None
    geometry: dict[str, Any] | None = None
    solver: Any = None

    @field_validator("submesh_types", "spatial_methods", "geometry", "solver", mode="before")
    @classmethod
    def _written(cls, given: Any) -> Any:
        return settled(given)


class Model(Member):
    """What is simulated, or worked out in closed form."""

    verb: ClassVar[str] = "spec"

    simulation_settings: Annotated[SimulationSettings | dict[str, Any] | None, Field(union_mode="left_to_right")] = None

    def not_yet(self) -> NotImplementedYetError:
        """Return the error that names this model as not implemented yet."""
        general = super().not_yet()
        hint = f"PyBaMM's models work, by name: 'SPM', 'SPMe', 'DFN'; beside them {general.hint}"
        return NotImplementedYetError(general.message, hint=hint)

    def spec(self) -> ModelSpec:
        """Return the model as simulations take it."""
        raise self.not_yet()
