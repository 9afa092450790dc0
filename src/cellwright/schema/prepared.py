"""Simulations and formulas beside what was measured, light enough to be sent to workers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np

from cellwright.schema.expressions import Expression
from cellwright.schema.simulation import Array, Simulation, Solved
from cellwright.schema.values import free_names

Slopes = Mapping[str, Mapping[str, Array]]
"""variable → parameter → derivative in each row, per unit of the parameter; a parameter that is left out has none."""
STEP = 6e-6
"""Step of the differences of an expression of parameters, as a fraction of these: the cube root of rounding."""


@dataclass(frozen=True)
class Simulated:
    """A built simulation, and what is compared of it beside the same of what was measured."""

    x_name: str
    x: Array
    observed: Mapping[str, Array]
    simulation: Simulation

    @property
    def used(self) -> frozenset[str]:
        """The free parameters that act on the prediction."""
        return self.simulation.used

    @property
    def reads(self) -> frozenset[str]:
        """All parameters that were read."""
        return self.simulation.reads

    @property
    def portable(self) -> bool:
        """Whether the simulation can be sent to another process as it is."""
        return self.simulation.portable

    def thinned(self, points: Sequence[Mapping[str, float]]) -> Self:
        """Return the same, simulated at as few times as give all of them at these points."""
        return replace(self, simulation=self.simulation.thinned(points))

    def doubts(self, inputs: Mapping[str, float], start: bool = False) -> Sequence[str]:
        """Return what is to be taken with care of the simulation."""
        return self.simulation.doubts

    def predict(self, inputs: Mapping[str, float]) -> Solved:
        """Return what is compared, at these inputs."""
        return self.predict_many([inputs])[0]

    def predict_many(self, points: Sequence[Mapping[str, float]]) -> list[Solved]:
        """Return what is compared, at each of the points."""
        return [self.compared(solved) for solved in self.simulation.solve_many(points)]

    def compared(self, solved: Solved) -> Solved:
        """Return what is compared of a simulation's outputs."""
        raise NotImplementedError


@dataclass(frozen=True)
class PreparedSimulation(Simulated):
    """Variables of a simulation at the measured times, or frequencies."""

    model_variables: tuple[str, ...]

    def compared(self, solved: Solved) -> Solved:
        """Return the variables under the names that they have in the data."""
        named = zip(self.observed, self.model_variables, strict=True)
        outputs = {name: solved.outputs[model] for name, model in named if model in solved.outputs}
        return Solved(solved.status, outputs, solved.message)


@dataclass(frozen=True)
class PreparedFormula:
    """A formula of measured columns and free parameters beside the one variable that was measured."""

    x_name: str
    x: Array
    observed: Mapping[str, Array]
    used: frozenset[str]
    reads: frozenset[str]
    formula: Expression
    columns: Mapping[str, Array]
    portable: bool = True
    closed_form: bool = True
    """Predicted to rounding, unlike what a solver integrates to its tolerance."""

    def predict(self, inputs: Mapping[str, float]) -> Solved:
        """Return the variable in each row of the data; a formula that has no value there is a status."""
        (name,) = self.observed
        with np.errstate(all="ignore"):
            try:
                found = self.formula.substitute({**inputs, **self.columns})
            except ArithmeticError as cause:
                return Solved("failed", message=f"{name!r} has no value: {cause}")
        values = np.broadcast_to(np.asarray(found, dtype=float), self.x.shape).copy()
        if not np.isfinite(values).all():
            return Solved("failed", message=f"{name!r} has no value in some rows of the data")
        return Solved("solved", {name: values})


