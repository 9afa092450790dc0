"""Kernels out of PyBaMM's discretised models."""

from collections.abc import Mapping, Sequence
from typing import Any

import casadi
import numpy as np
import pybamm

from cellwright.errors import ConfigurationError
from cellwright.models.kernel import Kernel
from cellwright.schema.simulation import Array


def kernel_of(model: Any, solver: Any, inputs: Sequence[str], applied: str) -> Kernel:
    """Return the kernel of a discretised model whose current is the input `applied`.

    `solver` is the `pybamm.IDAKLUSolver` with the tolerances, options and output variables that are wanted, `inputs`
    the names of the model's other inputs in the order of the points to come. Every function is expanded to scalar
    operations where that is possible (tables, that is, interpolants, keep their own).

    Raises: `pybamm.SolverError` for a model that cannot be solved, `ConfigurationError` for an output that is an
    integral over the whole time; `NotImplementedError` where the model has another form than PyBaMM's lithium-ion
    models: a mass matrix that is not the identity, or jumps at times of its own, at which PyBaMM's solver stops.
    """
    _refuse_integrals(model, solver.output_variables)
    names = (*inputs, applied)
    # PyBaMM differentiates the model, and evaluates the initial state, with some value for each input.
    pybamm.BaseSolver.set_up(solver, model, [dict.fromkeys(names, 1.0)], np.array([0.0, 1.0]))
    if not model.is_standard_form_dae:
        raise NotImplementedError("the mass matrix is not the identity of the differential states")
    if model.t_discon_constant_symbols or model.discontinuity_events_eval:
        raise NotImplementedError("the model jumps at times of its own")
    written = {role: expanded(one) for role, one in _functions(model, solver, len(names)).items()}
    ends = [event for event in model.events if event.event_type == pybamm.EventType.TERMINATION]
    return Kernel(
        inputs=tuple(inputs),
        variables=tuple(solver.output_variables),
        functions={role: one.serialize() for role, one in written.items()},
        differential=(True,) * model.len_rhs + (False,) * model.len_alg,
        events=tuple(event.name for event in ends),
        rtol=float(solver.rtol),
        atol=float(solver.atol),
        options=dict(solver.options),
    )


def _refuse_integrals(model: Any, variables: Sequence[str]) -> None:
    for name in variables:
        symbol = model.get_processed_variable(name)
        if pybamm.ProcessedVariableTimeIntegral.from_pybamm_var(symbol, model.len_rhs_and_alg) is not None:
            raise ConfigurationError(
                f"{name!r} is an integral over the whole simulation, and no course over time",
                at=("options", "objective variables"),
            )


def _functions(model: Any, solver: Any, count: int) -> Mapping[str, Any]:
    """Return the functions of t [s], y, p (`count` entries), the factor c of the mass matrix and a vector v."""
    t, y, p = casadi.MX.sym("t"), casadi.MX.sym("y", model.len_rhs_and_alg), casadi.MX.sym("p", count)
    c, v = casadi.MX.sym("c"), casadi.MX.sym("v", model.len_rhs_and_alg)
    algebraic = casadi.DM.zeros(model.len_alg)
    mass = casadi.DM(model.mass_matrix.entries)
    y0 = model.initial_conditions_eval(0.0, casadi.DM.zeros(model.len_rhs_and_alg), p)
    events = [event(t, y, p) for event in model.terminate_events_eval]
    made: dict[str, tuple[list[Any], list[Any]]] = {
        "rhs_alg": ([t, y, p], [model.rhs_algebraic_eval(t, y, p)]),
        "jac_times_cjmass": ([t, y, p, c], [model.jac_rhs_algebraic_eval(t, y, p) - c * mass]),
        "jac_action": ([t, y, p, v], [model.jac_rhs_algebraic_action_eval(t, y, p, v)]),
        "mass_action": ([v], [casadi.vertcat(v[: model.len_rhs], algebraic)]),
        "events": ([t, y, p], [casadi.vertcat(*events)]),
        "alg_res": ([t, y, p], [model.algebraic_eval(t, y, p)]) if model.len_alg else ([], []),
        "alg_jac": ([t, y, p], [model.jac_algebraic_eval(t, y, p)]) if model.len_alg else ([], []),
        "start": ([p], [y0, casadi.vertcat(model.rhs_eval(0.0, y0, p), algebraic)]),
    }
    for index, name in enumerate(solver.output_variables):
        made[f"variable_{index}"] = ([t, y, p], [solver.computed_var_fcns[name](t, y, p)])
    return {role: casadi.Function(role, arguments, results) for role, (arguments, results) in made.items()}


def expanded(function: Any) -> Any:
    """Return a CasADi function in scalar operations, or as it is where that is impossible."""
    try:
        return function.expand() if function.n_in() else function
    except RuntimeError:  # an interpolant has no scalar form
        return function


def agree(ours: Mapping[str, Array], theirs: Mapping[str, Array], rtol: float) -> bool:
    """Return whether two sets of outputs are the same within the integrator's relative tolerance."""
    return all(
        np.allclose(ours[name], values, rtol=0, atol=rtol * np.nanmax(np.abs(values), initial=0), equal_nan=True)
        for name, values in theirs.items()
    )
