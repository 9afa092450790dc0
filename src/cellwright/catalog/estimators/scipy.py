"""Estimators of SciPy: they ask for batches of points and keep nothing of their own between them."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, model_validator

from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Array, Estimator
from cellwright.schema.search import Condition, Evaluate, Found, Space
from cellwright.schema.variant import Example

DIFFERENCE_STEP = 2e-3
"""Step of forward differences in search coordinates, where the bounds are 0 and 1.

Solutions on a measured, noisy current carry integration errors of some 1e-5 V, so SciPy's default step of 1e-8 differs
noise; a step of this size is well above them and small against the curvature.
"""
EXACT_STEP = 6e-6
"""Step of central differences where predictions are known to rounding: the cube root of that."""
EXACT = {"xtol": 1e-10, "ftol": 1e-14}
"""Tolerances where predictions are known to rounding. There is none of the gradient but in "lm": elsewhere it has a
unit, and would end a search of small differences where it starts."""
PATIENCE = 1000
"""Steps for each parameter where predictions are formulas, which cost little: sums of exponentials may need them."""
SMALLEST = 1e-2
"""Share of its start that stands for the size of an unbounded parameter closer to 0 than that."""
FAILED = 1e3
"""Residual that stands for a solve that failed: far more than any that succeeds, so that the step is taken back."""
FAILED_COST = 1e12
"""Cost that stands for a solve that failed: a large number, which line searches can step back from."""
CEILING = 10.0
"""How far above the start, in units of its size, a line search is told a cost as it is; what is higher is told as that.

A line search fits a cubic to what it is told: a cost of 1e20, where a likelihood meets a noise that is far too small or
a simulation that ended early, would have it step back to where it stands, and end there.
"""
CONSTRAINED_METHODS = frozenset({"COBYLA", "COBYQA", "SLSQP", "trust-constr"})
GRADIENT_METHODS = frozenset({"CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "trust-constr"})


class ScipyEstimator(Estimator):
    """Base of the wrappers: further keywords go to the SciPy function as they are."""

    model_config = ConfigDict(extra="allow")
    positional = ()

    keywords: ClassVar[Mapping[str, str]] = {}
    """What SciPy's function calls the fields that all searches name alike."""

    def _extra(self) -> dict[str, Any]:
        return {self.keywords.get(name, name): value for name, value in (self.model_extra or {}).items()}

    def limited(self, iterations: int) -> Self:
        """Return the search with at most so many iterations; a smaller limit in SciPy's own words stands."""
        own = (self.model_extra or {}).get(self.keywords.get("max_iterations", ""))
        return self if isinstance(own, int) and own <= iterations else super().limited(iterations)


