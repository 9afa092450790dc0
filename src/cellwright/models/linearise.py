"""Models of PyBaMM, linearised about their initial state for their impedance."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import casadi
import numpy as np
import pybamm
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from cellwright.errors import ConfigurationError, SolverError
from cellwright.models.extraction import expanded
from cellwright.models.impedance import BuiltImpedance, ImpedanceKernel
from cellwright.models.lengths import stretching
from cellwright.models.parameterised import one_line
from cellwright.models.simulate import APPLIED, VOLTAGE, discretised, pybamm_model, required
from cellwright.schema.simulation import ImpedanceProblem, ModelSpec

logger = logging.getLogger(__name__)

SURFACE_FORM = "surface form"
CHARGED = "differential"
"""The surface form in which the double layers of the electrodes are charged."""


def build(problem: ImpedanceProblem) -> BuiltImpedance:
    """Return the built model of a problem, linearised about its initial state.

    Raises: `ConfigurationError` for an unknown model or option, `MissingParameterError` naming every parameter that the
    model lacks (`detail["missing"]`), `SolverError` where PyBaMM cannot build it.
    """
    spec = with_double_layers(problem.model)
    model = pybamm_model(spec)
    needed, start, structural = required(problem, model, {VOLTAGE})
    stretched = stretching(spec, model, structural)
    if stretched:
        impedance = BuiltImpedance(replace(problem, model=stretched), needed, start, ())
        try:
            return replace(impedance, kernel=linearised(impedance, {}))
        except SolverError as cause:  # of a model that knows no such mesh
            logger.info("%s is built anew for each length, since %s", spec.type, one_line(cause))
    impedance = BuiltImpedance(problem, needed, start, structural)
    return impedance if impedance.structural else replace(impedance, kernel=linearised(impedance, {}))


def with_double_layers(spec: ModelSpec) -> ModelSpec:
    """Return the model with double layers that are charged, unless its options or its kind say what becomes of them.

    Raises: `ConfigurationError` where the options ask for a form that has no impedance.
    """
    model = pybamm_model(spec)
    if VOLTAGE not in model.variables:
        raise ConfigurationError(
            f"the model {spec.type} has no {VOLTAGE!r}, and so no impedance", at=("options", "model")
        )
    form = dict(model.options).get(SURFACE_FORM, CHARGED)
    said = SURFACE_FORM in spec.options or spec.live is not None
    if form == CHARGED or (said and form != "false"):
        return spec
    if said:
        raise ConfigurationError(
            f"with {SURFACE_FORM!r} {form!r} the model {spec.type} has no impedance of its interfaces",
            at=("options", "model", "options", SURFACE_FORM),
            hint="leave it out (an object of PyBaMM says it always), or write 'differential' (with double layers) or "
            "'algebraic' (without)",
        )
    return replace(spec, options={**spec.options, SURFACE_FORM: CHARGED})


def linearised(impedance: BuiltImpedance, fixed: Mapping[str, float]) -> ImpedanceKernel:
    """Return the kernel of the model, with the structural parameters fixed at these values.

    Raises: `SolverError` where PyBaMM cannot build the model.
    """
    problem = replace(impedance.problem, model=with_double_layers(impedance.problem.model))
    model = discretised(replace(impedance, problem=problem), fixed, pybamm.InputParameter(APPLIED))
    try:
        return _kernel(model, impedance.inputs)
    except Exception as cause:
        raise SolverError(f"{problem.model.type} cannot be linearised: {one_line(cause)}") from cause


def _kernel(model: Any, inputs: tuple[str, ...]) -> ImpedanceKernel:
    y, p, current = (
        casadi.MX.sym(name, size) for name, size in (("y", model.len_rhs_and_alg), ("p", len(inputs)), ("I", 1))
    )
    given = {**{name: p[place] for place, name in enumerate(inputs)}, APPLIED: current}

    def written(symbol: Any) -> Any:
        return symbol.to_casadi(casadi.MX(0.0), y, inputs=given)

    parts = [model.concatenated_rhs] * bool(model.len_rhs) + [model.concatenated_algebraic] * bool(model.len_alg)
    balance, voltage = casadi.vertcat(*map(written, parts)), written(model.get_processed_variable(VOLTAGE))
    tangent = [casadi.jacobian(of, to) for of in (balance, voltage) for to in (y, current)]
    at = expanded(casadi.Function("at", [y, p, current], tangent))
    start = casadi.Function("start", [p, current], [written(model.concatenated_initial_conditions)])
    mass = csc_matrix(model.mass_matrix.entries)
    pattern, order = _pattern(at.sparsity_out(0), mass)
    stiffness, driven, seen, through = at(start(p, 0.0), p, 0.0)
    ordered = stiffness[:, order]
    linearised = expanded(casadi.Function("linearised", [p], [ordered.nz[:], driven, seen[:, order], through]))
    return ImpedanceKernel(
        inputs=inputs,
        linearised=linearised.serialize(),
        rows=pattern.indices,
        starts=pattern.indptr,
        mass=np.asarray(mass[:, order][pattern.indices, _columns(pattern)]).ravel(),
        places=_places(ordered.sparsity(), pattern),
    )


def _pattern(stiffness: Any, mass: csc_matrix) -> tuple[csc_matrix, list[int]]:
    """Return where iω M - f_y has entries, and the order of columns, done already, in which its factors stay sparse."""
    rows, columns = stiffness.get_triplet()
    both = csc_matrix((np.ones(len(rows)), (rows, columns)), shape=mass.shape) + abs(mass)
    some = np.random.default_rng(0).uniform(1.0, 2.0, both.nnz)  # the pattern alone counts; these do not cancel
    order = np.argsort(splu(csc_matrix((some, both.indices, both.indptr)), permc_spec="COLAMD").perm_c)
    pattern = csc_matrix(both[:, order])
    pattern.sort_indices()
    return pattern, order.tolist()


def _columns(pattern: csc_matrix) -> Any:
    return np.repeat(np.arange(pattern.shape[1]), np.diff(pattern.indptr))


def _places(part: Any, pattern: csc_matrix) -> Any:
    """Return where the entries of a part of the pattern stand in it."""
    numbered = csc_matrix((np.arange(pattern.nnz), pattern.indices, pattern.indptr), shape=pattern.shape)
    rows, columns = part.get_triplet()
    return np.asarray(numbered[rows, columns]).ravel().astype(np.int32)
