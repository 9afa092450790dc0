"""Estimators of SciPy: they ask for batches of points and keep nothing of their own between them."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from inspect import signature
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, model_validator

from cellwright.catalog.estimators.slopes import FAILED_COST, Remembered, central_gradient
from cellwright.errors import CellwrightError, ConfigurationError, did_you_mean
from cellwright.schema.families import Array, Estimator
from cellwright.schema.search import Condition, Evaluate, Found, Space
from cellwright.schema.variant import Example

CEILING = 10.0
"""How far above the start, in units of its size, a line search is told a cost as it is; what is higher is told as that.

A line search fits a cubic to what it is told: a cost of 1e20, where a likelihood meets a noise that is far too small or
a simulation that ended early, would have it step back to where it stands, and end there.
"""
WIDE = 2e-2
"""Step of the gradient, in search coordinates, where one over a smaller step led no further."""
TRIALS = 5
"""How often such a search tries along a line, each time with a gradient: what noise stops finds no better point."""
GAIN = 0.02
"""Fall of the cost, as a fraction of it, for which a search with a wide gradient goes on."""
CONSTRAINED_METHODS = frozenset({"COBYLA", "COBYQA", "SLSQP", "trust-constr"})
SECOND_DERIVATIVES = frozenset({"dogleg", "newton-cg", "trust-exact", "trust-krylov", "trust-ncg"})
GRADIENT_METHODS = frozenset({"CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "trust-constr"})


class ScipyEstimator(Estimator):
    """Base of the wrappers: further keywords go to the SciPy function as they are."""

    model_config = ConfigDict(extra="allow")
    positional = ()

    function: ClassVar[str]
    """The function of `scipy.optimize`."""
    keywords: ClassVar[Mapping[str, str]] = {}
    """What SciPy's function calls the fields that all searches name alike."""
    besides: ClassVar[frozenset[str]] = frozenset()
    """Keywords that the function does not have and that mean something here."""
    taken: ClassVar[frozenset[str]] = frozenset({"args", "bounds", "fun", "func", "jac", "x0"})
    """Keywords of the function that are said elsewhere in a fit."""
    methods: ClassVar[tuple[str, ...]] = ()
    """The methods that the function may be told, where it has several."""

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the search from this space: methods and keywords that SciPy's function does not know."""
        yield from super().refusals(space)
        given = self.model_extra or {}
        own = signature(getattr(import_module("scipy.optimize"), self.function)).parameters
        known = (set(own) - self.taken) | self.keywords.keys() | self.besides
        for name in sorted(given.keys() - known):
            said = f"{type(self).__name__} has no field {name!r}"
            if name in self.taken:
                yield ConfigurationError(said, at=(name,), hint="bounds, start and slopes are those of the fit")
            else:
                hint = did_you_mean(name, known) or f"its fields are {', '.join(sorted(known))}"
                yield ConfigurationError(said, at=(name,), hint=hint)
        for name in sorted(given.keys() & own.keys()):
            if isinstance(given[name], str) and type(own[name].default) in (int, float):
                yield ConfigurationError(f"{name!r} is a number, not {given[name]!r}", at=(name,))
        method = given.get("method")
        if isinstance(method, str) and self.methods and self._method(method) not in self.methods:
            said = f"SciPy's {self.function} has no method {method!r}"
            if method.lower() in SECOND_DERIVATIVES:
                said = f"{method} asks for second derivatives, which a fit does not have"
            hint = did_you_mean(method, self.methods) or f"there are {', '.join(self.methods)}"
            yield ConfigurationError(said, at=("method",), hint=hint)

    def _method(self, name: Any) -> Any:
        """Return the method as SciPy writes it, which takes it in small and capital letters."""
        return next((one for one in self.methods if isinstance(name, str) and one.lower() == name.lower()), name)

    def _extra(self) -> dict[str, Any]:
        return {self.keywords.get(name, name): value for name, value in (self.model_extra or {}).items()}

    def limited(self, iterations: int) -> Self:
        """Return the search with at most so many iterations; a smaller limit in SciPy's own words stands."""
        own = (self.model_extra or {}).get(self.keywords.get("max_iterations", ""))
        return self if isinstance(own, int) and own <= iterations else super().limited(iterations)