class ScipyLeastSquares(ScipyEstimator):
    """Local least squares on the residual array, with bounds.

    Minimises ½ Σ r² by a trust region (`method="trf"`), "dogbox" or Levenberg-Marquardt ("lm", without bounds). The
    Jacobian comes from forward differences, all columns in one batch; where what is predicted is a formula, from
    central ones with steps as small as rounding allows, and the search goes on to about 8 digits. Without bounds
    the trust region has the shape of the Jacobian (Moré).

    Source: Branch, Coleman & Li, SIAM J. Sci. Comput. 21 (1999) 1, doi:10.1137/S1064827595289108 (trf); Moré,
    in Numerical Analysis, Lect. Notes Math. 630 (1978) 105, doi:10.1007/BFb0067700.
    """

    type: Literal["ScipyLeastSquares"] = "ScipyLeastSquares"
    keywords: ClassVar[Mapping[str, str]] = {"max_iterations": "max_nfev"}
    needs_residuals: ClassVar[bool] = True

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point that `scipy.optimize.least_squares` finds from the start."""
        from scipy.optimize import least_squares

        residuals = Remembered(lambda points: residuals_of(evaluate(points).residuals))
        options = self._extra()
        bounded = options.get("method", "trf") != "lm"
        if bounded:
            options["bounds"] = (space.lower, space.upper)
        if not space.bounded:
            options = {"x_scale": "jac"} | options
        tolerances: dict[str, Any] = {"xtol": 1e-6, "ftol": 1e-8}
        if space.closed_form:
            tolerances = {"max_nfev": PATIENCE * len(space.dimensions), **EXACT, "gtol": None if bounded else 1e-12}
        result = called(
            least_squares,
            lambda x: np.where(np.isfinite(residuals.at(x)), residuals.at(x), FAILED),
            _inside(space) if bounded else space.initial,
            jac=lambda x: (central_differences if space.closed_form else differences)(residuals, x, space),
            **(tolerances | options),
        )
        return Found(np.asarray(result.x), bool(result.status > 0), str(result.message), int(result.njev or 0))


class ScipyMinimize(ScipyEstimator):
    """Local minimisation of the scalar cost: L-BFGS-B unless another `method` is named.

    Methods that use a gradient get it from central differences, all in one batch. The constraints of a fit are
    penalties in its cost, as they are for every estimator; with `hard_constraints` the methods SLSQP, trust-constr,
    COBYLA and COBYQA are told of them besides, and keep to them exactly, within the tolerance of the method.

    Source: Byrd, Lu, Nocedal & Zhu, SIAM J. Sci. Comput. 16 (1995) 1190, doi:10.1137/0916069 (L-BFGS-B).
    """

    type: Literal["ScipyMinimize"] = "ScipyMinimize"
    hard_constraints: bool | None = None

    @model_validator(mode="after")
    def _can_keep_them(self) -> "ScipyMinimize":
        method = (self.model_extra or {}).get("method", "L-BFGS-B")
        if self.hard_constraints and method not in CONSTRAINED_METHODS:
            raise ConfigurationError(
                f"{method} knows no constraints",
                at=("hard_constraints",),
                hint=f"use one of {', '.join(sorted(CONSTRAINED_METHODS))}, or leave them soft",
            )
        return self

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point that `scipy.optimize.minimize` finds from the start."""
        from scipy.optimize import Bounds, minimize

        cost, arguments = _cost(evaluate), self._extra()
        method = arguments.pop("method", "L-BFGS-B")
        options = dict(arguments.pop("options", {}))
        if "max_iterations" in arguments:
            limits = (arguments.pop("max_iterations"), options.get("maxiter"))
            options["maxiter"] = min(limit for limit in limits if limit is not None)
        if self.hard_constraints:
            arguments["constraints"] = [_constraint(condition) for condition in space.conditions]
        start, ceiling = _inside(space), np.inf
        if method in GRADIENT_METHODS:
            arguments["jac"] = lambda x: central_gradient(cost, x, space)
        if method in GRADIENT_METHODS and not self.hard_constraints:
            first = float(cost.at(start)[0])
            ceiling = first + CEILING * max(abs(first), 1.0)
        result = called(
            minimize,
            lambda x: min(float(cost.at(x)[0]), ceiling),
            start,
            method=method,
            bounds=Bounds(space.lower, space.upper),
            options=options or None,
            **arguments,
        )
        return Found(np.asarray(result.x), bool(result.success), str(result.message), int(getattr(result, "nit", 0)))


class ScipyDifferentialEvolution(ScipyEstimator):
    """Global search by differential evolution; a whole generation is one batch. The start is not used.

    `population_size` (15) times the number of parameters is the size of the population, `max_iterations` (1000) the
    number of generations. No polishing at the end.

    Source: Storn & Price, J. Global Optim. 11 (1997) 341, doi:10.1023/A:1008202821328.
    """

    type: Literal["ScipyDifferentialEvolution"] = "ScipyDifferentialEvolution"
    random: ClassVar[bool] = True
    keywords: ClassVar[Mapping[str, str]] = {"max_iterations": "maxiter", "population_size": "popsize"}
    global_search: ClassVar[bool] = True

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point that `scipy.optimize.differential_evolution` finds within the bounds."""
        from scipy.optimize import Bounds, differential_evolution

        options = self._extra()
        options.pop("workers", None)
        result = called(
            differential_evolution,
            lambda points: _finite(evaluate(np.atleast_2d(points.T)).costs),
            Bounds(space.lower, space.upper),
            rng=_generator(options, rng),
            vectorized=True,
            updating="deferred",
            polish=False,
            **options,
        )
        return Found(np.asarray(result.x), bool(result.success), str(result.message), int(result.nit))


class ScipyBasinhopping(ScipyEstimator):
    """Global search by jumps, each followed by a local search; keywords are those of `scipy.optimize.basinhopping`.

    Source: Wales & Doye, J. Phys. Chem. A 101 (1997) 5111, doi:10.1021/jp970984n.
    """

    example: ClassVar[Example | None] = Example(fields={"niter": 20, "stepsize": 0.2})

    type: Literal["ScipyBasinhopping"] = "ScipyBasinhopping"
    random: ClassVar[bool] = True
    keywords: ClassVar[Mapping[str, str]] = {"max_iterations": "niter"}

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point that `scipy.optimize.basinhopping` finds from the start."""
        from scipy.optimize import basinhopping

        cost, options = _cost(evaluate), self._extra()
        local = _local(cost, space, options.pop("minimizer_kwargs", None))
        result = called(
            basinhopping,
            lambda x: float(cost.at(x)[0]),
            _inside(space),
            minimizer_kwargs=local,
            rng=_generator(options, rng),
            **options,
        )
        message = " ".join([result.message] if isinstance(result.message, str) else result.message)
        return Found(np.asarray(result.x), bool(result.success), message, int(result.nit))


