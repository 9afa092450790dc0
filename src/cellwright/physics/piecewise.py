"""Functions that are linear between knots, written by their slopes. Floats, arrays and expressions alike."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np


def knots_from_slopes(x: Sequence[float], first: Any, slopes: Sequence[Any]) -> list[Any]:
    """Return the values at the breakpoints, the first among them.

    y_{i+1} = y_i + s_i (x_{i+1} - x_i), with one slope s_i for each of the spans between the breakpoints x_i.
    """
    rises = [slope * (right - left) for slope, left, right in zip(slopes, x[:-1], x[1:], strict=True)]
    return list(accumulate(rises, lambda knot, rise: knot + rise, initial=first))


def grid_from_slopes(
    x1: Sequence[float], x2: Sequence[float], first: Any, slopes1: Sequence[Any], slopes2: Sequence[Sequence[Any]]
) -> list[list[Any]]:
    """Return the values on the grid of two variables, a list over x2 for each x1.

    Slopes along x1 lead from the first value to the edge x2 = x2_0; from every point of it the slopes along x2 lead on
    (`slopes2`: one list for each x1).
    """
    edge = knots_from_slopes(x1, first, slopes1)
    return [knots_from_slopes(x2, start, slopes) for start, slopes in zip(edge, slopes2, strict=True)]


def linear(at: Any, x: Sequence[float], y: Sequence[Any], width: float) -> Any:
    """Return the piecewise linear function through (x_i, y_i) with smooth corners, constant beyond its ends.

    Σ_i y_i N_i(at), with the smooth hats N_i of `hats`.
    """
    return sum(value * hat for value, hat in zip(y, hats(at, x, width), strict=True))


def bilinear(
    at1: Any,
    at2: Any,
    x1: Sequence[float],
    x2: Sequence[float],
    y: Sequence[Sequence[Any]],
    width1: float,
    width2: float,
) -> Any:
    """Return the piecewise bilinear function through the grid y (x1, x2) with smooth edges, constant beyond it."""
    along2 = hats(at2, x2, width2)
    rows = [sum(value * hat for value, hat in zip(row, along2, strict=True)) for row in y]
    return sum(row * hat for row, hat in zip(rows, hats(at1, x1, width1), strict=True))


def hats(at: Any, x: Sequence[float], width: float) -> list[Any]:
    """Return the smooth hats of breakpoints x at a point: one at its own breakpoint, zero at the others, in sum one.

    N_i = t_{i-1} - t_i, with t_i the smooth ramp from 0 at x_i to 1 at x_{i+1}.
    """
    climbed = [(_ramp(at - left, width) - _ramp(at - right, width)) / (right - left) for left, right in pairwise(x)]
    first = 1 - climbed[0]
    between = [before - after for before, after in pairwise(climbed)]
    return [first, *between, climbed[-1]]


def _ramp(z: Any, width: float) -> Any:
    """Return z H(z), with the smooth step H(z) = (1 + tanh(z/k)) / 2 of width k."""
    return z * (1 + np.tanh(z / width)) / 2
