"""What becomes of points outside the bounds, and where the first population of a search lies."""

import numpy as np
from numpy.typing import NDArray

from cellwright.schema.families import Array
from cellwright.schema.search import Space

HANDLINGS = ("reflect", "absorb", "random", "ignore")
"""What may become of points beyond the bounds."""


def folded(points: Array, space: Space) -> Array:
    """Return points (n, d) mirrored at the bounds, as often as it takes to bring them inside.

    The cost of a folded point is continuous in the point, so a search that knows no bounds can go on outside them.
    """
    low, high = np.broadcast_arrays(space.lower, points)[0], np.broadcast_arrays(space.upper, points)[0]
    result = points.copy()
    both = np.isfinite(low) & np.isfinite(high)
    width = (high - low)[both]
    into = np.mod(points[both] - low[both], 2 * width)
    result[both] = low[both] + np.where(into > width, 2 * width - into, into)
    result = np.where(np.isfinite(low) & ~both & (result < low), 2 * low - result, result)
    result = np.where(np.isfinite(high) & ~both & (result > high), 2 * high - result, result)
    return np.clip(result, low, high)


def outside(points: Array, space: Space) -> NDArray[np.bool_]:
    """Return where coordinates of points (n, d) are beyond the bounds."""
    return (points < space.lower) | (points > space.upper)


def handled(points: Array, space: Space, handling: str, rng: np.random.Generator) -> Array:
    """Return points (n, d) with those coordinates changed that are beyond the bounds.

    "reflect" mirrors them at the bounds, "absorb" puts them on these, "random" draws them anew between the bounds;
    "ignore" leaves them, and a search asks for no such point.
    """
    if handling == "reflect":
        return folded(points, space)
    if handling == "absorb":
        return np.clip(points, space.lower, space.upper)
    if handling == "random":
        drawn = space.lower + rng.random(points.shape) * (space.upper - space.lower)
        return np.where(outside(points, space), drawn, points)
    return points


def first_population(space: Space, count: int, sigma: Array | None, rng: np.random.Generator) -> Array:
    """Return the start and `count` - 1 points more (count, d).

    With `sigma` (d,) they are normal around the start, folded into the bounds; else a Latin hypercube of the bounds.
    """
    from scipy.stats import qmc

    start = space.initial
    if sigma is None:
        cube = qmc.LatinHypercube(d=len(start), rng=rng).random(count - 1) if count > 1 else np.empty((0, len(start)))
        rest = space.lower + cube * (space.upper - space.lower)
    else:
        rest = folded(start + sigma * rng.standard_normal((count - 1, len(start))), space)
    return np.vstack([start, rest])