class ScipyDualAnnealing(ScipyEstimator):
    """Global search by simulated annealing and local searches; keywords are those of `scipy.optimize.dual_annealing`.

    Source: Xiang, Sun, Fan & Gong, Phys. Lett. A 233 (1997) 216, doi:10.1016/S0375-9601(97)00474-X.
    """

    global_search: ClassVar[bool] = True
    example: ClassVar[Example | None] = Example(fields={"maxiter": 100, "no_local_search": True})

    type: Literal["ScipyDualAnnealing"] = "ScipyDualAnnealing"
    random: ClassVar[bool] = True
    keywords: ClassVar[Mapping[str, str]] = {"max_iterations": "maxiter"}

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point that `scipy.optimize.dual_annealing` finds within the bounds."""
        from scipy.optimize import Bounds, dual_annealing

        cost, options = _cost(evaluate), self._extra()
        local = _local(cost, space, options.pop("minimizer_kwargs", None))
        result = called(
            dual_annealing,
            lambda x: float(cost.at(x)[0]),
            Bounds(space.lower, space.upper),
            x0=_inside(space),
            minimizer_kwargs=local,
            rng=_generator(options, rng),
            **options,
        )
        return Found(np.asarray(result.x), bool(result.success), " ".join(result.message), int(result.nit))


class ScipyShgo(ScipyEstimator):
    """Global search that triangulates the bounds, without chance; keywords are those of `scipy.optimize.shgo`.

    Source: Endres, Sandrock & Focke, J. Global Optim. 72 (2018) 181, doi:10.1007/s10898-018-0645-y.
    """

    global_search: ClassVar[bool] = True
    example: ClassVar[Example | None] = Example(fields={"n": 64, "sampling_method": "sobol"})

    type: Literal["ScipyShgo"] = "ScipyShgo"
    keywords: ClassVar[Mapping[str, str]] = {"max_iterations": "iters"}

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point that `scipy.optimize.shgo` finds within the bounds; the start is not used."""
        from scipy.optimize import Bounds, shgo

        cost, options = _cost(evaluate), self._extra()
        local = _local(cost, space, options.pop("minimizer_kwargs", None))
        result = called(
            shgo,
            lambda x: float(cost.at(x)[0]),
            Bounds(space.lower, space.upper),
            minimizer_kwargs=local,
            **({"n": 100} | options),
        )
        return Found(np.asarray(result.x), bool(result.success), str(result.message), int(result.nit))


class Remembered:
    """A vector function of batches that keeps its last value, so that a derivative does not ask for it again."""

    def __init__(self, function: Callable[[Array], Array]) -> None:
        self.function = function
        self._point: Array | None = None
        self._value: Array = np.zeros(0)

    def at(self, x: Array) -> Array:
        """Return the value at one point (d,)."""
        if self._point is None or not np.array_equal(self._point, x):
            self._value = self.function(np.array(x)[None, :])[0]
            self._point = np.array(x)
        return self._value


def differences(function: Remembered, x: Array, space: Space, step: float = DIFFERENCE_STEP) -> Array:
    """Return the derivatives (m, d) of a vector function at `x` (d,) by one-sided differences inside the bounds.

    A side on which the function has no finite value is replaced by the other; where both fail the column is 0.
    """
    base = function.at(x)
    width = step * _scale(x, space)
    steps = np.where(x + width <= space.upper, width, -width)
    columns = (function.function(x + np.diag(steps)) - base) / steps[:, None]
    broken = ~np.isfinite(columns).all(axis=1)
    if broken.any():
        back = x - np.diag(steps)
        inside = ((back >= space.lower) & (back <= space.upper)).all(axis=1) & broken
        columns[broken] = 0.0
        if inside.any():
            retried = (base - function.function(back[inside])) / steps[inside][:, None]
            columns[inside] = np.where(np.isfinite(retried).all(axis=1, keepdims=True), retried, 0.0)
    return np.asarray(columns.T)


