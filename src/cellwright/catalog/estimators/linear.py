"""Least squares of models that are linear in their parameters."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from cellwright.catalog.estimators.scipy import ScipyEstimator, called, residuals_of
from cellwright.catalog.estimators.slopes import Remembered, differences
from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.schema.families import Array
from cellwright.schema.search import Evaluate, Found, Space
from cellwright.schema.variant import Example

KEYWORDS = ("method", "jac_rel_step", "warm_start", "max_iterations", "max_iter", "tol", "lsq_solver", "lsmr_tol",
            "lsmr_maxiter", "verbose")  # fmt: skip
METHODS = ("bvls", "trf")
STEP = 1e-3
"""Step of the differences that make the matrix, as a fraction of a parameter's range."""
CURVED = 1e-3
"""Departure of the residuals from the linear model, as a fraction of their change, from which it is told."""
SLACK = 1e-10
"""Excess of a step over its bounds, and of a slope over 0, up to which a guess of the active bounds is right."""


class ScipyLsqLinear(ScipyEstimator):
    """Least squares of a model that is linear in its parameters, in one step; the inner search of variable projection.

    Minimises |r(x₀) + A (x - x₀)|² within the bounds, where the columns of A are one-sided differences of the residuals
    r from the start x₀. `jac_rel_step` (1e-3) is their step, as a fraction of the range of a parameter (of its size, if
    it has no bounds); of a linear model they are exact for every step. `method` is "bvls" (an active set) or "trf".
    With `warm_start` (True) the bounds that are active at the start are tried first: where they are the right ones the
    answer takes no iteration, and depends smoothly on what is outside this search. A search that finds the residuals
    not linear says so and counts as no success. Further keywords are those of `scipy.optimize.lsq_linear`.

    Source: Stark & Parker, Comput. Stat. 10 (1995) 129 (bounded variables).
    """

    needs_residuals: ClassVar[bool] = True
    keywords: ClassVar[Mapping[str, str]] = {"max_iterations": "max_iter"}
    example: ClassVar[Example | None] = Example(fields={"method": "bvls", "jac_rel_step": 1e-3})

    function: ClassVar[str] = "lsq_linear"
    besides: ClassVar[frozenset[str]] = frozenset(KEYWORDS)

    type: Literal["ScipyLsqLinear"] = "ScipyLsqLinear"

    @model_validator(mode="after")
    def _can_be_meant(self) -> "ScipyLsqLinear":
        given = self.model_extra or {}
        for name in given:
            if name not in KEYWORDS:
                hint = did_you_mean(name, KEYWORDS) or f"its fields are {', '.join(KEYWORDS)}"
                raise ConfigurationError(f"ScipyLsqLinear has no field {name!r}", at=(name,), hint=hint)
        method, step, warm = given.get("method", "bvls"), given.get("jac_rel_step", STEP), given.get("warm_start", True)
        if method not in METHODS:
            hint = did_you_mean(str(method), METHODS) or f"there are {', '.join(METHODS)}"
            raise ConfigurationError(f"there is no method {method!r}", at=("method",), hint=hint)
        if isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step <= 1:
            raise ConfigurationError(f"a step is above 0 and at most 1, not {step!r}", at=("jac_rel_step",))
        if not isinstance(warm, bool):
            raise ConfigurationError(f"warm_start is true or false, not {warm!r}", at=("warm_start",))
        return self

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the point of least squares within the bounds; the start where that could not be solved."""
        options = self._extra()
        step, warm = options.pop("jac_rel_step", STEP), options.pop("warm_start", True)
        residuals = Remembered(lambda points: residuals_of(evaluate(points).residuals))
        start = np.clip(space.initial, space.lower, space.upper)
        base = residuals.at(start)
        if not np.isfinite(base).all():
            return Found(start, False, "the start could not be solved")
        matrix = differences(residuals, start, space, step)
        bounds = (space.lower - start, space.upper - start)
        moved = _warm(matrix, base, *bounds) if warm else None
        message, success, iterations = "the bounds that were active are still the right ones", True, 0
        if moved is None:
            moved, message, success, iterations = _cold(matrix, base, bounds, options)
        end = np.clip(start + moved, space.lower, space.upper)
        there = residuals.at(end)
        if not np.isfinite(there).all():
            return Found(start, False, "the solution of the linear problem could not be solved", iterations)
        off = float(np.linalg.norm(there - base - matrix @ moved))
        if off > CURVED * np.linalg.norm(there - base) + SLACK * np.linalg.norm(base):
            best = end if there @ there < base @ base else start
            return Found(best, False, "the residuals are not linear in the parameters", iterations)
        return Found(end, success, message, iterations)


def _cold(
    matrix: Array, base: Array, bounds: tuple[Array, Array], options: Mapping[str, Any]
) -> tuple[Array, str, bool, int]:
    from scipy.optimize import lsq_linear

    result = called(lsq_linear, matrix, -base, bounds=bounds, **({"method": "bvls"} | dict(options)))
    return np.asarray(result.x), str(result.message), bool(result.success), int(result.nit)


def _warm(matrix: Array, base: Array, lower: Array, upper: Array) -> Array | None:
    """Return the step (d,) of least squares that leaves the parameters at the bounds they stand on.

    None where that is not the step of least squares within the bounds: it leaves them, or a bound holds back a descent.
    """
    low, high = lower >= -SLACK, upper <= SLACK
    free = ~(low | high)
    step = np.zeros_like(lower)
    if free.any():
        step[free] = np.linalg.lstsq(matrix[:, free], -base, rcond=None)[0]
    slope = matrix.T @ (base + matrix @ step)
    size = SLACK * np.linalg.norm(matrix, axis=0) * np.linalg.norm(base)
    inside = (step >= lower - SLACK).all() and (step <= upper + SLACK).all()
    held = (slope[low] >= -size[low]).all() and (slope[high] <= size[high]).all()
    return np.clip(step, lower, upper) if inside and held else None
