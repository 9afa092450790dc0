"""How numbers, units, durations and parameter values are written for people."""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from cellwright.schema.expressions import Expression
from cellwright.schema.values import Function, normalise

NOTHING = "–"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_POWER = re.compile(r"(?<=[A-Za-zΩ%°])-?\d+")


def as_float(value: Any) -> float | None:
    """Return a number of a result document as a float, its tagged infinities included; None for anything else."""
    if isinstance(value, Mapping) and "$type" in value:
        value = normalise(value)
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return None
    return float(value)


def number(value: Any, digits: int = 5) -> str:
    """Return a number with so many significant digits: plain from 0.001 to a million, else with an exponent."""
    given = as_float(value)
    if given is None:
        return NOTHING if value is None else str(value)
    if math.isnan(given):
        return "NaN"
    if math.isinf(given):
        return "∞" if given > 0 else "-∞"
    if given == 0:
        return "0"
    if given.is_integer() and abs(given) < 1e6:
        return str(int(given))
    mantissa, power = f"{given:.{digits - 1}e}".split("e")
    exponent = int(power)
    if -3 <= exponent < 6:
        text = f"{given:.{max(digits - 1 - exponent, 0)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{exponent}"


def measured(value: Any, measure: str) -> str:
    """Return the value of a measure of error: millivolts with one decimal, anything else with four digits."""
    given = as_float(value)
    if given is not None and math.isfinite(given) and "[mV]" in measure:
        return f"{given:.1f}"
    return number(value, 4)


def unit_text(unit: str | None) -> str:
    """Return a unit as it is printed: `mol.m-3` becomes `mol m⁻³`."""
    if not unit:
        return ""
    spaced = unit.replace("degC", "°C").replace("Ohm", "Ω").replace(".", " ")
    return _POWER.sub(lambda match: match[0].translate(_SUPERSCRIPT), spaced)


def duration(seconds: float) -> str:
    """Return a stretch of time in the units that people say it in."""
    if seconds < 0.0095:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun in the right number."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def value_text(value: Any) -> str:
    """Return the value of a parameter, of any kind, in one line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: NOTHING}[value]
    if isinstance(value, np.ndarray):
        return _array_text(value)
    if isinstance(value, Function):
        return _function_text(value)
    if isinstance(value, Expression):
        return formula_text(value)
    if isinstance(value, list) and len(value) > 6:
        return f"list of {len(value)}: {', '.join(value_text(item) for item in value[:3])}, …"
    if isinstance(value, list):
        return f"[{', '.join(value_text(item) for item in value)}]"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {value_text(item)}" for key, item in value.items())
    return number(value)


def formula_text(expression: Expression) -> str:
    """Return an expression as it is written on paper: `·` for times, `^` for powers."""
    return str(expression).replace(" ** ", "^").replace(" * ", " · ")


def _function_text(function: Function) -> str:
    body = function.body
    if body.op == "interpolant" and all(child.op == "parameter" for child in body.children):
        table = body.payload
        *axes, y = (f"{number(min(column), 3)} to {number(max(column), 3)}" for column in (*table.axes, table.y))
        ranges = ", ".join(f"{child.name} {axis}" for child, axis in zip(body.children, axes, strict=True))
        return f"table of {len(table.y)} points, {table.interpolator}: {ranges}, value {y}"
    text = formula_text(body)
    for argument in function.arguments:
        text = text.replace(f"'{argument}'", argument)
    return f"({', '.join(function.arguments)}) ↦ {text}"


def _array_text(array: Any) -> str:
    if array.ndim == 0:
        return number(array.item())
    shape = " × ".join(str(size) for size in array.shape)
    if array.dtype == object or not array.size or not np.isfinite(array).any():
        return f"array of {shape}"
    return f"array of {shape}, {number(np.nanmin(array), 4)} to {number(np.nanmax(array), 4)}"
