"""Models built by PyBaMM, to be solved many times: every free parameter and the current is an input."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pybamm

from cellwright.errors import ConfigurationError, MissingParameterError, SolverError, did_you_mean
from cellwright.models.area import AREA, electrode_area
from cellwright.models.arguments import looked_at, names_in_arguments, refuse_other_arguments, seen_outside
from cellwright.models.extraction import agree, kernel_of
from cellwright.models.initial import InitialState, initial_state
from cellwright.models.kernel import Course, Kernel
from cellwright.models.lengths import stretching
from cellwright.models.numerics import RTOL, simulation_keywords, solver_of
from cellwright.models.parameterised import ParameterisedModel, below, one_line
from cellwright.models.reduced import MODELS
from cellwright.models.simulation import WINDOW, BuiltSimulation, Integrates
from cellwright.models.symbols import to_callable, to_pybamm
from cellwright.models.trust import trust
from cellwright.schema.expressions import Expression
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.simulation import OWN, Array, ModelSpec, Problem, SimulationProblem
from cellwright.schema.values import Function, digest, free_names

pybamm.set_logging_level("ERROR")
logger = logging.getLogger(__name__)

CURRENT = "Current function [A]"
APPLIED = "Applied current [A]"
VOLTAGE = "Voltage [V]"
WRITTEN = 8
"""How many models are kept as their classes write them; that takes 20 ms (SPM) to 60 ms (DFN), a copy 0.5 ms."""
_written: dict[str, Any] = {}
CUT_OFF_EVENTS = frozenset(f"{end} voltage{kind} [V]" for end in ("Minimum", "Maximum") for kind in ("", " switch"))


def build(problem: SimulationProblem, folder: Path | None = None) -> BuiltSimulation:
    """Return the built model of a problem; nothing is integrated. Compiled functions are kept in the folder, if any.

    The parameters' voltage cut-offs do not end the simulation, since it is to last as long as the data; leaving the
    problem's `voltage_window` does, and so do the model's other events.

    Raises: `ConfigurationError` for an unknown model or option, `MissingParameterError` naming every parameter that the
    model lacks (`detail["missing"]`), `SolverError` where PyBaMM cannot build it.
    """
    model = pybamm_model(problem.model)
    wanted = {*problem.variables} | ({VOLTAGE} if problem.voltage_window and VOLTAGE in model.variables else set())
    needed, start, structural = required(problem, model, wanted)
    stretched = stretching(problem.model, model, structural)
    if stretched:
        simulation = BuiltSimulation(replace(problem, model=stretched), needed, start, (), folder=folder)
        try:
            return _ready(simulation)
        except SolverError as cause:  # of a model that knows no such mesh
            logger.info("%s is built anew for each length, since %s", problem.model.type, one_line(cause))
    simulation = BuiltSimulation(problem, needed, start, structural, folder=folder)
    return simulation if simulation.structural else _ready(simulation)


def _ready(simulation: BuiltSimulation) -> BuiltSimulation:
    found = built(simulation, {})
    if isinstance(found, Kernel):
        return replace(simulation, kernel=found)
    return simulation.solved_by(found)


def required(
    problem: Problem, model: Any, variables: Collection[str]
) -> tuple[frozenset[str], InitialState, tuple[str, ...]]:
    """Return what a model and these variables need of the parameters; uses the model up.

    That are names, the initial state, the structural ones among the free parameters.

    A parameter with which functions are called that do not look at it may be missing.

    Raises: `ConfigurationError` for a variable that the model does not have, or that is more than one number at a time,
    and for functions of other arguments than the model's; `MissingParameterError`.
    """
    info, symbols = _parameters_of(model, problem.model.type, variables)
    p, free = problem.parameters, frozenset(problem.free)
    refuse_other_arguments(symbols, p, problem.model.type)
    needed = frozenset(info) - {CURRENT}
    unseen = names_in_arguments(symbols).keys() - seen_outside(model) - looked_at(symbols, p) - _shaping(model)
    start = initial_state(p, free, getattr(problem, "initial_voltage", None), needed)
    if AREA in needed:
        needed = needed - {AREA} | electrode_area(p, free).names
    wanted = (needed - start.gives - unseen) | start.needs
    missing = sorted(name for name in wanted if name not in p.values_ and name not in free)
    for name in sorted(wanted & p.values_.keys()):
        missing += sorted(free_names(p.values_[name]) - free - set(missing))
    if missing:
        raise MissingParameterError(
            f"the model {problem.model.type} lacks {len(missing)} parameters: {', '.join(map(repr, missing))}",
            hint=did_you_mean(missing[0], p.values_),
            detail={"missing": missing, "kinds": {name: info[name] for name in missing if name in info}},
        )
    _refuse_values(p, wanted)
    shaping = _shaping(model)
    structural: set[str] = shaping & free
    for name in shaping & p.values_.keys() & needed:
        structural |= free_names(p.values_[name]) & free
    return needed, start, tuple(sorted(structural))


def _refuse_values(p: ParameterSet, names: Collection[str]) -> None:
    """Raise `ConfigurationError` for a value that no model can take, or that is physically impossible."""
    for name in sorted(p.values_.keys() & set(names)):
        value = p.values_[name]
        if isinstance(value, Mapping | list | np.ndarray):
            what = "a table of columns" if isinstance(value, Mapping) else "an array"
            raise ConfigurationError(
                f"{name!r} is {what}, and a model takes a number or a function",
                hint="make it a function, such as lambda x: pybamm.Interpolant(…, …, x), or by a calculation that "
                "interpolates data",
            )
        if isinstance(value, int | float) and (wrong := below(name, value)):
            raise ConfigurationError(wrong, hint="look at its value and its unit")


def _shaping(model: Any) -> set[str]:
    """Return the names of the parameters that shape the mesh."""
    extents = [
        extent
        for variables in model.default_geometry.values()
        for limits in variables.values()
        for extent in (limits.values() if isinstance(limits, Mapping) else ())
        if isinstance(extent, pybamm.Symbol)
    ]
    kinds = (pybamm.Parameter, pybamm.FunctionParameter)
    return {node.name for extent in extents for node in extent.pre_order() if isinstance(node, kinds)}


def _parameters_of(model: Any, kind: str, variables: Collection[str]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the parameters that the variables depend on, and of which kind each is.

    Behind them, the symbols of those that PyBaMM lists.
    """
    known = list(model.variables)
    for name in sorted(variables):
        if name not in known:
            said, hint = f"the model {kind} has no variable {name!r}", did_you_mean(name, known)
        elif model.variables[name].domain not in _points(model):
            domain = " and ".join(model.variables[name].domain)
            said = f"{name!r} varies over the {domain}, and is not one number at a time"
            hint = did_you_mean(f"X-averaged {name}", known)
        else:
            continue
        raise ConfigurationError(said, at=("options", "objective variables"), hint=hint, detail={"variable": name})
    model.events = [event for event in model.events if event.name not in CUT_OFF_EVENTS]
    model.variables = {name: model.variables[name] for name in variables}
    shape = {parameter.name: "Parameter" for parameter in pybamm.Geometry(model.default_geometry).parameters}
    found = model.get_parameter_info()
    symbols = {name: symbol for name, (symbol, _) in found.items()}
    kinds = {name: str(sort) for name, (_, sort) in found.items()}
    return {**shape, **names_in_arguments(symbols), **kinds}, symbols