class ScipyMinimize(ScipyEstimator):
    """Local minimisation of the scalar cost: L-BFGS-B unless another `method` is named.

    Methods that use a gradient get it from central differences, all in one batch. Where L-BFGS-B ends with a slope, as
    on a cost that is noisy, it goes on with one over a wider step, unless its iterations are limited. The constraints
    of a fit are penalties in its cost, as they are for every estimator; with `hard_constraints` the methods SLSQP,
    trust-constr, COBYLA and COBYQA are told of them besides, and keep to them exactly, within the tolerance of the
    method.

    Source: Byrd, Lu, Nocedal & Zhu, SIAM J. Sci. Comput. 16 (1995) 1190, doi:10.1137/0916069 (L-BFGS-B).
    """

    function: ClassVar[str] = "minimize"
    besides: ClassVar[frozenset[str]] = frozenset({"max_iterations"})
    methods: ClassVar[tuple[str, ...]] = (
        "Nelder-Mead", "Powell", "CG", "BFGS", "L-BFGS-B", "TNC", "COBYLA", "COBYQA", "SLSQP", "trust-constr",
    )  # fmt: skip

    type: Literal["ScipyMinimize"] = "ScipyMinimize"
    hard_constraints: bool | None = None

    @model_validator(mode="after")
    def _can_keep_them(self) -> "ScipyMinimize":
        method = self._method((self.model_extra or {}).get("method", "L-BFGS-B"))
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
        method = self._method(arguments.pop("method", "L-BFGS-B"))
        options = dict(arguments.pop("options", {}))
        if "max_iterations" in arguments:
            limits = (arguments.pop("max_iterations"), options.get("maxiter"))
            options["maxiter"] = min(limit for limit in limits if limit is not None)
        if self.hard_constraints:
            arguments["constraints"] = [_constraint(condition) for condition in space.conditions]
        start, ceiling = inside(space), np.inf
        if method in GRADIENT_METHODS:
            arguments["jac"] = lambda x: central_gradient(cost, x, space)
        if method in GRADIENT_METHODS and not self.hard_constraints:
            first = float(cost.at(start)[0])
            ceiling = first + CEILING * max(abs(first), 1.0)
        arguments |= {"method": method, "bounds": Bounds(space.lower, space.upper), "options": options or None}

        def run(begin: Array) -> Any:
            return called(minimize, lambda x: min(float(cost.at(x)[0]), ceiling), begin, **arguments)

        result, iterations = run(start), 0
        while method == "L-BFGS-B" and "jac" in arguments and "maxiter" not in options and _stalled(result):
            iterations, before = iterations + int(result.nit), result
            arguments["jac"] = lambda x: central_gradient(cost, x, space, WIDE)
            arguments["options"] = {"maxls": TRIALS} | options
            result = min(run(before.x), before, key=lambda one: float(one.fun))
            if result.fun > before.fun - GAIN * abs(before.fun):
                break
        iterations += int(getattr(result, "nit", 0))
        return Found(np.asarray(result.x), bool(result.success), str(result.message), iterations)


class ScipyDifferentialEvolution(ScipyEstimator):
    """Global search by differential evolution; a whole generation is one batch. The start is not used.

    `population_size` (15) times the number of parameters is the size of the population, `max_iterations` (1000) the
    number of generations. No polishing at the end.

    Source: Storn & Price, J. Global Optim. 11 (1997) 341, doi:10.1023/A:1008202821328.
    """

    function: ClassVar[str] = "differential_evolution"
    besides: ClassVar[frozenset[str]] = frozenset({"workers", "seed"})

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

    function: ClassVar[str] = "basinhopping"
    besides: ClassVar[frozenset[str]] = frozenset({"seed"})

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
            inside(space),
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

    function: ClassVar[str] = "dual_annealing"
    besides: ClassVar[frozenset[str]] = frozenset({"seed"})

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
            x0=inside(space),
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

    function: ClassVar[str] = "shgo"

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


def _stalled(result: Any) -> bool:
    """Return whether a search by L-BFGS-B ended where the slope is not 0: the noise of a cost hides where it falls."""
    return result.status == 2 or "GRADIENT" not in str(result.message)


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


def inside(space: Space, margin: float = 1e-6) -> Array:
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
        if isinstance(cause, TypeError) and not ("unexpected keyword" in str(cause) or _of_scipy(cause)):
            raise
        raise ConfigurationError(f"SciPy's {function.__name__} refuses: {cause}", at=("optimizer",)) from cause


def _of_scipy(error: BaseException) -> bool:
    """Return whether an error was raised by a line of SciPy, not by what it calls."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] == "scipy"
