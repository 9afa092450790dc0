"""Tables: values between measured points, in one or several variables."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np

from cellwright.errors import ConfigurationError

Interpolator: TypeAlias = Literal["linear", "cubic", "pchip"]


@dataclass(frozen=True)
class Table:
    """Knots of a one-dimensional interpolant: strictly increasing `x`, values `y`, and how to go between them.

    Beyond its ends the interpolant continues as SciPy's does (linear: straight on; cubic, pchip: last polynomial).
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    interpolator: Interpolator = "linear"

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y) or len(self.x) < 2:
            raise ConfigurationError(f"an interpolant needs at least two points, got {len(self.x)} and {len(self.y)}")
        if not _rises(self.x):
            raise ConfigurationError("the points of an interpolant must be strictly increasing")

    @property
    def axes(self) -> tuple[tuple[float, ...], ...]:
        """The knots of each variable."""
        return (self.x,)

    def to_lists(self) -> list[Any]:
        """Return the values at the knots."""
        return list(self.y)

    def __call__(self, x: Any) -> Any:
        """Return the interpolated values at `x` (any shape)."""
        return _interpolation(self)(x)

    def slope(self, x: Any) -> Any:
        """Return the derivative at `x` (any shape); at the knots of straight lines that of the line behind."""
        return _derivative(self)(x)


@dataclass(frozen=True)
class Grid:
    """Knots of an interpolant in several variables: strictly increasing `axes`, values `y` on their grid, the last
    axis fastest, linear or cubic between them. Beyond the grid the interpolant goes on.
    """

    axes: tuple[tuple[float, ...], ...]
    y: tuple[float, ...]
    interpolator: Interpolator = "linear"

    def __post_init__(self) -> None:
        if any(len(axis) < 2 or not _rises(axis) for axis in self.axes):
            raise ConfigurationError("each variable of a table needs at least two points, strictly increasing")
        if len(self.y) != prod(self.shape):
            raise ConfigurationError(f"a table of {' × '.join(map(str, self.shape))} points has {len(self.y)} values")
        if self.interpolator == "pchip":
            raise ConfigurationError("a table in several variables is linear or cubic, not pchip")

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of knots of each variable."""
        return tuple(map(len, self.axes))

    def to_lists(self) -> list[Any]:
        """Return the values at the knots, a list for each variable inside the other."""
        return list(np.reshape(self.y, self.shape).tolist())

    def __call__(self, *arguments: Any) -> Any:
        """Return the interpolated values at arguments whose shapes go together."""
        points = np.stack(np.broadcast_arrays(*arguments), axis=-1).astype(np.float64)
        values = _interpolation(self)(points.reshape(-1, len(self.axes))).reshape(points.shape[:-1])
        return values if values.shape else float(values)


def tabulated(x: list[Any], y: Any, interpolator: Interpolator) -> Table | Grid:
    """Return the table of values `y` over one list of knots, or one for each of several variables."""
    axes = tuple(tuple(map(float, axis)) for axis in x)
    values = tuple(map(float, np.ravel(np.asarray(y, dtype=np.float64))))
    return Table(axes[0], values, interpolator) if len(axes) == 1 else Grid(axes, values, interpolator)


def _rises(x: tuple[float, ...]) -> bool:
    return all(a < b for a, b in pairwise(x))


@lru_cache(maxsize=256)
def _interpolation(table: Table | Grid) -> Callable[[Any], Any]:
    from scipy.interpolate import CubicSpline, PchipInterpolator, RegularGridInterpolator, make_interp_spline

    if isinstance(table, Grid):
        values = np.reshape(table.y, table.shape)
        return RegularGridInterpolator(  # type: ignore[no-any-return]
            table.axes, values, method=table.interpolator, bounds_error=False, fill_value=None
        )
    x, y = np.asarray(table.x), np.asarray(table.y)
    if table.interpolator == "linear" or len(x) < 3:
        return make_interp_spline(x, y, k=1)  # type: ignore[no-any-return]
    if table.interpolator == "cubic":
        return CubicSpline(x, y, bc_type="not-a-knot")  # type: ignore[no-any-return]
    return PchipInterpolator(x, y)  # type: ignore[no-any-return]


@lru_cache(maxsize=256)
def _derivative(table: Table) -> Callable[[Any], Any]:
    interpolation: Any = _interpolation(table)  # a piecewise polynomial of SciPy, since the table has one variable
    derivative: Callable[[Any], Any] = interpolation.derivative()
    return derivative
