"""Parameters as the source of a Python module, in the manner of PyBaMM's parameter sets.

The module needs NumPy and PyBaMM alone: numbers in a dict with their origins, functions as arithmetic, tables as
arrays, and `get_parameter_values()`.
"""

import json
import keyword
import math
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cellwright.exchange.infix import infix, terms
from cellwright.exchange.written import Written, no_quantity
from cellwright.schema.expressions import Expression
from cellwright.schema.interpolation import Grid, Table
from cellwright.schema.names import base_of
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.values import Function

_WIDTH = 110
_TAKEN = frozenset({"np", "pybamm", "get_parameter_values", "cubic_table", "CubicSpline", "abs", "_"})
_OPERATORS = frozenset({"+", "-", "*", "/", "**"})
_SPLINE = "from scipy.interpolate import CubicSpline"
_CUBIC = '''
def cubic_table(x, y, argument):
    """Return a cubic spline through the points (x, y) that goes on beyond its ends."""
    spline = CubicSpline(x, y, bc_type="not-a-knot")
    inside = pybamm.minimum(pybamm.maximum(argument, x[0]), x[-1])
    result = pybamm.Interpolant(x, y, inside, interpolator="cubic")
    ends = ((x[0], pybamm.minimum(argument - x[0], 0)), (x[-1], pybamm.maximum(argument - x[-1], 0)))
    for end, beyond in ends:
        first, second, third = (float(spline(end, order)) for order in (1, 2, 3))
        result += beyond * (first + beyond * (second / 2 + beyond * third / 6))
    return result
'''


def python_module(p: ParameterSet, title: str) -> Written:
    """Return the source of a module whose `get_parameter_values()` returns the parameters.

    A parameter that nobody has provided stands in it as `pybamm.Parameter`, so PyBaMM asks for it by name.
    """
    left_out = {name: reason for name, value in p.items() if (reason := no_quantity(value))}
    module = _Module()
    rows: list[str] = []
    before: Origin | None = None
    for name, value in p.items():
        if name in left_out:
            continue
        origin = p.origins.get(name)
        if origin is not None and origin != before:
            rows.append(f"        # {_one_line(_words(origin))}")
        before = origin
        rows.append(f"        {_quoted(name)}: {module.value(name, value)},")
    comments = [f"# {_one_line(name)} is left out: {reason}." for name, reason in left_out.items()]
    return Written(_laid_out(module, _one_line(title), rows, comments), left_out)


@dataclass
class _Module:
    """The parts of a module as they are written: functions, tables, the names that are taken."""

    functions: list[str] = field(default_factory=list)
    tables: dict[Table | Grid, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: set(_TAKEN))

    def value(self, name: str, value: Any) -> str:
        """Return a parameter's value as source; a function is written on the way."""
        if isinstance(value, Function):
            return self._function(name, value)
        if isinstance(value, Expression):
            return infix(value, lambda node, operands: self._spelled(node, operands, name, {}))
        if isinstance(value, np.ndarray) and value.dtype != object:
            return f"np.array({_numbers(value.tolist())})"
        if isinstance(value, list | np.ndarray):
            return f"[{', '.join(self.value(name, item) for item in value)}]"
        return _number(value)

    @property
    def cubic(self) -> bool:
        """Whether a table is a cubic spline in one variable."""
        return any(_is_cubic(table) for table in self.tables)

    def _function(self, name: str, function: Function) -> str:
        called = self._free(_identifier(base_of(name)))
        arguments: dict[str, str] = {}
        for argument in function.arguments:
            own = argument if argument.isidentifier() and not keyword.iskeyword(argument) else _identifier(argument)
            arguments[argument] = _unlike(own, {*self.taken, *arguments.values()})
        parts = terms(function.body, lambda node, operands: self._spelled(node, operands, name, arguments))
        self.functions.append(
            f"def {called}({', '.join([*arguments.values(), '*_'])}):\n"
            f"    {_documentation(name)}\n"
            f"    return {_sum(function.body, parts)}\n"
        )
        return called

    def _spelled(self, node: Expression, operands: list[str], owner: str, arguments: dict[str, str]) -> str:
        if node.op == "scalar":
            return _number(node.payload)
        if node.op == "time":
            return "pybamm.t"
        if node.op in {"parameter", "input"}:
            kind = "Parameter" if node.op == "parameter" else "InputParameter"
            return arguments.get(node.name) or f"pybamm.{kind}({_quoted(node.name)})"
        if node.op == "call":
            inputs = ", ".join(f"{_quoted(key)}: {text}" for key, text in zip(node.payload[1], operands, strict=True))
            return f"pybamm.FunctionParameter({_quoted(node.name)}, {{{inputs}}})"
        if node.op == "interpolant":
            held = [
                f"pybamm.Scalar({text})" if child.op == "scalar" else text
                for child, text in zip(node.children, operands, strict=True)
            ]
            return self._table(node.payload, held, owner)
        return f"{'abs' if node.op == 'abs' else f'pybamm.{node.op}'}({', '.join(operands)})"

    def _table(self, table: Table | Grid, arguments: list[str], owner: str) -> str:
        if table not in self.tables:
            self.tables[table] = self._free(f"{_identifier(base_of(owner))}_table".upper())
        name = self.tables[table]
        if _is_cubic(table):
            return f"cubic_table({name}_X, {name}_Y, {arguments[0]})"
        if isinstance(table, Grid):
            axes = ", ".join(f"{name}_X{index}" for index in range(len(table.axes)))
            return (
                f"pybamm.Interpolant([{axes}], {name}_Y, [{', '.join(arguments)}], "
                f"interpolator={_quoted(table.interpolator)})"
            )
        kind = table.interpolator if len(table.x) > 2 else "linear"
        return f"pybamm.Interpolant({name}_X, {name}_Y, {arguments[0]}, interpolator={_quoted(kind)})"

    def _free(self, wanted: str) -> str:
        name = _unlike(wanted, self.taken)
        self.taken.add(name)
        return name


