"""Estimators that look at given points alone, and one search inside another."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.families import Estimator
from cellwright.schema.search import Evaluate, Found, Space
from cellwright.schema.variant import Example


def stay(evaluate: Evaluate, space: Space) -> Found:
    """Evaluate the start and return it."""
    solved = bool(np.isfinite(evaluate(space.initial[None, :]).costs[0]))
    return Found(space.initial, solved, "evaluated at the start" if solved else "the start could not be solved")


class PointEstimateOptimizer(Estimator):
    """Evaluates the start and leaves it there.

    Source: Seber & Wild, Nonlinear Regression (1989), ch. 2 (the cost at a given point).
    """

    positional = ()

    type: Literal["PointEstimateOptimizer"] = "PointEstimateOptimizer"

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the start."""
        return stay(evaluate, space)


class DummyOptimizer(Estimator):
    """Older name of `PointEstimateOptimizer`.

    Source: Seber & Wild, Nonlinear Regression (1989), ch. 2 (the cost at a given point).
    """

    positional = ()

    type: Literal["DummyOptimizer"] = "DummyOptimizer"

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the start."""
        return stay(evaluate, space)


class PointEstimateSampler(Estimator):
    """Draws one sample: the start.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), ch. 11 (sampling).
    """

    positional = ()
    samples: ClassVar[bool] = True

    type: Literal["PointEstimateSampler"] = "PointEstimateSampler"


class DummySampler(Estimator):
    """Older name of `PointEstimateSampler`.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), ch. 11 (sampling).
    """

    positional = ()
    samples: ClassVar[bool] = True

    type: Literal["DummySampler"] = "DummySampler"


class GridSearch(Estimator):
    """Evaluates a grid of `npts` points on each parameter's range.

    Source: Bergstra & Bengio, J. Mach. Learn. Res. 13 (2012) 281 (grid search, and what it costs).
    """

    positional = ("npts",)
    samples: ClassVar[bool] = True
    global_search: ClassVar[bool] = True
    example: ClassVar[Example | None] = Example(fields={"npts": 5})

    type: Literal["GridSearch"] = "GridSearch"
    npts: int = 10


class Nested(Estimator):
    """One search inside another: at each point of the outer one, the inner one finds the rest of the parameters.

    `optimizer` searches the named parameters, `inner` all others. Where the model is linear in those, the outer search
    sees a valley of far fewer dimensions.

    Source: Golub & Pereyra, Inverse Problems 19 (2003) R1, doi:10.1088/0266-5611/19/2/201 (variable projection).
    """

    positional = ()
    example: ClassVar[Example | None] = Example(
        fields={
            "parameters": ["a"],
            "optimizer": {"type": "ScipyMinimize"},
            "inner": {"type": "ScipyLeastSquares", "max_nfev": 20},
        }
    )

    type: Literal["Nested"] = "Nested"
    parameters: list[str]
    optimizer: Estimator
    inner: Estimator

    @model_validator(mode="after")
    def _searches(self) -> "Nested":
        for field, estimator in (("optimizer", self.optimizer), ("inner", self.inner)):
            if estimator.samples:
                raise ConfigurationError(
                    f"a search cannot be nested in or around {type(estimator).__name__}, which samples",
                    at=(field,),
                    hint="use an optimizer",
                )
        return self