def central_differences(function: Remembered, x: Array, space: Space, step: float = EXACT_STEP) -> Array:
    """Return the derivatives (m, d) of a vector function at `x` (d,) by differences to both sides, as bounds allow.

    A side on which the function has no finite value is replaced by the point itself; where both fail the column is 0.
    """
    width, base = step * _scale(x, space), function.at(x)
    ends = np.stack([np.minimum(x + width, space.upper) - x, np.maximum(x - width, space.lower) - x], axis=1)
    points = x + ends.T.reshape(-1, 1) * np.tile(np.eye(len(x)), (2, 1))
    values = function.function(points).reshape(2, len(x), -1).transpose(1, 0, 2)
    failed = ~np.isfinite(values).all(axis=2)
    ends[failed], values[failed] = 0.0, base
    apart = (ends[:, 0] - ends[:, 1])[:, None]
    rises = values[:, 0] - values[:, 1]
    return np.asarray(np.divide(rises, apart, out=np.zeros_like(rises), where=apart != 0).T)


def central_gradient(cost: Remembered, x: Array, space: Space, step: float = DIFFERENCE_STEP / 4) -> Array:
    """Return the gradient (d,) of a scalar cost at `x` (d,) by central differences, one-sided at the bounds.

    A scalar cost is flat near its minimum, where one-sided differences would see the curvature instead of the slope.
    A side that could not be solved is replaced by the point itself, so that the edge of what can be solved is no cliff.
    """
    width = step * _scale(x, space)
    ahead = np.minimum(x + width, space.upper) - x
    behind = x - np.maximum(x - width, space.lower)
    values = cost.function(np.vstack([x + np.diag(ahead), x - np.diag(behind)]))[:, 0]
    above, below = values[: len(x)], values[len(x) :]
    for steps, costs in ((ahead, above), (behind, below)):
        failed = costs >= FAILED_COST
        if failed.any():
            steps[failed], costs[failed] = 0.0, float(cost.at(x)[0])
    apart = ahead + behind
    return np.asarray(np.divide(above - below, apart, out=np.zeros_like(apart), where=apart > 0))


def _scale(x: Array, space: Space) -> Array:
    """Return the length (d,) against which a step is small: the range of a parameter, else its size."""
    width = space.upper - space.lower
    size = np.maximum(np.abs(x), SMALLEST * np.abs(space.initial))
    return np.where(np.isfinite(width), width, np.where(size > 0, size, 1.0))


def _cost(evaluate: Evaluate) -> Remembered:
    """Return the scalar cost as a function of batches (n, 1)."""
    return Remembered(lambda points: _finite(evaluate(points).costs)[:, None])


def _local(cost: Remembered, space: Space, given: Any) -> dict[str, Any]:
    """Return what the local searches inside a global one are told: L-BFGS-B within the bounds, save for what is given.

    Raises: `ConfigurationError` where that is no dict of keywords.
    """
    if not isinstance(given, Mapping | None):
        raise ConfigurationError(
            f"the keywords of the local search are a dict, not {given!r}", at=("optimizer", "minimizer_kwargs")
        )
    return {
        "method": "L-BFGS-B",
        "bounds": list(zip(space.lower, space.upper, strict=True)),
        "jac": lambda x: central_gradient(cost, np.clip(x, space.lower, space.upper), space),
        **(given or {}),
    }


def _constraint(condition: Condition) -> Any:
    """Return a condition as SciPy takes it; it costs no solve, so SciPy differentiates it itself."""
    from scipy.optimize import NonlinearConstraint

    return NonlinearConstraint(condition.excess, 0.0 if condition.equality else -np.inf, 0.0)


def _generator(options: dict[str, Any], rng: np.random.Generator) -> np.random.Generator:
    """Return the search's generator, or one of the `seed` among the options, which is taken out."""
    seed = options.pop("seed", None)
    return rng if seed is None else np.random.default_rng(seed)


def residuals_of(residuals: Array | None) -> Array:
    """Return the residuals of a batch. Raises: `ConfigurationError` where the cost has none."""
    if residuals is None:
        raise ConfigurationError("the cost has no residual array", hint="use SSE with a least-squares estimator")
    return residuals


def _finite(costs: Array) -> Array:
    """Return the costs with `FAILED_COST` for the points that failed."""
    return np.where(np.isfinite(costs), costs, FAILED_COST)


def _inside(space: Space, margin: float = 1e-6) -> Array:
    """Return the start, moved off a bound by a hair, since trust regions start inside."""
    width = np.where(np.isfinite(space.upper - space.lower), space.upper - space.lower, 1.0)
    return np.clip(space.initial, space.lower + margin * width, space.upper - margin * width)


def called(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call SciPy; what it says of its arguments is a mistake in the document."""
    try:
        return function(*args, **options)
    except CellwrightError:
        raise
    except (TypeError, ValueError) as cause:
        if isinstance(cause, TypeError) and "unexpected keyword" not in str(cause):
            raise
        raise ConfigurationError(f"SciPy's {function.__name__} refuses: {cause}", at=("optimizer",)) from cause
