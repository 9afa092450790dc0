"""Formulas in text, for documents that people write: `"'Reference diffusivity [m2.s-1]' * exp(-E / (8.314 * T))"`.

A quoted string is the name of a parameter, a bare name an argument of the function. Only arithmetic, comparisons and
the functions that expressions know are read; nothing is executed.
"""

import ast
from typing import Any

from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.schema.expressions import binary, parameter, unary

FUNCTIONS = (
    "exp",
    "log",
    "sqrt",
    "tanh",
    "sinh",
    "cosh",
    "sin",
    "cos",
    "arcsinh",
    "arctan",
    "erf",
    "abs",
    "sign",
)
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}
_COMPARISONS: dict[type[ast.cmpop], tuple[str, bool]] = {
    ast.Lt: ("<", False),
    ast.LtE: ("<=", False),
    ast.Gt: ("<", True),
    ast.GtE: ("<=", True),
}
"""Each with whether its sides change places: `a > b` is `b < a`."""


def parse_formula(text: str, arguments: tuple[str, ...] = ()) -> Any:
    """Return the expression of a formula, or a number where nothing in it is free.

    Raises: `ConfigurationError` for what is no arithmetic, an unknown function or a bare name that is no argument.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as cause:
        raise ConfigurationError(f"the formula {text!r} cannot be read: {cause.msg}") from None
    try:
        return _value(tree, arguments, text)
    except ArithmeticError as cause:
        raise ConfigurationError(f"the formula {text!r} has no value: {cause}") from None


def _value(node: ast.expr, arguments: tuple[str, ...], text: str) -> Any:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Constant(value=str() as name):
            return parameter(name)
        case ast.Name(id=name):
            if name in arguments:
                return parameter(name)
            hint = did_you_mean(name, arguments) or "write the name of a parameter in quotes"
            raise ConfigurationError(f"{name!r} in the formula {text!r} is no argument of it", hint=hint)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return unary("neg", _value(operand, arguments, text))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, arguments, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return binary(_OPERATORS[type(op)], _value(left, arguments, text), _value(right, arguments, text))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            sign, turned = _COMPARISONS[type(op)]
            sides = [_value(side, arguments, text) for side in ((right, left) if turned else (left, right))]
            return binary(sign, *sides)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return unary(name, _value(argument, arguments, text))
        case ast.Call(func=ast.Name(id=name)):
            hint = did_you_mean(name, FUNCTIONS) or f"there are {', '.join(FUNCTIONS)}, each of one argument"
            raise ConfigurationError(f"{name!r} in the formula {text!r} is not a function that can be used", hint=hint)
    raise ConfigurationError(f"the formula {text!r} holds something else than arithmetic: {ast.unparse(node)!r}")
