"""The estimators that ask and are told, by the name of their method."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from pydantic import model_validator

from cellwright.catalog.estimators.ask_tell import AlgorithmOptions, AskTell
from cellwright.catalog.estimators.simplex import NelderMead
from cellwright.errors import CellwrightError, ConfigurationError, Problem, did_you_mean
from cellwright.schema.families import Estimator
from cellwright.schema.search import Evaluate, Found, Space
from cellwright.schema.variant import Example

METHODS = ("CMAES", "Nelder-Mead", "PSO", "DifferentialEvolution", "XNES", "BayesianOptimization", "SOBER", "TuRBO")
"""The methods of `AskTellOptimizer`; all but "Nelder-Mead" are estimators of that name."""


class AskTellOptimizer(AskTell):
    """One of the algorithms that ask and are told, by the name of its method; "Nelder-Mead" stands here alone.

    Source: Nelder & Mead, Comput. J. 7 (1965) 308, doi:10.1093/comjnl/7.4.308 (Nelder-Mead; the others at their own
    estimators).
    """

    positional = ("method", *AskTell.model_fields, "algorithm_options")
    example: ClassVar[Example | None] = Example(fields={"method": "PSO", "algorithm_options": {"c1": 2.0}})

    type: Literal["AskTellOptimizer"] = "AskTellOptimizer"
    method: str = "CMAES"
    algorithm_options: dict[str, Any] | AlgorithmOptions | None = None

    @model_validator(mode="after")
    def _options_of_the_method(self) -> "AskTellOptimizer":
        if self.method not in METHODS:
            raise ConfigurationError(
                f"there is no method {self.method!r}",
                at=("method",),
                hint=did_you_mean(self.method, METHODS) or f"there are {', '.join(METHODS)}",
            )
        try:
            self._options()
        except CellwrightError as error:
            raise error.within("algorithm_options") from None
        return self

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether chance has a part in the path of the method."""
        return member(self.method).random

    @property
    def global_search(self) -> bool:  # type: ignore[override]
        """Whether the method covers the bounds and so needs them finite."""
        return member(self.method).global_search

    @property
    def chosen(self) -> AskTell:
        """The estimator of the method, with the same fields."""
        fields = {name: getattr(self, name) for name in self.model_fields_set & AskTell.model_fields.keys()}
        return member(self.method)(**fields | {"algorithm_options": self._options()})

    def _options(self) -> AlgorithmOptions:
        given, expected = self.algorithm_options, options_of(self.method)
        if type(given) is expected:
            return given
        return expected(**(given.to_config() if isinstance(given, AlgorithmOptions) else given or {}))

    def unimplemented(self) -> Iterator[Problem]:
        """Yield what the estimator of the method does not do yet."""
        yield from self.chosen.unimplemented()

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the estimator of the method from this space."""
        yield from self.chosen.refusals(space)

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point that the estimator of the method finds."""
        return self.chosen.search(evaluate, space, rng)


PintsOptimizer = AskTellOptimizer


def member(method: str) -> type[AskTell]:
    """Return the estimator of a method, ours or another package's of that name."""
    found = NelderMead if method == "Nelder-Mead" else Estimator.registry[method]
    assert issubclass(found, AskTell)
    return found


def options_of(method: str) -> type[AlgorithmOptions]:
    """Return the options of a method, as the field of its estimator has them."""
    annotation = member(method).model_fields["algorithm_options"].annotation
    kind: type[AlgorithmOptions] = next(kind for kind in get_args(annotation) if kind is not type(None))
    return kind