def _points(model: Any) -> tuple[list[str], ...]:
    """Return the domains on which a variable is one number: none, and current collectors without extent."""
    extent = getattr(model, "options", {}).get("dimensionality", 0)
    return ([],) if extent else ([], ["current collector"])


def pybamm_model(spec: ModelSpec) -> Any:
    """Return PyBaMM's model. Raises: `ConfigurationError` for an unknown one, and for options that it does not take."""
    if spec.live is not None:
        return spec.live.fresh()
    key = digest([spec.module, spec.type, dict(spec.options)])
    if key not in _written:
        if len(_written) >= WRITTEN:
            del _written[next(iter(_written))]
        _written[key] = _newly_written(spec)
    return _written[key].new_copy()


def _newly_written(spec: ModelSpec) -> Any:
    kind = _kind(spec)
    try:
        return kind(options=dict(spec.options)) if spec.options else kind()
    except (pybamm.OptionError, TypeError, ValueError) as cause:
        refused = (
            f"{spec.type} refuses its options" if spec.module == OWN else f"PyBaMM refuses the options of {spec.type}"
        )
        raise ConfigurationError(f"{refused}: {one_line(cause)}", at=("options", "model", "options")) from None


def _kind(spec: ModelSpec) -> Any:
    """Return the class of a model. Raises: `ConfigurationError` where there is none of that name."""
    if spec.module == OWN and spec.type in MODELS:
        return MODELS[spec.type]
    module = getattr(pybamm, spec.module, None)
    kind = getattr(module, spec.type, None)
    if isinstance(kind, type) and issubclass(kind, pybamm.BaseModel):
        return kind
    known = [name for name in dir(module) if isinstance(getattr(module, name), type)] if module else [*MODELS]
    raise ConfigurationError(
        f"{'there is' if spec.module == OWN else 'PyBaMM has'} no model {spec.module}.{spec.type}",
        at=("options", "model"),
        hint=did_you_mean(spec.type, [*known, *MODELS]),
    )


