"""Our expressions beside PyBaMM's: as symbols, and as the JSON that both read and write."""

import os
import subprocess
import sys

import casadi
import numpy as np
import pybamm
import pytest
from pybamm.expression_tree.operations.serialise import convert_symbol_from_json, convert_symbol_to_json

from cellwright.errors import ConfigurationError
from cellwright.models.symbols import to_callable, to_pybamm
from cellwright.schema.expressions import _BINARY, _UNARY, Expression, call, from_wire, interpolant, parameter, scalar
from cellwright.schema.values import Function

A, B = parameter("a"), parameter("b")
VALUES = {"a": 0.37, "b": 1.9}
X = np.linspace(0.0, 1.0, 9)
Y = np.exp(-3 * X) + 0.1 * np.sin(9 * X)

FORMULAS = {
    **{op: Expression(op, (A, B)) for op in _BINARY},
    **{op: Expression(op, (A,)) for op in _UNARY},
    "scalar": A + 2.5,
    "nested": 3 * A / (B - 1) ** 2 + np.exp(-B / (8.314 * (A + 1))),
    **{kind: interpolant(X, Y, A, kind) for kind in ("linear", "cubic", "pchip")},
}
formulas = pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)


def ours(formula) -> float:
    return float(formula.substitute(VALUES))


def theirs(symbol) -> float:
    """The number that PyBaMM makes of a symbol."""
    return float(np.squeeze(pybamm.ParameterValues(VALUES).process_symbol(symbol).evaluate()))


@formulas
def test_symbols_have_the_value_of_the_expression(formula):
    symbol = to_pybamm(formula, {name: pybamm.Parameter(name) for name in VALUES})
    assert theirs(symbol) == pytest.approx(ours(formula), rel=1e-12)


@formulas
def test_pybamm_reads_what_we_write(formula):
    assert theirs(convert_symbol_from_json(formula.to_wire())) == pytest.approx(ours(formula), rel=1e-12)


@formulas
def test_we_read_what_pybamm_writes(formula):
    written = convert_symbol_to_json(to_pybamm(formula, {name: pybamm.Parameter(name) for name in VALUES}))
    assert from_wire(written).substitute(VALUES) == pytest.approx(ours(formula), rel=1e-12)


def test_time_is_pybamms_time():
    time = Expression("time", payload="t")
    assert to_pybamm(2 * time, {}).evaluate(t=3.0) == 6.0
    assert convert_symbol_from_json(time.to_wire()) == pybamm.t
    assert from_wire(convert_symbol_to_json(pybamm.t)) == time


def test_inputs_stay_inputs():
    written = convert_symbol_to_json(pybamm.InputParameter("a"))
    assert from_wire(written) == Expression("input", payload="a")
    assert convert_symbol_from_json(Expression("input", payload="a").to_wire()) == pybamm.InputParameter("a")


def test_functions_cross_both_ways():
    law = Function.trace(lambda sto, T: A * sto * np.exp(T / 300))
    expected = law.substitute(VALUES)(0.4, 310.0)
    read = convert_symbol_from_json(law.to_wire())
    values = pybamm.ParameterValues({**VALUES, "law": read})
    inputs = {"sto": pybamm.Scalar(0.4), "T": pybamm.Scalar(310.0)}
    assert float(values.process_symbol(pybamm.FunctionParameter("law", inputs)).evaluate()) == pytest.approx(expected)


def test_a_function_that_pybamm_calls_takes_its_arguments_and_the_free_parameters():
    law = Function.trace(lambda sto: A * sto)
    called = to_callable(law, {"a": pybamm.InputParameter("a")})
    symbol = called(pybamm.Scalar(3.0), pybamm.Scalar(298.15))  # PyBaMM offers a temperature, too
    assert symbol.evaluate(inputs={"a": 2.0}) == 6.0


def test_a_function_of_no_symbol_is_still_a_symbol():
    assert to_callable(Function(("sto",), scalar(4.0)), {})(pybamm.Scalar(1.0)) == pybamm.Scalar(4.0)


def test_a_function_that_nobody_provided_is_asked_of_pybamm():
    symbol = to_pybamm(call("law", {"sto": 2 * A}), {"a": pybamm.Parameter("a")})
    values = pybamm.ParameterValues({**VALUES, "law": lambda sto: sto + 1})
    assert float(values.process_symbol(symbol).evaluate()) == pytest.approx(2 * VALUES["a"] + 1)


@pytest.mark.parametrize("kind", ["linear", "cubic", "pchip"])
@pytest.mark.parametrize("knots", [2, 9])
def test_compiled_tables_agree_inside_and_beyond_their_ends(kind, knots):
    table = Function.table("a", X[:knots], Y[:knots], kind)
    x = casadi.MX.sym("x")
    symbol = to_callable(table, {})(pybamm.InputParameter("x"))
    compiled = casadi.Function("f", [x], [symbol.to_casadi(inputs={"x": x})])
    points = np.linspace(-0.2, 1.2, 71)
    found = [float(compiled(point)) for point in points]
    np.testing.assert_allclose(found, table(points), rtol=0, atol=1e-11)  # rounding of a cubic 1.1 beyond its end


def test_a_name_without_value_is_told():
    with pytest.raises(ConfigurationError, match="'b'"):
        to_pybamm(A + B, {"a": pybamm.Scalar(1.0)})


def test_importing_our_models_switches_telemetry_off_and_stays_silent():
    script = "import cellwright.models.simulate, pybamm; print(type(pybamm.telemetry._posthog).__name__)"
    environment = {k: v for k, v in os.environ.items() if k != "PYBAMM_DISABLE_TELEMETRY" and "PYTEST" not in k}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "MockTelemetry"
    assert done.stderr == ""
