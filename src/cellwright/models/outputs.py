"""Outputs of a solution, evaluated over all its times at once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pybamm

from cellwright.schema.simulation import Array

SAME = 1e-9
"""Relative difference up to which two ways of evaluating a variable agree: rounding."""


class Outputs:
    """The wanted variables of a discretised model.

    Letting the solver evaluate them goes point by point and takes longer than the integration of a single particle
    model; here NumPy evaluates each expression for all times together. At the first solution the numbers are compared
    with PyBaMM's own; where they differ (a variable that is no plain function of the state), PyBaMM's are used, as
    they are without `together`.
    """

    def __init__(self, model: Any, variables: tuple[str, ...], together: bool = True) -> None:
        self._variables = variables
        self._together: dict[str, Any] | None = None
        self._compared = False
        if not together:
            return
        try:
            self._together = {name: pybamm.EvaluatorPython(model.get_processed_variable(name)) for name in variables}
        except Exception:  # the evaluator does not know every symbol; PyBaMM's own way does
            self._together = None

    @property
    def at_once(self) -> bool:
        """Whether the variables are evaluated for all times together."""
        return self._together is not None

    def __call__(self, solution: Any, inputs: Mapping[str, float]) -> dict[str, Array]:
        """Return each variable at the times of a solution."""
        if self._together is not None and not self._compared:
            self._compared = True
            if not self._agree(solution, inputs):
                self._together = None
        return self._one_by_one(solution) if self._together is None else self._at_once(solution, inputs)

    def _at_once(self, solution: Any, inputs: Mapping[str, float]) -> dict[str, Array]:
        times, states = np.asarray(solution.t)[np.newaxis], solution.y
        with np.errstate(all="ignore"):
            values = {name: one(t=times, y=states, inputs=inputs) for name, one in (self._together or {}).items()}
        return {
            name: np.array(np.broadcast_to(np.ravel(value), times.size), dtype=float) for name, value in values.items()
        }

    def _one_by_one(self, solution: Any) -> dict[str, Array]:
        return {name: np.ravel(solution[name].data) for name in self._variables}

    def _agree(self, solution: Any, inputs: Mapping[str, float]) -> bool:
        try:
            ours = self._at_once(solution, inputs)
        except Exception:  # whatever NumPy cannot do with all times together, PyBaMM does one by one
            return False
        theirs = self._one_by_one(solution)
        return all(
            np.allclose(ours[name], theirs[name], rtol=SAME, atol=SAME * np.nanmax(np.abs(theirs[name]), initial=1e-30))
            for name in self._variables
        )
