"""Elements that work on objectives: fits, analyses of a fit, validations; and the free parameters of fits."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator

from cellwright.errors import CellwrightError, ConfigurationError
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
    of_their_kind,
)
from cellwright.schema.free_parameter import Parameter
from cellwright.schema.guesses import guesses_of
from cellwright.schema.priors import implied, priors_by_name
from cellwright.schema.search import Dimension
from cellwright.schema.values import Function, normalise
from cellwright.schema.variant import Example, Member, Schema

FreeParameter: TypeAlias = Parameter | Transform | Expression | Function

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
    """Seed, limits and log of a fit.

    Without `seed` one is taken from the clock where chance has a part in the fit; the result tells it, and a fit that
    goes on after a stop keeps it.
    `max_iterations` and `maxtime` [s] hold for each start. With `validate` the check tells of fit parameters that no
    model uses. With `low_memory` the log has only improvements of 0.1 % of the best cost; without a choice it is on for
    searches without chance. With `skip_objective_callbacks` the objectives are not simulated at the start and the end
    for their statistics and curves.
    """

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


class Fit(Element):
    """What all elements share that stand on objectives, free parameters and a cost."""

    positional = (
        "objectives", "source", "parameters", "cost", "initial_guesses", "optimizer", "cost_logger", "multistarts",
        "objective_parallelism", "initial_guess_sampler", "priors", "options",
    )  # fmt: skip
    unwritten = frozenset({"source"})
    live = frozenset({"cost_logger"})

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
    constraints: list[Regularizer] | None = None
    penalties: list[Regularizer] | None = None
    options: DataFitOptions | None = None

    @field_validator("priors", mode="before")
    @classmethod
    def _priors(cls, given: Any) -> Any:
        return None if given is None else priors_by_name(given)

    @field_validator("constraints", "penalties")
    @classmethod
    def _of_their_kind(cls, given: Any, info: ValidationInfo) -> Any:
        return of_their_kind(given, str(info.field_name))

    @field_validator("initial_guesses", mode="before")
    @classmethod
    def _guessed(cls, given: Any, info: ValidationInfo) -> Any:
        return None if given is None else guesses_of(given, (info.data.get("parameters") or {}).keys())

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
        return {name: _bound(value, result.keys() - {name}) for name, value in result.items()}

    @field_validator("options", mode="before")
    @classmethod
    def _options(cls, given: Any) -> Any:
        return DataFitOptions(**given) if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _something_free(self) -> "Fit":
        if not self.parameters and not self.priors:
            raise ConfigurationError("a fit needs parameters", at=("parameters",))
        if not self.objectives:
            raise ConfigurationError("a fit needs at least one objective", at=("objectives",))
        return self

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The free parameters as dimensions of a search, those of the initial guess in place of their starts."""
        return tuple(dimension(name, value) for name, value in self.free.items())

    @property
    def free(self) -> dict[str, Parameter | Transform]:
        """The free parameters by name: those that are given, else those that the priors make.

        Those that an objective makes an expression of the others are none of them.
        """
        tied = self._tied_by_objectives
        return {name: value for name, value in self.given.items() if name not in tied}

    @property
    def given(self) -> dict[str, Parameter | Transform]:
        """The parameters with bounds, as they are given or the priors make them."""
        if not self.parameters:
            return implied(self.priors or {})
        return {name: value for name, value in self.parameters.items() if isinstance(value, Parameter | Transform)}

    @property
    def plain(self) -> dict[str, Parameter]:
        """The free parameters below their transforms."""
        return {name: one.plain if isinstance(one, Transform) else one for name, one in self.free.items()}

    @property
    def tied(self) -> dict[str, Expression | Function]:
        """The parameters that are expressions of the free ones, and functions with free coefficients."""
        given = {n: value for n, value in (self.parameters or {}).items() if isinstance(value, Expression | Function)}
        return {**given, **self._tied_by_objectives}

    @property
    def _tied_by_objectives(self) -> dict[str, Expression]:
        names = self.given.keys()
        return {name: value for one in self.objectives.values() for name, value in one.ties(names).items()}


EXAMPLE: dict[str, Any] = {
    "objectives": {
        "1C": {
            "type": "CurrentDriven",
            "data": {"Time [s]": [0.0, 600.0], "Current [A]": [5.0, 5.0], "Voltage [V]": [4.1, 3.9]},
            "options": {"model": "SPM"},
        }
    },
    "parameters": {"Positive particle radius [m]": {"initial_value": 5e-6, "bounds": [1e-6, 1e-5]}},
}


