"""Built simulations: solved many times, here or, once they are sent there, in a process without PyBaMM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cellwright.errors import CellwrightError
from cellwright.models.initial import PROBED, InitialState
from cellwright.models.kernel import Course, Integrator, Kernel
from cellwright.physics.timeseries import onsets
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.simulation import Array, SimulationProblem, Solved
from cellwright.schema.values import free_names

POSITIVE = {
    "m2.s-1": ("diffusivity",),
    "m": ("thickness", "radius", "height", "width"),
    "m2": ("area",),
    "mol.m-3": ("Maximum concentration",),
}
"""By unit: what cannot be zero or negative."""
KEPT = 8
"""How many models of other structural parameters are kept."""


class Integrates(Protocol):
    """What solves a model at points (n, inputs)."""

    def solve(self, points: Array, stops: Array, times: Array) -> list[Course]:
        """Return the courses of the outputs."""
        ...


@dataclass(frozen=True, eq=False)
class BuiltSimulation:
    """A built model; see `cellwright.schema.simulation.Simulation`."""

    problem: SimulationProblem
    needed: frozenset[str]
    """The names of the model's parameters."""
    start: InitialState
    structural: tuple[str, ...]
    """The free parameters that shape the mesh: the model is built anew for each value of them."""
    kernel: Kernel | None = None
    """The model as functions; None where PyBaMM's own solver does the work, or the model is built for each value."""
    folder: Path | None = None
    """Where compiled functions are kept."""

    @cached_property
    def reads(self) -> frozenset[str]:
        """The names of all parameters that the model and its initial state read or look for.

        Among them those that stand in the definitions of what is read, however far back.
        """
        definitions = self.problem.parameters.definitions
        found: set[str] = set()
        open_names = set(self.given)
        while open_names:
            name = open_names.pop()
            found.add(name)
            open_names |= free_names(definitions.get(name)) - found
        return frozenset(found) | PROBED

    @cached_property
    def given(self) -> frozenset[str]:
        """The parameters that the model and its initial state are built from."""
        values = self.problem.parameters.values_
        direct = {name for name in self.needed | self.start.reads if name in values or name in self.problem.free}
        return frozenset(direct | {free for name in direct if name in values for free in free_names(values[name])})

    @property
    def used(self) -> frozenset[str]:
        """The free parameters that act on the model or its initial state."""
        return self.given & frozenset(self.problem.free)

    @property
    def portable(self) -> bool:
        """Whether it can be pickled and used in a process that does not know PyBaMM."""
        return self.kernel is not None

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The names of the model's inputs: the free parameters and what the initial state sets, in order."""
        symbolic = {name for name, _ in self.start.products}
        states = self.start.gives - symbolic
        return tuple(sorted({*self.problem.free, *states} - set(self.structural)))

    def solve(self, inputs: Mapping[str, float]) -> Solved:
        """Return the outputs at these values of the free parameters; a failed solve is a status."""
        return self.solve_many([inputs])[0]

    def solve_many(self, points: Sequence[Mapping[str, float]]) -> list[Solved]:
        """Return the outputs at each of the points, on all threads of this process; a failed solve is a status."""
        answers: dict[int, Solved] = {}
        together: dict[tuple[float, ...], list[tuple[int, list[float]]]] = {}
        for place, values in enumerate(points):
            try:
                shape, given = self._settled(values)
            except (CellwrightError, ArithmeticError, ValueError) as cause:
                answers[place] = Solved("failed", message=one_line(cause))
                continue
            together.setdefault(shape, []).append((place, given))
        for shape, members in together.items():
            places = [place for place, _ in members]
            answers.update(zip(places, self._solved(shape, [given for _, given in members]), strict=True))
        return [answers[place] for place in range(len(points))]

    def _settled(self, values: Mapping[str, float]) -> tuple[tuple[float, ...], list[float]]:
        """Return the structural parameters and the inputs at these values of the free parameters.

        Raises: `ValueError`, or an error of ours, for what is physically impossible.
        """
        p = self.problem.parameters
        wrong = unphysical(values)
        if wrong:
            raise ValueError(wrong)
        states = self.start.inputs(p, values)
        known = {**values, **states}
        wrong = self.start.overfull(p, known)
        if wrong:
            raise ValueError(wrong)
        return tuple(float(values[name]) for name in self.structural), [float(known[name]) for name in self.inputs]

    def _solved(self, shape: tuple[float, ...], rows: list[list[float]]) -> list[Solved]:
        try:
            integrator = self._integrator_at(shape)
            courses = integrator.solve(np.reshape(rows, (len(rows), -1)), self._stops, self._times)
        except Exception as cause:  # whatever fails inside the solver is a status of these solves
            return [Solved("failed", message=one_line(cause))] * len(rows)
        return [self._answer(course) for course in courses]

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
        return self.problem.output_times

    @cached_property
    def _stops(self) -> Array:
        """Times at which the integrator restarts: both ends, and where the current becomes lively."""
        end = self._times[-1]
        inner = onsets(self.problem.time, self.problem.current)
        return np.unique(np.concatenate([[0.0, end], inner[(inner > 0) & (inner < end)]]))

    def _answer(self, course: Course) -> Solved:
        if course.failed or not len(course.times):
            return Solved("failed", message=course.message)
        outputs = {
            name: _at(course.times, course.outputs[:, i], self._times) for i, name in enumerate(self.problem.variables)
        }
        if any(np.isnan(values).all() for values in outputs.values()):
            return Solved("failed", message="the solver returned no values")
        if course.times[-1] < self._times[-1] * (1 - 1e-9):
            if len(course.times) == 1:
                return Solved("failed", message=f"the simulation cannot begin: {course.message}")
            return Solved("ended early", outputs, course.message)
        return Solved("solved", outputs)

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}


def unphysical(inputs: Mapping[str, float]) -> str:
    """Return what is physically impossible about a value of an input, or an empty string."""
    for name, value in inputs.items():
        if not np.isfinite(value):
            return f"{name} is {value}"
        base, unit = base_of(name), unit_of(name)
        positive = any(word in base for word in POSITIVE.get(unit or "", ()))
        if positive and value <= 0:
            return f"{name} is {value:g}, and must be positive"
        if unit is None and base.endswith(("volume fraction", "porosity")) and not 0 < value <= 1:
            return f"{name} is {value:g}, and must lie between 0 and 1"
        if unit == "mol.m-3" and "oncentration" in base and value < 0:
            return f"{name} is {value:g}, and cannot be negative"
    return ""


def _at(times: Array, values: Array, wanted: Array) -> Array:
    """Return the values at the wanted times, which are among the solution's; NaN after its end."""
    if len(times) == len(wanted) and np.array_equal(times, wanted):
        return np.array(values)
    inside = np.interp(wanted, times, values)
    return np.where(wanted <= times[-1] * (1 + 1e-12) + 1e-12, inside, np.nan)


def one_line(cause: BaseException) -> str:
    """Return the first line of what an exception says, at most 200 characters."""
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    text = lines[0] if lines else type(cause).__name__
    return text if len(text) <= 200 else text[:197] + "…"
