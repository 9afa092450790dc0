"""Stages of a cycler's measurement: what was done to the cell, step by step, told from current and voltage."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Kind = Literal["rest", "current", "voltage", "profile"]

REST = 1e-3
"""Fraction of the largest current below which a current counts as rest."""
STEADY = 1e-2
"""Relative range within which a current counts as constant."""
HELD = 5e-3
"""Range [V] within which a voltage counts as held."""
ROWS = 3
"""Rows that it takes to tell a held voltage."""


@dataclass(frozen=True)
class Stage:
    """A part of a step: a rest, a constant current or voltage, or a current that follows no rule.

    `rows` are its first row and the one behind its last, `duration` [s] lasts until the next part begins. `value` is
    what was held constant [A], positive in discharge, or [V].
    """

    kind: Kind
    rows: tuple[int, int]
    duration: float
    value: float = 0.0


def step_marks(current: Array) -> Array:
    """Return a mark of each row that tells rest (0), discharge (1) and charge (-1) apart."""
    largest = float(np.nanmax(np.abs(current), initial=0.0))
    return np.where(np.abs(current) <= REST * largest, 0.0, np.sign(current))


def stages(
    time: Array, current: Array, voltage: Array, rows: tuple[int, int], end: float, largest: float, *, split: bool
) -> list[Stage]:
    """Return the parts of a step that has these rows of a measurement and ends at the time `end` [s].

    `largest` [A] is the largest current of the measurement. A charge at constant current and then constant voltage is
    two parts where it is to be `split`, else a profile. A step that lasts no time has none.
    """
    first, behind = rows
    I, V = current[first:behind], voltage[first:behind]  # noqa: E741 (the symbols of current and voltage)
    duration = float(end - time[first])
    if duration <= 0:
        return []
    if np.abs(I).max() <= REST * largest:
        return [Stage("rest", rows, duration)]
    if np.ptp(I) <= STEADY * np.abs(I).mean():
        return [Stage("current", rows, duration, float(I.mean()))]
    if len(I) >= ROWS and np.ptp(V) <= HELD:
        return [Stage("voltage", rows, duration, float(V.mean()))]
    turn = _turn(I, V)
    if split and turn is not None:
        middle = first + turn
        until = float(time[middle] - time[first])
        return [
            Stage("current", (first, middle), until, float(current[first:middle].mean())),
            Stage("voltage", (middle, behind), duration - until, float(voltage[middle:behind].mean())),
        ]
    return [Stage("profile", rows, duration)]


def _turn(current: Array, voltage: Array) -> int | None:
    """Return the first row of the constant voltage behind a constant current; None where a step is no such charge."""
    departed = np.abs(current - current[0]) > STEADY * abs(current[0])
    turn = int(np.argmax(departed))
    if turn < 1 or len(voltage) - turn < ROWS - 1 or np.ptp(voltage[turn:]) > HELD:
        return None
    tapers = np.diff(np.abs(current[turn:])) <= STEADY * np.abs(current[0])
    return turn if tapers.all() else None
