"""Our expressions and functions as PyBaMM symbols."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pybamm
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from cellwright.errors import ConfigurationError
from cellwright.schema.expressions import Expression, evaluate, fold
from cellwright.schema.interpolation import Grid, Table
from cellwright.schema.values import Function

Symbols = Mapping[str, pybamm.Symbol]

_FUNCTIONS: dict[str, Callable[..., pybamm.Symbol]] = {
    "abs": abs,
    "minimum": pybamm.minimum,
    "maximum": pybamm.maximum,
    "sign": pybamm.sign,
    "exp": pybamm.exp,
    "log": pybamm.log,
    "sqrt": pybamm.sqrt,
    "tanh": pybamm.tanh,
    "sinh": pybamm.sinh,
    "cosh": pybamm.cosh,
    "sin": pybamm.sin,
    "cos": pybamm.cos,
    "arcsinh": pybamm.arcsinh,
    "arctan": pybamm.arctan,
    "erf": pybamm.erf,
}


def to_pybamm(expression: Expression, symbols: Symbols) -> Any:
    """Return the PyBaMM symbol (or number) of an expression, its parameters replaced by the given symbols.

    A function that nobody has provided becomes a `pybamm.FunctionParameter` of its name, unless there is a symbol for
    it. A table agrees with `Table`
    inside and beyond its ends: linear goes straight on, cubic and pchip along the last polynomial.

    Raises: `ConfigurationError` for a parameter that is not among them.
    """

    def step(node: Expression, children: list[Any]) -> Any:
        if node.op == "scalar":
            return node.payload
        if node.op == "time":
            return pybamm.t
        if node.op in {"parameter", "input"}:
            if node.name not in symbols:
                raise ConfigurationError(f"the parameter {node.name!r} in an expression has no value")
            return symbols[node.name]
        if node.op == "call" and node.name in symbols:
            return symbols[node.name]
        if node.op == "call":
            return pybamm.FunctionParameter(node.name, dict(zip(node.payload[1], map(_symbol, children), strict=True)))
        if node.op == "interpolant":
            return _interpolant(node.payload, children)
        if node.op in _FUNCTIONS:
            return _FUNCTIONS[node.op](*children)
        return evaluate(node.op, node.payload, children)

    return fold(expression, step)


def to_callable(function: Function, symbols: Symbols) -> Callable[..., Any]:
    """Return the Python function that PyBaMM calls with symbols for the arguments.

    PyBaMM may offer more arguments than the function has (the temperature, to a diffusivity that does not depend on
    it); those are ignored.
    """

    def called(*arguments: Any) -> Any:
        given = dict(zip(function.arguments, arguments, strict=False))
        result = to_pybamm(function.body, {**symbols, **given})
        return _symbol(result)

    called.__name__ = "".join(letter if letter.isalnum() else "_" for letter in function.label)
    return called


def _symbol(value: Any) -> pybamm.Symbol:
    return value if isinstance(value, pybamm.Symbol) else pybamm.Scalar(value)


def _interpolant(table: Table | Grid, arguments: list[Any]) -> Any:
    if not any(isinstance(argument, pybamm.Symbol) for argument in arguments):
        return float(table(*arguments))
    if isinstance(table, Grid):
        axes, values = [np.array(axis) for axis in table.axes], np.reshape(table.y, table.shape)
        return pybamm.Interpolant(axes, values, list(map(_symbol, arguments)), interpolator=table.interpolator)
    (argument,) = arguments
    x, y = np.array(table.x), np.array(table.y)
    if table.interpolator == "cubic" and len(x) > 2:
        return _cubic(x, y, argument)
    kind = table.interpolator if len(x) > 2 else "linear"
    return pybamm.Interpolant(x, y, argument, interpolator=kind, extrapolate=True)


def _cubic(x: NDArray[np.float64], y: NDArray[np.float64], argument: pybamm.Symbol) -> pybamm.Symbol:
    """Return a cubic spline that goes on beyond its ends: the compiled one of CasADi is zero there.

    Inside, both end terms vanish; outside, the spline stands at its end and the last polynomial's rest is added.
    """
    spline = CubicSpline(x, y, bc_type="not-a-knot")
    inside = pybamm.minimum(pybamm.maximum(argument, x[0]), x[-1])
    ends = ((x[0], pybamm.minimum(argument - x[0], 0)), (x[-1], pybamm.maximum(argument - x[-1], 0)))
    result = pybamm.Interpolant(x, y, inside, interpolator="cubic", extrapolate=True)
    for end, beyond in ends:
        first, second, third = (float(spline(end, order)) for order in (1, 2, 3))
        result += beyond * (first + beyond * (second / 2 + beyond * third / 6))
    return result
