"""Simulations: built once, solved many times with inputs.

PyBaMM compiles the model, IDA integrates it; the current is a piecewise linear interpolant, every free parameter an
input, and the outputs are evaluated together at the times that are wanted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pybamm

from cellwright.errors import ConfigurationError, MissingParameterError, SolverError, did_you_mean
from cellwright.models.initial import PROBED, InitialState, initial_state
from cellwright.models.numerics import simulation_keywords, solver_of
from cellwright.models.outputs import Outputs
from cellwright.models.symbols import to_callable, to_pybamm
from cellwright.physics.timeseries import onsets
from cellwright.schema.expressions import Expression
from cellwright.schema.names import ELECTRODES, base_of, names_of, unit_of
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.simulation import Array, ModelSpec, SimulationProblem, Solved
from cellwright.schema.values import Function, free_names

pybamm.set_logging_level("ERROR")

CURRENT = "Current function [A]"
PHASES = ("", "primary", "secondary")
VOLTAGE = "Voltage [V]"
POSITIVE = {
    "m2.s-1": ("diffusivity",),
    "m": ("thickness", "radius", "height", "width"),
    "m2": ("area",),
    "mol.m-3": ("Maximum concentration",),
}
"""By unit: what cannot be zero or negative."""
MANY_STATES = 400
"""From this many states on, copying them costs more than letting the solver evaluate the outputs point by point."""
CUT_OFF_EVENTS = frozenset(f"{end} voltage{kind} [V]" for end in ("Minimum", "Maximum") for kind in ("", " switch"))


def build(problem: SimulationProblem) -> "BuiltSimulation":
    """Return the built model of a problem; nothing is integrated.

    The parameters' voltage cut-offs do not end the simulation, since it is to last as long as the data; leaving the
    problem's `voltage_window` does, and so do the model's other events.

    Raises: `ConfigurationError` for an unknown model or option, `MissingParameterError` naming every parameter that the
    model lacks (`detail["missing"]`), `SolverError` where PyBaMM cannot build it.
    """
    simulation = BuiltSimulation(problem, *_required(problem))
    if not simulation.structural:
        simulation.solvable(())
    return simulation


@dataclass(frozen=True, eq=False)
class BuiltSimulation:
    """A built model; see `cellwright.schema.simulation.Simulation`."""

    problem: SimulationProblem
    needed: frozenset[str]
    """The names of the model's parameters."""
    start: InitialState
    structural: tuple[str, ...]
    """The free parameters that shape the mesh: the model is built anew for each value of them."""

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

    @cached_property
    def solvable(self) -> Any:
        """The function from values of the structural parameters to the built model, which keeps the last few."""
        return lru_cache(maxsize=8)(lambda values: _built(self, dict(zip(self.structural, values, strict=True))))

    def solve(self, inputs: Mapping[str, float]) -> Solved:
        """Return the outputs at these values of the free parameters; a failed solve is a status."""
        wrong = unphysical(inputs)
        if wrong:
            return Solved("failed", message=wrong)
        p = self.problem.parameters
        try:
            model, solver, observe = self.solvable(tuple(float(inputs[name]) for name in self.structural))
            states = self.start.inputs(p, inputs)
            wrong = self.start.overfull(p, {**inputs, **states})
            if wrong:
                return Solved("failed", message=wrong)
            free = {name: float(inputs[name]) for name in self.problem.free if name not in self.structural}
            given = dict(sorted({**free, **states}.items()))
            solution = solver.solve(model, self._stops, inputs=given, t_interp=self._times)
            outputs = observe(solution, given)
        except Exception as cause:  # whatever fails inside the solver is a status of this solve
            return Solved("failed", message=_one_line(cause))
        return self._answer(solution, outputs)

    @property
    def _times(self) -> Array:
        return self.problem.output_times

    @cached_property
    def _stops(self) -> Array:
        """Times at which the integrator restarts: both ends, and where the current becomes lively."""
        end = self._times[-1]
        inner = onsets(self.problem.time, self.problem.current)
        return np.unique(np.concatenate([[0.0, end], inner[(inner > 0) & (inner < end)]]))

    def _answer(self, solution: Any, observed: Mapping[str, Array]) -> Solved:
        times = np.asarray(solution.t)
        outputs = {name: _at(times, values, self._times) for name, values in observed.items()}
        if any(np.isnan(values).all() for values in outputs.values()):
            return Solved("failed", message="the solver returned no values")
        if times[-1] < self._times[-1] * (1 - 1e-9):
            return Solved("ended early", outputs, str(solution.termination))
        return Solved("solved", outputs)


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


def _required(problem: SimulationProblem) -> tuple[frozenset[str], InitialState, tuple[str, ...]]:
    """Return what the model needs of the parameters: names, initial state, structural free parameters."""
    model = _model(problem.model)
    info = _parameters_of(model, problem)
    needed = frozenset(info) - {CURRENT}
    p, free = problem.parameters, frozenset(problem.free)
    start = initial_state(p, free, problem.initial_voltage, needed)
    wanted = (needed - start.gives) | start.needs
    missing = sorted(name for name in wanted if name not in p.values_ and name not in free)
    for name in sorted(wanted & p.values_.keys()):
        missing += sorted(free_names(p.values_[name]) - free - set(missing))
    if missing:
        raise MissingParameterError(
            f"the model {problem.model.type} lacks {len(missing)} parameters: {', '.join(map(repr, missing))}",
            hint=did_you_mean(missing[0], p.values_),
            detail={"missing": missing, "kinds": {name: info[name] for name in missing if name in info}},
        )
    shaping = {parameter.name for parameter in pybamm.Geometry(model.default_geometry).parameters}
    shaping |= {names_of(electrode, phase).particle_radius for electrode in ELECTRODES for phase in PHASES}
    structural: set[str] = shaping & free
    for name in shaping & p.values_.keys() & needed:
        structural |= free_names(p.values_[name]) & free
    return needed, start, tuple(sorted(structural))


