"""What the value of a parameter may be, on the wire and in memory.

In memory: a number, a string, an array, a list, an `Expression` of parameters that are missing, or a `Function` of
named arguments. On the wire: JSON, with arrays, infinities, expression trees and functions as tagged objects.
"""

import hashlib
import inspect
import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from cellwright.errors import ConfigurationError, did_you_mean
from cellwright.schema.expressions import (
    FUNCTION_TAG,
    Expression,
    decode_float,
    from_wire,
    interpolant,
    parameter,
)
from cellwright.schema.formulas import parse_formula
from cellwright.schema.interpolation import Interpolator

_EXPRESSION_PREFIX = "pybamm.expression_tree."


@dataclass(frozen=True)
class Function:
    """A function of named arguments, kept as the expression that its formula traces to.

    Calling it with numbers or arrays gives numbers or arrays; with expressions an expression. Parameters that the
    body refers to beside its arguments are free: `substitute` fills them in.
    """

    arguments: tuple[str, ...]
    body: Expression
    label: str = "function"

    @classmethod
    def trace(cls, formula: Callable[..., Any], label: str | None = None) -> "Function":
        """Return the function that a Python callable computes, by calling it once with symbols.

        Raises: `ConfigurationError` where the callable does not work on symbols (a branch on a value, `math.exp`).
        """
        names = tuple(inspect.signature(formula).parameters)
        name = label or str(getattr(formula, "__name__", "function"))
        try:
            result = _traced(formula, names)
        except ConfigurationError:
            raise
        except Exception as cause:
            raise ConfigurationError(
                f"the function {name!r} cannot be turned into an expression: {cause}",
                hint="use NumPy functions (np.exp, not math.exp), pybamm.Interpolant for np.interp, and no branches on "
                "the arguments",
            ) from cause
        if isinstance(result, int | float | np.number):
            result = Expression("scalar", payload=float(result))
        if not isinstance(result, Expression):
            raise ConfigurationError(f"the function {name!r} returns {type(result).__name__}, not an expression")
        return cls(names, result, name)

    @classmethod
    def table(
        cls, argument: str, x: Any, y: Any, interpolator: Interpolator = "linear", label: str = "table"
    ) -> "Function":
        """Return the interpolation of the points (x, y) as a function of one argument."""
        return cls((argument,), interpolant(x, y, parameter(argument), interpolator), label)

    def __call__(self, *values: Any) -> Any:
        """Return the value at arguments in their order: numbers for numbers, an expression for expressions."""
        if len(values) > len(self.arguments):
            raise ConfigurationError(
                f"the function {self.label!r} takes {len(self.arguments)} arguments, got {len(values)}"
            )
        result = self.body.substitute(dict(zip(self.arguments, values, strict=False)))
        shape = np.broadcast_shapes(*(np.shape(v) for v in values)) if values else ()
        if shape and not isinstance(result, Expression) and np.shape(result) != shape:
            return np.broadcast_to(result, shape)
        return result

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the parameters that the body needs beside its arguments."""
        return self.body.names - set(self.arguments)

    @property
    def ends(self) -> tuple[float, float] | None:
        """Where all tables in a function of one argument have begun and none has ended; None where it has no table."""
        spans = [
            node.payload.axes[0]
            for node in self.body.walk()
            if node.op == "interpolant" and [child.payload for child in node.children] == list(self.arguments)
        ]
        if not spans or len(self.arguments) > 1:
            return None
        return max(knots[0] for knots in spans), min(knots[-1] for knots in spans)

    def substitute(self, values: Mapping[str, Any]) -> "Function":
        """Return the function with free parameters replaced."""
        bound = {name: value for name, value in values.items() if name not in self.arguments}
        body = self.body.substitute(bound)
        if not isinstance(body, Expression):
            body = Expression("scalar", payload=float(body))
        return Function(self.arguments, body, self.label)

    def to_wire(self) -> dict[str, Any]:
        """Return the function as the serialiser's node of a function with named arguments."""
        return {
            "name": self.label,
            "domains": {"primary": [], "secondary": [], "tertiary": [], "quaternary": []},
            "func_name": self.label,
            "func_args": list(self.arguments),
            "children": [self.body.to_wire()],
            "$type": FUNCTION_TAG,
        }

    def __str__(self) -> str:
        return f"({', '.join(self.arguments)}) ↦ {self.body}"


def written(text: str, arguments: Any = None) -> Any:
    """Return the expression, or with arguments the `Function`, that a formula in text means."""
    names = tuple(str(name) for name in arguments or ())
    body = parse_formula(text, names)
    if not names:
        return body
    return Function(
        names, body if isinstance(body, Expression) else Expression("scalar", payload=float(body)), "formula"
    )


def free_names(value: Any) -> frozenset[str]:
    """Return the names of the parameters that a value still waits for."""
    return value.names if isinstance(value, Expression | Function) else frozenset()


