"""Courses read over a value that they pass, rather than over time."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def read_at(levels: Array, course: Array, columns: Mapping[str, Array], falling: bool) -> dict[str, Array]:
    """Return the columns where a course first comes to each of the levels (falls to it, or rises).

    Between two rows all is linear. A level that the course is beyond from its first row on gives the first row; one
    that it never comes to gives the last row, so that the result is continuous in the course. Rows behind the last one
    that is a number do not count.
    """
    there = int(np.count_nonzero(np.isfinite(course)))
    if there < 2:
        return {name: np.full(len(levels), values[0]) for name, values in columns.items()}
    u, v = (-course[:there], -levels) if falling else (course[:there], levels)
    place = np.searchsorted(np.maximum.accumulate(u), v)
    right = np.clip(place, 1, there - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.clip((v - u[right - 1]) / (u[right] - u[right - 1]), 0.0, 1.0)
    part = np.where(place == 0, 0.0, np.where(place == there, 1.0, part))
    return {name: values[right - 1] + part * (values[right] - values[right - 1]) for name, values in columns.items()}


@dataclass(frozen=True)
class OverVoltage:
    """Variables of a simulation, read at given voltages."""

    time: Array
    """The times [s] of the simulation's rows."""
    voltages: Array
    falling: bool
    variables: Mapping[str, str]
    """Names of what is wanted, and what the simulation calls it."""

    def __call__(self, outputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the wanted variables at the voltages; time [s] is among what there is."""
        known = {**outputs, "Time [s]": self.time}
        columns = {name: known[model] for name, model in self.variables.items()}
        return read_at(self.voltages, outputs["Voltage [V]"], columns, self.falling)
