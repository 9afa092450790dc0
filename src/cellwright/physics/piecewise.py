"""Functions that are linear between knots, written by their slopes. Floats, arrays and expressions alike."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any


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