def normalise(value: Any) -> Any:
    """Return a value as it is kept in memory, from whatever a user or the wire gives.

    Raises: `ConfigurationError` for anything that a parameter cannot be.
    """
    if isinstance(value, bool | str | Expression | Function) or value is None:
        return value
    if isinstance(value, int | float | np.number):
        return value.item() if isinstance(value, np.number) else value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Decimal | Fraction):
        return float(value)
    if isinstance(value, np.ndarray):
        return value if value.ndim else normalise(value.item())
    if isinstance(value, Mapping):
        return _from_object(value)
    if isinstance(value, list | tuple):
        return [normalise(item) for item in value]
    columns = columns_of(value)
    if columns is not None:
        return columns
    if type(value).__module__.split(".")[0] == "pybamm":
        symbol = normalise(_pybamm_wire(value))
        return symbol.payload if isinstance(symbol, Expression) and symbol.op == "scalar" else symbol
    if callable(value):
        return Function.trace(value)
    raise ConfigurationError(
        f"a parameter cannot be of type {type(value).__name__}",
        hint="give a number, string, array, DataFrame, function or expression",
    )


def values_by_name(given: Any, of: str) -> dict[str, Any]:
    """Return the parameter values of an element as they are kept in memory, by name.

    Raises: `ConfigurationError` with the name of a value that is none.
    """
    if not hasattr(given, "items"):
        raise ConfigurationError(f"the parameters of {of} are a dict of names and values, not {given!r}")
    result = {}
    for name, value in given.items():
        if name == "citations" and not isinstance(given, Mapping):
            continue
        try:
            if value is None:
                raise ConfigurationError("the value is None", hint="give it a value, or leave the name out")
            result[str(name)] = normalise(value)
        except ConfigurationError as error:
            raise error.within(str(name)) from None
    return result


def settled(value: Any) -> Any:
    """Return live objects in the JSON form that they have, in containers too; what has none is returned as it is."""
    if hasattr(value, "to_config"):
        return value.to_config()
    if isinstance(value, Mapping):
        mapped = {key: settled(item) for key, item in value.items()}
        return mapped if any(mapped[key] is not value[key] for key in value) else value
    if isinstance(value, list | tuple):
        return [settled(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    columns = columns_of(value)
    return value if columns is None else columns


def to_wire(value: Any) -> Any:
    """Return a value as JSON: arrays, infinities, expressions and functions as tagged objects.

    Raises: `ConfigurationError` for live objects that no document can hold.
    """
    if isinstance(value, Expression | Function):
        return value.to_wire()
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return [to_wire(item) for item in value]
        return {"$type": "numpy.ndarray", "data": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, float) and not math.isfinite(value):
        text = "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
        return {"$type": "builtins.float", "value": text}
    if isinstance(value, np.number):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): to_wire(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_wire(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if type(value).__module__.startswith("pybamm.expression_tree."):
        return to_wire(normalise(value))
    raise ConfigurationError(
        f"{value!r} has no wire form", hint="give a number, string, list, object, array, function or expression"
    )


def columns_of(value: Any) -> dict[str, list[Any]] | None:
    """Return the columns of a pandas or polars DataFrame as lists, or None for anything else."""
    package = type(value).__module__.split(".")[0]
    if package == "pandas" and hasattr(value, "columns"):
        return {str(name): value[name].tolist() for name in value.columns}
    if package == "polars" and hasattr(value, "columns"):
        return {str(name): value[name].to_list() for name in value.columns}
    return None


def digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical form; arrays count by their bytes."""
    return hashlib.sha256(json.dumps(_canonical(value), sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype != object:
        return {
            "$array": hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest(),
            "shape": value.shape,
        }
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_canonical(item) for item in items]
    return to_wire(value)


def _from_object(value: Mapping[str, Any]) -> Any:
    tag = value.get("$type")
    if tag is None and set(value) <= {"expression", "arguments"} and "expression" in value:
        return written(str(value["expression"]), value.get("arguments"))
    if tag is None:
        if "arguments" in value:
            wrong = next(iter(set(value) - {"expression", "arguments"}), "")
            raise ConfigurationError(
                f"a formula is written {{arguments: [sto], expression: '…'}}; this one has {wrong!r}"
                if wrong
                else "a formula with 'arguments' needs an 'expression'",
                hint=did_you_mean(wrong, ["expression"]) or "give 'arguments' and 'expression', nothing else",
            )
        return {str(key): normalise(item) for key, item in value.items()}
    try:
        if tag == "numpy.ndarray":
            return np.asarray(value["data"], dtype=value.get("dtype", "float64"))
        if tag == "builtins.float":
            return decode_float(value)
        if tag == FUNCTION_TAG:
            (body,) = value["children"]
            return Function(
                tuple(map(str, value["func_args"])), from_wire(body), str(value.get("func_name", "function"))
            )
    except ConfigurationError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as cause:
        raise ConfigurationError(f"a value of type {tag!r} is malformed: {cause}") from None
    if str(tag).startswith(_EXPRESSION_PREFIX):
        return from_wire(value)
    raise ConfigurationError(f"a value of type {tag!r} cannot be read")


def _pybamm_wire(symbol: Any) -> Any:
    """Return the wire form of a PyBaMM symbol; the caller made it, so its package is loaded already."""
    serialise = sys.modules["pybamm.expression_tree.operations.serialise"]
    return serialise.convert_symbol_to_json(symbol)


def _traced(formula: Callable[..., Any], names: tuple[str, ...]) -> Any:
    """Return what a formula makes of symbols: ours, or PyBaMM's where it mixes them with symbols of its own."""
    try:
        result = formula(*(parameter(name) for name in names))
    except ConfigurationError:
        raise
    except Exception:
        pybamm = sys.modules.get("pybamm")
        if pybamm is None:
            raise
        result = formula(*(pybamm.Parameter(name) for name in names))
    return normalise(result) if type(result).__module__.split(".")[0] == "pybamm" else result
