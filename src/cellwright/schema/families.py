"""The families that a pipeline is made of, and what each of their members can do."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import ConfigurationError
from cellwright.schema.datasource import DataInput
from cellwright.schema.parameters import ParameterSet, Values
from cellwright.schema.search import Evaluate, Found, Space
from cellwright.schema.simulation import Simulate, Solved
from cellwright.schema.variant import Member, Schema

Array = NDArray[np.float64]

Comparison = Mapping[str, Mapping[str, tuple[Array, Array]]]
"""objective → variable → (model, data), two arrays of equal length."""


class Entry(Member):
    """An element that gives known values."""

    verb: ClassVar[str] = "compute"
    tag: ClassVar[str] = "name"

    source: str | None = None

    def compute(self, p: ParameterSet) -> Values:
        """Return the values by parameter name."""
        raise self.not_yet()


class Calculation(Member):
    """An element that derives parameters from others.

    `compute` works on numbers, arrays and expressions alike; what it reads of `p` is recorded.
    """

    verb: ClassVar[str] = "compute"
    unwritten = frozenset({"source"})

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

    def scalar(self, comparison: Comparison) -> float:
        """Return the cost."""
        raise self.not_yet()

    def residuals(self, comparison: Comparison) -> Array | None:
        """Return an array whose sum of squares is the cost, or None where the cost has none."""
        raise self.not_yet()


class Objective(Member):
    """What a fit or a validation compares: measured data with what a model says of them."""

    verb: ClassVar[str] = "prepare"
    later = frozenset({"constraints", "penalties"})
    positional = ("data_input", "options", "callbacks")

    options: Any = None
    callbacks: Any = None
    cost: Cost | None = None
    constraints: list[Any] | None = None
    penalties: list[Any] | None = None
    parameters: dict[str, Any] | None = None
    data_input: DataInput

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return the objective of a wire form, older ones among them: `objective` for `type`, `model` on its own."""
        return super().parse(_modern(value) if isinstance(value, Mapping) else value)

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> Prepared:
        """Build what the comparison needs; nothing is integrated.

        Raises: `DataError` for missing columns, `MissingParameterError` for parameters that the model lacks.
        """
        raise self.not_yet()


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
    """A probability distribution of one parameter."""

    verb: ClassVar[str] = "quantile"
    tag: ClassVar[str] = "distribution"

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Return the distribution of a wire form; older ones say `type` for `distribution`."""
        if isinstance(value, Mapping) and "type" in value and cls.tag not in value:
            value = {(cls.tag if key == "type" else key): item for key, item in value.items()}
        return super().parse(value)

    def quantile(self, q: Array) -> Array:
        """Return the values below which the fractions `q` of the probability lie."""
        raise self.not_yet()


class Sampler(Member):
    """Draws points in the unit cube for the starts of a fit."""

    verb: ClassVar[str] = "draw"

    def draw(self, count: int, dimensions: int, rng: np.random.Generator) -> Array:
        """Return `count` points of the unit cube (count, dimensions)."""
        raise self.not_yet()


class Transform(Member):
    """A change of variable in which a parameter is searched."""

    verb: ClassVar[str] = "forward"
    tag: ClassVar[str] = "transform"
    positional = ("parameter",)

    parameter: Any

    def forward(self, value: float) -> float:
        """Return the search variable of a value."""
        raise self.not_yet()

    def inverse(self, variable: float) -> float:
        """Return the value of a search variable."""
        raise self.not_yet()


class Estimator(Member):
    """Finds the parameters that make a cost small."""

    verb: ClassVar[str] = "search"
    aliases: ClassVar[Mapping[str, str]] = {}
    needs_residuals: ClassVar[bool] = False
    """Whether the search asks for residual arrays; costs without them are refused."""
    global_search: ClassVar[bool] = False
    """Whether the search covers the bounds and so needs them finite."""

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
