"""Evolution strategies of the libraries cma and pints: points from a normal distribution that learns."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict

from cellwright.catalog.estimators.ask_tell import AlgorithmOptions
from cellwright.catalog.estimators.bounds import folded, outside
from cellwright.catalog.estimators.generations import GenerationalSearch
from cellwright.catalog.estimators.lent_random import LentRandom
from cellwright.catalog.estimators.screening import QuadraticScreen
from cellwright.errors import CellwrightError, ConfigurationError, did_you_mean
from cellwright.schema.families import Array
from cellwright.schema.search import Space
from cellwright.schema.variant import Example

FIRST_SIGMA = 1 / 6
"""First standard deviation in search coordinates, where the bounds are 0 and 1: three of them span half the range."""

WORDS: Mapping[str, frozenset[str]] = {"CMA_const_trace": frozenset({"aeig", "arithm", "geig", "geom"})}
"""The options of cma that may be words, and which: it evaluates all other strings as Python."""
ELSEWHERE: Mapping[str, str] = {
    "bounds": "the bounds are those of the fit's parameters",
    "fixed_variables": "leave the parameter out of the fit",
    "seed": "the seed is that of the fit's options",
    "timeout": "use maxtime of the fit's options",
    "verb_disp": "use log_to_screen",
    "verbose": "use log_to_screen",
}
"""Options of cma that are said at another place."""
WITHOUT_USE = frozenset({
    "eval_final_mean", "integer_variables", "is_feasible", "randn", "signals_filename", "termination_callback",
    "transformation", "typical_x", "verb_append", "verb_disp_overwrite", "verb_filenameprefix", "verb_log",
    "verb_log_expensive", "verb_plot", "verb_time", "vv",
})  # fmt: skip
"""Options of cma that are about its files, its display, or functions, or have no part in a search by generations."""


class CMAESOptions(AlgorithmOptions):
    """Options of CMA-ES: any of those of `cma.CMAOptions` that change how it searches or when it ends."""

    model_config = ConfigDict(extra="allow")


class XNESOptions(AlgorithmOptions):
    """Options of xNES: there are none."""


class CMAES(GenerationalSearch):
    """Evolution strategy that learns the shape of the valley: a general choice for up to some dozen parameters.

    `sigma0` (1/6) is the first standard deviation, `population_size` unless given 4 + 3 ln d for d parameters. Unless
    `screen` is "off", a quadratic model of the costs so far ranks each generation, and of its points only as many are
    simulated as it takes to see that it ranks them right. That takes a third to a fifth of the simulations; where costs
    have many minima, a search without it may end in a lower one.

    Source: Hansen, arXiv:1604.00772 (2016); GECCO (2019) 664, doi:10.1145/3321707.3321842 (the screen).
    """

    example: ClassVar[Example | None] = Example(fields={"population_size": 8, "algorithm_options": {"CMA_stds": [1]}})

    type: Literal["CMAES"] = "CMAES"
    algorithm_options: CMAESOptions | None = None
    screen: Literal["auto", "off"] | None = None

    def algorithm(self, space: Space, rng: np.random.Generator) -> "CovarianceAdaptation":
        """Return the strategy of `cma` around the start."""
        screen = QuadraticScreen(len(space.dimensions)) if self.screen != "off" else None
        sigma = self.sigma(space, FIRST_SIGMA)
        return CovarianceAdaptation(space, sigma, self.population_size, self._options(), rng, screen)

    def costs(self, algorithm: Any, costs_of: Callable[[Array], Array], points: Array) -> tuple[Array, Array]:
        """Return the costs (n,) of a generation, and which of its points were evaluated (n,)."""
        evaluated: tuple[Array, Array] = (algorithm.screen or partial(super().costs, algorithm))(costs_of, points)
        return evaluated

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the search from this space, the options that cma does not know among it."""
        refused = list(super().refusals(space))
        refused += [error.within("algorithm_options") for error in self._refused_options()]
        if not refused:
            try:
                self.algorithm(space, np.random.default_rng(0)).ask()
            except Exception as cause:
                said = str(cause) or type(cause).__name__
                refused.append(ConfigurationError(f"cma refuses its options: {said}", at=("algorithm_options",)))
        yield from refused

    def _options(self) -> dict[str, Any]:
        given = self.algorithm_options.model_extra if self.algorithm_options is not None else None
        return {name: value for name, value in (given or {}).items() if value is not None}

    def _refused_options(self) -> Iterator[CellwrightError]:
        from cma import CMAOptions

        known = CMAOptions.defaults().keys() - WITHOUT_USE - ELSEWHERE.keys()
        for name, value in self._options().items():
            if name in ELSEWHERE:
                yield ConfigurationError(f"{name!r} of cma is not said here", at=(name,), hint=ELSEWHERE[name])
            elif name not in known:
                near = did_you_mean(name, known) or f"there are {', '.join(sorted(known))}"
                yield ConfigurationError(f"cma has no option {name!r} for a search", at=(name,), hint=near)
            elif isinstance(value, str) and value in WORDS.get(name, ()):
                continue
            elif not _is_numeric(value):
                hint = f"or one of {', '.join(sorted(WORDS[name]))}" if name in WORDS else None
                yield ConfigurationError(
                    f"{name!r} is a number or a list of them, not {value!r}", at=(name,), hint=hint
                )
            elif name == "popsize" and self.population_size is not None:
                yield ConfigurationError("the size of the population is given twice", at=(name,), hint="leave one out")