@dataclass(frozen=True)
class PreparedCurve:
    """A curve in closed form beside the one that was measured, and how it moves with the free parameters.

    `quantities` are what the curve is made of, by parameter name: numbers, free parameters as their symbols, and
    expressions of free parameters where they are tied. A kind of curve derives from this class and says `curves`, and
    where it knows them the `derivatives` of these by its quantities; a search of least squares takes them in place of
    differences, by `slopes`. It is a frozen dataclass of arrays and numbers, so that it travels to workers.
    """

    x_name: str
    x: Array
    observed: Mapping[str, Array]
    quantities: Mapping[str, float | Expression]
    reads: frozenset[str]

    portable: ClassVar[bool] = True
    closed_form: ClassVar[bool] = True
    smoothed: ClassVar[frozenset[str]] = frozenset()
    """The variables that are slopes through several rows: their noise follows itself from row to row."""

    def curves(self, values: Mapping[str, float]) -> Mapping[str, Array]:
        """Return what is compared, by variable, at these values of the quantities; NaN where there is no value."""
        raise NotImplementedError

    def derivatives(self, values: Mapping[str, float]) -> Slopes | None:
        """Return the derivatives of `curves` by the quantities, at these values of them; None where none are known."""
        return None

    def doubts(self, inputs: Mapping[str, float], start: bool = False) -> Iterable[str]:
        """Return what is to be taken with care of the data, and of the curve at these values of the free parameters:
        those of the `start` of a fit, from which it may go elsewhere, or those it has found."""
        return ()

    @cached_property
    def used(self) -> frozenset[str]:
        """The free parameters that act on the prediction."""
        return frozenset().union(*map(free_names, self.quantities.values()))

    def values(self, inputs: Mapping[str, float]) -> dict[str, float]:
        """Return the quantities at these values of the free parameters."""
        known, symbols, tied = self._kinds
        found = {name: inputs[free] for name, free in symbols.items()}
        return {**known, **found, **{name: _number(formula, inputs) for name, formula in tied.items()}}

    def predict(self, inputs: Mapping[str, float]) -> Solved:
        """Return what is compared; a curve that has no value somewhere is a status."""
        with np.errstate(all="ignore"):
            try:
                outputs = self.curves(self.values(inputs))
            except ArithmeticError as cause:
                return Solved("failed", message=f"the curve has no value: {cause}")
        for name, curve in outputs.items():
            if not np.isfinite(curve).all():
                return Solved("failed", message=f"{name!r} has no value in some rows of the data")
        return Solved("solved", outputs)

    def predict_many(self, points: Sequence[Mapping[str, float]]) -> list[Solved]:
        """Return what is compared, at each of the points."""
        return [self.predict(point) for point in points]

    def slopes(self, inputs: Mapping[str, float]) -> Slopes | None:
        """Return the derivatives of what is compared by the free parameters; None where they are not known."""
        with np.errstate(all="ignore"):
            try:
                found = self.derivatives(self.values(inputs))
                return None if found is None else {name: self._by_free(one, inputs) for name, one in found.items()}
            except ArithmeticError:
                return None

    def _by_free(self, by_quantity: Mapping[str, Array], inputs: Mapping[str, float]) -> dict[str, Array]:
        """Return derivatives by the free parameters of those by the quantities."""
        _, symbols, tied = self._kinds
        result: dict[str, Array] = {}
        for name, slope in by_quantity.items():
            rates = {symbols[name]: 1.0} if name in symbols else _rates(tied[name], inputs) if name in tied else {}
            for free, rate in rates.items():
                result[free] = result[free] + rate * slope if free in result else rate * slope
        return result

    @cached_property
    def _kinds(self) -> tuple[dict[str, float], dict[str, str], dict[str, Expression]]:
        """The quantities that are known, those that are a free parameter, and those that are tied to some."""
        known: dict[str, float] = {}
        symbols: dict[str, str] = {}
        tied: dict[str, Expression] = {}
        for name, value in self.quantities.items():
            if not isinstance(value, Expression):
                known[name] = float(value)
            elif value.op in {"parameter", "input"}:
                symbols[name] = value.name
            else:
                tied[name] = value
        return known, symbols, tied


def _number(formula: Expression, inputs: Mapping[str, float]) -> float:
    return float(formula.substitute(inputs))


def _rates(formula: Expression, inputs: Mapping[str, float]) -> dict[str, float]:
    """Return the derivatives of an expression of parameters, by central differences."""
    rates = {}
    for name in sorted(formula.names):
        step = STEP * (abs(inputs[name]) or 1.0)
        above, below = (_number(formula, {**inputs, name: inputs[name] + side * step}) for side in (1, -1))
        rates[name] = (above - below) / (2 * step)
    return rates
