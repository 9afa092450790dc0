"""Expressions, functions and formulas: arithmetic, substitution, wire form, limits."""

import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pybamm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.errors import ConfigurationError
from cellwright.models.symbols import to_pybamm
from cellwright.schema.expressions import FUNCTION_TAG, MAX_DEPTH, Expression, from_wire, interpolant, parameter
from cellwright.schema.formulas import parse_formula
from cellwright.schema.interpolation import Grid, Table
from cellwright.schema.values import Function, normalise, to_wire, written

finite = st.floats(min_value=0.1, max_value=10)


def formula(a, b):
    return np.exp(-a / b) * (3 - b) ** 2 + np.minimum(a, 2 * b) / np.tanh(a) - abs(-b) + 2**a


@given(finite, finite)
def test_formula_gives_the_same_on_numbers_and_substituted_expressions(a, b):
    expression = formula(parameter("a"), parameter("b"))
    assert expression.substitute({"a": a}).substitute({"b": b}) == pytest.approx(float(formula(a, b)), rel=1e-12)


@given(finite, finite)
def test_wire_form_comes_back_equal(a, b):
    expression = formula(parameter("a") * a, parameter("b") + b)
    assert from_wire(json.loads(json.dumps(expression.to_wire()))) == expression


def test_arrays_go_through_a_function():
    function = Function.trace(lambda sto, T: sto**2 * np.exp(-1 / T))
    x = np.linspace(0, 1, 5)
    np.testing.assert_allclose(function(x, 300.0), x**2 * np.exp(-1 / 300))
    assert normalise(json.loads(json.dumps(to_wire(function)))) == function


def test_constant_function_has_the_shape_of_its_argument():
    assert Function.trace(lambda sto: 3.0)(np.zeros(4)).shape == (4,)


@pytest.mark.parametrize("kind", ["linear", "cubic", "pchip"])
def test_tables_pass_through_their_points(kind):
    x, y = np.array([0.0, 0.3, 0.7, 1.0]), np.array([1.0, 0.5, 0.2, 0.1])
    table = Function.table("sto", x, y, kind)
    np.testing.assert_allclose(table(x), y, atol=1e-14)
    assert table(0.15) == pytest.approx(Table(tuple(x), tuple(y), kind)(0.15))
    assert normalise(to_wire(table)) == table


def test_a_function_that_branches_on_its_argument_is_refused_with_advice():
    import math

    with pytest.raises(ConfigurationError) as refused:
        Function.trace(lambda sto: math.exp(sto))
    assert "np.exp" in refused.value.hint


def test_a_function_that_branches_is_refused_and_not_half_read():
    with pytest.raises(ConfigurationError, match="cannot be said"):
        Function.trace(lambda sto, T: 4e-15 if T > 300 else 1e-15)
    step = Function.trace(lambda sto, T: 4e-15 * (T > 300) + 1e-15 * (T <= 300))
    assert step(0.5, 310.0) == 4e-15
    assert step(0.5, 290.0) == 1e-15


def test_unknown_nodes_and_deep_trees_are_refused():
    with pytest.raises(ConfigurationError, match=r"os\.system"):
        from_wire({"$type": "os.system", "children": []})
    tree = parameter("a").to_wire()
    for _ in range(MAX_DEPTH + 1):
        tree = {"name": "-", "children": [tree], "$type": "pybamm.expression_tree.unary_operators.Negate"}
    with pytest.raises(ConfigurationError, match="levels deep"):
        from_wire(tree)


def test_interpolants_need_increasing_points():
    with pytest.raises(ConfigurationError, match="strictly increasing"):
        interpolant([0, 0], [1, 2], parameter("x"))