class CovarianceAdaptation:
    """`cma.CMAEvolutionStrategy` on a search space.

    Of one parameter alone cma makes no search; it is given a second one, which has no effect on the cost. Where a
    screen knows the lowest point of its model, that is a point of the next sample.
    """

    def __init__(
        self,
        space: Space,
        sigma: Array,
        size: int | None,
        options: Mapping[str, Any],
        rng: np.random.Generator,
        screen: QuadraticScreen | None,
    ) -> None:
        from cma import CMAEvolutionStrategy

        self.screen = screen

        self.dimensions, self.space = len(space.dimensions), space
        neutral = 1 if self.dimensions == 1 else 0
        scale = float(np.max(sigma))
        stds = np.broadcast_to(np.asarray(options.get("CMA_stds", 1.0), dtype=float), self.dimensions)
        settings = {
            "maxiter": np.inf,
            **({} if screen is None else {"CMA_injections_threshold_keep_len": 1}),
            **({} if size is None else {"popsize": size}),
            **options,
            "bounds": [[*space.lower, *[0.0] * neutral], [*space.upper, *[1.0] * neutral]],
            "CMA_stds": [*(stds * sigma / scale), *[1.0] * neutral],
            # Its seed is none of its own: it draws from the state that is lent to it.
            "seed": np.nan,
            "signals_filename": "",
            "verb_disp": 0,
            "verb_log": 0,
            "verbose": -9,
        }
        self.random = LentRandom(rng)
        with self.random.lent():
            self.strategy = CMAEvolutionStrategy([*space.initial, *[0.5] * neutral], scale, settings)
        self.asked: list[Array] = []
        self.costs = np.empty(0)

    def ask(self) -> Array:
        """Return the next sample (n, d)."""
        with self.random.lent():
            self.asked = self.strategy.ask()
        return np.clip(np.array(self.asked)[:, : self.dimensions], self.space.lower, self.space.upper)

    def tell(self, costs: Array) -> None:
        """Take the costs (n,); to cma, those of failed points are a little higher than the highest."""
        self.costs = costs
        with self.random.lent():
            self.strategy.tell(self.asked, _finite(costs).tolist())
        lowest = None if self.screen is None else self.screen.lowest
        if lowest is not None and self.dimensions > 1 and not outside(lowest[None, :], self.space).any():
            self.strategy.inject([lowest])

    @property
    def population(self) -> tuple[Array, Array]:
        """The last sample and its costs."""
        return np.array(self.asked)[:, : self.dimensions], self.costs

    @property
    def ended(self) -> str:
        """What cma itself says of its end."""
        stops = self.strategy.stop() if np.isfinite(self.costs).any() else {}
        return "CMA-ES ended by " + ", ".join(f"{name} = {value}" for name, value in stops.items()) if stops else ""


class XNES(GenerationalSearch):
    """Evolution strategy that follows the natural gradient of a normal distribution of points.

    `sigma0` (1/6) is the first standard deviation, `population_size` unless given 2 (4 + 3 ln d) for d parameters: with
    the half, which is usual, the distribution often shrinks before it has arrived. It knows no bounds: points outside
    are mirrored at them.

    Source: Glasmachers, Schaul, Yi, Wierstra & Schmidhuber, GECCO (2010) 393, doi:10.1145/1830483.1830557.
    """

    example: ClassVar[Example | None] = Example(fields={"sigma0": [0.1, 0.2]})

    type: Literal["XNES"] = "XNES"
    algorithm_options: XNESOptions | None = None

    def algorithm(self, space: Space, rng: np.random.Generator) -> "NaturalEvolution":
        """Return the strategy of `pints` around the start."""
        size = self.population_size or 2 * (4 + int(3 * np.log(len(space.dimensions))))
        return NaturalEvolution(space, self.sigma(space, FIRST_SIGMA), size, rng)


class NaturalEvolution:
    """`pints.XNES` on a search space."""

    ended = ""

    def __init__(self, space: Space, sigma: Array, size: int, rng: np.random.Generator) -> None:
        import pints

        self.space = space
        self.strategy = pints.XNES(space.initial, sigma)
        self.strategy.set_population_size(size)
        self.random = LentRandom(rng)
        self.population = (np.empty((0, len(space.dimensions))), np.empty(0))

    def ask(self) -> Array:
        """Return the next sample (n, d)."""
        with self.random.lent():
            asked = np.array(self.strategy.ask())
        self.population = (asked, np.full(len(asked), np.inf))
        return folded(asked, self.space)

    def tell(self, costs: Array) -> None:
        """Take the costs (n,)."""
        self.population = (self.population[0], costs)
        self.strategy.tell(costs)


def _finite(costs: Array) -> Array:
    """Return the costs with finite ones, above all others, in the place of infinite ones."""
    good = costs[np.isfinite(costs)]
    worst = 2 * good.max() - good.min() + 1.0 if len(good) else 1.0
    return np.where(np.isfinite(costs), costs, worst)


def _is_numeric(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_numeric(item) for item in value)
    return isinstance(value, bool | int | float | np.number)