class DataFit(Fit):
    """Fits unknown parameters to measurements.

    Minimises the cost over the objectives by the optimizer, from the initial values of the parameters or from
    `multistarts` starts that the sampler draws; the best point's values flow on. Without a cost the sum of squared
    errors is taken, without an optimizer `ScipyLeastSquares` where the cost has residuals, else `ScipyMinimize`; of
    designs `DesignFunction` and `CMAES`, or Nelder-Mead where a parameter has no bounds. A parameter without initial
    value starts where the elements before left it.

    A parameter may be an expression of others (`{"expression": "2 * 'a'"}`, a PyBaMM expression) or a function with
    fitted coefficients (`lambda sto: pybamm.Parameter("a") * sto**2`); an argument of a function that is called like
    another parameter of the fit is that parameter. `priors`, the `constraints` and `penalties` of the fit and those of
    its objectives are added to the cost; priors alone make the fit parameters. `initial_guesses` is a dict for every
    start, a list or table with one for each, or the result of an earlier fit. `cost_logger` is a function that is
    called with a row for each improvement of the cost (evaluations, seconds, cost, inputs_unscaled), the `callbacks` of
    an objective with the same row and its name; one that returns True ends the search.
    With workers the objectives of all points of a batch are solved at the same time; with `objective_parallelism` "off"
    one objective after the other. The numbers are the same.

    A simulation that ends before the data, as where the cell is empty too soon, is compared where both are, and what is
    missing is penalised as `nan_values` of the cost says: without a choice its last value goes on. One that fails, ends
    its process or takes more than a minute costs the search that point alone. All of these are counted and told; only
    where not one point could be solved is it an error, which tells the commonest cause.

    Source: Seber & Wild, Nonlinear Regression (1989), ch. 2.
    """

    example: ClassVar = Example(fields=EXAMPLE)

    element_type: Literal["data_fit"] = "data_fit"

    @field_validator("objectives", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return _by_kind(given)


def _by_kind(given: Any) -> Any:
    """Return one objective on its own under the name of its kind."""
    if isinstance(given, Objective):
        return {type(given).__name__: given}
    if isinstance(given, Mapping):
        tag = given.get("type", given.get("objective"))
        return {tag: given} if isinstance(tag, str) else given
    return given


class ArrayDataFit(Fit):
    """The same fit at each value of a variable: at each temperature, rate or pulse.

    `objectives` are named by the value of the variable (`{298.15: …, 313.15: …}`); each is fitted on its own, and each
    free parameter becomes a table: the values of the variable, in their order, above what was found at each. A
    calculation takes it as its data by the parameter's name (`data="table:Positive particle diffusivity [m2.s-1]"`). A
    fit that fails is told, and leaves its value out of the tables.

    Source: Seber & Wild, Nonlinear Regression (1989), ch. 2 (each fit).
    """

    example: ClassVar = Example(fields={**EXAMPLE, "objectives": {"298.15": EXAMPLE["objectives"]["1C"]}})

    element_type: Literal["array_data_fit"] = "array_data_fit"

    @field_validator("objectives", mode="before")
    @classmethod
    def _by_value(cls, given: Any) -> Any:
        if isinstance(given, Objective) or (isinstance(given, Mapping) and {"type", "objective"} & given.keys()):
            raise ConfigurationError(
                "the objectives of an array fit are a dict of the variable's values and objectives",
                hint="write {298.15: …, 313.15: …}",
            )
        return {str(value): objective for value, objective in given.items()} if isinstance(given, Mapping) else given


class Analysis(Fit):
    """What is asked about a point that has been found; nothing is searched.

    The point is where the elements before it have left the parameters; `initial_guesses` come before these, the initial
    values of parameters that have no value yet after them.
    """

    example: ClassVar = Example(fields=EXAMPLE)

    @field_validator("objectives", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return _by_kind(given)

    @field_validator("optimizer")
    @classmethod
    def _at_a_point(cls, given: Estimator | None) -> Estimator | None:
        if given is not None and type(given).__name__ != "PointEstimateOptimizer":
            raise ConfigurationError(
                f"{cls.__name__} stands at a point that is found already, and {type(given).__name__} searches",
                hint="leave the optimizer out",
            )
        return given


class LinearConfidenceInterval(Analysis):
    """Confidence intervals of the parameters from the curvature of the likelihood at the best point.

    θ ± q σ_θ in the variable that a parameter is searched in, which makes those of a `Log10` asymmetric. σ_θ² is on the
    diagonal of H⁻¹, with H the Hessian of the negative logarithm of the likelihood, by differences; with `gauss_newton`
    it is that of (JᵀJ)⁻¹ Jᵀ D J (JᵀJ)⁻¹, with J the derivatives of the weighted residuals and D the variances of their
    noise, σ² (JᵀJ)⁻¹ where all are alike. The noise of a variable is its `variable_standard_deviations` or that of the
    cost, and q a quantile of the normal distribution; where none is given it is that of the residuals,
    σ² = SSE / (N - p), and q one of Student's t with N - p degrees of freedom. `use_parameter_bounds` ends the
    intervals at the bounds.

    Source: Seber & Wild, Nonlinear Regression (1989), section 5.1.
    """

    element_type: Literal["linear_confidence_interval"] = "linear_confidence_interval"
    confidence_level: float = 0.95
    gauss_newton: bool = True
    use_parameter_bounds: bool = True
    variable_standard_deviations: dict[str, Any] | None = None


class SobolSensitivity(Analysis):
    """How much of the variance of the cost each parameter makes within its bounds.

    S_i = Var(E(y | θ_i)) / Var(y) and, with all interactions, T_i = 1 - Var(E(y | θ_~i)) / Var(y), from `n_samples`
    base points of a Sobol sequence (best a power of 2), n (d + 2) solves, with `calc_second_order` n (2 d + 2). The
    values are even between the bounds, with `use_log_transform` in their logarithms. A base point of which one solve
    failed is left out.

    Source: Saltelli et al., Comput. Phys. Commun. 181 (2010) 259, doi:10.1016/j.cpc.2009.09.018.
    """

    element_type: Literal["sobol_sensitivity"] = "sobol_sensitivity"
    n_samples: int = 256
    calc_second_order: bool = False
    use_log_transform: bool = False


class Validation(Element):
    """Compares the parameters with measurements that no fit has seen.

    Simulates every objective with the parameters of the elements before it; nothing is fitted. `summary_stats` are
    costs without normalization, in the unit of the variable, volts told in mV; default RMSE, MAE and Max.

    Source: Hyndman & Koehler, Int. J. Forecasting 22 (2006) 679, doi:10.1016/j.ijforecast.2006.03.001.
    """

    positional = ("objectives", "summary_stats")
    example: ClassVar = Example(fields={"objectives": EXAMPLE["objectives"]})

    element_type: Literal["validation"] = "validation"
    objectives: dict[str, Objective]
    summary_stats: list[Cost] | None = None

    @field_validator("summary_stats", mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            return given
        return [{"type": cost} if isinstance(cost, str) else cost for cost in given]


AnyElement: TypeAlias = Entry | Calculation | Element


def data_fit(element: Fit, **changes: Any) -> DataFit:
    """Return the plain fit of what an element stands on, with changes."""
    fields = {name: getattr(element, name) for name in Fit.model_fields}
    return DataFit.model_construct(**{**fields, **changes})


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
    if isinstance(value, Expression | Function):
        return value
    raise ConfigurationError(
        f"a fit parameter cannot be {given!r}",
        hint="give a Parameter, a transform of one, an expression of others, or a function",
    )


def _bound(value: FreeParameter, names: Collection[str]) -> FreeParameter:
    """Return a function whose arguments are names of other parameters as what it makes of those."""
    if not isinstance(value, Function):
        return value
    rest = tuple(argument for argument in value.arguments if argument not in names)
    return Function(rest, value.body, value.label) if rest else value.body


def dimension(name: str, given: FreeParameter) -> Dimension:
    """Return the dimension of a search that a free parameter makes."""
    assert isinstance(given, Parameter | Transform)
    transform = given if isinstance(given, Transform) else None
    plain: Parameter = transform.plain if transform else given  # type: ignore[assignment]
    forward = transform.variable if transform else float
    inverse = transform.value if transform else float
    low, high = given.limits
    start = plain.initial_value
    if start is None:
        ends = [forward(low), forward(high)]
        start = inverse(sum(ends) / 2) if all(abs(end) < float("inf") for end in ends) else 1.0
    rate = transform.rate if transform else itself_rate
    return Dimension(name, float(start), low, high, forward, inverse, plain.normalize is not False, rate)


def itself_rate(_: float) -> float:
    """Return 1: the derivative of what is searched in itself."""
    return 1.0
