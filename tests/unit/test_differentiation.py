"""Derivatives of expressions: those of every operation, through tables, of functions that are part of each other."""

import numpy as np
import pytest

from cellwright.errors import ConfigurationError
from cellwright.schema.differentiation import differentiated
from cellwright.schema.expressions import _BINARY, _UNARY, binary, call, interpolant, parameter, unary

X = np.array([0.3, 0.7, 1.9])
A = 1.3
STEP = 1e-6


def by_differences(expression, values, name):
    above, below = (expression.substitute({**values, name: values[name] + side * STEP}) for side in (1, -1))
    return (above - below) / (2 * STEP)


@pytest.mark.parametrize("op", sorted(_UNARY))
def test_every_function_of_one_operand(op):
    check(unary(op, parameter("a") * parameter("x") - 0.2))


@pytest.mark.parametrize("op", sorted(_BINARY))
def test_every_operation_on_two(op):
    check(parameter("a") * binary(op, parameter("a") + parameter("x"), parameter("x") * parameter("a") ** 2))


@pytest.mark.parametrize("kind", ["linear", "cubic", "pchip"])
def test_tables_of_every_kind(kind):
    knots = np.linspace(0, 3, 15)
    check(parameter("a") * interpolant(knots, np.exp(-knots), parameter("x") / parameter("a"), kind))


def test_an_open_circuit_potential_of_tanh_and_exponentials():
    x, a = parameter("x"), parameter("a")
    check(1.98 * np.exp(-39 * x / a) + 0.25 - 0.09 * np.tanh(29.8 * (x - 0.12 * a)) - 0.02 * np.tanh(14 * (x - 0.27)))


def check(expression):
    values = {"x": X, "a": A}
    value, rates = differentiated(expression, values, {"x", "a"})
    np.testing.assert_array_equal(value, expression.substitute(values))
    for name in ("x", "a"):
        # Central differences err by rounding over the step, 1e-10.
        expected = by_differences(expression, values, name)
        np.testing.assert_allclose(np.broadcast_to(rates.get(name, 0.0), X.shape), expected, rtol=1e-7, atol=1e-8)


def test_names_that_are_not_asked_for_have_no_derivative():
    _, rates = differentiated(parameter("a") * parameter("x"), {"x": X, "a": A}, {"a"})
    assert list(rates) == ["a"]
    np.testing.assert_array_equal(rates["a"], X)


def test_what_has_no_value_is_told():
    with pytest.raises(ConfigurationError, match="'b' has no value"):
        differentiated(parameter("b") + 1, {}, {"b"})
    with pytest.raises(ConfigurationError, match="'f' has no value"):
        differentiated(call("f", {"x": 1.0}), {}, {"b"})
