"""Built simulations: solved many times, here or, once they are sent there, in a process without PyBaMM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellwright.models.kernel import Course, Integrator, Kernel
from cellwright.models.parameterised import ParameterisedModel, one_line
from cellwright.models.trust import is_trusted
from cellwright.physics.thinning import Thinning, thinning
from cellwright.physics.timeseries import onsets
from cellwright.schema.simulation import Array, SimulationProblem, Solved

THINNED = 5e-5
"""Error of the interpolation between few times, on average, as a fraction of an output's range: 0.05 mV of a volt.

The integrator's own tolerance lets it err by about 0.1 mV, and measurements are noisier than both."""
CANDIDATES = 3000
"""Output times that are looked at for the few; of longer data every so many."""
FEW = 100
"""Output times below which thinning gains nothing."""
WINDOW = ("Lowest voltage [V]", "Highest voltage [V]")
"""The inputs of the events that end a simulation whose voltage leaves the problem's window, and of these the names."""
APART = 0.05
"""Voltage [V] between the beginning of a simulation and that of its data from which on that is told."""
LOADED = 0.01
"""Share of the largest current from which on a first row is under load."""
KEPT = 8
"""How many models of other structural parameters are kept."""


class Integrates(Protocol):
    """What solves a model at points (n, inputs)."""

    def solve(self, points: Array, stops: Array, times: Array) -> list[Course]:
        """Return the courses of the outputs."""
        ...


