"""The names of the knots and slopes of functions that are piecewise linear in one or two variables.

The unit of the base name moves to the end: `Negative particle diffusivity at SOC 0.3 [m2.s-1]`. Slopes carry the unit
of the base name too, although theirs is per unit of the breakpoint variable.
"""

from collections.abc import Iterable
from itertools import pairwise

from cellwright.errors import ConfigurationError
from cellwright.schema.names import base_of, unit_of


def ordered(values: Iterable[float]) -> list[float]:
    """Return breakpoints in increasing order, each once.

    Raises: `ConfigurationError` where fewer than two remain, or two are so close that their names are the same.
    """
    points = sorted({float(value) for value in values})
    if len(points) < 2:
        raise ConfigurationError(f"at least two different breakpoints are needed, got {len(points)}")
    for left, right in pairwise(points):
        if written_number(left) == written_number(right):
            raise ConfigurationError(
                f"the breakpoints {left!r} and {right!r} have the same six digits, and so the same name",
                hint="leave one of them out",
            )
    return points


def knot_name(base: str, breakpoint_name: str, value: float) -> str:
    """Return the name of the value at one breakpoint: `Diffusivity at SOC 0.5 [m2.s-1]`."""
    return _with_unit(base, f"at {breakpoint_name} {written_number(value)}")


def slope_name(base: str, breakpoint_name: str, start: float, end: float) -> str:
    """Return the name of the slope between two breakpoints: `Diffusivity slope from SOC 0 to 0.5 [m2.s-1]`."""
    return _with_unit(base, f"slope {_span(breakpoint_name, start, end)}")


def knot_name_2d(base: str, name1: str, value1: float, name2: str, value2: float) -> str:
    """Return the name of the value at a grid point: `Diffusivity at SOC 0 and Temperature [K] 298.15 [m2.s-1]`."""
    return _with_unit(base, f"at {name1} {written_number(value1)} and {name2} {written_number(value2)}")


def slope_name_2d(base: str, along: str, start: float, end: float, other: str, at: float) -> str:
    """Return the name of the slope along one variable where the other stands at a value.

    `Diffusivity SOC-slope from SOC 0 to 1 at Temperature [K] 273.15 [m2.s-1]`.
    """
    return _with_unit(base, f"{along}-slope {_span(along, start, end)} at {other} {written_number(at)}")


def written_number(value: float) -> str:
    """Return a breakpoint as it stands in names, with up to six significant digits: 0.3, 298.15, 1e-05."""
    return f"{float(value) + 0.0:.6g}"


def _span(name: str, start: float, end: float) -> str:
    return f"from {name} {written_number(start)} to {written_number(end)}"


def _with_unit(base: str, place: str) -> str:
    unit = unit_of(base)
    return f"{base_of(base)} {place}" + (f" [{unit}]" if unit is not None else "")