def _laid_out(module: _Module, title: str, rows: list[str], comments: list[str]) -> str:
    tables = ["\n".join(_table_rows(name, table)) + "\n" for table, name in module.tables.items()]
    getter = ["def get_parameter_values():", '    """Return the parameters by PyBaMM\'s names."""', "    return {"]
    body = [_CUBIC.lstrip()] * module.cubic + module.functions
    body.append("\n".join([*getter, *rows, "    }"]) + "\n")
    written = "".join([*tables, *body])
    imports = {"import numpy as np": "np.", "import pybamm": "pybamm.", _SPLINE: "CubicSpline("}
    head = [f'"""{_escaped(title)}', "", "`pybamm.ParameterValues(get_parameter_values())` holds the parameters in the"]
    head += ["units that their names say.", '"""', "", *(line for line, sign in imports.items() if sign in written)]
    parts = ["\n".join(head).rstrip("\n") + "\n", *tables, *(["\n".join(comments) + "\n"] if comments else [])]
    return "\n".join(parts) + "\n\n" + "\n\n".join(body)


def _table_rows(name: str, table: Table | Grid) -> Iterable[str]:
    if isinstance(table, Grid):
        for index, axis in enumerate(table.axes):
            yield _array(f"{name}_X{index}", axis)
        yield _array(f"{name}_Y", table.y) + f".reshape({', '.join(map(str, table.shape))})"
    else:
        yield _array(f"{name}_X", table.x)
        yield _array(f"{name}_Y", table.y)


def _array(name: str, values: Iterable[float]) -> str:
    lines = textwrap.wrap(", ".join(map(_number, values)), _WIDTH, break_long_words=False, break_on_hyphens=False)
    inner = "\n".join(f"        {line}" for line in lines)
    return f"{name} = np.array(\n    [\n{inner}\n    ]\n)"


def _sum(body: Expression, parts: list[str]) -> str:
    """Return what stands after `return`: one line, or a term a line where they are many."""
    if body.op == "scalar":
        return f"pybamm.Scalar({parts[0]})"
    together = " ".join(parts)
    if len(together) <= _WIDTH:
        return together
    lines = [line for part in parts for line in _broken(part)]
    return "(\n" + "\n".join(f"        {line}" for line in lines) + "\n    )"


def _broken(text: str) -> list[str]:
    """Return a long term in lines that begin with an operator; what is quoted stays whole."""
    lines = [""]
    for word in re.findall(r'(?:"(?:\\.|[^"\\])*"|[^\s"])+', text):
        if word in _OPERATORS and len(lines[-1]) > _WIDTH - 30:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{word}"
    return lines


def _number(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "np.nan" if math.isnan(value) else ("np.inf" if value > 0 else "-np.inf")
    return repr(value)


def _numbers(value: Any) -> str:
    return f"[{', '.join(map(_numbers, value))}]" if isinstance(value, list) else _number(value)


def _is_cubic(table: Table | Grid) -> bool:
    return isinstance(table, Table) and table.interpolator == "cubic" and len(table.x) > 2


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _words(origin: Origin) -> str:
    return f"{origin.element}: {origin.source}" if origin.source else origin.element


def _identifier(words: str) -> str:
    name = re.sub(r"[^0-9a-z]+", "_", words.lower()).strip("_") or "value"
    return f"{'_' if name[0].isdigit() else ''}{name}{'_' if keyword.iskeyword(name) else ''}"


def _unlike(wanted: str, taken: set[str]) -> str:
    name, count = wanted, 2
    while name in taken:
        name, count = f"{wanted}_{count}", count + 1
    return name


def _documentation(name: str) -> str:
    return f'"""{_escaped(_one_line(name))}."""'


def _escaped(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")


def _one_line(text: str) -> str:
    return " ".join(text.split())
