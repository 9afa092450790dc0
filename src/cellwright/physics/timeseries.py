"""Time series as piecewise linear functions."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def compress_current(time: Array, current: Array, *, atol: float, rtol: float) -> tuple[Array, Array]:
    """Return the knots (time [s], current [A]) of a piecewise linear function close to a measured current.

    At every row |I_knots(t) - I| <= atol + rtol max|I|. First and last row are always knots; further ones are put where the
    deviation is largest, interval by interval, until all rows are within the tolerance.

    Source: Ramer, Comput. Graph. Image Process. 1 (1972) 244, doi:10.1016/S0146-664X(72)80017-0.
    """
    tolerance = atol + rtol * float(np.max(np.abs(current), initial=0.0))
    keep = np.zeros(len(time), dtype=bool)
    keep[[0, -1]] = True
    open_intervals = [(0, len(time) - 1)]
    while open_intervals:
        first, last = open_intervals.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        line = np.interp(time[inner], time[[first, last]], current[[first, last]])
        deviation = np.abs(current[inner] - line)
        worst = int(np.argmax(deviation))
        if deviation[worst] > tolerance:
            split = first + 1 + worst
            keep[split] = True
            open_intervals += [(first, split), (split, last)]
    return time[keep], current[keep]
