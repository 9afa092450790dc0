"""The state of charge of a whole cell at an open-circuit voltage."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cellwright.errors import ConfigurationError
from cellwright.physics.windows import root

SLACK = 0.02
"""Voltage [V] by which a cell may be fuller than full or emptier than empty; it is full or empty then."""
STATES = np.linspace(0, 1, 1001)
"""Where a curve is looked at first, since one that was measured may turn."""


def soc_at_ocv(ocv: Callable[[Any], Any], voltage: float) -> float:
    """Return the state of charge z [-] at which an open-circuit voltage OCV(z) [V] that rises with z has a value [V].

    It is the least one where the curve turns. Raises: `ConfigurationError` where it does not reach the value, and for a
    curve that falls from empty to full.
    """
    curve = np.broadcast_to(np.asarray(ocv(STATES), dtype=float), STATES.shape)
    if curve[-1] < curve[0]:
        raise ConfigurationError(
            f"the open-circuit voltage falls from {curve[0]:.4g} V at a state of charge of 0 to {curve[-1]:.4g} V at 1",
            hint="0 is the empty cell, 1 the full one",
        )
    low, high = float(curve.min()), float(curve.max())
    if not low - SLACK <= voltage <= high + SLACK:
        raise ConfigurationError(
            f"the open-circuit voltage goes from {low:.4g} to {high:.4g} V, and the cell is to be at {voltage:.4g} V",
            hint="give the state of charge, 'Initial SoC'",
        )
    above = np.flatnonzero(curve >= voltage)
    if not above.size:
        return float(STATES[int(np.argmax(curve))])
    if above[0] == 0:
        return 0.0
    return root(lambda z: float(ocv(z)) - voltage, float(STATES[above[0] - 1]), float(STATES[above[0]]))
