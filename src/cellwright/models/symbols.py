"""Our expressions and functions as PyBaMM symbols."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pybamm

from cellwright.errors import ConfigurationError
from cellwright.schema.expressions import Expression, Table, evaluate, fold
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

    A function that nobody has provided becomes a `pybamm.FunctionParameter` of its name. Beyond its points a table
    goes on as `Table` does for linear (straight on) and cubic (last polynomial); PyBaMM's solvers continue pchip alike.

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
        if node.op == "call":
            return pybamm.FunctionParameter(node.name, dict(zip(node.payload[1], map(_symbol, children), strict=True)))
        if node.op == "interpolant":
            return _interpolant(node.payload, children[0])
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


def _interpolant(table: Table, argument: Any) -> Any:
    if not isinstance(argument, pybamm.Symbol):
        return float(table(argument))
    return pybamm.Interpolant(
        np.array(table.x), np.array(table.y), argument, interpolator=table.interpolator, extrapolate=True
    )
