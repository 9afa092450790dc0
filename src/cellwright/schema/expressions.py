"""Expressions: arithmetic over parameters that nobody has provided yet.

An `Expression` is a small immutable tree. Its wire form is the JSON tree of PyBaMM's serialiser, so that programs
which speak that form exchange expressions with us; only the node types listed here are read, to a bounded depth.
Plain arithmetic and NumPy's functions build trees (`3 * eps / R`, `np.exp(-E / T)`), so one formula serves floats,
arrays and expressions.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import ConfigurationError
from cellwright.schema.interpolation import Grid, Interpolator, Table, tabulated

Number: TypeAlias = float | int | NDArray[np.float64]

MAX_DEPTH = 200
_TREE = "pybamm.expression_tree."

_BINARY: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "+": (operator.add, "binary_operators.Addition"),
    "-": (operator.sub, "binary_operators.Subtraction"),
    "*": (operator.mul, "binary_operators.Multiplication"),
    "/": (operator.truediv, "binary_operators.Division"),
    "**": (operator.pow, "binary_operators.Power"),
    "<": (operator.lt, "binary_operators.NotEqualHeaviside"),
    "<=": (operator.le, "binary_operators.EqualHeaviside"),
    "minimum": (np.minimum, "binary_operators.Minimum"),
    "maximum": (np.maximum, "binary_operators.Maximum"),
}


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


_UNARY: dict[str, tuple[Callable[[Any], Any], str]] = {
    "neg": (operator.neg, "unary_operators.Negate"),
    "abs": (np.abs, "unary_operators.AbsoluteValue"),
    "sign": (np.sign, "unary_operators.Sign"),
    "exp": (np.exp, "functions.Exp"),
    "log": (np.log, "functions.Log"),
    "sqrt": (np.sqrt, "functions.Sqrt"),
    "tanh": (np.tanh, "functions.Tanh"),
    "sinh": (np.sinh, "functions.Sinh"),
    "cosh": (np.cosh, "functions.Cosh"),
    "sin": (np.sin, "functions.Sin"),
    "cos": (np.cos, "functions.Cos"),
    "arcsinh": (np.arcsinh, "functions.Arcsinh"),
    "arctan": (np.arctan, "functions.Arctan"),
    "erf": (_erf, "functions.Erf"),
}

_LEAVES = {
    "parameter": "parameter.Parameter",
    "input": "input_parameter.InputParameter",
    "scalar": "scalar.Scalar",
    "time": "independent_variable.Time",
}

_UFUNCS: dict[Any, str] = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
    np.power: "**",
    np.minimum: "minimum",
    np.maximum: "maximum",
    np.negative: "neg",
    np.absolute: "abs",
    np.sign: "sign",
    **{getattr(np, name): name for name in _UNARY if hasattr(np, name) and name not in {"neg", "abs", "sign"}},
}

_TAG_OF = (
    {op: _TREE + tag for op, (_, tag) in _BINARY.items()}
    | {op: _TREE + tag for op, (_, tag) in _UNARY.items()}
    | {op: _TREE + tag for op, tag in _LEAVES.items()}
    | {
        "interpolant": _TREE + "interpolant.Interpolant",
        "call": _TREE + "parameter.FunctionParameter",
    }
)
_OP_OF = {tag: op for op, tag in _TAG_OF.items()} | {_TREE + "scalar.Constant": "scalar"}
FUNCTION_TAG = _TREE + "operations.serialise.ExpressionFunctionParameter"
_PRECEDENCE = {"<": 0, "<=": 0, "+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "**": 4}


@dataclass(frozen=True, eq=True)
class Expression:
    """One node of an expression tree: an operation over children, or a leaf.

    `op` is one of the operations of this module, `children` its operands, `payload` what a leaf or an interpolant
    holds: a name, a number, a `Table` or a `Grid`, or for a call the function's name and the names of its inputs.
    """

    op: str
    children: tuple["Expression", ...] = ()
    payload: Any = field(default=None)

    __array_priority__: ClassVar[float] = 1000.0

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the parameters, inputs and functions that the tree refers to."""
        return frozenset(node.name for node in self.walk() if node.op in {"parameter", "input", "call"})

    @property
    def name(self) -> str:
        """The name that a parameter, an input or a call refers to."""
        if self.op == "call":
            return str(self.payload[0])
        return str(self.payload)

    def walk(self) -> Iterator["Expression"]:
        """Yield every node of the tree, parents first."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def substitute(self, values: Mapping[str, Any]) -> Any:
        """Return the tree with the named parameters replaced; a number, where nothing free remains.

        A name whose value is itself an expression is replaced by it. A call is replaced by the value of its
        function, where `values` holds one; one of fewer arguments takes the first of them.
        """
        return fold(self, lambda node, children: _reduce(node, children, values))

    def to_wire(self) -> dict[str, Any]:
        """Return PyBaMM's JSON tree of the expression."""
        return _to_wire(self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        op = _UFUNCS.get(ufunc)
        if method != "__call__" or op is None or kwargs.get("out") is not None:
            return NotImplemented
        if op in _BINARY:
            return binary(op, inputs[0], inputs[1])
        return unary(op, inputs[0])

    def __add__(self, other: Any) -> Any:
        return binary("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return binary("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return binary("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return binary("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return binary("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return binary("*", other, self)

    def __truediv__(self, other: Any) -> Any:
        return binary("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return binary("/", other, self)

    def __pow__(self, other: Any) -> Any:
        return binary("**", self, other)

    def __rpow__(self, other: Any) -> Any:
        return binary("**", other, self)

    def __lt__(self, other: Any) -> Any:
        return binary("<", self, other)

    def __le__(self, other: Any) -> Any:
        return binary("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return binary("<", other, self)

    def __ge__(self, other: Any) -> Any:
        return binary("<=", other, self)

    def __bool__(self) -> bool:
        raise ConfigurationError(
            f"whether {self} holds cannot be said before its parameters have values",
            hint="write a step as an expression, for example a * (T > 300) + b * (T <= 300)",
        )

    def __neg__(self) -> Any:
        return unary("neg", self)

    def __abs__(self) -> Any:
        return unary("abs", self)

    def __str__(self) -> str:
        return _text(self, 0)

    def __repr__(self) -> str:
        return f"<{self}>"


def parameter(name: str) -> Expression:
    """Return the symbol of a parameter that has no value yet."""
    return Expression("parameter", payload=name)


def scalar(value: float) -> Expression:
    """Return a constant as a node."""
    return Expression("scalar", payload=float(value))


def interpolant(x: Any, y: Any, argument: Any, interpolator: Interpolator = "linear") -> Any:
    """Return the interpolation of the points (x, y) at `argument`: numbers for numbers, a node for an expression."""
    table = Table(tuple(float(v) for v in x), tuple(float(v) for v in y), interpolator)
    if isinstance(argument, Expression):
        return Expression("interpolant", (argument,), table)
    return table(argument)


def call(function: str, arguments: Mapping[str, Any]) -> Expression:
    """Return the value of a function that nobody has provided yet, at named arguments."""
    return Expression("call", tuple(_node(value) for value in arguments.values()), (function, tuple(arguments)))


def unary(op: str, operand: Any) -> Any:
    """Return a function of an operand: a number for a number, a node for an expression."""
    if not isinstance(operand, Expression):
        return _UNARY[op][0](operand)
    return Expression(op, (operand,))


def binary(op: str, left: Any, right: Any) -> Any:
    """Return an operation on two operands; arrays are taken element by element."""
    if isinstance(left, np.ndarray) and left.ndim:
        return np.array([binary(op, item, right) for item in left], dtype=object)
    if isinstance(right, np.ndarray) and right.ndim:
        return np.array([binary(op, left, item) for item in right], dtype=object)
    for value in (left, right):
        if not isinstance(value, Expression | int | float | np.number | np.ndarray):
            return NotImplemented
    if not isinstance(left, Expression) and not isinstance(right, Expression):
        return _BINARY[op][0](left, right)
    if (op == "*" and _is(left, 1)) or (op == "+" and _is(left, 0)):
        return right
    if (op in {"*", "/", "**"} and _is(right, 1)) or (op in {"+", "-"} and _is(right, 0)):
        return left
    return Expression(op, (_node(left), _node(right)))


def fold(expression: Expression, step: Callable[[Expression, list[Any]], Any]) -> Any:
    """Return `step(node, results of its children)` from the leaves up to the root, without recursion."""
    results: list[Any] = []
    stack: list[tuple[Expression, bool]] = [(expression, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            count = len(node.children)
            children = results[len(results) - count :]
            del results[len(results) - count :]
            results.append(step(node, children))
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children))
    return results[0]


def evaluate(op: str, payload: Any, operands: list[Any]) -> Any:
    """Return an inner node's value on operands of any kind that NumPy's functions work on."""
    if op in _BINARY:
        left, right = operands
        if isinstance(left, Expression) or isinstance(right, Expression):
            return binary(op, left, right)
        return _BINARY[op][0](left, right)
    if op in _UNARY:
        return unary(op, operands[0])
    if op == "interpolant":
        free = any(isinstance(argument, Expression) for argument in operands)
        return Expression(op, tuple(map(_node, operands)), payload) if free else payload(*operands)
    raise ConfigurationError(f"an expression of kind {op!r} has no value of its own")


def _reduce(node: Expression, operands: list[Any], values: Mapping[str, Any]) -> Any:
    if node.op == "scalar":
        return node.payload
    if node.op in {"parameter", "input", "time"}:
        value = values.get(node.name, node)
        return value if isinstance(value, Expression | int | float | np.ndarray | np.number) else node
    if node.op == "call":
        function = values.get(node.name)
        if function is None:
            return Expression("call", tuple(_node(value) for value in operands), node.payload)
        return function(*operands[: len(function.arguments)]) if callable(function) else function
    return evaluate(node.op, node.payload, operands)


def _node(value: Any) -> Expression:
    return value if isinstance(value, Expression) else scalar(value)


def _is(value: Any, number: float) -> bool:
    return not isinstance(value, Expression | np.ndarray) and value == number


def _text(node: Expression, outer: int) -> str:
    if node.op == "scalar":
        return f"{node.payload:.6g}"
    if node.op in {"parameter", "input"}:
        return f"'{node.payload}'"
    if node.op == "time":
        return "t"
    if node.op in _PRECEDENCE:
        rank = _PRECEDENCE[node.op]
        if node.op == "neg":
            text = "-" + _text(node.children[0], rank)
        else:
            left, right = node.children
            text = f"{_text(left, rank)} {node.op} {_text(right, rank + (node.op in {'-', '/'}))}"
        return f"({text})" if rank < outer else text
    name = {"interpolant": "table", "call": f"'{node.name}'" if node.op == "call" else ""}.get(node.op, node.op)
    return f"{name}({', '.join(_text(child, 0) for child in node.children)})"


_NO_DOMAINS: dict[str, list[str]] = {"primary": [], "secondary": [], "tertiary": [], "quaternary": []}


def _to_wire(root: Expression) -> dict[str, Any]:
    def step(node: Expression, children: list[Any]) -> dict[str, Any]:
        tag = {"$type": _TAG_OF[node.op]}
        if node.op == "scalar":
            return {"name": repr(node.payload), "value": node.payload, **tag}
        if node.op == "input":
            return {"name": node.payload, "domain": [], "expected_size": 1, **tag}
        if node.op == "time":
            return {"name": "time", "domains": dict(_NO_DOMAINS), **tag}
        if node.op == "parameter":
            return {"name": node.payload, "domains": dict(_NO_DOMAINS), **tag}
        if node.op == "interpolant":
            table: Table | Grid = node.payload
            return {
                "name": "interpolating_function",
                "x": [list(axis) for axis in table.axes],
                "y": table.to_lists(),
                "interpolator": table.interpolator,
                "extrapolate": True,
                "_num_derivatives": 0,
                "children": children,
                **tag,
            }
        if node.op == "call":
            name, inputs = node.payload
            return {
                "name": name,
                "domains": dict(_NO_DOMAINS),
                "input_names": list(inputs),
                "print_name": None,
                "has_diff_variable": False,
                "children": children,
                **tag,
            }
        if node.op in _UNARY and ".functions." in _TAG_OF[node.op]:
            return {"name": f"function ({node.op})", "function": node.op, "children": children, **tag}
        name = {"neg": "-"}.get(node.op, node.op)
        return {"name": name, "domains": dict(_NO_DOMAINS), "children": children, **tag}

    return fold(root, step)  # type: ignore[no-any-return]


def from_wire(tree: Mapping[str, Any], depth: int = 0) -> Expression:
    """Return the expression of a PyBaMM JSON tree.

    Raises: `ConfigurationError` for node types that are not on the list, malformed nodes and trees that are too deep.
    """
    if depth > MAX_DEPTH:
        raise ConfigurationError(f"the expression is nested more than {MAX_DEPTH} levels deep")
    if not isinstance(tree, Mapping):
        raise ConfigurationError(f"an expression node is an object with a '$type', not {tree!r:.80}")
    tag = tree.get("$type")
    op = _OP_OF.get(str(tag))
    if op is None:
        raise ConfigurationError(f"an expression node of type {tag!r} cannot be read")
    try:
        if op == "scalar":
            return scalar(decode_float(tree["value"]))
        if op in {"parameter", "input"}:
            return Expression(op, payload=str(tree["name"]))
        if op == "time":
            return Expression("time", payload="t")
        if op == "call":
            if tree.get("has_diff_variable"):
                raise ValueError("derivatives of functions are not read")
            children = tuple(from_wire(child, depth + 1) for child in tree["children"])
            return Expression("call", children, (str(tree["name"]), tuple(map(str, tree["input_names"]))))
        children = tuple(from_wire(child, depth + 1) for child in tree["children"])
        if op == "interpolant":
            return Expression(op, children, tabulated(tree["x"], tree["y"], tree["interpolator"]))
    except ConfigurationError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as cause:
        raise ConfigurationError(f"an expression node of type {tag!r} is malformed: {cause}") from cause
    if len(children) != (2 if op in _BINARY else 1):
        raise ConfigurationError(f"an expression node of type {tag!r} has {len(children)} children")
    return Expression(op, children)


def decode_float(value: Any) -> float:
    """Return a number of the wire, where infinities and NaN are tagged objects.

    Raises: `ConfigurationError` for anything else.
    """
    try:
        return float(value["value"] if isinstance(value, Mapping) else value)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ConfigurationError(f"{value!r:.80} is no number") from None