def test_written_formula_names_parameters_in_quotes():
    function = written("'Reference [m2.s-1]' * exp(-E / T)", ["E", "T"])
    assert function.names == {"Reference [m2.s-1]"}
    assert function.substitute({"Reference [m2.s-1]": 2.0})(300.0, 300.0) == pytest.approx(2 * np.exp(-1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("__import__('os').system('x')", "something else than arithmetic"),
        ("exp(T) + x", "'x' in the formula"),
        ("expp(T)", "did you mean 'exp'"),
        ("T if T else 1", "something else than arithmetic"),
        ("T +", "cannot be read"),
    ],
)
def test_formulas_hold_arithmetic_alone(text, said):
    with pytest.raises(ConfigurationError) as refused:
        parse_formula(text, ("T",))
    assert said in str(refused.value)


def test_an_expression_reads_like_a_formula():
    assert str(2 * parameter("a") / (parameter("b") - 1)) == "2 * 'a' / ('b' - 1)"
    assert isinstance(np.float64(2) * parameter("a"), Expression)


def test_tables_in_two_variables_are_read_written_and_evaluated():
    x, T = np.linspace(0, 1, 3), np.linspace(280, 320, 5)
    grid = np.outer(x, T) + 1
    symbol = pybamm.Interpolant((x, T), grid, [pybamm.Parameter("x"), pybamm.Parameter("T")])
    ours = normalise(symbol)
    assert ours.payload == Grid(tuple(map(tuple, (x, T))), tuple(grid.ravel()))
    assert from_wire(json.loads(json.dumps(ours.to_wire()))) == ours
    assert ours.substitute({"x": 0.3, "T": 287.0}) == pytest.approx(0.3 * 287 + 1)
    np.testing.assert_allclose(ours.payload(np.array([0.1, 0.2]), 300.0), [31.0, 61.0])
    back = to_pybamm(ours, {"x": pybamm.Scalar(0.25), "T": pybamm.Scalar(301.0)})
    assert back.evaluate().item() == pytest.approx(0.25 * 301 + 1)


@pytest.mark.parametrize(
    ("axes", "y", "kind", "told"),
    [
        (((0.0, 1.0), (1.0, 1.0)), (1.0,) * 4, "linear", "strictly increasing"),
        (((0.0, 1.0), (1.0, 2.0)), (1.0,) * 3, "linear", "2 × 2 points has 3 values"),
        (((0.0, 1.0), (1.0, 2.0)), (1.0,) * 4, "pchip", "linear or cubic"),
    ],
)
def test_tables_in_two_variables_that_are_none(axes, y, kind, told):
    with pytest.raises(ConfigurationError, match=told):
        Grid(axes, y, kind)


@pytest.mark.parametrize(
    ("given", "kept"), [(np.array(2.5), 2.5), (np.bool_(True), True), (Decimal("0.5"), 0.5), (Fraction(1, 4), 0.25)]
)
def test_numbers_of_other_kinds_are_numbers(given, kept):
    assert normalise(given) == kept
    assert type(normalise(given)) is type(kept)


def test_a_misspelt_formula_is_no_value():
    with pytest.raises(ConfigurationError, match=r"has 'expresion'.*did you mean 'expression'"):
        normalise({"arguments": ["sto"], "expresion": "1 - sto"})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"$type": "builtins.float"}, "is no number"),
        ({"$type": "builtins.float", "value": {}}, "is no number"),
        ({"$type": "numpy.ndarray"}, "of type 'numpy.ndarray' is malformed"),
        ({"$type": "numpy.ndarray", "data": [{}], "dtype": "int64"}, "of type 'numpy.ndarray' is malformed"),
        ({"$type": f"{FUNCTION_TAG}", "children": 1}, "is malformed"),
        ({"$type": f"{FUNCTION_TAG}", "children": [1], "func_args": ["x"]}, "an expression node is an object"),
        ({"$type": "pybamm.expression_tree.scalar.Scalar", "value": []}, "is no number"),
    ],
)
def test_malformed_values_of_the_wire_are_told(given, told):
    with pytest.raises(ConfigurationError, match=told):
        normalise(given)
