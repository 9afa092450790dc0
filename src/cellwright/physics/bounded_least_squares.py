"""Least squares with exact slopes and bounds, for many more residuals than unknowns."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

Array = NDArray[np.float64]
Residuals = Callable[[Array], Array]
Normal = Callable[[Array], tuple[Array, Array]]

DAMPING = 1e-3
"""Damping to begin with, relative to the curvature of each unknown."""
LEAST, MOST = 1e-12, 1e12
TRIES = 12
"""How often a step is shortened before there is none."""


@dataclass(frozen=True)
class Minimum:
    """The best point, the sum of squares there, and how often slopes were asked for."""

    x: Array
    cost: float
    steps: int


def minimise(
    residuals: Residuals, normal: Normal, start: Array, lower: Array, upper: Array, tolerance: float, most: int
) -> Minimum:
    """Return the least sum of squares within bounds, by the steps of Levenberg and Marquardt.

    (JᵀJ + λ diag JᵀJ) s = -Jᵀr; unknowns that a step would take over a bound are set on it and the others solved for
    again. λ follows how much of the promised fall comes true. The search ends where a step that is taken lowers the
    cost by less than `tolerance` of it, or after `most` of them.

    `normal` returns Jᵀr and JᵀJ of the residuals r and their Jacobian J, `residuals` r alone.

    Source: Nielsen, Damping parameter in Marquardt's method, Tech. Rep. IMM-REP-1999-05, Technical University of
    Denmark (1999).
    """
    x = np.clip(start, lower, upper)
    damping, growth = DAMPING, 2.0
    r = residuals(x)
    cost = float(r @ r)
    for number in range(1, most + 1):
        g, G = normal(x)
        scale = np.maximum(np.diag(G), 1e-12 * max(float(np.max(np.diag(G))), 1e-300))
        for _ in range(TRIES):
            step = _step(G + damping * np.diag(scale), g, x, lower, upper)
            promised = -float(step @ (2 * g + G @ step))
            there = residuals(x + step)
            fallen = cost - float(there @ there)
            if promised > 0 and fallen > 0:
                break
            damping, growth = min(damping * growth, MOST), growth * 2
        else:
            return Minimum(x, cost, number)
        ratio = fallen / promised
        damping = max(damping * max(1 / 3, 1 - (2 * ratio - 1) ** 3), LEAST)
        growth = 2.0
        x, before, cost = np.clip(x + step, lower, upper), cost, cost - fallen
        if fallen <= tolerance * before:
            return Minimum(x, cost, number)
    return Minimum(x, cost, most)


def _step(matrix: Array, g: Array, x: Array, lower: Array, upper: Array) -> Array:
    """Return the step of the unknowns that are free to move, the others set on the bounds that they would cross."""
    step = np.zeros(len(x))
    free = ~(((x <= lower) & (g > 0)) | ((x >= upper) & (g < 0)))
    while free.any():
        pull = -g[free] - matrix[np.ix_(free, ~free)] @ step[~free]
        inner = matrix[np.ix_(free, free)]
        try:
            step[free] = cho_solve(cho_factor(inner, check_finite=False), pull, check_finite=False)
        except LinAlgError:
            step[free] = np.linalg.lstsq(inner, pull, rcond=None)[0]
        beyond = free & ((x + step < lower) | (x + step > upper))
        if not beyond.any():
            break
        step[beyond] = np.clip(x[beyond] + step[beyond], lower[beyond], upper[beyond]) - x[beyond]
        free &= ~beyond
    return step
