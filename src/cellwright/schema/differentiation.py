"""Derivatives of expressions, worked out node by node beside their values (forward mode).

Source: Griewank & Walther, Evaluating Derivatives (2008), ch. 3.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from cellwright.errors import ConfigurationError
from cellwright.schema.expressions import Expression, evaluate, fold
from cellwright.schema.interpolation import Table

Rates = Mapping[str, Any]
"""name → derivative by it; a name that is left out has none."""

_UNARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "neg": lambda x, y: -1.0,
    "abs": lambda x, y: np.sign(x),
    "sign": lambda x, y: 0.0,
    "exp": lambda x, y: y,
    "log": lambda x, y: 1 / x,
    "sqrt": lambda x, y: 0.5 / y,
    "tanh": lambda x, y: 1 - y**2,
    "sinh": lambda x, y: np.cosh(x),
    "cosh": lambda x, y: np.sinh(x),
    "sin": lambda x, y: np.cos(x),
    "cos": lambda x, y: -np.sin(x),
    "arcsinh": lambda x, y: 1 / np.sqrt(1 + x**2),
    "arctan": lambda x, y: 1 / (1 + x**2),
    "erf": lambda x, y: 2 / np.sqrt(np.pi) * np.exp(-(x**2)),
}
"""The derivative of a function by its operand x, where it has the value y."""
_BINARY: Mapping[str, Callable[[Any, Any, Any], tuple[Any, Any]]] = {
    "+": lambda a, b, y: (1.0, 1.0),
    "-": lambda a, b, y: (1.0, -1.0),
    "*": lambda a, b, y: (b, a),
    "/": lambda a, b, y: (1 / b, -y / b),
    "<": lambda a, b, y: (0.0, 0.0),
    "<=": lambda a, b, y: (0.0, 0.0),
    "minimum": lambda a, b, y: (1.0 * (a <= b), 1.0 * (b < a)),
    "maximum": lambda a, b, y: (1.0 * (a >= b), 1.0 * (b > a)),
}
"""The derivatives of an operation by its operands a and b, where it has the value y."""


def differentiated(expression: Expression, values: Mapping[str, Any], names: Collection[str]) -> tuple[Any, Rates]:
    """Return the value of an expression at numbers or arrays, and its derivatives by some of the names.

    Raises: `ConfigurationError` for a name without a value and for a table in several variables.
    """

    def step(node: Expression, operands: list[tuple[Any, Rates]]) -> tuple[Any, Rates]:
        if node.op == "scalar":
            return node.payload, {}
        if node.op in {"parameter", "input", "time", "call"}:
            if node.name not in values or node.op == "call":
                raise ConfigurationError(f"{node.name!r} has no value")
            return values[node.name], {node.name: 1.0} if node.name in names else {}
        inner = [value for value, _ in operands]
        value = evaluate(node.op, node.payload, inner)
        if not any(rates for _, rates in operands):
            return value, {}
        return value, _chained(_slopes(node, inner, value), [rates for _, rates in operands])

    found: tuple[Any, Rates] = fold(expression, step)
    return found


def _slopes(node: Expression, operands: list[Any], value: Any) -> tuple[Any, ...]:
    """Return the derivatives of a node by its operands."""
    if node.op in _UNARY:
        return (_UNARY[node.op](operands[0], value),)
    if node.op in _BINARY:
        left, right = operands
        return _BINARY[node.op](left, right, value)
    if node.op == "**":
        base, power = operands
        logarithm = np.log(np.where(np.asarray(base) > 0, base, 1.0))
        return power * base ** (power - 1.0), value * logarithm
    if isinstance(node.payload, Table):
        return (node.payload.slope(operands[0]),)
    raise ConfigurationError(f"the derivative of an expression of kind {node.op!r} is not known")


def _chained(slopes: tuple[Any, ...], rates: list[Rates]) -> Rates:
    result: dict[str, Any] = {}
    for slope, inner in zip(slopes, rates, strict=True):
        for name, rate in inner.items():
            result[name] = result[name] + slope * rate if name in result else slope * rate
    return result