def built(simulation: BuiltSimulation, fixed: Mapping[str, float]) -> "Kernel | Integrates":
    """Return the kernel of the model, with the structural parameters fixed at these values.

    Where a kernel does not serve, PyBaMM's own solver comes in its place.

    Raises: `SolverError` where PyBaMM cannot build the model.
    """
    problem = simulation.problem
    solver = solver_of(problem.model.settings.get("solver"), problem.variables)
    try:
        model = discretised(simulation, fixed, pybamm.InputParameter(APPLIED))
        return kernel_of(model, solver, simulation.inputs, APPLIED)
    except (NotImplementedError, AttributeError, TypeError) as cause:  # what is not documented may change
        logger.warning("%s is solved by PyBaMM's own solver, since %s", problem.model.type, one_line(cause))
    return _plain(simulation, fixed)


def checked(simulation: BuiltSimulation, inputs: Mapping[str, float], outputs: Mapping[str, Array]) -> BuiltSimulation:
    """Return the simulation if its outputs at the inputs are PyBaMM's, else one that PyBaMM's own solver solves.

    Where they agree, this kind of model is trusted from now on; where PyBaMM has no answer, nothing is known.
    """
    plain = simulation.solved_by(_plain(simulation, {}))
    theirs = plain.solve(inputs)
    if theirs.status != "solved":
        return simulation
    if agree(outputs, theirs.outputs, RTOL):
        trust(simulation.problem, simulation.folder)
        return simulation
    logger.warning(
        "%s is solved by PyBaMM's own solver, since the kernel's answers differ", simulation.problem.model.type
    )
    return plain


def _plain(simulation: BuiltSimulation, fixed: Mapping[str, float]) -> "PlainIntegrator":
    problem = simulation.problem
    solver = solver_of(problem.model.settings.get("solver"), problem.variables)
    return PlainIntegrator(discretised(simulation, fixed, _current(problem)), solver, simulation.inputs)


def discretised(simulation: ParameterisedModel, fixed: Mapping[str, float], current: Any) -> Any:
    """Return the discretised model with the structural parameters fixed at these values and this current.

    Raises: `SolverError` where PyBaMM cannot build it.
    """
    problem = simulation.problem
    model = pybamm_model(problem.model)
    model.events = [event for event in model.events if event.name not in CUT_OFF_EVENTS] + _window(problem, model)
    keywords = simulation_keywords(model, problem.model.settings)
    try:
        prepared = pybamm.Simulation(
            model,
            parameter_values=parameter_values(simulation, fixed, current),
            # PyBaMM's check stumbles over inputs in the bounds of a variable; `overfull` looks at every solve.
            discretisation_kwargs={"check_model": not problem.free},
            **keywords,
        )
        prepared.build()
    except Exception as cause:
        raise SolverError(f"PyBaMM cannot build {problem.model.type}: {one_line(cause)}") from cause
    return prepared.built_model


class PlainIntegrator:
    """PyBaMM's own solver, for what the kernel does not serve."""

    def __init__(self, model: Any, solver: Any, inputs: Sequence[str]) -> None:
        self._model, self._solver, self._inputs = model, solver, tuple(inputs)

    def solve(self, points: Array, stops: Array, times: Array) -> list[Course]:
        """Return the courses of the output variables at points (n, inputs), one after the other."""
        return [self._course(dict(zip(self._inputs, map(float, point), strict=True)), stops, times) for point in points]

    def _course(self, inputs: dict[str, float], stops: Array, times: Array) -> Course:
        names = self._solver.output_variables
        try:
            solution = self._solver.solve(self._model, stops, inputs=inputs, t_interp=times)
        except Exception as cause:  # a failed solve is a status
            return Course(np.zeros(0), np.zeros((0, len(names))), -1, one_line(cause))
        outputs = np.column_stack([np.ravel(solution[name].data) for name in names])
        return Course(np.asarray(solution.t), outputs, 0, str(solution.termination))


def _window(problem: Problem, model: Any) -> list[Any]:
    if not isinstance(problem, SimulationProblem) or problem.voltage_window is None or VOLTAGE not in model.variables:
        return []
    low, high = (pybamm.InputParameter(name) for name in WINDOW)
    voltage = model.variables[VOLTAGE]
    return [pybamm.Event(WINDOW[0], voltage - low), pybamm.Event(WINDOW[1], high - voltage)]


def parameter_values(simulation: ParameterisedModel, fixed: Mapping[str, float], current: Any) -> Any:
    """Return PyBaMM's parameter values: some fixed, the other free ones and the initial state as inputs."""
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
    values[CURRENT] = current
    # What functions are called with and do not look at.
    values.update(dict.fromkeys(simulation.needed - values.keys() - {AREA}, pybamm.Scalar(np.nan)))
    area = electrode_area(problem.parameters, problem.free)
    if area.names <= values.keys():
        values.setdefault(AREA, to_pybamm(area, {name: pybamm.Parameter(name) for name in area.names}))
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