@dataclass(frozen=True, eq=False)
class BuiltSimulation(ParameterisedModel):
    """A built model that is driven by a current; see `cellwright.schema.simulation.Simulation`."""

    problem: SimulationProblem
    kernel: Kernel | None = None
    """The model as functions; None where PyBaMM's own solver does the work, or the model is built for each value."""
    folder: Path | None = None
    """Where compiled functions are kept."""
    few: Thinning | None = None
    """The output times at which the model is evaluated, where the others follow from these."""

    @property
    def constants(self) -> Mapping[str, float]:
        """The voltages [V] at which the simulation is ended."""
        window = self.problem.voltage_window
        return {} if window is None else dict(zip(WINDOW, window, strict=True))

    @property
    def doubts(self) -> Sequence[str]:
        """Whether the voltage that it begins at was measured under load, or is not that of the data at rest."""
        problem, measured = self.problem, self.problem.initial_voltage
        loaded = abs(problem.initial_current) > LOADED * float(np.max(np.abs(problem.current), initial=0.0))
        if loaded and self.start.voltage is not None:
            return (
                f"it begins where the open-circuit voltage is that of the first row, {self.start.voltage:.4g} V, at "
                f"which a current of {problem.initial_current:.3g} A flows: begin the data with a row at rest, or give "
                f"the initial state",
            )
        own = None if loaded or measured is None else self.start.open_circuit_voltage(problem.parameters)
        if own is None or measured is None or abs(own - measured) <= APART:
            return ()
        return (
            f"it begins at an open-circuit voltage of {own:.4g} V, that of the initial concentrations, and the data at "
            f"rest at {measured:.4g} V: give 'Initial voltage [V]', or leave the concentrations out",
        )

    @property
    def portable(self) -> bool:
        """Whether it can be pickled and used in a process that does not know PyBaMM."""
        return self.kernel is not None

    def thinned(self, points: Sequence[Mapping[str, float]]) -> "BuiltSimulation":
        """Return the same simulation, evaluated at as few of its output times as give them all at these points.

        The others follow by interpolation, to within `THINNED` of the range of each output. The same simulation comes
        back where there is nothing to gain, or no point can be solved to the end. Here a kernel is compared with
        PyBaMM's own solver, too, once for each kind of model.
        """
        times = self.problem.output_times
        nothing_to_gain = len(times) < FEW or self.problem.exact
        if nothing_to_gain and (self.kernel is None or is_trusted(self.problem, self.folder)):
            return self
        looked_at = self._with(problem=replace(self.problem, output_times=times[_candidates(times, self._stops)]))
        solved = looked_at.solve_many(points)
        whole = [place for place, one in enumerate(solved) if one.status == "solved"]
        if not whole:
            return self
        trusted = looked_at._trusted(points[whole[0]], solved[whole[0]].outputs)
        if trusted is not looked_at:
            return self.solved_by(trusted._integrator_at(()))
        if nothing_to_gain:
            return self
        columns = [one.outputs[name] for one in solved if one.outputs for name in self.problem.variables]
        found = thinning(looked_at.problem.output_times, np.column_stack(columns), self._stops, times, THINNED)
        if found is None:
            return self
        full = self.solve(points[whole[0]]).outputs
        return self._with(few=found) if found.holds(np.column_stack(list(full.values())), THINNED) else self

    def solved_by(self, integrator: Integrates) -> "BuiltSimulation":
        """Return the same simulation, solved by this integrator; it cannot be sent to another process."""
        other = replace(self, kernel=None)
        other.__dict__["_integrator_at"] = lambda shape: integrator
        return other

    def _trusted(self, inputs: Mapping[str, float], outputs: Mapping[str, Array]) -> "BuiltSimulation":
        """Return the simulation, compared with PyBaMM's own solver where its kind of model never was before."""
        if self.kernel is None or is_trusted(self.problem, self.folder):
            return self
        from cellwright.models.simulate import checked  # PyBaMM; this process has built the model with it

        return checked(self, inputs, outputs)

    def _with(self, **changes: Any) -> "BuiltSimulation":
        """Return a copy with other fields, which shares what has been made ready."""
        other = replace(self, **changes)
        other.__dict__.update(_integrator_at=self._integrator_at, _stops=self._stops)
        return other

    def solved(self, shape: tuple[float, ...], rows: list[list[float]]) -> list[Solved]:
        """Return the outputs at these values of the structural parameters and at each row of inputs, on all threads.

        What ends early is solved again for all its times, since the few were not chosen for its end.
        """
        try:
            integrator = self._integrator_at(shape)
            courses = integrator.solve(np.reshape(rows, (len(rows), -1)), self._stops, self._times)
        except Exception as cause:  # whatever fails inside the solver is a status of these solves
            return [Solved("failed", message=one_line(cause))] * len(rows)
        answers = [self._answer(course) for course in courses]
        early = [place for place, one in enumerate(answers) if one.status == "ended early"]
        if self.few is not None and early:
            again = self._with(few=None).solved(shape, [rows[place] for place in early])
            return [dict(zip(early, again, strict=True)).get(place, answer) for place, answer in enumerate(answers)]
        return answers

    @cached_property
    def _integrator_at(self) -> Any:
        """The function from values of the structural parameters to what solves the model, which keeps the last few."""
        return lru_cache(maxsize=KEPT)(self._integrator)

    def _integrator(self, shape: tuple[float, ...]) -> Integrates:
        kernel = self.kernel
        if kernel is None:
            from cellwright.models.simulate import built  # PyBaMM; not where a kernel was sent

            found = built(self, dict(zip(self.structural, shape, strict=True)))
            if not isinstance(found, Kernel):
                return found
            kernel = found
        return Integrator(kernel, self.problem.time, self.problem.current, self.folder)

    @property
    def _times(self) -> Array:
        return self.problem.output_times if self.few is None else self.few.kept

    @cached_property
    def _stops(self) -> Array:
        """Times at which the integrator restarts: both ends, and where the current becomes lively."""
        end = self.problem.output_times[-1]
        inner = onsets(self.problem.time, self.problem.current)
        return np.unique(np.concatenate([[0.0, end], inner[(inner > 0) & (inner < end)]]))

    def _answer(self, course: Course) -> Solved:
        if course.failed or not len(course.times):
            return Solved("failed", message=course.message)
        end = self.problem.output_times[-1]
        said = course.message
        for name, limit in self.constants.items():
            said = said.replace(name, f"{name.removesuffix(' [V]').lower()} of {limit:.4g} V")
        early = course.times[-1] < end * (1 - 1e-9)
        if early and len(course.times) == 1:
            return Solved("failed", message=f"the simulation cannot begin: {said}")
        columns = _at(course.times, course.outputs, self._times)
        if self.few is not None and not early:
            columns = self.few.spread(columns)
        if np.isnan(columns).all(axis=0).any():
            return Solved("failed", message="the solver returned no values")
        outputs = dict(zip(self.problem.variables, columns.T.copy(), strict=True))
        return Solved("ended early", outputs, said) if early else Solved("solved", outputs)

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}


def _candidates(times: Array, stops: Array) -> NDArray[np.intp]:
    """Return the rows that are looked at for the few: every so many, and those beside a stop."""
    beside = np.searchsorted(times, stops)
    spaced = np.linspace(0, len(times) - 1, min(len(times), CANDIDATES)).astype(np.intp)
    return np.unique(np.clip(np.concatenate([spaced, beside - 1, beside]), 0, len(times) - 1))


def _at(times: Array, values: Array, wanted: Array) -> Array:
    """Return the rows at the wanted times, which are among the solution's.

    The first wanted time behind its end has the values of the end, so that what it ended at is known; the rest is NaN.
    """
    if len(times) == len(wanted) and np.array_equal(times, wanted):
        return values
    found = np.column_stack([np.interp(wanted, times, column) for column in values.T])
    behind = int(np.searchsorted(wanted, times[-1] * (1 + 1e-12) + 1e-12, side="right"))
    found[behind + 1 :] = np.nan
    return found
