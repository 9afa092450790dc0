"""Where the formulas hold: values outside are refused by name; expressions of missing parameters pass."""

import math
from typing import Any

from cellwright.errors import ConfigurationError
from cellwright.schema.expressions import Expression
from cellwright.schema.parameters import ParameterSet


def positive(p: ParameterSet, name: str) -> Any:
    """Return a parameter that must be above 0, or its expression. Raises: `ConfigurationError` where it is not."""
    return checked_positive(name, quantity(p, name))


def fraction(p: ParameterSet, name: str) -> Any:
    """Return a parameter that lies between 0 and 1, or its expression. Raises: `ConfigurationError` else."""
    return checked_fraction(name, quantity(p, name))


def quantity(p: ParameterSet, name: str) -> Any:
    """Return a parameter that is a number, or its expression. Raises: `ConfigurationError` for functions and text."""
    value = p[name]
    if not _is_number(value) and not isinstance(value, Expression):
        told = f"the text {value!r}" if isinstance(value, str) else f"a {type(value).__name__.lower()}"
        raise ConfigurationError(f"{name!r} is {told}, and a number is needed")
    return value


def checked_positive(name: str, value: Any) -> Any:
    """Return the value. Raises: `ConfigurationError` where it is a number that is not above 0."""
    if _is_number(value) and not (value > 0 and math.isfinite(value)):
        raise ConfigurationError(f"{name!r} is {value:.6g}, and it must be above 0")
    return value


def checked_fraction(name: str, value: Any, tolerance: float = 1e-9) -> Any:
    """Return the value. Raises: `ConfigurationError` where it is a number outside 0 to 1 by more than `tolerance`."""
    if _is_number(value) and not -tolerance <= value <= 1 + tolerance:
        raise ConfigurationError(f"{name!r} is {value:.6g}, and it must lie between 0 and 1")
    return value


def tell_of_extrapolation(p: ParameterSet, name: str, *stoichiometries: Any) -> None:
    """Remark where a potential that is a table is used beyond its ends, where its end piece goes on."""
    ends = p.function(name).ends
    outside = [x for x in stoichiometries if _is_number(x) and ends is not None and not ends[0] <= x <= ends[1]]
    if ends is not None and outside:
        asked = ", ".join(f"{x:.4g}" for x in outside)
        span = f"{ends[0]:.4g} to {ends[1]:.4g}"
        p.remark(f"{name!r} is a table from {span} and is used at {asked}, where its end piece goes on")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