def _parameters_of(model: Any, problem: SimulationProblem) -> dict[str, str]:
    """Return the parameters that the wanted variables depend on, and of which kind each is; uses the model up.

    Raises: `ConfigurationError` for a variable that the model does not have, or that is more than one number at a time.
    """
    wanted = {*problem.variables} | ({VOLTAGE} if problem.voltage_window and VOLTAGE in model.variables else set())
    known = list(model.variables)
    for name in problem.variables:
        if name not in known:
            said, hint = f"the model {problem.model.type} has no variable {name!r}", did_you_mean(name, known)
        elif model.variables[name].domain:
            domain = " and ".join(model.variables[name].domain)
            said = f"{name!r} varies over the {domain}, and is not one number at a time"
            hint = did_you_mean(f"X-averaged {name}", known)
        else:
            continue
        raise ConfigurationError(said, at=("options", "objective variables"), hint=hint)
    model.events = [event for event in model.events if event.name not in CUT_OFF_EVENTS]
    model.variables = {name: model.variables[name] for name in wanted}
    shape = {parameter.name: "Parameter" for parameter in pybamm.Geometry(model.default_geometry).parameters}
    return {**shape, **{name: str(kind) for name, (_, kind) in model.get_parameter_info().items()}}


def _model(spec: ModelSpec) -> Any:
    module = getattr(pybamm, spec.module, None)
    kind = getattr(module, spec.type, None)
    if module is None or not (isinstance(kind, type) and issubclass(kind, pybamm.BaseModel)):
        known = [name for name in dir(module) if isinstance(getattr(module, name), type)] if module else []
        raise ConfigurationError(
            f"PyBaMM has no model {spec.module}.{spec.type}",
            at=("options", "model"),
            hint=did_you_mean(spec.type, known),
        )
    try:
        return kind(dict(spec.options)) if spec.options else kind()
    except (pybamm.OptionError, TypeError, ValueError) as cause:
        raise ConfigurationError(
            f"PyBaMM refuses the options of {spec.type}: {_one_line(cause)}", at=("options", "model", "options")
        ) from None


def _built(simulation: BuiltSimulation, fixed: Mapping[str, float]) -> tuple[Any, Any, Outputs]:
    """Return the discretised model, solver and outputs, with the structural parameters fixed at these values."""
    problem = simulation.problem
    model = _model(problem.model)
    model.events = [event for event in model.events if event.name not in CUT_OFF_EVENTS] + _window(problem, model)
    keywords = simulation_keywords(model, problem.model.settings)
    solver = solver_of(problem.model.settings.get("solver"))
    large = solver_of(problem.model.settings.get("solver"), problem.variables)
    try:
        prepared = pybamm.Simulation(
            model,
            parameter_values=_parameter_values(simulation, fixed),
            solver=solver,
            # PyBaMM's check stumbles over inputs in the bounds of a variable; `overfull` looks at every solve.
            discretisation_kwargs={"check_model": not problem.free},
            **keywords,
        )
        prepared.build()
    except Exception as cause:
        raise SolverError(f"PyBaMM cannot build {problem.model.type}: {_one_line(cause)}") from cause
    built = prepared.built_model
    if built.len_rhs_and_alg > MANY_STATES:
        return built, large, Outputs(built, problem.variables, together=False)
    return built, solver, Outputs(built, problem.variables)


def _window(problem: SimulationProblem, model: Any) -> list[Any]:
    if problem.voltage_window is None or VOLTAGE not in model.variables:
        return []
    low, high = problem.voltage_window
    voltage = model.variables[VOLTAGE]
    return [
        pybamm.Event(f"voltage under {low:g} V", voltage - low),
        pybamm.Event(f"voltage over {high:g} V", high - voltage),
    ]


def _parameter_values(simulation: BuiltSimulation, fixed: Mapping[str, float]) -> Any:
    problem = simulation.problem
    inputs = {name: pybamm.InputParameter(name) for name in problem.free if name not in fixed}
    symbols = {**inputs, **{name: pybamm.Scalar(value) for name, value in fixed.items()}}
    values: dict[str, Any] = {}
    for name in simulation.given:
        if name in problem.parameters.values_:
            values[name] = _value(problem.parameters, name, symbols, fixed)
    for name in problem.free:
        values[name] = fixed.get(name, "[input]")
    for name in simulation.start.gives:
        values[name] = simulation.start.symbols(symbols).get(name, "[input]")
    values[CURRENT] = _current(problem)
    return pybamm.ParameterValues(values)


def _value(p: ParameterSet, name: str, symbols: Mapping[str, Any], fixed: Mapping[str, float]) -> Any:
    value = p.values_[name]
    if isinstance(value, Function):
        return to_callable(value, symbols)
    if isinstance(value, Expression):
        settled = value.substitute(fixed)
        return to_pybamm(settled, symbols) if isinstance(settled, Expression) else settled
    return value


def _current(problem: SimulationProblem) -> Any:
    if np.ptp(problem.current) == 0:
        return float(problem.current[0])
    return pybamm.Interpolant(problem.time, problem.current, pybamm.t, interpolator="linear", extrapolate=True)


def _at(times: Array, values: Array, wanted: Array) -> Array:
    """Return the values at the wanted times, which are among the solution's; NaN after its end."""
    inside = np.interp(wanted, times, values)
    return np.where(wanted <= times[-1] * (1 + 1e-12) + 1e-12, inside, np.nan)


def _one_line(cause: BaseException) -> str:
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    text = lines[0] if lines else type(cause).__name__
    return text if len(text) <= 200 else text[:197] + "…"
