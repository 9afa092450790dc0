"""Simulations and formulas beside what was measured, light enough to be sent to workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from cellwright.schema.expressions import Expression
from cellwright.schema.simulation import Array, Simulation, Solved


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
