"""Estimators that ask for a population of points, are told the costs, and ask again; and what stops them."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from cellwright.errors import CellwrightError, ConfigurationError, did_you_mean
from cellwright.schema.families import Estimator
from cellwright.schema.search import Space
from cellwright.schema.variant import Schema


class AlgorithmOptions(Schema):
    """Base of the options of one algorithm; what is not set is the algorithm's own choice."""

    positional = ()
    words: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The fields that are one of several words, the usual one first."""

    def refusals(self) -> Iterator[CellwrightError]:
        """Yield what the options say that cannot be meant, or that has no effect beside the rest."""
        for name, known in self.words.items():
            given = getattr(self, name)
            if given is not None and given not in known:
                hint = did_you_mean(given, known) or f"there are {', '.join(known)}"
                yield ConfigurationError(f"{name} is not {given!r}", at=(name,), hint=hint)

    def word(self, name: str) -> str:
        """Return the word of a field, the usual one where it is not set."""
        return str(getattr(self, name) or self.words[name][0])


class AskTell(Estimator):
    """Base of the estimators that ask and are told: when they stop.

    Limits: `max_iterations` (100 for each parameter and 200 more) and `max_evaluations` (1000000) end a search, the
    latter to the point. Of the other rules, none ends it before `min_iterations` (1):

    - `threshold`: the best cost is at or below it.
    - `max_unchanged_iterations` (75) without an improvement that counts: by more than `absolute_tolerance` (1e-5; an
      older name is `max_unchanged_iterations_threshold`) or by more than `relative_tolerance` (1e-2) of the cost.
    - `xtol` (1e-6): improvements that move the best point less in every search coordinate, in which bounds are 0 and 1.
    - `population_convergence_tol` (5e-3): the population is so narrow in every coordinate, against its first width.
    - `flat_fitness_tol`: half of the population costs the same as its median within this.

    The last three have to hold `convergence_patience` (3) times in a row. A tolerance of None is no rule. `sigma0`, a
    number or one for each parameter, is the first width of the population in search coordinates, `population_size` its
    size. `log_to_screen` prints a line for each generation to standard error.
    """

    positional: ClassVar[tuple[str, ...] | None] = ()
    random: ClassVar[bool] = True

    log_to_screen: bool | None = False
    sigma0: float | int | list[Any] | tuple[Any, ...] | None = None
    max_iterations: int | None = None
    max_unchanged_iterations: int | None = None
    max_unchanged_iterations_threshold: float | int | None = None
    min_iterations: int | None = 1
    max_evaluations: int | None = 1000000
    population_size: int | None = None
    threshold: float | int | None = None
    absolute_tolerance: float | int | None = 1e-5
    relative_tolerance: float | int | None = 1e-2
    xtol: float | int | None = 1e-6
    population_convergence_tol: float | int | None = 5e-3
    flat_fitness_tol: float | int | None = None
    convergence_patience: int | None = 3
    surrogate_convergence_tol: float | int | None = 1e-3

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the search from this space: counts, tolerances and widths that cannot be meant."""
        for name in COUNTS:
            if (count := getattr(self, name)) is not None and count < 1:
                yield ConfigurationError(f"{name} is 1 at least, not {count}", at=(name,))
        for name in TOLERANCES:
            if (tolerance := getattr(self, name)) is not None and not tolerance >= 0:
                yield ConfigurationError(f"{name} is 0 at least, not {tolerance:g}", at=(name,))
        if isinstance(self.sigma0, list | tuple) and len(self.sigma0) != len(space.dimensions):
            said = f"sigma0 has {len(self.sigma0)} numbers for {len(space.dimensions)} parameters"
            yield ConfigurationError(said, at=("sigma0",), hint="give one number, or one for each parameter")
        widths = self.sigma0 if isinstance(self.sigma0, list | tuple) else [self.sigma0]
        for width in widths:
            if width is not None and not (isinstance(width, int | float) and 0 < width < float("inf")):
                yield ConfigurationError(f"a width of sigma0 is a number above 0, not {width!r}", at=("sigma0",))
        options = getattr(self, "algorithm_options", None)
        if options is not None:
            yield from (error.within("algorithm_options") for error in options.refusals())


COUNTS = ("max_iterations", "max_unchanged_iterations", "max_evaluations", "population_size", "convergence_patience")
TOLERANCES = (
    "max_unchanged_iterations_threshold", "absolute_tolerance", "relative_tolerance", "xtol",
    "population_convergence_tol", "flat_fitness_tol", "surrogate_convergence_tol",
)  # fmt: skip
