"""Least squares on what solvers integrate and on formulas: SciPy's trust region with slopes that suit what is asked."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np

from cellwright.catalog.estimators.scipy import ScipyEstimator, called, inside, residuals_of
from cellwright.catalog.estimators.slopes import DIFFERENCE_STEP, central_differences, differences
from cellwright.schema.families import Array
from cellwright.schema.search import Evaluate, Found, Space, jacobian_of

EXACT = {"xtol": 1e-10, "ftol": 1e-14}
"""Tolerances where predictions are known to rounding. There is none of the gradient but in "lm": elsewhere it has a
unit, and would end a search of small differences where it starts."""
KNOWN = {"xtol": 1e-10, "ftol": 1e-9}
"""Tolerances where the derivatives are known, too, as of curves beside noisy data."""
VALLEY, FLAT = 50, 1e-5
"""Evaluations in which the cost falls at least by this fraction of it, there, or by a hundred times the tolerance: what
is left of a flatter valley is a small part of a standard error, and takes thousands of steps."""
ROUGH = 1e-4
"""Fall of the cost by a step, as a fraction of it, at which it is seen how good a start is."""
PATIENCE = 1000
"""Steps for each parameter where predictions are formulas, which cost little: sums of exponentials may need them."""
FAILED = 1e3
"""Residual that stands for a solve that failed: far more than any that succeeds, so that the step is taken back."""
WIDE_STEP = 5e-2
"""Step of differences, in search coordinates, from a point whose simulation ends before the data, and where no smaller
one finds a way.

A simulation that ends early differs from the data in the rows behind its end, and a small step moves that end over few
of them: the slopes of these alone would let the search follow it row by row.
"""
NOISE = 0.05
"""Excess over the best cost, as a fraction of it, up to which a step that was not taken may owe that to noise."""
REFUSED, REFUSED_WIDE = 3, 1
"""How many steps in a row that may owe it to noise are not taken before slopes are looked at more widely; and then."""
GAIN = 0.02
"""Fall of the cost, as a fraction of it, for which a search with wide slopes goes back to small ones."""


class ScipyLeastSquares(ScipyEstimator):
    """Local least squares on the residual array, with bounds.

    Minimises ½ Σ r² by a trust region (`method="trf"`), "dogbox" or Levenberg-Marquardt ("lm", without bounds). The
    Jacobian comes from forward differences, all columns in one batch: over 0.2 % of the range, or over 5 % where a
    simulation ends before the data, and where the noise of predictions, as on a measured current, hides the way. Where
    what is predicted is a formula, it comes from the formula's derivatives where these are known, else from central
    differences with steps as small as rounding allows, and the search goes on to about 8 digits. There, and without
    bounds, the trust region has the shape of the Jacobian (Moré).

    Source: Branch, Coleman & Li, SIAM J. Sci. Comput. 21 (1999) 1, doi:10.1137/S1064827595289108 (trf); Moré,
    in Numerical Analysis, Lect. Notes Math. 630 (1978) 105, doi:10.1007/BFb0067700.
    """

    function: ClassVar[str] = "least_squares"
    methods: ClassVar[tuple[str, ...]] = ("trf", "dogbox", "lm")

    type: Literal["ScipyLeastSquares"] = "ScipyLeastSquares"
    keywords: ClassVar[Mapping[str, str]] = {"max_iterations": "max_nfev"}
    needs_residuals: ClassVar[bool] = True

    def roughly(self) -> Self:
        """Return the search that ends with the first step by which the cost falls by less than a ten-thousandth."""
        told = (self.model_extra or {}).keys() & {"ftol", "xtol", "gtol"}
        return self if told else type(self)(**{**(self.model_extra or {}), "ftol": ROUGH})

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point that `scipy.optimize.least_squares` finds from the start."""
        options = self._extra()
        options["method"] = self._method(options.get("method", "trf"))
        bounded = options["method"] != "lm"
        if bounded:
            options["bounds"] = (space.lower, space.upper)
        if space.closed_form or not space.bounded:
            options = {"x_scale": "jac"} | options
        start, predictions = inside(space) if bounded else space.initial, _Predictions(evaluate)
        if space.closed_form:
            most = PATIENCE * len(start)
            known = predictions.jacobian(start) is not None
            options = {**(KNOWN if known else EXACT), "max_nfev": most, "gtol": None if bounded else 1e-12, **options}
            flat = max(FLAT, 100 * (options["ftol"] or 0.0)) if known else None
            return _Descent(predictions, space, options, flat).down(start, _exact)
        return _integrated(predictions, space, start, {"xtol": 1e-6, "ftol": 1e-8, **options})


def _exact(predictions: "_Predictions", x: Array, space: Space) -> Array:
    """Return the Jacobian that is known of what is predicted, or else that of small differences."""
    known = predictions.jacobian(x)
    return central_differences(predictions, x, space) if known is None else known


def _integrated(predictions: "_Predictions", space: Space, start: Array, options: Mapping[str, Any]) -> Found:
    """Return what is found from a start where predictions have the noise of a solver.

    Where small slopes lead no further, wide ones are tried once, and small ones again if these found a way.
    """

    def slopes(step: float) -> Callable[["_Predictions", Array, Space], Array]:
        return lambda asked, x, where: differences(asked, x, where, WIDE_STEP if asked.early_at(x) else step)

    descent = _Descent(predictions, space, options)
    watched = options.get("loss", "linear") == "linear"
    found = descent.down(start, slopes(DIFFERENCE_STEP), REFUSED if watched else None)
    while descent.stalled and descent.left > 0:
        before = descent.cost
        found = descent.down(found.point, slopes(WIDE_STEP), REFUSED_WIDE)
        if descent.cost > (1 - GAIN) * before or descent.left <= 0:
            break
        found = descent.down(found.point, slopes(DIFFERENCE_STEP), REFUSED)
    return found


class _Predictions:
    """The residuals of a search; those of the last point and of the best are remembered, and which points end early."""

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._known: list[tuple[Array, Array, bool]] = []

    def function(self, points: Array) -> Array:
        """Return the residuals (n, m) of a batch."""
        return residuals_of(self._evaluate(points).residuals)

    def at(self, x: Array) -> Array:
        """Return the residuals (m,) at one point (d,)."""
        return self._entry(x)[1]

    def jacobian(self, x: Array) -> Array | None:
        """Return the derivatives (m, d) of the residuals at one point (d,), None where they are not known."""
        return jacobian_of(self._evaluate, x)

    def early_at(self, x: Array) -> bool:
        """Return whether the simulation of a point (d,) ends before the data."""
        return self._entry(x)[2]

    def _entry(self, x: Array) -> tuple[Array, Array, bool]:
        for entry in self._known:
            if np.array_equal(entry[0], x):
                return entry
        batch = self._evaluate(np.array(x)[None, :])
        entry = (np.array(x), residuals_of(batch.residuals)[0], batch.statuses[0] == "ended early")
        best = min(self._known, key=lambda one: _cost(one[1]), default=entry)
        self._known = [best, entry]
        return entry


class _StalledError(Exception):
    """No step is taken any more, and the costs of those that were tried are as the best one's."""


class _FlatError(Exception):
    """The cost still falls, but so little that it tells nothing any more."""


class _Descent:
    """Runs of SciPy's least squares that share a limit of evaluations, and know the best of them all."""

    def __init__(
        self, predictions: _Predictions, space: Space, options: Mapping[str, Any], flat: float | None = None
    ) -> None:
        self.flat = flat
        """The fraction by which the cost falls in a while at least, where a run is to end in a flat valley."""
        self._asked, self._before = 0, np.inf
        self.predictions, self.space, self.options = predictions, space, dict(options)
        self.left = self.options.pop("max_nfev", None) or 100 * len(space.dimensions)
        self.iterations = 0
        self.cost, self.best = np.inf, space.initial
        self.stalled = False
        self._refused = 0

    def down(
        self, start: Array, slopes: Callable[[_Predictions, Array, Space], Array], refusals: int | None = None
    ) -> Found:
        """Return what one run finds from a start (d,); `slopes` gives the Jacobian.

        The run ends, stalled, after so many steps in a row that are not taken, and may owe that to noise.
        """
        from scipy.optimize import least_squares

        self.stalled, self._refused = False, 0

        def residuals(x: Array) -> Array:
            found = self._noted(x)
            self._end_in_a_valley()
            if refusals is not None and self._refused >= refusals:
                raise _StalledError
            return found

        def jacobian(x: Array) -> Array:
            self.iterations += 1
            return slopes(self.predictions, x, self.space)

        try:
            result = called(least_squares, residuals, start, jac=jacobian, max_nfev=self.left, **self.options)
        except _StalledError:
            self.stalled = True
            return Found(self.best, True, "no step lowers the cost by more than its noise", self.iterations)
        except _FlatError:
            return Found(self.best, True, "the cost falls no further than by a trifle", self.iterations)
        return Found(np.asarray(result.x), bool(result.status > 0), str(result.message), self.iterations)

    def _end_in_a_valley(self) -> None:
        self._asked += 1
        if self.flat is not None and self._asked % VALLEY == 0:
            if self.cost > (1 - self.flat) * self._before:
                raise _FlatError
            self._before = self.cost

    def _noted(self, x: Array) -> Array:
        """Return the residuals that SciPy is told of, and count the steps that lead nowhere."""
        found = self.predictions.at(x)
        self.left -= 1
        cost = _cost(found)
        if cost < self.cost:
            self.cost, self.best, self._refused = cost, np.array(x), 0
        elif cost <= (1 + NOISE) * self.cost and not np.array_equal(x, self.best):
            self._refused += 1
        return np.where(np.isfinite(found), found, FAILED)


def _cost(residuals: Array) -> float:
    return float(residuals @ residuals) if np.isfinite(residuals).all() else np.inf
